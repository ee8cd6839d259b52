"""Reminders: what is coming, what was sent or held back and why, and the choices."""

from datetime import datetime, time, timedelta
from functools import lru_cache

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf

from icbt_support.accounts import queries as accounts
from icbt_support.accounts.models import Account, ContactPreferences, PromptLevel, Role, SessionEmail, Wording
from icbt_support.accounts.operations import change_preferences
from icbt_support.accounts.rules import PreferenceChoices
from icbt_support.cadence import local_day
from icbt_support.delivery.rendering import Part, Renderer
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import as_choices, parse_time, time_choices
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import clock_time
from icbt_support.pages.reminder_words import (
    NOT_SENT,
    SENT,
    coming_line,
    lead_words,
    news_line,
    past_line,
)
from icbt_support.reminders import queries as ledger
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderClass, ReminderKind
from icbt_support.reviews.queries import reviews_of
from icbt_support.rhythm.prompts import reconcile_prompts
from icbt_support.settings import Settings

blueprint = Blueprint("patient_reminders", __name__)
LAST_DAYS = timedelta(days=7)
LEADS = (15, 30, 60, 120, 180)
SAMPLE_EVERY_MINUTES = 5
SAMPLE_FACTS = {
    "day": "Tuesday",
    "time": "7pm",
    "day_and_time": "Tuesday 7pm",
    "minutes": "about 12 minutes",
    "title": "planning for low days",
    "link": "",
    "move_link": "",
}


class ChoicesForm(FlaskForm):
    prompts = RadioField(
        "How many reminders would you like?",
        choices=[
            SelectChoice(PromptLevel.ALL.value, "All of them"),
            SelectChoice(PromptLevel.FEWER.value, "Fewer: one a week at most"),
            SelectChoice(PromptLevel.OFF.value, "None"),
        ],
        validate_choice=False,
        validators=[AnyOf(list(PromptLevel), "Select how many reminders you would like")],
    )
    session_email = RadioField(
        "Which session should we email about?",
        choices=[
            SelectChoice(SessionEmail.FIRST.value, "The first one of the week"),
            SelectChoice(SessionEmail.EVERY.value, "Every one"),
            SelectChoice(SessionEmail.NONE.value, "None"),
        ],
        validate_choice=False,
        validators=[AnyOf(list(SessionEmail), "Select which session we should email about")],
    )
    session_lead_minutes = SelectField(
        "How long before it starts?",
        choices=[SelectChoice(str(minutes), lead_words(minutes)) for minutes in LEADS],
    )
    check_in_time = SelectField(
        "At what time should we ask about the check-in?",
        choices=as_choices(time_choices(7, 21)),
    )
    quiet_from = SelectField("No emails from", choices=as_choices(time_choices(0, 23, 60)))
    quiet_until = SelectField("until", choices=as_choices(time_choices(0, 23, 60)))
    wording = RadioField(
        "How much should an email say?",
        choices=[
            SelectChoice(Wording.DISCREET.value, "Discreet"),
            SelectChoice(Wording.WITH_DETAIL.value, "With detail"),
        ],
        validate_choice=False,
        validators=[AnyOf(list(Wording), "Select how much an email should say")],
    )


@blueprint.get("/reminders")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    return _render(enrolment, _filled_form(enrolment.patient.preferences))


@blueprint.post("/reminders")
@allow(Role.PATIENT)
@commits
def save() -> str | Response | tuple[str, int]:
    enrolment, form = my_enrolment(), ChoicesForm()
    _add_own_times(form, enrolment.patient.preferences)
    if not form.validate_on_submit():
        return _render(enrolment, form), 400
    by, now = patient_actor(enrolment), request_time()
    change_preferences(enrolment.patient, _choices(form), by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now)
    flash("Your choices are saved. What is coming has been planned again.", "success")
    return redirect(url_for("patient_reminders.show"))


@blueprint.post("/reminders/sample")
@allow(Role.PATIENT)
@commits
def send_sample() -> Response:
    """One sample in a few minutes is enough: the key makes a second press the same sample."""
    enrolment, now = my_enrolment(), request_time()
    turn = int(now.timestamp()) // (60 * SAMPLE_EVERY_MINUTES)
    owe_reminder(
        key=f"sample:{enrolment.patient_id}:{turn}",
        kind=ReminderKind.SAMPLE,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )
    flash("A sample is on its way to your email address. It says what you have chosen.", "success")
    return redirect(url_for("patient_reminders.show"))


@blueprint.get("/reminders/stop")
@allow(Role.PATIENT)
def ask_to_stop() -> str:
    return render_template("patient/reminders_stop.html", supporter=my_enrolment().supporter)


@blueprint.post("/reminders/stop")
@allow(Role.PATIENT)
@commits
def stop() -> Response:
    enrolment, now = my_enrolment(), request_time()
    by = patient_actor(enrolment)
    change_preferences(
        enrolment.patient, kept_choices(enrolment.patient.preferences, PromptLevel.OFF), by=by, now=now
    )
    reconcile_prompts(enrolment, by=by, now=now)
    flash("Reminders are off. News from people still comes. You can turn reminders on again here.", "success")
    return redirect(url_for("patient_reminders.show"))


