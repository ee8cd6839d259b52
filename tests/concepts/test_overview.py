"""The engagement of a service: figures counted by hand, people with reasons, a fixed number of statements."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event

from icbt_support.activity.models import Act
from icbt_support.db import db
from icbt_support.engagement.figures import ModuleReach, WeekFigures
from icbt_support.engagement.overview import Overview, Tile, overview_of, person_row
from icbt_support.engagement.status import NextAction, Status
from icbt_support.enrolments.models import EnrolmentState, Purpose
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemState, OpenedBecause
from icbt_support.programme.library import programmes
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.models import ReviewKind, ReviewState
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call, raise_stated_risk
from tests.cast import PROGRAMME, Cast, make_service
from tests.concepts.beginnings import as_clinician, as_patient
from tests.concepts.service_of_many import (
    ManyPeople,
    at,
    open_week,
    read_module,
    reminder,
    review,
    score,
    session_on,
    visit,
)

MONDAY, LAST_MONDAY = date(2026, 11, 16), date(2026, 11, 9)
TUESDAY, LAST_TUESDAY = date(2026, 11, 17), date(2026, 11, 10)
WEDNESDAY, LAST_THURSDAY = date(2026, 11, 18), date(2026, 11, 12)
FRIDAY = date(2026, 11, 20)


@pytest.fixture
def many(cast: Cast, now: datetime) -> ManyPeople:
    """The cast's own person is of training, so that every figure is about the people of the test."""
    cast.enrolment.purpose = Purpose.TRAINING
    db.session.flush()
    return ManyPeople(cast, now)


def overview(cast: Cast, now: datetime) -> Overview:
    db.session.commit()
    return overview_of(cast.service, programmes()[PROGRAMME], now=now)


def week_of(found: Overview, monday: date) -> WeekFigures:
    return next(week for week in found.weeks if week.monday == monday)


def tile(found: Overview, label: str) -> Tile:
    return next(one for one in found.tiles if one.label.startswith(label))


def status_for(found: Overview, name: str) -> tuple[Status, str, NextAction]:
    row = next(row for row in found.people if row.person.enrolment.patient.full_name == name)
    return row.status.status, row.status.reason, row.status.action


# Figures --------------------------------------------------------------------------------------------------


def test_an_empty_service_has_no_figures_and_says_why(cast: Cast, now: datetime) -> None:
    service = make_service("Eastfield", now)
    db.session.commit()
    found = overview_of(service, programmes()[PROGRAMME], now=now)
    assert (found.in_treatment, found.people, found.need_a_look) == (0, (), 0)
    assert [(one.count, one.of, one.detail) for one in found.tiles] == [
        (0, 0, "Nobody is in treatment"),
        (0, 0, "None was due"),
        (0, 0, "None was planned"),
    ]
    assert {(row.opened, row.had_time) for row in found.reach} == {(0, 0)}
    assert found.reach_heading == "Module reach"
    assert len(found.weeks) == 8


def test_a_review_counts_by_its_promise_and_one_that_never_came_is_late(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    one = many.person()
    review(one, 1, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 12))
    review(one, 2, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 18), told_late_at=at(LAST_THURSDAY))
    review(one, 3, LAST_THURSDAY, told_late_at=at(LAST_THURSDAY))
    review(one, 4, LAST_THURSDAY, state=ReviewState.MISSED, closed_at=at(LAST_THURSDAY, 19))
    taken = review(one, 5, MONDAY, sent_at=at(MONDAY, 9), told_late_at=at(LAST_THURSDAY))
    assert taken.sent_at is not None
    assert taken.sent_at < taken.promised_at
    # None of these counts: closed before its promise, cancelled, a welcome, moved to tomorrow in time.
    review(one, 6, LAST_THURSDAY, state=ReviewState.MISSED, closed_at=at(LAST_TUESDAY))
    review(one, 7, LAST_THURSDAY, state=ReviewState.CANCELLED)
    review(one, 8, LAST_THURSDAY, kind=ReviewKind.WELCOME)
    review(one, 9, FRIDAY, first_promised=LAST_THURSDAY)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.on_time, last.late) == (1, 4)
    assert (week_of(found, MONDAY).on_time, week_of(found, MONDAY).late) == (0, 0)
    assert tile(found, "Reviews on time") == Tile("Reviews on time, last week", 1, 5, "4 late")


def test_reminders_count_by_what_became_of_them(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person()
    for number, state in enumerate(
        [
            ReminderState.HANDED_OVER,
            ReminderState.HANDED_OVER,
            ReminderState.BOUNCED,
            ReminderState.HELD_BACK,
            ReminderState.WITHDRAWN,
            ReminderState.WITHDRAWN,
            ReminderState.EXPIRED,
            ReminderState.OWED,
        ]
    ):
        reminder(one, f"session:{number}", ReminderKind.SESSION, at(LAST_TUESDAY, 10), state)
    reminder(one, "news", ReminderKind.MESSAGE, at(LAST_TUESDAY, 10), ReminderState.HANDED_OVER)
    reminder(one, "first minute", ReminderKind.SESSION, at(MONDAY, 0), ReminderState.HANDED_OVER)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.sent, last.held_back, last.withdrawn) == (3, 1, 2)
    assert week_of(found, MONDAY).sent == 1


