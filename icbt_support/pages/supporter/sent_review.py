"""A review that was sent: what sending changed, the letter as the patient has it, and a correction to it."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.engagement import person
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.supporter import kept_words
from icbt_support.pages.supporter.review_scope import caseload_review, my_queue
from icbt_support.pages.supporter.today import next_day_words, next_in_queue
from icbt_support.pages.supporter.words import count_words, moment_words
from icbt_support.plan.queries import open_week_of
from icbt_support.reviews.models import Review, ReviewKind, ReviewLetter, ReviewState
from icbt_support.reviews.rules import LAST_REVIEW, PAUSE
from icbt_support.rhythm.course_changes import FROM_HERE_ON
from icbt_support.rhythm.sending import correct_review
from icbt_support.rhythm.strips import strip_of_week

blueprint = Blueprint("supporter_sent_review", __name__)


class CorrectionForm(OncePosted):
    words = LongText(
        "Your correction",
        missing="Write what was wrong, and how it is right",
        description="It comes as a message of its own. The letter stays as it was sent.",
    )


@blueprint.get("/supporting/reviews/<id:review_id>/sent")
@allow(Role.SUPPORTER)
def show(review_id: int) -> Any:
    review, letter = _sent_review(review_id)
    account, now = current_account(), request_time()
    changed = person.what_sending_changed(review)
    queue = my_queue()
    return render_template(
        "supporter/review_sent.html",
        review=review,
        letter=letter,
        kept=kept_words.kept_for(review, account.id, now=now, zone=account.zone),
        changes=_changes(review, letter, changed),
        sent=moment_words(letter.sent_at, now=now, zone=account.zone),
        author=letter.author.full_name if letter.author_id != account.id else "",
        following=next_in_queue(queue, apart_from=review.enrolment_id),
        next_day=next_day_words(queue.next_day, account.zone),
    )


@blueprint.get("/supporting/reviews/<id:review_id>/letter")
@allow(Role.SUPPORTER)
def letter(review_id: int) -> Any:
    """The letter and the open week as the patient has them."""
    review, sent = _sent_review(review_id)
    week = open_week_of(review.enrolment)
    return render_template(
        "supporter/review_letter.html",
        review=review,
        letter=sent,
        sections=[(section["heading"], section["words"]) for section in sent.sections],
        strip=strip_of_week(review.enrolment, week, now=request_time()) if week is not None else None,
        sent_at=to_local(sent.sent_at, review.enrolment.patient.zone),
        read=_read_words(review),
    )


@blueprint.get("/supporting/reviews/<id:review_id>/correction")
@allow(Role.SUPPORTER)
def correct(review_id: int) -> Any:
    review, _ = _sent_review(review_id)
    return render_template(
        "supporter/review_correction.html", review=review, form=CorrectionForm(formdata=None)
    )


@blueprint.post("/supporting/reviews/<id:review_id>/correction")
@allow(Role.SUPPORTER)
@commits
def send_correction(review_id: int) -> Any:
    review, _ = _sent_review(review_id)
    form = CorrectionForm()
    if not form.validate_on_submit():
        return render_template("supporter/review_correction.html", review=review, form=form), 400
    correct_review(
        review,
        form.words.data,
        posted_key=form.posted_key.data,
        by=supporter_actor(review.enrolment),
        now=request_time(),
    )
    flash("Your correction was sent.", "success")
    return redirect(url_for(".letter", review_id=review.id))


def _sent_review(review_id: int) -> tuple[Review, ReviewLetter]:
    review = caseload_review(review_id)
    if review.state is not ReviewState.SENT or review.letter is None or review.kind is ReviewKind.WELCOME:
        abort(404)
    return review, review.letter


def _changes(review: Review, letter: ReviewLetter, changed: person.WhatSendingChanged) -> list[str]:
    """What sending did, one change a line, so that it can be checked at a glance."""
    called = review.enrolment.patient.called
    return [
        *_weeks_changed(review, letter),
        f"{count_words(changed.planned, 'reminder')} planned",
        f"{count_words(changed.withdrawn, 'reminder')} withdrawn",
        f"{called} told",
        *(section["words"] for section in letter.sections if section["heading"] == FROM_HERE_ON),
    ]


def _weeks_changed(review: Review, letter: ReviewLetter) -> list[str]:
    if review.week_opened_late_at is not None:
        return ["the next step added to the week that is open"]
    opened = {LAST_REVIEW: "the course has ended", PAUSE: "the plan is paused"}
    return [
        f"week {review.number} closed",
        opened.get(letter.opens, f"week {review.number + 1} open"),
    ]


def _read_words(review: Review) -> str:
    if review.read_at is None:
        return "Not opened yet"
    account = current_account()
    return f"Opened {moment_words(review.read_at, now=request_time(), zone=account.zone)}"
