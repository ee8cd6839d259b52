"""The patient's days away, pause and return."""

from datetime import UTC, date, datetime, timedelta

import pytest

from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.transitions import change_state
from icbt_support.hours.operations import end_review_slot
from icbt_support.hours.queries import held_booking, review_slots_of
from icbt_support.jobs import runner
from icbt_support.plan.models import ItemKind, OpenedBecause
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.transitions import close_week
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.queries import next_review, owed_reviews, review_of_week
from icbt_support.rhythm import away
from icbt_support.rhythm.away import (
    AwayInThePast,
    AwayTooLong,
    NoReviewTime,
    come_back,
    due_to_come_back,
    end_one_away,
    go_away,
    pause_course,
    propose_away,
    resume_course,
)
from icbt_support.rhythm.lateness import close_missed
from icbt_support.rhythm.quiet import quiet_people
from icbt_support.rhythm.weeks import book_review
from tests.cast import enrol, make_person
from tests.concepts.beginnings import THURSDAY_AT_NINE, as_clinician, as_patient, open_week_1, owed_kinds

PROMPTS = {"session", "check_in", "agreed_step", "nudge"}
SIX_DAYS = date(2026, 11, 24)


def end_due_aways(now: datetime) -> int:
    by = Actor.system("aways")
    return sum(end_one_away(one, by=by, now=now) for one in due_to_come_back(now=now))


def test_the_dates_are_shown_before_anything_changes(cast, now):
    week = open_week_1(cast, now)
    plan = propose_away(cast.enrolment, SIX_DAYS, now=now)
    assert plan.back_on == date(2026, 11, 25)
    assert plan.review_to.on == date(2026, 12, 3)
    assert plan.items_that_move > 0
    assert week.review_on == date(2026, 11, 26)
    assert cast.enrolment.state is EnrolmentState.ACTIVE


def test_going_away_moves_the_review_and_the_plan_and_stops_prompts(cast, now):
    week = open_week_1(cast, now)
    assert PROMPTS & set(owed_kinds(cast.patient))
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    assert (cast.enrolment.state, cast.enrolment.away_until_on) == (EnrolmentState.AWAY, SIX_DAYS)
    assert week.review_on == date(2026, 12, 3)
    assert all(date(2026, 11, 25) <= item.planned_on <= date(2026, 12, 3) for item in week.items)
    assert not PROMPTS & set(owed_kinds(cast.patient))
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is None


def test_a_short_time_away_leaves_the_review_where_it_is(cast, now):
    week = open_week_1(cast, now)
    plan = go_away(cast.enrolment, date(2026, 11, 20), by=as_patient(cast), now=now)
    assert plan.review_to is None
    assert week.review_on == date(2026, 11, 26)
    assert all(item.planned_on > date(2026, 11, 20) for item in week.items)


def test_the_check_in_moves_with_the_review(cast, now):
    week = open_week_1(cast, now)
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    (check_in,) = [item for item in week.items if item.kind is ItemKind.CHECK_IN]
    assert check_in.planned_on == date(2026, 12, 2)


@pytest.mark.parametrize(
    ("until_on", "refusal"), [(date(2026, 11, 18), AwayInThePast), (date(2026, 12, 10), AwayTooLong)]
)
def test_days_outside_today_and_three_weeks_are_refused(cast, now, until_on, refusal):
    open_week_1(cast, now)
    with pytest.raises(refusal):
        propose_away(cast.enrolment, until_on, now=now)


def test_twenty_one_days_are_allowed(cast, now):
    open_week_1(cast, now)
    assert propose_away(cast.enrolment, date(2026, 12, 9), now=now).back_on == date(2026, 12, 10)


def test_without_a_free_review_time_nobody_is_sent_away_blindly(cast, now):
    open_week_1(cast, now)
    (slot,) = review_slots_of(cast.supporter.id, cast.service.id)
    end_review_slot(slot, by=as_clinician(cast), now=now)
    with pytest.raises(NoReviewTime):
        go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)


def test_coming_back_owes_the_prompts_again(cast, now):
    open_week_1(cast, now)
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    come_back(cast.enrolment, by=as_patient(cast), now=now + timedelta(days=2))
    assert (cast.enrolment.state, cast.enrolment.away_until_on) == (EnrolmentState.ACTIVE, None)
    assert PROMPTS & set(owed_kinds(cast.patient))


@pytest.mark.parametrize(
    ("instant", "is_back"),
    [(datetime(2026, 11, 24, 23, 59, tzinfo=UTC), False), (datetime(2026, 11, 25, 0, 1, tzinfo=UTC), True)],
)
def test_the_day_after_the_last_day_away_brings_a_person_back(cast, now, instant, is_back):
    open_week_1(cast, now)
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    assert end_due_aways(instant) == int(is_back)
    assert (cast.enrolment.state is EnrolmentState.ACTIVE) is is_back


def test_the_last_day_away_ends_where_the_patient_is(cast, now):
    open_week_1(cast, now)
    cast.patient.zone = "Pacific/Auckland"
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    assert end_due_aways(datetime(2026, 11, 24, 10, tzinfo=UTC)) == 0
    assert end_due_aways(datetime(2026, 11, 24, 11, 30, tzinfo=UTC)) == 1


def test_going_away_twice_is_refused(cast, now):
    open_week_1(cast, now)
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    with pytest.raises(NotPossibleNow):
        go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)


