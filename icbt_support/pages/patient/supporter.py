"""About the supporter: who they are, on which days they write, and what they can and cannot see."""

from flask import Blueprint, Response, abort, render_template

from icbt_support.accounts.models import Role
from icbt_support.accounts.portraits import photo_of
from icbt_support.accounts.queries import supporter_profile
from icbt_support.cadence import to_local
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.queries import coming_absences
from icbt_support.messages.queries import reading_days_words
from icbt_support.pages.guards import allow, my_enrolment, request_time
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.moved_words import moved_words
from icbt_support.pages.photos import photo_response
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import next_review
from icbt_support.rhythm.lateness import lateness_of

blueprint = Blueprint("patient_supporter", __name__)


@blueprint.get("/supporter")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    today = local_today(enrolment, request_time())
    review = next_review(enrolment) if enrolment.is_open else None
    return render_template(
        "patient/supporter.html",
        supporter=enrolment.supporter,
        profile=supporter_profile(enrolment.supporter_id),
        photo=photo_of(enrolment.supporter_id) if enrolment.is_open else None,
        reading_days=reading_days_words(enrolment, now=request_time()),
        next_review=_next_review_words(review),
        moved=moved_words(review),
        absences=coming_absences(enrolment.supporter_id, today) if enrolment.is_open else [],
        service=enrolment.service,
        is_open=enrolment.is_open,
        is_weekly=enrolment.cadence_days == 7,
    )


@blueprint.get("/supporter/photo")
@allow(Role.PATIENT)
def photo() -> Response:
    """The photo of one's own supporter, while the course runs."""
    enrolment = my_enrolment()
    stored = photo_of(enrolment.supporter_id) if enrolment.is_open else None
    if stored is None:
        abort(404)
    return photo_response(stored)


def _next_review_words(review: Review | None) -> str:
    """ "Your next review is on Thursday 26 November, by 5pm.", with the name of whoever covers it."""
    if review is None:
        return ""
    if lateness_of(review, now=request_time()):
        return "Your review is not here yet. Your home page says when you hear more."
    at = to_local(review.promised_at, review.enrolment.patient.zone)
    is_by_other = review.pooled_at is not None or review.owner_id != review.enrolment.supporter_id
    by = f" {review.writer_called} writes it." if is_by_other else ""
    return f"Your next review is on {long_day(at.date())}, by {clock_time(at)}.{by}"
