"""Moving one review that is not late to another day: the supporter chooses when and why, and the patient reads both."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.hours.refusals import InsideAbsence, OnClosedDay, SlotTaken, TimeNotFree
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.pages.supporter.review_scope import caseload_review
from icbt_support.pages.supporter.review_times import review_day, times_to_move_to
from icbt_support.pages.supporter.typed_values import read_instant
from icbt_support.pages.supporter.words import promise_words
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.rules import MoveReason, ReviewAlreadySent, ReviewNotOwed, moved_because
from icbt_support.rhythm.moving import (
    NotTheOwner,
    ReviewIsLate,
    ReviewTooEarly,
    earliest_review_day,
    move_own_review,
)

CONFLICT, UNFIT = 409, 422
blueprint = Blueprint("supporter_move_review", __name__)


class MoveForm(FlaskForm):
    to = SelectField("New day", validate_choice=False)
    why = RadioField("Why it moves", validate_choice=False)


@blueprint.get("/supporting/reviews/<id:review_id>/move")
@allow(Role.SUPPORTER)
def show(review_id: int) -> Any:
    review = caseload_review(review_id)
    if not can_move(review):
        return _back(review_id)
    return _render(review, _offer(MoveForm(formdata=None), review))


@blueprint.post("/supporting/reviews/<id:review_id>/move")
@allow(Role.SUPPORTER)
@commits
def move(review_id: int) -> Any:
    review = caseload_review(review_id)
    form = _offer(MoveForm(), review)
    starts_at = _chosen(form)
    if starts_at is None:
        return _render(review, form), UNFIT
    try:
        move_own_review(
            review,
            starts_at,
            why=MoveReason(form.why.data),
            by=supporter_actor(review.enrolment),
            now=request_time(),
        )
    except ReviewTooEarly as refusal:
        return _refuse(review, form, f"Choose {long_day(refusal.earliest_on)} or a later day")
    except TimeNotFree as refusal:
        return _refuse(review, form, _time_sentence(refusal))
    except (NotTheOwner, ReviewIsLate, ReviewAlreadySent, ReviewNotOwed):
        flash("This review has changed meanwhile, so it stays where it is.", "information")
        return _back(review_id)
    promised = promise_words(review.promised_at, now=request_time(), zone=review.enrolment.patient.zone)
    flash(
        f"Your patient is told: you write {promised}. The week, the check-in and the reminders moved along.",
        "success",
    )
    return _back(review_id)


def can_move(review: Review) -> bool:
    """Whether the signed-in person owes it, on a day that has not passed and was not missed before."""
    is_mine = review.is_owed and review.owner_id == current_account().id
    has_been_late = review.taken_at is not None or review.is_late(request_time())
    return is_mine and not has_been_late and review.kind is not ReviewKind.WELCOME


def _back(review_id: int) -> Any:
    return redirect(url_for("supporter_review.show", review_id=review_id))


def _offer(form: MoveForm, review: Review) -> MoveForm:
    now = request_time()
    times = times_to_move_to(review, earliest_review_day(review, now=now), now=now)
    form.to.choices = [("", "Choose a day"), *(review_day(review, one) for one in times)]
    if not times:
        form.to.description = "You have no other free review time in the next six weeks. Add one in My hours"
    called = review.owner.called
    form.why.description = f"As {review.enrolment.patient.called} reads it"
    form.why.choices = [SelectChoice(why.value, _reason(why, called)) for why in MoveReason]
    return form


def _reason(why: MoveReason, called: str) -> str:
    words = moved_because(why, called)
    return f"{words[0].upper()}{words[1:]}"


def _chosen(form: MoveForm) -> datetime | None:
    """The chosen time, or None with the errors at the fields."""
    form.validate()
    starts_at = read_instant(form.to.data)
    if starts_at is None:
        form.to.errors = ["Choose the new day"]
    if form.why.data not in list(MoveReason):
        form.why.errors = ["Choose why it moves: the day moves only with its reason"]
    return None if form.errors else starts_at


def _refuse(review: Review, form: MoveForm, sentence: str) -> Any:
    """The page again, with what is free now."""
    db.session.rollback()
    form.to.errors = [sentence]
    return _render(review, _offer(form, review)), CONFLICT


def _time_sentence(refusal: TimeNotFree) -> str:
    if isinstance(refusal, SlotTaken):
        why = "That time has just gone"
    elif isinstance(refusal, InsideAbsence):
        absence = refusal.absence
        why = f"You are away from {long_day(absence.from_on)} to {long_day(absence.until_on)}"
    elif isinstance(refusal, OnClosedDay):
        why = "The service is closed on that day"
    else:
        why = "You have no review time then"
    zone = current_account().zone
    times = ", ".join(day_and_time(to_local(one.starts_at, zone)) for one in refusal.next_three)
    return f"{why}. The next are {times}" if times else f"{why}, and no other is free. Add one in My hours"


def _render(review: Review, form: MoveForm) -> str:
    return render_template(
        "supporter/move_review.html",
        review=review,
        form=form,
        stands=promise_words(review.promised_at, now=request_time(), zone=current_account().zone),
        stands_on=long_day(review.promised_on),
    )
