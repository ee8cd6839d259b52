"""The contact sheet with *log a call*, as supporters and clinicians use it alike."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug import Response
from wtforms import IntegerField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, NumberRange, Optional

from icbt_support.audit import Actor
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import ContactSheet, Enrolment
from icbt_support.enrolments.queries import contact_sheet_of, is_contact_sheet_due
from icbt_support.pages.alerts import OUTCOME_WORDS, AlertView, HistoryEntry, alert_view, call_entries
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import current_account, request_time
from icbt_support.pages.kit import short_day
from icbt_support.risk.models import CallOutcome, RiskAlert
from icbt_support.risk.operations import log_call
from icbt_support.risk.queries import alerts_of, calls_of

NOT_GIVEN = "Not given"
LONGEST_CALL_MINUTES = 240
NO_ALERT = "0"


class CallForm(OncePosted):
    """What came of a call. `about` names the open alert that it was about, if it was."""

    outcome = RadioField(
        "What came of the call?",
        choices=[SelectChoice(outcome.value, words) for outcome, words in OUTCOME_WORDS.items()],
        validators=[
            InputRequired("Select what came of the call"),
            AnyOf([outcome.value for outcome in CallOutcome], message="Select what came of the call"),
        ],
        validate_choice=False,
    )
    about = RadioField("What was it about?", choices=[], default=NO_ALERT, validate_choice=False)
    note = LongText("What was said or agreed (optional)", description="This stays with the record.")
    minutes = IntegerField(
        "How many minutes it took (optional)",
        validators=[
            Optional(),
            NumberRange(1, LONGEST_CALL_MINUTES, message="Write the minutes as a number from 1 to 240"),
        ],
    )


@dataclass(frozen=True)
class ContactPage:
    """What both pages show: how to reach the person, open alerts, calls."""

    enrolment: Enrolment
    rows: tuple[tuple[str, object, str], ...]
    confirmed: str
    needs_confirming: bool
    alerts: tuple[AlertView, ...]
    calls: tuple[HistoryEntry, ...]


def show_contact(enrolment: Enrolment, template: str) -> str:
    """The page of one audience with an empty call form."""
    return _render(enrolment, template, call_form(enrolment))


def log_posted_call(enrolment: Enrolment, template: str, *, by: Actor) -> Response | tuple[str, int]:
    """Keeps the call that was posted and shows the page again; a form with mistakes comes back with them."""
    form = call_form(enrolment)
    if not form.validate_on_submit():
        return _render(enrolment, template, form), 400
    keep_call(enrolment, form, by=by, now=request_time())
    flash("The call is logged.", "success")
    blueprint = (request.endpoint or "").split(".")[0]
    return redirect(url_for(f"{blueprint}.show", enrolment_id=enrolment.id))


def _render(enrolment: Enrolment, template: str, form: CallForm) -> str:
    contact = contact_page(enrolment, zone=current_account().zone, now=request_time())
    return render_template(template, contact=contact, form=form, service=enrolment.service)


def contact_page(enrolment: Enrolment, *, zone: str, now: datetime) -> ContactPage:
    sheet = contact_sheet_of(enrolment)
    open_alerts = [alert for alert in alerts_of(enrolment) if alert.is_open]
    return ContactPage(
        enrolment=enrolment,
        rows=_rows(sheet),
        confirmed=_confirmed_words(sheet, zone),
        needs_confirming=is_contact_sheet_due(enrolment, now=now),
        alerts=tuple(alert_view(alert, zone) for alert in open_alerts),
        calls=tuple(call_entries(calls_of(enrolment), zone)),
    )


def call_form(enrolment: Enrolment) -> CallForm:
    """The form with the person's open alerts as choices."""
    form = CallForm()
    form.about.choices = [SelectChoice(NO_ALERT, "Not about an alert")] + [
        SelectChoice(str(alert.id), f"{view.title}, {view.raised}")
        for alert in alerts_of(enrolment)
        if alert.is_open
        for view in [alert_view(alert, enrolment.service.zone)]
    ]
    return form


def keep_call(enrolment: Enrolment, form: CallForm, *, by: Actor, now: datetime) -> None:
    log_call(
        enrolment,
        CallOutcome(form.outcome.data),
        form.note.data,
        form.minutes.data,
        alert=_alert_of(enrolment, form.about.data),
        posted_key=form.posted_key.data or "",
        by=by,
        now=now,
    )


def _alert_of(enrolment: Enrolment, chosen: str | None) -> RiskAlert | None:
    return next((alert for alert in alerts_of(enrolment) if str(alert.id) == chosen), None)


def _rows(sheet: ContactSheet | None) -> tuple[tuple[str, object, str], ...]:
    if sheet is None:
        return (("Phone", NOT_GIVEN, ""),)
    voicemail = {True: "Yes", False: "No", None: "Not known: do not leave one"}[sheet.voicemail_ok]
    return (
        ("Phone", _phone_link(sheet.phone), ""),
        ("Voicemail OK?", voicemail, ""),
        ("Safe times to call", sheet.safe_times or NOT_GIVEN, ""),
        ("GP", sheet.gp or NOT_GIVEN, ""),
        ("Emergency contact", sheet.emergency_contact or NOT_GIVEN, ""),
        ("Usually at", sheet.usually_at or NOT_GIVEN, ""),
    )


def _phone_link(phone: str) -> object:
    digits = "".join(character for character in phone if character.isdigit() or character == "+")
    return Markup('<a href="tel:{}">{}</a>').format(digits, phone) if digits else phone or NOT_GIVEN


def _confirmed_words(sheet: ContactSheet | None, zone: str) -> str:
    if sheet is None:
        return "There is no contact sheet yet."
    if sheet.confirmed_at is None:
        return "Not confirmed by the person yet."
    return f"Confirmed by the person on {short_day(to_local(sheet.confirmed_at, zone))}."
