"""From the first sign-in to a first plan: consent, first questions, days and times, the plan itself."""

from dataclasses import dataclass
from datetime import date, time, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role, SessionEmail, Wording
from icbt_support.cadence import local_day, to_local
from icbt_support.enrolments.models import Enrolment, OnboardingStep
from icbt_support.enrolments.operations import SameSessionTimeTwice, WeeklyTime
from icbt_support.hours.queries import FreeTime
from icbt_support.hours.refusals import TimeNotFree
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import as_choices, place_words, time_choices, zone_choices
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import clock_time, long_day, short_day
from icbt_support.plan.queries import week_of
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import review_of_week
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.onboarding import (
    CONSENT_VERSION,
    FIRST_REVIEW_NUMBER,
    ReviewTooNearStart,
    StartDayOutOfRange,
    StepsMissing,
    accept_consent,
    choose_times_and_start,
    first_review_times,
    step_now,
)
from icbt_support.rhythm.weeks import promise_for

blueprint = Blueprint("patient_onboarding", __name__)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NO_SESSION = ""
OFFERED_REVIEW_DAYS = 6
EARLIEST_HOUR, LATEST_HOUR = 6, 22
FIRST_EVENING = time(18, 30)
PAGE_OF_STEP = {
    OnboardingStep.CONSENT: "patient_onboarding.consent",
    OnboardingStep.BASELINE: "patient_check_in.show",
    OnboardingStep.TIMES: "patient_onboarding.times",
    OnboardingStep.DONE: "patient_week.show",
}


class ConsentForm(FlaskForm):
    agrees = BooleanField(
        "I have read this, and I want to take part",
        validators=[InputRequired("Tick the box if you want to take part")],
    )


class TimesForm(FlaskForm):
    first_day = SelectField("Day")
    first_time = SelectField("Time")
    second_day = SelectField("Day")
    second_time = SelectField("Time")
    starts_on = RadioField(
        "When will you start?", validators=[InputRequired("Select the day you will start")]
    )
    review_on = RadioField(
        "On which day would you like your first review?",
        validators=[InputRequired("Select the day for your first review")],
    )
    session_email = RadioField(
        "Shall we email you before a session?",
        choices=[
            SelectChoice(SessionEmail.FIRST.value, "Before the first one in a week"),
            SelectChoice(
                SessionEmail.EVERY.value,
                "Before every session (what you agreed may then go without an email)",
            ),
            SelectChoice(SessionEmail.NONE.value, "No"),
        ],
        default=SessionEmail.FIRST.value,
    )
    wording = RadioField(
        "How much may an email say?",
        choices=[
            SelectChoice(Wording.DISCREET.value, "Discreet"),
            SelectChoice(Wording.WITH_DETAIL.value, "With detail"),
        ],
        default=Wording.DISCREET.value,
    )
    zone = SelectField("Your time zone")

    @property
    def session_times(self) -> list[WeeklyTime]:
        chosen = [WeeklyTime(int(self.first_day.data), time.fromisoformat(self.first_time.data))]
        if self.second_day.data != NO_SESSION:
            chosen.append(WeeklyTime(int(self.second_day.data), time.fromisoformat(self.second_time.data)))
        return chosen


@dataclass(frozen=True)
class FirstPlan:
    """The first week as it stands, or the day on which it opens."""

    starts_on: date
    is_open: bool
    module_title: str
    aim: str
    rows: list[tuple[str, str]]
    minutes: int
    supporter: str
    review_day: str
    review_time: str


@blueprint.get("/start")
@allow(Role.PATIENT)
def begin() -> Response:
    """Leads to the step at which this person left off."""
    return redirect(url_for(PAGE_OF_STEP[step_now(my_enrolment())]))


@blueprint.get("/start/consent")
@allow(Role.PATIENT)
def consent() -> Response | str:
    enrolment = my_enrolment()
    if step_now(enrolment) is not OnboardingStep.CONSENT:
        return redirect(url_for("patient_onboarding.begin"))
    return _consent_page(enrolment, ConsentForm())


@blueprint.post("/start/consent")
@allow(Role.PATIENT)
@commits
def agree() -> Response | str:
    enrolment = my_enrolment()
    form = ConsentForm()
    if not form.validate_on_submit():
        return _consent_page(enrolment, form)
    accept_consent(enrolment, CONSENT_VERSION, by=patient_actor(enrolment), now=request_time())
    return redirect(url_for("patient_onboarding.begin"))


@blueprint.get("/start/times")
@allow(Role.PATIENT)
def times() -> Response | str:
    enrolment = my_enrolment()
    if step_now(enrolment) is not OnboardingStep.TIMES:
        return redirect(url_for("patient_onboarding.begin"))
    return _times_page(enrolment, _times_form(enrolment, first_review_times(enrolment, now=request_time())))


