"""A review as the patient reads it: the letter, the agreed step, and what comes next."""

from flask import Blueprint, Response, abort, redirect, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.messages import queries as messages
from icbt_support.messages.models import MessageKind
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, my_enrolment, patient_actor, request_time
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.reviews.operations import mark_review_read

blueprint = Blueprint("patient_review", __name__)


@blueprint.get("/reviews")
@allow(Role.PATIENT)
def index() -> str:
    enrolment = my_enrolment()
    return render_template("patient/reviews.html", reviews=reviews.sent_reviews(enrolment), zone=enrolment.patient.zone)


@blueprint.get("/reviews/<id:review_id>")
@allow(Role.PATIENT)
def show(review_id: int) -> str:
    enrolment, review = my_enrolment(), _my_review(review_id)
    corrections = [
        message
        for message in messages.thread(enrolment)
        if message.kind is MessageKind.CORRECTION and review.sent_at and message.sent_at > review.sent_at
    ]
    return render_template(
        "patient/review.html",
        review=review,
        letter=review.letter,
        enrolment=enrolment,
        sent_at=to_local(review.sent_at, enrolment.patient.zone) if review.sent_at else None,
        corrections=corrections if review is reviews.last_sent(enrolment) else [],
    )


@blueprint.post("/reviews/<id:review_id>/read")
@allow(Role.PATIENT)
@commits
def mark_read(review_id: int) -> Response:
    review = _my_review(review_id)
    mark_review_read(review, by=patient_actor(my_enrolment()), now=request_time())
    return redirect(url_for("patient_week.show"))  # type: ignore[return-value]


def _my_review(review_id: int) -> Review:
    review = reviews.scoped_review(reviews.for_patient(current_account()), review_id)
    if review is None or review.letter is None:
        abort(404)
    return review