def test_a_pause_closes_the_week_and_lets_go_of_its_review(cast, now):
    week = open_week_1(cast, now)
    review = next_review(cast.enrolment)
    pause_course(cast.enrolment, reason="Moving house", by=as_clinician(cast), now=now)
    assert cast.enrolment.state is EnrolmentState.PAUSED
    assert not week.is_open
    assert review.state is ReviewState.CANCELLED
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is None
    assert not PROMPTS & set(owed_kinds(cast.patient))


def test_a_return_opens_a_new_week_with_a_new_review(cast, now):
    week = open_week_1(cast, now)
    pause_course(cast.enrolment, reason="Moving house", by=as_clinician(cast), now=now)
    later = now + timedelta(days=30)
    review_at = datetime(2026, 12, 31, 9, tzinfo=UTC)
    resume_course(cast.enrolment, module=week.module, review_at=review_at, by=as_clinician(cast), now=later)
    opened = open_week_of(cast.enrolment)
    assert (opened.number, opened.opened_because) == (2, OpenedBecause.RETURN)
    assert review_of_week(cast.enrolment, 2).slot_at == review_at
    assert cast.enrolment.state is EnrolmentState.ACTIVE


def test_only_a_paused_course_is_resumed(cast, now):
    with pytest.raises(NotPossibleNow):
        resume_course(cast.enrolment, module="x", review_at=THURSDAY_AT_NINE, by=as_clinician(cast), now=now)


def test_a_course_that_was_paused_before_it_began_begins_with_week_1(cast, now):
    first = book_review(cast.enrolment, THURSDAY_AT_NINE, number=1, by=as_clinician(cast), now=now)
    pause_course(cast.enrolment, reason="Moving house", by=as_clinician(cast), now=now)
    review_at = datetime(2026, 12, 31, 9, tzinfo=UTC)
    resume_course(
        cast.enrolment,
        module="getting-started",
        review_at=review_at,
        by=as_clinician(cast),
        now=now + timedelta(days=30),
    )
    assert open_week_of(cast.enrolment).number == 1
    assert (first.state, first.slot_at, first.closed_reason) == (ReviewState.SCHEDULED, review_at, None)
    assert first.week is open_week_of(cast.enrolment)
    assert held_booking(cast.supporter.id, review_at) is not None


def test_a_return_before_the_date_of_an_agreed_pause_brings_that_review_forward(cast, now):
    week = open_week_1(cast, now)
    close_week(week, by=as_clinician(cast), now=now)
    waiting = book_review(
        cast.enrolment, datetime(2026, 12, 31, 9, tzinfo=UTC), number=2, by=as_clinician(cast), now=now
    )
    change_state(cast.enrolment, EnrolmentState.PAUSED, by=as_clinician(cast), now=now)
    sooner = datetime(2026, 12, 10, 9, tzinfo=UTC)
    resume_course(cast.enrolment, module=week.module, review_at=sooner, by=as_clinician(cast), now=now)
    assert (open_week_of(cast.enrolment).number, waiting.slot_at) == (2, sooner)
    assert len([one for one in owed_reviews(cast.enrolment) if one.number > 1]) == 1


def test_a_review_closed_while_the_person_was_away_leaves_them_with_a_next_one(cast, now):
    week = open_week_1(cast, now)
    go_away(cast.enrolment, SIX_DAYS, by=as_patient(cast), now=now)
    close_missed(next_review(cast.enrolment), "Supporter left", by=as_clinician(cast), now=now)
    assert open_week_of(cast.enrolment) is week
    come_back(cast.enrolment, by=as_patient(cast), now=now + timedelta(days=6))
    opened = open_week_of(cast.enrolment)
    assert opened.number == 2
    assert next_review(cast.enrolment).week is opened


def test_a_late_review_is_not_given_a_new_date_by_going_away(cast, now):
    week = open_week_1(cast, now)
    late = datetime(2026, 11, 26, 18, tzinfo=UTC)
    plan = go_away(cast.enrolment, date(2026, 12, 4), by=as_patient(cast), now=late)
    review = next_review(cast.enrolment)
    assert (plan.review_to, plan.items_that_move) == (None, 0)
    assert (review.due_on, week.review_on) == (date(2026, 11, 26), date(2026, 11, 26))
    assert review.is_late(late)


def test_days_away_are_no_quiet_days(cast, now):
    open_week_1(cast, now)
    go_away(cast.enrolment, date(2026, 12, 9), by=as_patient(cast), now=now)
    back = datetime(2026, 12, 10, 0, 30, tzinfo=UTC)
    assert end_due_aways(back) == 1
    (person,) = quiet_people([cast.service.id], now=back)
    assert (person.days, person.task) == (0, None)


def test_one_persons_failure_holds_up_nobody(app, cast, now, monkeypatch):
    robin = enrol(
        make_person("Robin Dale", Role.PATIENT, cast.service, now),
        cast.supporter,
        cast.clinician,
        cast.service,
        now,
    )
    for enrolment in (cast.enrolment, robin):
        go_away(enrolment, SIX_DAYS, by=as_clinician(cast), now=now)
    db.session.commit()
    first, second = sorted([cast.enrolment.id, robin.id])

    def fail_for_the_first(enrolment, **_kwargs):
        if enrolment.id == first:
            raise RuntimeError("no")
        return come_back(enrolment, **_kwargs)

    monkeypatch.setattr(away, "come_back", fail_for_the_first)
    told = dict(runner.tick(app, datetime(2026, 11, 25, 9, tzinfo=UTC), names=["aways"]))
    assert told == {"aways": "RuntimeError"}
    db.session.rollback()
    states = {one: db.session.get_one(Enrolment, one).state for one in (first, second)}
    assert states == {first: EnrolmentState.AWAY, second: EnrolmentState.ACTIVE}