@blueprint.post("/start/times")
@allow(Role.PATIENT)
@commits
def start() -> Response | str | tuple[str, int]:
    enrolment = my_enrolment()
    if step_now(enrolment) is OnboardingStep.DONE:
        return redirect(url_for("patient_onboarding.ready"))
    free = first_review_times(enrolment, now=request_time())
    form = _times_form(enrolment, free)
    chosen_day = form.review_on.data
    if chosen_day and chosen_day not in {choice.value for choice in form.review_on.choices}:
        return _that_time_has_gone(enrolment, form)
    if not form.validate_on_submit():
        return _times_page(enrolment, form)
    place = next(place for place in free if place.on.isoformat() == chosen_day)
    try:
        choose_times_and_start(
            enrolment,
            session_times=form.session_times,
            starts_on=date.fromisoformat(form.starts_on.data),
            first_review_at=place.starts_at,
            session_email=SessionEmail(form.session_email.data),
            wording=Wording(form.wording.data),
            zone=form.zone.data,
            by=patient_actor(enrolment),
            now=request_time(),
        )
    except StepsMissing:
        return redirect(url_for("patient_onboarding.begin"))
    except SameSessionTimeTwice:
        form.second_day.errors = ["Select two different times"]
        return _times_page(enrolment, form), 422
    except StartDayOutOfRange:
        form.starts_on.errors = ["That day has passed. Select one of the days below"]
        return _times_page(enrolment, form), 422
    except ReviewTooNearStart as refusal:
        form.review_on.errors = [
            f"{long_day(refusal.earliest_on)} is the first day that fits your start. Select it or a later one"
        ]
        return _times_page(enrolment, form), 422
    except (TimeNotFree, LetterRefused):
        return _that_time_has_gone(enrolment, form)
    return redirect(url_for("patient_onboarding.ready"))


@blueprint.get("/start/ready")
@allow(Role.PATIENT)
def ready() -> Response | str:
    enrolment = my_enrolment()
    if enrolment.onboarding_step is not OnboardingStep.DONE or enrolment.starts_on is None:
        return redirect(url_for("patient_onboarding.begin"))
    return render_template("patient/onboarding/ready.html", plan=_first_plan(enrolment, enrolment.starts_on))


def _consent_page(enrolment: Enrolment, form: ConsentForm) -> str:
    return render_template(
        "patient/onboarding/consent.html",
        form=form,
        supporter=enrolment.supporter,
        service=enrolment.service,
    )


def _times_page(enrolment: Enrolment, form: TimesForm) -> str:
    return render_template(
        "patient/onboarding/times.html",
        form=form,
        supporter=enrolment.supporter,
        service=enrolment.service,
        place=place_words(enrolment.patient.zone),
    )


def _that_time_has_gone(enrolment: Enrolment, form: TimesForm) -> tuple[str, int]:
    now = request_time()
    _offer_review_days(form, enrolment, first_review_times(enrolment, now=now), form.zone.data)
    form.review_on.data = None
    form.review_on.errors = ["That time has just gone. Select one of the days below"]
    return _times_page(enrolment, form), 409


def _times_form(enrolment: Enrolment, free: list[FreeTime]) -> TimesForm:
    zones = zone_choices()
    known = enrolment.patient.zone
    chosen = request.form.get("zone", known)
    zone = chosen if chosen in dict(zones) else known
    today = local_day(request_time(), zone)
    days = [SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)]
    clock = as_choices(time_choices(EARLIEST_HOUR, LATEST_HOUR))
    evening = FIRST_EVENING.strftime("%H:%M")
    form = TimesForm(
        first_day=str((today.weekday() + 1) % 7),
        first_time=evening,
        second_day=str((today.weekday() + 4) % 7),
        second_time=evening,
        starts_on=today.isoformat(),
        review_on=free[0].on.isoformat() if free else None,
        zone=known,
    )
    form.zone.choices = as_choices(zones if known in dict(zones) else [(known, known), *zones])
    form.first_day.choices = days
    form.second_day.choices = [*days, SelectChoice(NO_SESSION, "No second time")]
    form.first_time.choices = clock
    form.second_time.choices = clock
    form.starts_on.choices = [SelectChoice(on.isoformat(), words) for on, words in _start_days(today)]
    _offer_review_days(form, enrolment, free, zone)
    return form


def _offer_review_days(form: TimesForm, enrolment: Enrolment, free: list[FreeTime], zone: str) -> None:
    """Each day with the hour by which the letter is promised, where the person is: what is told from then on."""
    form.review_on.choices = [
        SelectChoice(place.on.isoformat(), _promise_words(enrolment, place, zone))
        for place in free[:OFFERED_REVIEW_DAYS]
    ]


def _promise_words(enrolment: Enrolment, place: FreeTime, zone: str) -> str:
    """Thursday 26 November, by 5pm"""
    _, promised_at = promise_for(enrolment, place.starts_at)
    promised = to_local(promised_at, zone)
    return f"{long_day(promised)}, by {clock_time(promised)}"


def _start_days(today: date) -> list[tuple[date, str]]:
    tomorrow = today + timedelta(days=1)
    monday = today + timedelta(days=7 - today.weekday())
    days = [(today, f"Today, {long_day(today)}"), (tomorrow, f"Tomorrow, {long_day(tomorrow)}")]
    if monday > tomorrow:
        days.append((monday, long_day(monday)))
    return days


def _first_plan(enrolment: Enrolment, starts_on: date) -> FirstPlan:
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    week = week_of(enrolment, FIRST_REVIEW_NUMBER)
    module = (programme.module(week.module) if week else None) or programme.modules[0]
    review = review_of_week(enrolment, FIRST_REVIEW_NUMBER)
    promised = to_local(review.promised_at, enrolment.patient.zone) if review else None
    if week is not None:
        rows = [(item.title, _when(item.planned_on, item.planned_time)) for item in week.items]
        minutes = sum(item.minutes for item in week.items)
    else:
        rows = [(session.title, "") for session in module.sessions]
        minutes = module.minutes
    return FirstPlan(
        starts_on=starts_on,
        is_open=week is not None,
        module_title=module.title,
        aim=module.aim,
        rows=rows,
        minutes=minutes,
        supporter=enrolment.supporter.called,
        review_day=long_day(promised) if promised else "",
        review_time=clock_time(promised) if promised else "",
    )


def _when(on: date, at: time | None) -> str:
    return f"{short_day(on)}, {clock_time(at)}" if at else f"{short_day(on)}, any time"
