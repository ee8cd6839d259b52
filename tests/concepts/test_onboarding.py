"""From the first sign-in to a first plan, with a place that is kept."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from icbt_support.accounts.models import SessionEmail, Wording
from icbt_support.audit.models import Actor
from icbt_support.enrolments.models import EnrolmentState, OnboardingStep
from icbt_support.enrolments.operations import NoSessionTimes, SameSessionTimeTwice, WeeklyTime
from icbt_support.enrolments.queries import changes_of, current_consent
from icbt_support.hours.queries import held_booking
from icbt_support.hours.refusals import SlotTaken
from icbt_support.hours.transitions import book_slot
from icbt_support.plan.queries import open_week_of
from icbt_support.reviews.queries import review_of_week, welcome_of
from icbt_support.rhythm.onboarding import (
    CONSENT_VERSION,
    ReviewTooNearStart,
    StartDayOutOfRange,
    StepsMissing,
    accept_consent,
    choose_times_and_start,
    finish_baseline,
    first_review_times,
    step_now,
)
from tests.concepts.beginnings import THURSDAY_AT_NINE, acting, answer_baseline, invite_robin, owed_kinds
from tests.concepts.rhythm_steps import open_due_weeks

MONDAY_EVENING = WeeklyTime(0, time(19))
FRIDAY_MORNING = WeeklyTime(4, time(8, 30))


@pytest.fixture
def robin(cast, now):
    return invite_robin(cast, now)


def by_robin(enrolment):
    return acting(enrolment.patient, "patient", enrolment.service_id)


def go_to_times(enrolment, now):
    accept_consent(enrolment, CONSENT_VERSION, by=by_robin(enrolment), now=now)
    answer_baseline(enrolment, now)
    finish_baseline(enrolment, by=by_robin(enrolment), now=now)


def start(enrolment, now, **changes):
    values = {
        "session_times": [MONDAY_EVENING, FRIDAY_MORNING],
        "starts_on": date(2026, 11, 19),
        "first_review_at": THURSDAY_AT_NINE,
        "session_email": SessionEmail.FIRST,
        "wording": Wording.WITH_DETAIL,
        "by": by_robin(enrolment),
        "now": now,
    }
    choose_times_and_start(enrolment, **(values | changes))


def test_consent_begins_the_onboarding_and_keeps_its_version(robin, now):
    accept_consent(robin, CONSENT_VERSION, by=by_robin(robin), now=now)
    accept_consent(robin, CONSENT_VERSION, by=by_robin(robin), now=now)
    assert current_consent(robin).version == CONSENT_VERSION
    assert robin.state is EnrolmentState.ONBOARDING
    assert robin.onboarding_step is OnboardingStep.BASELINE
    assert [c.to_value for c in changes_of(robin) if c.what == "state"] == ["invited", "onboarding"]


def test_baseline_comes_after_consent_and_when_it_is_answered(robin, now):
    with pytest.raises(StepsMissing) as refusal:
        finish_baseline(robin, by=by_robin(robin), now=now)
    assert refusal.value.step is OnboardingStep.CONSENT
    accept_consent(robin, CONSENT_VERSION, by=by_robin(robin), now=now)
    with pytest.raises(StepsMissing) as refusal:
        finish_baseline(robin, by=by_robin(robin), now=now)
    assert refusal.value.step is OnboardingStep.BASELINE


def test_a_finished_baseline_leads_on_even_when_the_page_was_closed(robin, now):
    accept_consent(robin, CONSENT_VERSION, by=by_robin(robin), now=now)
    assert step_now(robin) is OnboardingStep.BASELINE
    answer_baseline(robin, now)
    assert step_now(robin) is OnboardingStep.TIMES


def test_starting_today_opens_week_1_with_its_review(robin, now, cast):
    go_to_times(robin, now)
    start(robin, now)
    week = open_week_of(robin)
    assert (robin.state, robin.onboarding_step) == (EnrolmentState.ACTIVE, OnboardingStep.DONE)
    assert (week.number, week.review_on) == (1, date(2026, 11, 26))
    assert review_of_week(robin, 1).slot_at == THURSDAY_AT_NINE
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE).enrolment_id == robin.id
    assert robin.patient.preferences.wording is Wording.WITH_DETAIL
    assert robin.patient.preferences.session_email is SessionEmail.FIRST
    assert [(t.weekday, t.at) for t in robin.session_times] == [(0, time(19)), (4, time(8, 30))]


def test_start_prompts_go_when_a_person_starts(robin, now):
    assert "start_prompt" in owed_kinds(robin.patient)
    go_to_times(robin, now)
    start(robin, now)
    kinds = owed_kinds(robin.patient)
    assert "start_prompt" not in kinds
    assert "check_in" in kinds
    assert "session" in kinds


def test_the_welcome_never_blocks_the_first_week(robin, now):
    go_to_times(robin, now)
    start(robin, now)
    assert welcome_of(robin).is_owed
    assert open_week_of(robin) is not None


def test_a_later_start_day_opens_the_week_on_that_day(robin, now):
    go_to_times(robin, now)
    start(robin, now, starts_on=date(2026, 11, 21))
    assert robin.state is EnrolmentState.ACTIVE
    assert open_week_of(robin) is None
    open_due_weeks(now=now + timedelta(days=1), by=Actor.system("weeks"))
    assert open_week_of(robin) is None
    open_due_weeks(now=datetime(2026, 11, 21, 7, tzinfo=UTC), by=Actor.system("weeks"))
    assert open_week_of(robin).opened_on == date(2026, 11, 21)


def test_starting_twice_changes_nothing(robin, now):
    go_to_times(robin, now)
    start(robin, now)
    start(robin, now, first_review_at=THURSDAY_AT_NINE + timedelta(minutes=15))
    assert review_of_week(robin, 1).slot_at == THURSDAY_AT_NINE


def test_times_need_consent_and_baseline_first(robin, now):
    with pytest.raises(StepsMissing):
        start(robin, now)


def test_a_time_that_somebody_took_meanwhile_offers_the_next(robin, now, cast):
    go_to_times(robin, now)
    book_slot(
        cast.supporter.id, THURSDAY_AT_NINE, enrolment_id=cast.enrolment.id, by=by_robin(robin), now=now
    )
    with pytest.raises(SlotTaken) as refusal:
        start(robin, now)
    assert refusal.value.next_three[0].starts_at == THURSDAY_AT_NINE + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"session_times": []}, NoSessionTimes),
        ({"session_times": [MONDAY_EVENING, MONDAY_EVENING]}, SameSessionTimeTwice),
        ({"starts_on": date(2026, 11, 18)}, StartDayOutOfRange),
        ({"starts_on": date(2026, 12, 4)}, StartDayOutOfRange),
        ({"starts_on": date(2026, 11, 23)}, ReviewTooNearStart),
    ],
)
def test_days_and_times_that_do_not_fit_are_refused(robin, now, changes, refusal):
    go_to_times(robin, now)
    with pytest.raises(refusal):
        start(robin, now, **changes)


def test_review_days_are_the_first_free_place_of_each_day_from_the_fourth_day_on(robin, now):
    places = first_review_times(robin, now=now)
    assert [place.on for place in places][:3] == [date(2026, 11, 26), date(2026, 12, 3), date(2026, 12, 10)]
    assert places[0].starts_at == THURSDAY_AT_NINE


def test_a_zone_that_was_chosen_is_kept_for_the_plan(robin, now):
    go_to_times(robin, now)
    start(robin, now, zone="Europe/Paris")
    assert robin.patient.zone == "Europe/Paris"