def test_each_person_in_treatment_counts_once_a_week(cast: Cast, many: ManyPeople, now: datetime) -> None:
    tools, only_here, nowhere = many.person(), many.person(), many.person()
    visit(tools, at(LAST_TUESDAY), Act.SAVED_ENTRY)
    visit(tools, at(LAST_TUESDAY), Act.SIGNED_IN)
    visit(only_here, at(LAST_TUESDAY), Act.READ_PAGE)
    assert nowhere.state is EnrolmentState.ACTIVE
    early = many.person(state=EnrolmentState.ONBOARDING)
    visit(early, at(LAST_TUESDAY), Act.SIGNED_IN)
    gone = many.person(state=EnrolmentState.ENDED)
    gone.ended_at = at(date(2026, 11, 6))
    visit(gone, at(LAST_TUESDAY), Act.SAVED_ENTRY)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.used_tool, last.signed_in, last.no_visit) == (1, 1, 1)
    before = week_of(found, date(2026, 11, 2))
    assert (before.used_tool, before.signed_in, before.no_visit) == (0, 0, 4)
    assert found.in_treatment == 3
    assert tile(found, "Used a tool") == Tile("Used a tool, last 7 days", 0, 3, "1 in the 7 days before")


def test_a_session_that_was_carried_over_was_planned_and_not_kept(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    week = open_week(many.person(), 1, LAST_MONDAY)
    for state in ItemState:
        session_on(week, LAST_TUESDAY, state)
    session_on(week, LAST_THURSDAY, ItemState.DONE)
    session_on(week, MONDAY, ItemState.DONE)
    found = overview(cast, now)
    assert (tile(found, "Sessions kept").count, tile(found, "Sessions kept").of) == (2, 5)


@pytest.mark.parametrize("people", [0, 1, 4, 40])
def test_module_reach_is_honest_at_every_size(
    cast: Cast, many: ManyPeople, now: datetime, people: int
) -> None:
    """Everybody had time for modules 1 and 2; everybody opened the first, half of them the second."""
    first, second = programmes()[PROGRAMME].modules[:2]
    for number in range(people):
        one = many.person()
        open_week(one, 2, MONDAY)
        read_module(one, first.slug, now)
        if number % 2 == 0:
            read_module(one, second.slug, now)
    ahead = many.person()
    open_week(ahead, 1, MONDAY)
    read_module(ahead, second.slug, now)
    found = overview(cast, now)
    assert found.reach[0] == ModuleReach(1, first.title, people, people + 1)
    assert found.reach[1] == ModuleReach(2, second.title, (people + 1) // 2, people)
    assert found.reach[2].had_time == 0
    heading = f"Fewer people open {second.title} than the module before it"
    assert found.reach_heading == (heading if people == 40 else "Module reach")


def test_a_small_difference_is_no_finding(cast: Cast, many: ManyPeople, now: datetime) -> None:
    first, second = programmes()[PROGRAMME].modules[:2]
    for number in range(20):
        one = many.person()
        open_week(one, 2, MONDAY)
        read_module(one, first.slug, now)
        if number < 16:
            read_module(one, second.slug, now)
    assert overview(cast, now).reach_heading == "Module reach"


# People ---------------------------------------------------------------------------------------------------


def test_calls_and_decisions_stand_with_their_reason_and_one_action(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    for name, days in (("New Ann", 7), ("Call Bob", 8), ("Decide Cy", 21)):
        many.person(name, state=EnrolmentState.INVITED).invited_at = now - timedelta(days=days)
    for name, days in (("Here Di", 6), ("Slip Ed", 7), ("Quiet Flo", 14), ("Gone Gil", 21)):
        one = many.person(name)
        db.session.execute(db.text("DELETE FROM activity_days WHERE enrolment_id = :id"), {"id": one.id})
        visit(one, now - timedelta(days=days))
    found = overview(cast, now)
    assert status_for(found, "New Ann")[0] is Status.STARTING
    assert status_for(found, "Call Bob") == (
        Status.NOT_STARTED,
        "invited 8 days ago, no call yet",
        NextAction.LOG_CALL,
    )
    assert status_for(found, "Decide Cy") == (
        Status.NOT_STARTED,
        "invited 21 days ago",
        NextAction.DECIDE_INVITATION,
    )
    assert status_for(found, "Here Di")[0] is Status.ON_PLAN
    assert status_for(found, "Slip Ed")[0] is Status.SLIPPING
    assert status_for(found, "Quiet Flo")[2] is NextAction.LOG_CALL
    assert status_for(found, "Gone Gil") == (Status.QUIET, "not here for 21 days", NextAction.DECIDE_COURSE)
    assert found.need_a_look == 5
    assert [row.person.enrolment.patient.full_name for row in found.people[:2]] == ["Gone Gil", "Quiet Flo"]


def test_after_a_talk_the_call_is_no_task_any_more(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person("Call Bob", state=EnrolmentState.INVITED)
    one.invited_at = now - timedelta(days=9)
    log_call(one, CallOutcome.SPOKE, "", None, by=as_clinician(cast), now=now)
    assert status_for(overview(cast, now), "Call Bob") == (
        Status.CALLED,
        "invited 9 days ago, spoken to since",
        NextAction.LOOK,
    )


def test_a_late_review_a_late_welcome_and_a_late_message_are_seen(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    opened = many.person("Opened Olu")
    review(opened, 3, date(2026, 11, 11))
    open_week(opened, 4, date(2026, 11, 13), OpenedBecause.REVIEW_LATE)
    review(many.person("Late Liv"), 1, WEDNESDAY)
    review(many.person("Unwelcomed Una", state=EnrolmentState.INVITED), 0, TUESDAY, kind=ReviewKind.WELCOME)
    merged = many.person("Merged Mo")
    open_week(merged, 4, date(2026, 11, 13), OpenedBecause.REVIEW_LATE)
    unread = many.person("Unread Uli")
    db.session.add(
        Message(
            enrolment_id=unread.id,
            author_id=unread.patient_id,
            kind=MessageKind.MESSAGE,
            words="Hello",
            posted_key="k",
            sent_at=at(LAST_THURSDAY, 9),
            told_late_at=at(TUESDAY, 1),
        )
    )
    one = overview(cast, now)
    assert status_for(one, "Opened Olu")[:2] == (
        Status.REVIEW_LATE,
        "since Wednesday 11 November 5pm; week 4 opened without a review",
    )
    assert status_for(one, "Late Liv") == (Status.REVIEW_LATE, "since Wednesday 5pm", NextAction.HAND_OVER)
    assert status_for(one, "Merged Mo")[:2] == (Status.ON_PLAN, "week 4 opened without a review")
    assert status_for(one, "Unread Uli")[:2] == (
        Status.MESSAGE_LATE,
        "a message unread since Thursday 12 November 9am",
    )
    assert person_row(unread, now=now).status.status is Status.MESSAGE_LATE  # type: ignore[union-attr]
    una = status_for(one, "Unwelcomed Una")
    assert "welcome owed since Tuesday 5pm" in una[1]


def test_an_alert_comes_first_and_scores_that_rose_next(cast: Cast, many: ManyPeople, now: datetime) -> None:
    rising, alerted = many.person("Rising Ray"), many.person("Alert Al")
    score(rising, 0, 12, now - timedelta(days=30))
    score(rising, 4, 18, now - timedelta(days=1))
    raise_stated_risk(alerted, "Help", by=as_patient(cast), now=now)
    found = overview(cast, now)
    names = [row.person.enrolment.patient.full_name for row in found.people]
    assert names == ["Alert Al", "Rising Ray"]
    assert status_for(found, "Alert Al")[1] == "said that they may not be safe"
    assert status_for(found, "Rising Ray")[1] == "PHQ-9 up 6 since the start"


def test_a_course_that_ended_has_no_row(cast: Cast, many: ManyPeople, now: datetime) -> None:
    ended = many.person(state=EnrolmentState.ENDED)
    assert overview(cast, now).people == ()
    assert person_row(ended, now=now) is None


def test_another_service_is_not_in_it(cast: Cast, many: ManyPeople, now: datetime) -> None:
    many.person("Own Olga")
    assert [row.person.enrolment.patient.full_name for row in overview(cast, now).people] == ["Own Olga"]
    elsewhere = overview_of(cast.elsewhere, programmes()[PROGRAMME], now=now)
    assert [row.person.enrolment.patient.full_name for row in elsewhere.people] == ["Kim Hill"]


def test_the_number_of_statements_does_not_grow_with_the_people(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    def add(people: int) -> None:
        for _ in range(people):
            one = many.person()
            week = open_week(one, 1, MONDAY)
            session_on(week, TUESDAY, ItemState.DONE)
            review(one, 1, date(2026, 11, 23))
            score(one, 0, 12, now - timedelta(days=3))

    add(5)
    few = _statements(cast, now)
    add(45)
    assert _statements(cast, now) == few
    assert few <= 32


def _statements(cast: Cast, now: datetime) -> int:
    db.session.commit()
    db.session.expire_all()
    service = cast.service
    db.session.refresh(service)
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        found = overview_of(service, programmes()[PROGRAMME], now=now)
        names = [
            (row.person.enrolment.patient.full_name, row.person.enrolment.supporter.full_name)
            for row in found.people
        ]
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(names) >= 5
    return len(seen)