def kept_choices(kept: ContactPreferences, prompts: PromptLevel) -> PreferenceChoices:
    """All choices as they are, but for how many prompts come."""
    return PreferenceChoices(
        wording=kept.wording,
        prompts=prompts,
        session_email=kept.session_email,
        session_lead_minutes=kept.session_lead_minutes,
        check_in_time=kept.check_in_time,
        quiet_from=kept.quiet_from,
        quiet_until=kept.quiet_until,
    )


def _filled_form(kept: ContactPreferences) -> ChoicesForm:
    form = ChoicesForm(
        prompts=kept.prompts.value,
        session_email=kept.session_email.value,
        session_lead_minutes=str(kept.session_lead_minutes),
        check_in_time=_hhmm(kept.check_in_time),
        quiet_from=_hhmm(kept.quiet_from),
        quiet_until=_hhmm(kept.quiet_until),
        wording=kept.wording.value,
    )
    _add_own_times(form, kept)
    return form


def _add_own_times(form: ChoicesForm, kept: ContactPreferences) -> None:
    """What somebody chose elsewhere stays among the choices."""
    for field, at in (
        (form.check_in_time, kept.check_in_time),
        (form.quiet_from, kept.quiet_from),
        (form.quiet_until, kept.quiet_until),
    ):
        if _hhmm(at) not in {choice.value for choice in field.choices}:
            own = SelectChoice(_hhmm(at), clock_time(at))
            field.choices = sorted([*field.choices, own], key=lambda choice: choice.value)
    lead = str(kept.session_lead_minutes)
    if lead not in {choice.value for choice in form.session_lead_minutes.choices}:
        form.session_lead_minutes.choices = [
            SelectChoice(lead, lead_words(kept.session_lead_minutes)),
            *form.session_lead_minutes.choices,
        ]


def _choices(form: ChoicesForm) -> PreferenceChoices:
    return PreferenceChoices(
        wording=Wording(form.wording.data),
        prompts=PromptLevel(form.prompts.data),
        session_email=SessionEmail(form.session_email.data),
        session_lead_minutes=int(form.session_lead_minutes.data),
        check_in_time=parse_time(form.check_in_time.data),
        quiet_from=parse_time(form.quiet_from.data),
        quiet_until=parse_time(form.quiet_until.data),
    )


def _hhmm(at: time) -> str:
    return at.strftime("%H:%M")


def _render(enrolment: Enrolment, form: ChoicesForm) -> str:
    now = request_time()
    patient, rhythm = enrolment.patient, enrolment.service.rhythm
    zone, today = patient.zone, local_day(now, patient.zone)
    past = [one for one in _ledger(patient, now, ReminderClass.PROMPT) if one.state in (*SENT, *NOT_SENT)]
    names = accounts.names_of({one.reason_about_id for one in past if one.reason_about_id is not None})
    called = {enrolment.supporter_id: enrolment.supporter.called}
    news = _ledger(patient, now, ReminderClass.NEWS)
    writers = {f"review:{review.id}": review.named_writer for review in reviews_of(enrolment)}
    sent = sum(one.state in SENT for one in past)
    return render_template(
        "patient/reminders.html",
        form=form,
        coming=[
            coming_line(one, lead_minutes=patient.preferences.session_lead_minutes, zone=zone, today=today)
            for one in ledger.coming(patient.id, now=now, classes=[ReminderClass.PROMPT])
        ],
        past=[past_line(one, names={**names, **called}, zone=zone, today=today) for one in past],
        news=[
            news_line(
                one, person=writers.get(one.subject, enrolment.supporter.called), zone=zone, today=today
            )
            for one in news
        ],
        sent=sent,
        held_back=len(past) - sent,
        rhythm=rhythm,
        supporter=enrolment.supporter,
        is_open=enrolment.is_open,
        samples=_samples(enrolment),
    )


def _ledger(patient: Account, now: datetime, reminder_class: ReminderClass) -> list[Reminder]:
    until = now + timedelta(seconds=1) if reminder_class is ReminderClass.PROMPT else now + LAST_DAYS
    return ledger.ledger_of(
        since=now - LAST_DAYS, until=until, recipient_id=patient.id, classes=[reminder_class]
    )


def _samples(enrolment: Enrolment) -> list[tuple[str, str, str, str]]:
    """Both ways of saying it, from the template that real emails are made of: (value, sender, subject, first
    words).
    """
    settings: Settings = current_app.config["SETTINGS"]
    renderer = _renderer(settings.base_url, settings.mail_from)
    found = []
    for wording, sender in (
        (Wording.DISCREET, enrolment.service.sender_name),
        (Wording.WITH_DETAIL, enrolment.service.name),
    ):
        facts = {**SAMPLE_FACTS, "detail": wording is Wording.WITH_DETAIL}
        found.append((wording.value, sender, *renderer.preview(Part("session", facts))))
    return found


@lru_cache(maxsize=4)
def _renderer(base_url: str, mail_from: str) -> Renderer:
    return Renderer(base_url=base_url, mail_from=mail_from)
