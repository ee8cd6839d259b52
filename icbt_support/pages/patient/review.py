"""A review as the patient reads it: the letter, the agreed step, and what comes next."""

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages import queries as messages
from icbt_support.messages.models import Message, MessageKind
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, my_enrolment, patient_actor, request_time
from icbt_support.pages.patient.score_curves import score_curves
from icbt_support.pages.patient.staying_well import staying_well
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.operations import mark_review_read
from icbt_support.reviews.rules import module_of

blueprint = Blueprint("patient_review", __name__)


@blueprint.get("/reviews")
@allow(Role.PATIENT)
def index() -> str:
    enrolment = my_enrolment()
    sent = [(one, one.sent_at) for one in reviews.sent_reviews(enrolment)]
    zone = enrolment.patient.zone
    letters = [(review, to_local(at, zone)) for review, at in sent if at is not None]
    return render_template("patient/reviews.html", letters=letters, is_open=enrolment.is_open)


@blueprint.get("/reviews/<id:review_id>")
@allow(Role.PATIENT)
def show(review_id: int) -> str:
    review = _my_review(review_id)
    enrolment, letter = review.enrolment, review.letter
    is_last = review.kind is ReviewKind.LAST
    return render_template(
        "patient/review.html",
        review=review,
        letter=letter,
        enrolment=enrolment,
        sent_at=to_local(review.sent_at, enrolment.patient.zone) if review.sent_at else None,
        is_step_in_plan=letter is not None and module_of(letter.opens) is not None,
        corrections=_corrections(enrolment, review),
        is_last=is_last,
        scores=score_curves(enrolment) if is_last else [],
        staying_well=staying_well(enrolment) if is_last else None,
    )


@blueprint.post("/reviews/<id:review_id>/read")
@allow(Role.PATIENT)
@commits
def mark_read(review_id: int) -> Response:
    review = _my_review(review_id)
    mark_review_read(review, by=patient_actor(review.enrolment), now=request_time())
    return redirect(url_for("patient_week.show"))


def _my_review(review_id: int) -> Review:
    review = reviews.scoped_review(reviews.for_patient(current_account()), review_id)
    if review is None or review.letter is None:
        abort(404)
    return review


def _corrections(enrolment: Enrolment, review: Review) -> list[Message]:
    """Corrections written after this review and before the next one."""
    sent = [one.sent_at for one in reviews.sent_reviews(enrolment) if one.sent_at is not None]
    later = [at for at in sent if review.sent_at is not None and at > review.sent_at]
    return [
        message
        for message in messages.thread(enrolment)
        if message.kind is MessageKind.CORRECTION
        and review.sent_at is not None
        and message.sent_at > review.sent_at
        and (not later or message.sent_at < min(later))
    ]
