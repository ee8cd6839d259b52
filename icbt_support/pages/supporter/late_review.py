"""Taking a review that is late: a named person gives a new date, and the patient is told at once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField

from icbt_support.accounts.models import Role
from icbt_support.cadence import is_working_day, local_day, to_local, to_utc
from icbt_support.hours import queries as hours
from icbt_support.hours.closed_days import closed_days
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import as_choices, place_words, time_choices
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.pages.supporter.review_scope import caseload_review
from icbt_support.pages.supporter.typed_values import read_day, read_time
from icbt_support.pages.supporter.words import moment_inside, promise_words
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed
from icbt_support.rhythm.lateness import NewPromiseTooEarly, ReviewIsNotLate, take_review

DAYS_OFFERED = 10
LAST_HOUR = 18
blueprint = Blueprint("supporter_late_review", __name__)


class NewPromiseForm(FlaskForm):
    on = SelectField("Day", validate_choice=False)
    at = SelectField("By what time", validate_choice=False)


@blueprint.get("/supporting/reviews/<id:review_id>/new-date")
@allow(Role.SUPPORTER)
def show(review_id: int) -> Any:
    review = caseload_review(review_id)
    if not review.is_owed or not needs_a_date(review):
        return redirect(url_for("supporter_review.show", review_id=review.id))
    form = _offer(NewPromiseForm(formdata=None), review)
    return _render(review, form)


@blueprint.post("/supporting/reviews/<id:review_id>/new-date")
@allow(Role.SUPPORTER)
@commits
def take(review_id: int) -> Any:
    review, now = caseload_review(review_id), request_time()
    form = _offer(NewPromiseForm(), review)
    promised_at = _promise(form, review)
    if promised_at is None:
        return _render(review, form), 400
    try:
        take_review(review, promised_at, by=supporter_actor(review.enrolment), now=now)
    except NewPromiseTooEarly:
        form.at.errors = ["Choose a time that is still to come"]
        return _render(review, form), 400
    except (ReviewAlreadySent, ReviewIsNotLate, ReviewNotOwed):
        return redirect(url_for("supporter_review.show", review_id=review_id))
    local = to_local(promised_at, review.enrolment.patient.zone)
    flash(f"The patient was told: you write by {day_and_time(local)}.", "success")
    return redirect(url_for("supporter_review.show", review_id=review.id))


def needs_a_date(review: Review) -> bool:
    """Whether it is late, or was and has a new date that may change once more."""
    return review.is_late(request_time()) or review.taken_at is not None


def _offer(form: NewPromiseForm, review: Review) -> NewPromiseForm:
    days = _days(review, request_time())
    form.on.choices = as_choices([("", "Choose a day"), *((day.isoformat(), long_day(day)) for day in days)])
    form.at.choices = as_choices([("", "Choose a time"), *time_choices(9, LAST_HOUR)])
    return form


def _days(review: Review, now: datetime) -> Sequence[date]:
    """Working days on which the person who takes it is not away."""
    service, account = review.enrolment.service, current_account()
    today = local_day(now, review.enrolment.patient.zone)
    last = today + timedelta(days=DAYS_OFFERED)
    closed = closed_days(service, today, last)
    absences = hours.absences_between([account.id], today, last)
    days = (today + timedelta(days=count) for count in range(DAYS_OFFERED + 1))
    return [
        day
        for day in days
        if is_working_day(day, closed) and not any(one.from_on <= day <= one.until_on for one in absences)
    ]


def _promise(form: NewPromiseForm, review: Review) -> datetime | None:
    """The chosen instant, or None with the errors at the fields."""
    form.validate()
    on, at = read_day(form.on.data), read_time(form.at.data)
    if on is None or on.isoformat() not in {choice.value for choice in form.on.choices}:
        form.on.errors = ["Choose the day by which you will write"]
    if at is None:
        form.at.errors = ["Choose the time by which you will write"]
    if form.errors or on is None or at is None:
        return None
    return to_utc(on, at, review.enrolment.patient.zone)


def _render(review: Review, form: NewPromiseForm) -> str:
    account, patient, now = current_account(), review.enrolment.patient, request_time()
    told_at = review.told_late_at
    return render_template(
        "supporter/late_review.html",
        review=review,
        form=form,
        account=account,
        was_due=promise_words(review.promised_at, now=now, zone=account.zone),
        told=moment_inside(told_at, now=now, zone=account.zone) if told_at else "",
        place=place_words(patient.zone) if patient.zone != account.zone else "",
    )
