"""From the invitation to a first plan: consent, baseline, days and times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from icbt_support.accounts.models import SessionEmail, Wording
from icbt_support.accounts.operations import change_preferences, change_zone
from icbt_support.accounts.rules import PreferenceChoices
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep
from icbt_support.enrolments.operations import WeeklyTime, choose_session_times, give_consent
from icbt_support.enrolments.queries import current_consent, local_today
from icbt_support.enrolments.transitions import change_state, set_onboarding_step, set_start_day
from icbt_support.hours.queries import FreeTime, free_review_times, next_free_times
from icbt_support.plan.queries import check_ins_finished, week_of
from icbt_support.reminders.operations import withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.weeks import book_review, open_first_week

CONSENT_VERSION = "2026-11"
SHORTEST_FIRST_WEEK_DAYS = 4
LONGEST_FIRST_WEEK_DAYS = 11
LATEST_START_DAYS = 14
FIRST_REVIEW_NUMBER = 1
BASELINE_WEEK = 0


class StepsMissing(Exception):
    """An earlier step of onboarding is not done; `step` is the one to go to."""

    def __init__(self, step: OnboardingStep) -> None:
        super().__init__(step.value)
        self.step = step


class StartDayOutOfRange(Exception):
    """A course starts today or within the next 14 days."""


class ReviewTooNearStart(Exception):
    """The first review comes at least 4 days after the start; `earliest_on` is the first day that fits."""

    def __init__(self, earliest_on: date) -> None:
        super().__init__(str(earliest_on))
        self.earliest_on = earliest_on


def step_now(enrolment: Enrolment) -> OnboardingStep:
    """Where this person goes on: the stored step, or the one after a baseline finished since."""
    is_ready = enrolment.onboarding_step is OnboardingStep.BASELINE and _is_baseline_finished(enrolment)
    return OnboardingStep.TIMES if is_ready else enrolment.onboarding_step


def accept_consent(enrolment: Enrolment, version: str, *, by: Actor, now: datetime) -> None:
    """Keeps the yes to this version; the first one begins the onboarding."""
    hold_and_reread(enrolment)
    give_consent(enrolment, version, by=by, now=now)
    if enrolment.state is EnrolmentState.INVITED:
        change_state(enrolment, EnrolmentState.ONBOARDING, by=by, now=now)
    if enrolment.onboarding_step is OnboardingStep.CONSENT:
        set_onboarding_step(enrolment, OnboardingStep.BASELINE, by=by, now=now)


def finish_baseline(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """The first questionnaires are in; again changes nothing. Raises `StepsMissing`."""
    if enrolment.onboarding_step in (OnboardingStep.TIMES, OnboardingStep.DONE):
        return
    if enrolment.onboarding_step is OnboardingStep.CONSENT or not _is_baseline_finished(enrolment):
        raise StepsMissing(enrolment.onboarding_step)
    set_onboarding_step(enrolment, OnboardingStep.TIMES, by=by, now=now)


def first_review_times(enrolment: Enrolment, *, now: datetime) -> list[FreeTime]:
    """The first free place of each day on which the supporter could write the first review.

    Where the next weeks are full or the supporter is away, the next place after them.
    """
    from_on = local_today(enrolment, now) + timedelta(days=SHORTEST_FIRST_WEEK_DAYS)
    until_on = from_on + timedelta(days=LATEST_START_DAYS + LONGEST_FIRST_WEEK_DAYS)
    free = free_review_times(enrolment.supporter_id, from_on, until_on, service=enrolment.service, now=now)
    if not free:
        free = next_free_times(enrolment.supporter_id, until_on, service=enrolment.service, now=now, count=1)
    first_of_day: dict[date, FreeTime] = {}
    for time in free:
        first_of_day.setdefault(time.on, time)
    return list(first_of_day.values())


def choose_times_and_start(
    enrolment: Enrolment,
    *,
    session_times: Sequence[WeeklyTime],
    starts_on: date,
    first_review_at: datetime,
    session_email: SessionEmail,
    wording: Wording,
    zone: str | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """The last step: keeps days and times, books the first review and opens week 1 on the start date.

    Raises `StepsMissing`, `StartDayOutOfRange`, `ReviewTooNearStart`, what `weeks.book_review` raises,
    `enrolments.operations.NoSessionTimes` or `SameSessionTimeTwice`. Done twice, it changes nothing.
    """
    hold_and_reread(enrolment)
    if enrolment.onboarding_step is OnboardingStep.DONE:
        return
    _refuse_missing_steps(enrolment, by=by, now=now)
    patient = enrolment.patient
    if zone is not None and zone != patient.zone:
        change_zone(patient, zone, by=by, now=now)
    _check_days(enrolment, starts_on, first_review_at, now)
    choose_session_times(enrolment, session_times, by=by, now=now)
    chosen = replace(_preferences_of(enrolment), session_email=session_email, wording=wording)
    change_preferences(patient, chosen, by=by, now=now)
    set_start_day(enrolment, starts_on, by=by, now=now)
    book_review(enrolment, first_review_at, number=FIRST_REVIEW_NUMBER, by=by, now=now)
    change_state(enrolment, EnrolmentState.ACTIVE, by=by, now=now)
    set_onboarding_step(enrolment, OnboardingStep.DONE, by=by, now=now)
    withdraw_reminders(
        now=now,
        reason="the person has started",
        context=f"enrolment:{enrolment.id}",
        kinds=[ReminderKind.START_PROMPT],
    )
    if starts_on <= local_today(enrolment, now) and week_of(enrolment, FIRST_REVIEW_NUMBER) is None:
        open_first_week(enrolment, by=by, now=now)


def _is_baseline_finished(enrolment: Enrolment) -> bool:
    return (enrolment.id, BASELINE_WEEK) in check_ins_finished([enrolment.id])


def _refuse_missing_steps(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    if current_consent(enrolment) is None:
        raise StepsMissing(OnboardingStep.CONSENT)
    finish_baseline(enrolment, by=by, now=now)


def _check_days(enrolment: Enrolment, starts_on: date, first_review_at: datetime, now: datetime) -> None:
    today = local_today(enrolment, now)
    if not today <= starts_on <= today + timedelta(days=LATEST_START_DAYS):
        raise StartDayOutOfRange
    earliest_on = starts_on + timedelta(days=SHORTEST_FIRST_WEEK_DAYS)
    if local_day(first_review_at, enrolment.supporter.zone) < earliest_on:
        raise ReviewTooNearStart(earliest_on)


def _preferences_of(enrolment: Enrolment) -> PreferenceChoices:
    stored = enrolment.patient.preferences
    return PreferenceChoices(
        wording=stored.wording,
        prompts=stored.prompts,
        session_email=stored.session_email,
        session_lead_minutes=stored.session_lead_minutes,
        check_in_time=stored.check_in_time,
        quiet_from=stored.quiet_from,
        quiet_until=stored.quiet_until,
    )
