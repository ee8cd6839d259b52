"""*I'm away*: the patient's own button, with the dates shown before anything happens."""

from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.queries import local_today
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.rules import longest_away_until
from icbt_support.hours.refusals import TimeNotFree
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import DatePartsField, long_day
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.away import (
    AwayInThePast,
    AwayTooLong,
    NoReviewTime,
    come_back,
    go_away,
    propose_away,
)
from icbt_support.rhythm.weeks import promised_day

blueprint = Blueprint("patient_away", __name__)


class AwayForm(FlaskForm):
    until_on = DatePartsField(
        "What is the last day you are away?", validators=[InputRequired("Enter the last day you are away")]
    )


@blueprint.get("/away")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    form = AwayForm(until_on=local_today(enrolment, request_time()) + timedelta(days=7))
    return _page(enrolment, form)


@blueprint.post("/away")
@allow(Role.PATIENT)
def choose() -> Response | str:
    """Checks the day and leads to the dates; nothing is changed yet."""
    enrolment = my_enrolment()
    form = AwayForm()
    until_on = form.until_on.data
    if not form.validate_on_submit() or until_on is None:
        return _page(enrolment, form)
    problem = _problem(enrolment, until_on)
    if problem:
        form.until_on.errors = [problem]
        return _page(enrolment, form)
    return redirect(url_for("patient_away.dates", until=until_on.isoformat()))


@blueprint.get("/away/until/<until>")
@allow(Role.PATIENT)
def dates(until: str) -> Response | str:
    enrolment = my_enrolment()
    until_on = _day(until)
    if _problem(enrolment, until_on):
        return redirect(url_for("patient_away.show"))
    plan = propose_away(enrolment, until_on, now=request_time())
    return render_template(
        "patient/away_dates.html",
        plan=plan,
        moves_to=promised_day(enrolment, plan.review_to.starts_at) if plan.review_to else None,
        supporter=enrolment.supporter,
        until=until,
    )


@blueprint.post("/away/until/<until>")
@allow(Role.PATIENT)
@commits
def go(until: str) -> Response:
    enrolment = my_enrolment()
    try:
        plan = go_away(enrolment, _day(until), by=patient_actor(enrolment), now=request_time())
    except (AwayInThePast, AwayTooLong, NoReviewTime, NotPossibleNow, TimeNotFree, LetterRefused):
        response = redirect(url_for("patient_away.show"))
        flash("Those dates have changed. Have a look and choose again.", "information")
        return response
    flash(f"Enjoy your time away. Your plan goes on from {long_day(plan.back_on)}.", "success")
    return redirect(url_for("patient_week.show"))


@blueprint.post("/away/back")
@allow(Role.PATIENT)
@commits
def back() -> Response:
    enrolment = my_enrolment()
    if enrolment.state is EnrolmentState.AWAY:
        come_back(enrolment, by=patient_actor(enrolment), now=request_time())
        flash("Welcome back. We start where you are.", "success")
    return redirect(url_for("patient_week.show"))


def _page(enrolment: Enrolment, form: AwayForm) -> str:
    today = local_today(enrolment, request_time())
    return render_template(
        "patient/away.html",
        form=form,
        enrolment=enrolment,
        supporter=enrolment.supporter,
        EnrolmentState=EnrolmentState,
        latest_on=longest_away_until(today, enrolment.service.rhythm.longest_away_days),
    )


def _problem(enrolment: Enrolment, until_on: date) -> str:
    """What to choose instead, or nothing."""
    if enrolment.state is not EnrolmentState.ACTIVE:
        return "Come back first, then choose new dates"
    try:
        propose_away(enrolment, until_on, now=request_time())
    except AwayInThePast:
        return "Enter today or a day to come"
    except AwayTooLong as refusal:
        latest, name = long_day(refusal.latest_on), enrolment.supporter.called
        return f"Enter a day up to {latest}. For longer, write to {name}"
    except NoReviewTime:
        return (
            f"We found no review day after that. Write to {enrolment.supporter.called}, who can arrange one"
        )
    return ""


def _day(until: str) -> date:
    try:
        return date.fromisoformat(until)
    except ValueError:
        abort(404)
