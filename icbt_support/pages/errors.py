"""Every error has a page that says what happened, what was kept, and a way on."""

import logging

from flask import Flask, Response, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from icbt_support.db import UnreadableText, db
from icbt_support.pages.kit import render_standalone
from icbt_support.trouble import is_database_away

log = logging.getLogger(__name__)
WITH_OWN_PAGE = {400, 403, 404, 405, 409, 413, 429, 500, 503}
PRODUCT_NAME = "Online course"
HELP_URL = "/help-now"
RETRY_AFTER_SECONDS = "30"
_NOT_TYPED = ("csrf_token", "password", "posted_key", "version")


def install_errors(app: Flask) -> None:
    app.register_error_handler(CSRFError, form_is_too_old)
    app.register_error_handler(DBAPIError, database_refuses)
    app.register_error_handler(UnreadableText, _broken)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)


def typed_texts() -> list[str]:
    """What the person had typed in the form that could not be taken, so that the page can give it back."""
    try:
        fields = request.form.items(multi=True)
        return [
            text for name, text in fields if len(text) > 20 and not any(part in name for part in _NOT_TYPED)
        ]
    except HTTPException:
        return []


def _refused(error: HTTPException) -> tuple[str, int] | HTTPException | tuple[str, int, dict[str, str]]:
    code = error.code or 500
    if code < 400:
        return error
    page = code if code in WITH_OWN_PAGE else (400 if code < 500 else 500)
    db.session.rollback()
    if code >= 500 or isinstance(error, RequestEntityTooLarge):
        return _standalone(page, code)
    headers = dict(error.get_headers()) if code == 405 else {}
    headers.pop("Content-Type", None)
    texts = typed_texts()
    return render_template(f"errors/{page}.html", typed_texts=texts), code, headers


def form_is_too_old(error: CSRFError) -> tuple[str, int]:
    db.session.rollback()
    return render_template("errors/400.html", typed_texts=typed_texts()), 400


def database_refuses(error: DBAPIError) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Locked for too long, full, read-only or unreachable: nothing was saved, and the page says so."""
    if not is_database_away(error):
        return _broken(error)
    log.error("database away: %s", type(error.orig).__name__)
    db.session.rollback()
    body, code = _standalone(503, 503)
    return body, code, {"Retry-After": RETRY_AFTER_SECONDS}


def _broken(error: Exception) -> tuple[str, int]:
    log.exception("unexpected error at %s", request.endpoint)
    db.session.rollback()
    return _standalone(500, 500)


def _standalone(page: int, code: int) -> tuple[str, int]:
    body = render_standalone(
        current_app,
        f"errors/{page}.html",
        product_name=PRODUCT_NAME,
        help_url=HELP_URL,
        typed_texts=typed_texts(),
    )
    return body, code


def no_content() -> Response:
    return Response(status=204)
