"""Writing the welcome: the first words that a person gets, with a text to start from."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.queries import reading_days_words
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import welcome_of
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed
from icbt_support.rhythm.welcome import send_welcome

blueprint = Blueprint("supporter_welcome", __name__)


class WelcomeForm(OncePosted):
    words = LongText("Your welcome", missing="Write a few words of welcome")


@blueprint.get("/supporting/patients/<id:enrolment_id>/welcome")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    enrolment = caseload_enrolment(enrolment_id)
    review = _welcome(enrolment)
    return _page(enrolment, review, WelcomeForm(words=starting_words(enrolment)))


@blueprint.post("/supporting/patients/<id:enrolment_id>/welcome")
@allow(Role.SUPPORTER)
@commits
def send(enrolment_id: int) -> Response | str | tuple[str, int]:
    enrolment = caseload_enrolment(enrolment_id)
    review, form = _welcome(enrolment), WelcomeForm()
    if not form.validate_on_submit():
        return _page(enrolment, review, form)
    try:
        send_welcome(
            review,
            form.words.data,
            posted_key=form.posted_key.data,
            by=supporter_actor(enrolment),
            now=request_time(),
        )
    except (ReviewAlreadySent, ReviewNotOwed):
        return _page(enrolment, review, form), 409
    flash("Your welcome is sent, and an email says so.", "success")
    return redirect(url_for("supporter_welcome.show", enrolment_id=enrolment.id))


def starting_words(enrolment: Enrolment) -> str:
    """A text to start from: who writes, when, and what they can see."""
    patient, writer = enrolment.patient.called, current_account().called
    return (
        f"Hello {patient},\n\n"
        f"I'm {writer}. I will be with you through this course. {_reading_days(enrolment)}.\n\n"
        "Each week you get a plan, and I write you a review. I can see what you planned and did, "
        "your check-in answers, and what you choose to share. I do not see your private entries.\n\n"
        "The first step takes about 15 minutes: a few questions, and then you choose your days. "
        "You can stop half-way, and your place is kept.\n\n"
        "You can write to me at any time. I do not read messages straight away, so if you need "
        "someone now, use Get help now at the top of each page.\n\n"
        f"With warm wishes,\n{writer}"
    )


def _reading_days(enrolment: Enrolment) -> str:
    """The same sentence as elsewhere; a supporter who writes about their own days says "I"."""
    supporter, words = enrolment.supporter, reading_days_words(enrolment, now=request_time())
    if current_account().id != supporter.id:
        return words
    return words.replace(f"{supporter.called} reads", "I read", 1)


def _welcome(enrolment: Enrolment) -> Review:
    review = welcome_of(enrolment)
    if review is None:
        abort(404)
    return review


def _page(enrolment: Enrolment, review: Review, form: WelcomeForm) -> str:
    promised = to_local(review.promised_at, enrolment.service.zone)
    return render_template(
        "supporter/welcome.html",
        enrolment=enrolment,
        review=review,
        form=form,
        promised=f"{clock_time(promised)} on {long_day(promised)}",
        sent=to_local(review.sent_at, enrolment.service.zone) if review.sent_at else None,
    )
