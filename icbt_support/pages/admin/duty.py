"""The duty rota: who is on duty when, working days without anybody, and days that are closed."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import names_of, staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day
from icbt_support.hours.closed_days import bank_holidays, closures_of
from icbt_support.hours.duty_rota import duty_gaps, duty_now, duty_sessions
from icbt_support.hours.models import DutySession
from icbt_support.hours.operations import (
    DutyTaken,
    DutyTwice,
    remove_duty_session,
    set_duty_session,
)
from icbt_support.hours.queries import absences_between
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, as_choices, parse_time, time_choices
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import DatePartsField, clock_time
from icbt_support.service.models import Service

blueprint = Blueprint("admin_duty", __name__)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PLACES = ("Told first", "Told second", "Told third")
LOOK_AHEAD_DAYS = 28
View = Response | str | tuple[str, int]


class DutyForm(FlaskForm):
    weekdays = SelectMultipleField(
        "Days",
        choices=[SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)],
        validators=[InputRequired("Select at least one day")],
    )
    starts = SelectField("From", choices=as_choices(time_choices(0, 23)), default="09:00")
    ends = SelectField("To", choices=as_choices(time_choices(0, 23)), default="17:00")
    position = SelectField(
        "Place", choices=[SelectChoice(str(n), words) for n, words in enumerate(PLACES, start=1)]
    )
    clinician = SelectField("Clinician", validators=[InputRequired("Select a clinician")])


class ClosureForm(FlaskForm):
    closed_on = DatePartsField(
        "Closed on", validators=[InputRequired("Enter the day on which you are closed")]
    )
    reason = Line("Why (optional)", maximum=120)


@dataclass(frozen=True)
class DutyRow:
    session: DutySession
    when: str
    place: str
    who: str


@blueprint.get("/admin/duty")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    service = current_service(Role.ADMINISTRATOR)
    return _page(service, _duty_form(service, is_posted=False), ClosureForm(formdata=None))


@blueprint.post("/admin/duty")
@allow(Role.ADMINISTRATOR)
@commits
def add() -> View:
    service = current_service(Role.ADMINISTRATOR)
    form = _duty_form(service, is_posted=True)
    if not form.validate_on_submit():
        return _page(service, form, ClosureForm(formdata=None))
    try:
        for weekday in form.weekdays.data:
            set_duty_session(
                service,
                weekday=int(weekday),
                starts=parse_time(form.starts.data),
                ends=parse_time(form.ends.data),
                position=int(form.position.data),
                clinician_id=int(form.clinician.data),
                by=_actor(service),
                now=request_time(),
            )
    except DutyTaken:
        form.position.errors = ["Somebody has this place then. Select another place or other days"]
        return _page(service, form, ClosureForm(formdata=None)), 409
    except DutyTwice:
        form.clinician.errors = ["This clinician has duty then. Select somebody else or other days"]
        return _page(service, form, ClosureForm(formdata=None)), 409
    flash("The rota is saved.", "success")
    return redirect(url_for("admin_duty.show"))


@blueprint.post("/admin/duty/<id:session_id>/remove")
@allow(Role.ADMINISTRATOR)
@commits
def remove(session_id: int) -> Response:
    service = current_service(Role.ADMINISTRATOR)
    session = next((one for one in duty_sessions(service) if one.id == session_id), None)
    if session is None:
        abort(404)
    remove_duty_session(session, by=_actor(service), now=request_time())
    flash("Removed from the rota. Look at the days without anybody.", "information")
    return redirect(url_for("admin_duty.show"))


@blueprint.post("/admin/duty/closures")
@allow(Role.ADMINISTRATOR)
def close_day() -> View:
    """Checks the day and leads to what it touches; nothing is changed yet."""
    service, form = current_service(Role.ADMINISTRATOR), ClosureForm()
    closed_on = form.closed_on.data
    if not form.validate_on_submit() or closed_on is None:
        return _page(service, _duty_form(service, is_posted=False), form)
    if closed_on < local_day(request_time(), service.zone):
        form.closed_on.errors = ["Enter today or a day to come"]
        return _page(service, _duty_form(service, is_posted=False), form)
    return redirect(
        url_for("admin_closures.show", day=closed_on.isoformat(), reason=form.reason.data or None)
    )


def _duty_form(service: Service, *, is_posted: bool) -> DutyForm:
    form = DutyForm() if is_posted else DutyForm(formdata=None)
    clinicians = staff_with_role(service.id, Role.CLINICIAN)
    form.clinician.choices = [SelectChoice(str(account.id), account.full_name) for account in clinicians]
    return form


def _page(service: Service, form: DutyForm, closure_form: ClosureForm) -> str:
    now = request_time()
    today = local_day(now, service.zone)
    until_on = today + timedelta(days=LOOK_AHEAD_DAYS)
    sessions = duty_sessions(service)
    names = names_of({session.clinician_id for session in sessions})
    holidays = bank_holidays(service, today.year) | bank_holidays(service, until_on.year)
    return render_template(
        "admin/duty.html",
        form=form,
        closure_form=closure_form,
        posted=next((one for one in (form, closure_form) if one.errors), None),
        service=service,
        rows=[_row(session, names[session.clinician_id]) for session in sessions],
        on_duty=[names[session.clinician_id] for session in duty_now(service, now)],
        gaps=duty_gaps(service, today, until_on),
        closures=closures_of(service, today),
        bank_holidays=sorted(on for on in holidays if today <= on <= until_on),
        absences=[
            (names[absence.account_id], absence) for absence in absences_between(names, today, until_on)
        ],
    )


def _row(session: DutySession, who: str) -> DutyRow:
    next_day = " the next day" if session.ends <= session.starts else ""
    when = (
        f"{WEEKDAYS[session.weekday]}, {clock_time(session.starts)} to {clock_time(session.ends)}{next_day}"
    )
    place = (
        PLACES[session.position - 1]
        if session.position <= len(PLACES)
        else f"Told as number {session.position}"
    )
    return DutyRow(session, when, place, who)


def _actor(service: Service) -> Actor:
    return current_actor(Role.ADMINISTRATOR, service.id)
