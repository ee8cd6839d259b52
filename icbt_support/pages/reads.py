"""Looks at what belongs to somebody: each leaves a line in the audit, or the page is not shown."""

from datetime import datetime
from functools import partial

from flask import Flask, Response, g, make_response, request
from sqlalchemy.exc import DBAPIError

from icbt_support import audit
from icbt_support.audit.models import Actor
from icbt_support.audit.queries import READ_PART, READ_RECORD
from icbt_support.pages.errors import database_refuses

WHOLE_PAGE = b"<!doctype html"


def install_reads(app: Flask) -> None:
    app.after_request(_note_reads_of_post)


def note_read(
    action: str,
    *,
    by: Actor,
    now: datetime,
    object_kind: str = "",
    object_id: int | None = None,
    enrolment_id: int | None = None,
    detail: str = "",
) -> None:
    """One audit line for a look, in a transaction of its own; if it cannot be written, the answer is 503.

    What a post shows again, such as a form with a mistake in it, is noted once the post's own transaction has
    ended; a post that leads on to a page shows nothing itself.
    """
    note = partial(
        audit.record_apart,
        by=by,
        now=now,
        object_kind=object_kind,
        object_id=object_id,
        enrolment_id=enrolment_id,
        detail=detail,
    )
    if request.method == "GET":
        note(action)
        return
    looks = g.setdefault("looks_of_post", {})
    looks[action, object_kind, object_id] = note


def _note_reads_of_post(response: Response) -> Response:
    looks = g.pop("looks_of_post", {})
    if not looks or response.mimetype != "text/html" or 300 <= response.status_code < 400:
        return response
    is_page = response.get_data()[:100].lstrip().lower().startswith(WHOLE_PAGE)
    try:
        for (action, *_), note in looks.items():
            note(READ_PART if action == READ_RECORD and not is_page else action)
    except DBAPIError as error:
        return make_response(database_refuses(error))
    return response
