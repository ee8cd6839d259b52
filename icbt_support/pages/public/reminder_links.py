"""The links in a reminder: move what it is about, or stop reminders. Opening one changes nothing; a press
does.

They work without a sign-in: the token shows that its bearer got the mail. The page names no person and no
task.
"""

from datetime import date, timedelta

from flask import Blueprint, current_app, g, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Account, PromptLevel, Role
from icbt_support.accounts.operations import change_preferences
from icbt_support.accounts.rules import PreferenceChoices
from icbt_support.audit.models import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import for_patient
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import as_choices, day_choices, parse_time, time_choices
from icbt_support.pages.guards import allow_anyone, request_time
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.plan.models import ItemState, PlanItem
from icbt_support.plan.queries import scoped_item
from icbt_support.plan.rules import ItemIsSettled, OutsideTheWeek
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.own_links import OwnLink, find_by_token
from icbt_support.rhythm.moving import days_for, move_item
from icbt_support.rhythm.prompts import reconcile_prompts

blueprint = Blueprint("public_reminder_links", __name__)
ANY_TIME = "any"
FIRST_HOUR, LAST_HOUR = 6, 23
Page = str | tuple[str, int]


class MoveForm(FlaskForm):
    on = SelectField("Day", validators=[InputRequired("Select a day")])
    at = SelectField("Time", validators=[InputRequired("Select a time, or any time")])


@blueprint.get("/reminders/move/<token>")
@allow_anyone
def ask_to_move(token: str) -> Page:
    found = _movable(token)
    if found is None:
        return _closed()
    enrolment, item = found
    return _render_move(item, _move_form(enrolment, item))


@blueprint.post("/reminders/move/<token>")
@allow_anyone
@commits
def move(token: str) -> Page:
    found = _movable(token)
    if found is None:
        return _closed()
    enrolment, item = found
    form = _move_form(enrolment, item)
    if not form.validate_on_submit():
        return _render_move(item, form), 400
    on, at = date.fromisoformat(form.on.data), None if form.at.data == ANY_TIME else parse_time(form.at.data)
    try:
        move_item(item, on, at, by=_bearer(enrolment), now=request_time())
    except OutsideTheWeek as refusal:
        days = f"{long_day(refusal.earliest_on)} to {long_day(refusal.latest_on)}"
        form.on.errors = [f"Select a day in this week: {days}"]
        return _render_move(item, form), 400
    except ItemIsSettled:
        return _closed()
    when = f"{long_day(on)}{f', {clock_time(at)}' if at else ''}"
    return render_template(
        "public/reminder_done.html", heading="Moved", words=f"It is now on {when}. Its reminder moved too."
    )


@blueprint.get("/reminders/stop/<token>")
@allow_anyone
def ask_to_stop(token: str) -> Page:
    return render_template("public/reminder_stop.html") if _found(token, OwnLink.STOP) else _closed()


@blueprint.post("/reminders/stop/<token>")
@allow_anyone
@commits
def stop(token: str) -> Page:
    reminder = _found(token, OwnLink.STOP)
    enrolment = _enrolment(reminder) if reminder else None
    if enrolment is None:
        return _closed()
    by, now = _bearer(enrolment), request_time()
    kept = enrolment.patient.preferences
    choices = PreferenceChoices(
        wording=kept.wording,
        prompts=PromptLevel.OFF,
        session_email=kept.session_email,
        session_lead_minutes=kept.session_lead_minutes,
        check_in_time=kept.check_in_time,
        quiet_from=kept.quiet_from,
        quiet_until=kept.quiet_until,
    )
    change_preferences(enrolment.patient, choices, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now)
    return render_template(
        "public/reminder_done.html",
        heading="Reminders are off",
        words=(
            "News from people still comes. You can turn reminders on again when you are signed in, "
            "under Reminders."
        ),
    )


@blueprint.record_once
def _take_one_click(state: BlueprintSetupState) -> None:
    """A mail program that stops reminders for its reader (RFC 8058) has seen no form: the link's own token is
    proof enough, and no cookie is asked for.
    """
    state.app.extensions["csrf"].exempt(stop)


def _found(token: str, purpose: OwnLink) -> Reminder | None:
    return find_by_token(token, purpose, link_key=current_app.config["SETTINGS"].link_key)


def _enrolment(reminder: Reminder) -> Enrolment | None:
    """The open course of the person who got the mail."""
    account = db.session.get(Account, reminder.recipient_id)
    enrolment = for_patient(account) if account is not None and account.disabled_at is None else None
    return enrolment if enrolment is not None and enrolment.is_open else None


def _movable(token: str) -> tuple[Enrolment, PlanItem] | None:
    reminder = _found(token, OwnLink.MOVE)
    enrolment = _enrolment(reminder) if reminder else None
    if reminder is None or enrolment is None or reminder.context != f"enrolment:{enrolment.id}":
        return None
    kind, _, number = reminder.subject.partition(":")
    item = scoped_item(enrolment, int(number)) if kind == "plan_item" and number.isdigit() else None
    if item is None or item.state is not ItemState.PLANNED or not item.week.is_open:
        return None
    return enrolment, item


def _move_form(enrolment: Enrolment, item: PlanItem) -> MoveForm:
    planned = item.planned_time.strftime("%H:%M") if item.planned_time else ANY_TIME
    form = MoveForm(on=item.planned_on.isoformat(), at=planned)
    first_on, last_on = days_for(item, enrolment, now=request_time())
    days = [first_on + timedelta(days=n) for n in range((last_on - first_on).days + 1)]
    form.on.choices = as_choices(day_choices(days or [item.planned_on]))
    times = time_choices(FIRST_HOUR, LAST_HOUR)
    if item.planned_time is not None and planned not in dict(times):
        times = sorted([*times, (planned, clock_time(item.planned_time))])
    form.at.choices = as_choices([(ANY_TIME, "Any time"), *times])
    return form


def _render_move(item: PlanItem, form: MoveForm) -> str:
    return render_template("public/reminder_move.html", item=item, form=form)


def _bearer(enrolment: Enrolment) -> Actor:
    return Actor(
        kind=ActorKind.PERSON,
        account_id=enrolment.patient_id,
        role=Role.PATIENT,
        service_id=enrolment.service_id,
        request_id=g.get("request_id", ""),
        address=request.remote_addr or "",
    )


def _closed() -> Page:
    return render_template("public/reminder_closed.html"), 404
