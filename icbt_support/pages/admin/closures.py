"""Closing the service for a day: first which reviews it touches and where each goes, then closed in one step."""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.refusals import TimeNotFree
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import long_day
from icbt_support.reviews.models import ReviewKind
from icbt_support.rhythm.closing import MovedByClosure, close_day, moved_by_closure
from icbt_support.service.models import Service

blueprint = Blueprint("admin_closures", __name__)

LONGEST_REASON = 120


@dataclass(frozen=True)
class MovedRow:
    """One review by its writer and the initials of whom it is for; an administrator reads no more of a patient."""

    writer: str
    initials: str
    what: str
    moves_to: str


@blueprint.get("/admin/duty/closures/<day>")
@allow(Role.ADMINISTRATOR)
def show(day: str) -> str:
    service = current_service(Role.ADMINISTRATOR)
    return _page(service, _asked_day(day, service))


@blueprint.post("/admin/duty/closures/<day>")
@allow(Role.ADMINISTRATOR)
@commits
def close(day: str) -> Response | tuple[str, int]:
    service = current_service(Role.ADMINISTRATOR)
    on = _asked_day(day, service)
    actor = current_actor(Role.ADMINISTRATOR, service.id)
    try:
        moved = close_day(service, on, _reason(), by=actor, now=request_time())
    except TimeNotFree:
        # Somebody has taken the place meanwhile: the page shows the next one.
        db.session.rollback()
        return _page(service, on), 409
    flash(f"The service is closed on {long_day(on)}. {_moved_words(len(moved))}", "success")
    return redirect(url_for("admin_duty.show"))


def _page(service: Service, on: date) -> str:
    moved = moved_by_closure(service, on, now=request_time())
    return render_template(
        "admin/closure.html",
        on=on,
        reason=_reason(),
        rows=[_row(one) for one in moved],
        is_done=not moved and on in closed_days(service, on, on),
    )


def _row(one: MovedByClosure) -> MovedRow:
    review = one.touched.review
    is_welcome = review.kind is ReviewKind.WELCOME
    where = long_day(one.moves_to)
    return MovedRow(
        one.writer.full_name,
        review.enrolment.patient.initials,
        "Welcome" if is_welcome else "Review",
        where if one.has_place or is_welcome else f"{where}, beside what is planned then",
    )


def _moved_words(count: int) -> str:
    if count == 0:
        return "No review was to be written then."
    return f"{'1 review moves' if count == 1 else f'{count} reviews move'}, and those concerned are told."


def _reason() -> str:
    return request.args.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]


def _asked_day(day: str, service: Service) -> date:
    try:
        on = date.fromisoformat(day)
    except ValueError:
        abort(404)
    if on < local_day(request_time(), service.zone):
        abort(404)
    return on
