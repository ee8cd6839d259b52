"""Strips show the weeks of people as they are, in a fixed number of statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time

import pytest
from sqlalchemy import event, select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.people_strips import strips_of_people
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import ItemKind, Week
from icbt_support.plan.queries import open_week_of, week_of
from icbt_support.plan.strip import StripModel
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Reason, ReminderKind, ReminderState
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import review_owed
from icbt_support.reviews.rules import PAUSE, NextWeekChoice
from icbt_support.reviews.transitions import miss_review
from icbt_support.rhythm.acts import finish_check_in
from icbt_support.rhythm.strips import strip_of_proposal, strip_of_week
from tests.cast import Cast, enrol, make_person
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    answer_check_in,
    at,
    letter,
    open_due_weeks,
    read_session,
    send,
    start_course,
)

NEXT_THURSDAY = at(date(2026, 12, 3), 9)
LETTER = letter(next_review_at=NEXT_THURSDAY, by_on=date(2026, 11, 29))


@pytest.fixture
def week(cast: Cast) -> Week:
    return start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_the_first_week_as_it_opens(cast: Cast, week: Week) -> None:
    strip = strip_of_week(cast.enrolment, week, now=at(19, 10, 5))
    assert [column.day_number for column in strip.columns] == [19, 20, 21, 22, 23, 24, 25, 26]
    assert (strip.left.state, strip.right.state) == ("none", "planned")
    assert (strip.right.label, strip.right.when) == ("Pat writes", "by 5pm")
    assert (strip.today_column, strip.reach) == (1, 1)
    assert [bell.when for column in strip.columns for bell in column.bells] == ["6.30pm", "6.30pm", "6pm"]
    assert (strip.check_in.from_column, strip.check_in.to_column, strip.check_in.state) == (5, 7, "planned")


def test_what_was_done_stands_on_the_day_it_was_done(cast: Cast, week: Week) -> None:
    read_session(cast.enrolment, "getting-started", 0, now=at(21, 19, 5))
    strip = strip_of_week(cast.enrolment, week, now=at(22, 9))
    done = [(item.kind, item.state, item.when) for item in strip.columns[2].items]
    assert ("session", "done", "7.05pm") in done


def test_the_check_in_opens_and_is_done(cast: Cast, week: Week) -> None:
    assert strip_of_week(cast.enrolment, week, now=at(23, 9)).check_in.state == "open"
    answer_check_in(cast.enrolment, 1, now=at(24, 21, 30))
    finish_check_in(cast.enrolment, by=acting(cast.patient, Role.PATIENT), now=at(24, 21, 30))
    bar = strip_of_week(cast.enrolment, week, now=at(25, 9)).check_in
    assert (bar.state, bar.label) == ("done", "done Tue 9.30pm")


def test_bells_say_what_was_sent_and_why_one_was_held_back(cast: Cast, week: Week) -> None:
    first, second = db.session.scalars(
        select(Reminder).where(Reminder.kind == ReminderKind.SESSION).order_by(Reminder.due_at)
    ).all()
    first.state, first.settled_at = ReminderState.HANDED_OVER, at(23, 18, 31)
    second.state, second.settled_at = ReminderState.HELD_BACK, at(24, 18, 30)
    second.reason = Reason.PERSON_WROTE
    db.session.commit()
    strip = strip_of_week(cast.enrolment, week, now=at(25, 9))
    assert [(b.state, b.when) for c in strip.columns for b in c.bells] == [
        ("sent", "6.31pm"),
        ("held_back", "6.30pm"),
        ("planned", "6pm"),
    ]
    assert any("held back 6.30pm: planned session, because Pat had written" in s for s in strip.sentences)


def test_the_review_is_due_today_and_then_late(cast: Cast, week: Week) -> None:
    due = strip_of_week(cast.enrolment, week, now=at(26, 9)).right
    assert (due.state, due.label, due.when) == ("due", "Pat writes", "by 5pm")
    late = strip_of_week(cast.enrolment, week, now=at(27, 9))
    assert (late.right.state, late.right.when) == ("late", "since Thu 5pm")
    assert (late.today_column, late.reach) == (None, 8)


def test_a_closed_week_ends_with_its_letter_and_the_next_begins_with_it(cast: Cast, week: Week) -> None:
    send(review_owed(cast.enrolment), LETTER, by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 9, 40))
    closed = strip_of_week(cast.enrolment, week_of(cast.enrolment, 1), now=at(26, 10))
    assert (closed.right.state, closed.right.label, closed.right.when) == ("sent", "Pat wrote", "9.40am")
    assert closed.check_in.state == "not_done"
    opened = strip_of_week(cast.enrolment, open_week_of(cast.enrolment), now=at(26, 10))
    assert (opened.left.state, opened.left.label, opened.left.when) == ("sent", "Pat wrote", "9.40am")
    assert [item.kind for item in opened.columns[3].items] == ["agreed_step"]
    assert "review_sent" in opened.marks


def test_a_week_that_opened_without_its_review_has_no_letter_at_its_left(cast: Cast, week: Week) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    strip = strip_of_week(cast.enrolment, open_week_of(cast.enrolment), now=at(30, 18))
    assert strip.left.state == "none"
    assert len(strip.columns) == 4


def test_a_proposal_is_drawn_as_the_week_will_open(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    proposal = strip_of_proposal(review, LETTER.choice, now=at(26, 9, 40))
    assert (proposal.left.state, proposal.left.label) == ("due", "Your review")
    send(review, LETTER, by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 9, 40))
    opened = strip_of_week(cast.enrolment, open_week_of(cast.enrolment), now=at(26, 9, 40))
    assert proposal.columns == opened.columns
    assert (proposal.check_in, proposal.right) == (opened.check_in, opened.right)


def test_a_proposal_follows_each_choice(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    step = replace(LETTER.step, by_on=date(2026, 11, 28), by_time=time(12))
    moved = strip_of_proposal(review, replace(LETTER.choice, step=step), now=at(26, 9, 40))
    assert [(item.title, item.when) for item in moved.columns[2].items if item.kind == "agreed_step"] == [
        ("One walk with Mo", "by 12pm")
    ]
    later = strip_of_proposal(
        review, replace(LETTER.choice, next_review_at=at(date(2026, 12, 10), 9)), now=at(26, 9, 40)
    )
    assert len(later.columns) == 15
    paused = strip_of_proposal(review, NextWeekChoice(PAUSE), now=at(26, 9, 40))
    assert (paused.check_in, [column for column in paused.columns if column.items]) == (None, [])


def test_a_list_of_people_takes_one_statement_more_than_the_list(cast: Cast, week: Week) -> None:
    for number in range(3):
        patient = make_person(f"Person{number} Reed", Role.PATIENT, cast.service, at(19, 9))
        enrolment = enrol(patient, cast.supporter, cast.clinician, cast.service, at(19, 9))
        start_course(enrolment, review_at=at(26, 10 + number), now=at(19, 10))
    db.session.expire_all()
    people = load_people(select(Enrolment))
    assert len(people) == 5
    for shown in (people[:2], people):
        with counted_statements() as statements:
            strips_of_people(shown, now=at(20, 9))
        assert len(statements) == 1


def test_a_person_has_the_same_strip_in_a_list_as_on_their_page(cast: Cast, week: Week) -> None:
    """With a review before it, without one, with one closed by a clinician, and with one that is late."""

    def strip_in_list(now: datetime) -> StripModel:
        db.session.expire_all()
        in_list = strips_of_people(load_people(select(Enrolment)), now=now)[cast.enrolment.id]
        assert in_list == strip_of_week(cast.enrolment, open_week_of(cast.enrolment), now=now)
        return in_list

    assert strip_in_list(at(20, 9)).left.label == "Start"
    send(review_owed(cast.enrolment), LETTER, by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 9, 40))
    assert strip_in_list(at(27, 9)).left.label == "Pat wrote"
    assert strip_in_list(at(date(2026, 12, 4), 9)).right.state == "late"
    open_due_weeks(now=at(date(2026, 12, 7), 17), by=SYSTEM)
    assert strip_in_list(at(date(2026, 12, 7), 18)).left.state == "none"
    owed = db.session.scalars(select(Review).order_by(Review.number.desc())).first()
    miss_review(owed, reason="moved", by=acting(cast.clinician, Role.CLINICIAN), now=at(date(2026, 12, 8), 9))
    assert strip_in_list(at(date(2026, 12, 8), 10)).right.label == "No review"


def test_somebody_without_a_week_has_no_strip(cast: Cast) -> None:
    assert strips_of_people(load_people(select(Enrolment)), now=at(20, 9)) == {}
    assert strips_of_people([], now=at(20, 9)) == {}


def test_the_kinds_of_a_week_are_in_the_key(cast: Cast, week: Week) -> None:
    marks = strip_of_week(cast.enrolment, week, now=at(20, 9)).marks
    kinds = {item.kind.value for item in week.items if item.kind is not ItemKind.CHECK_IN}
    assert kinds <= set(marks)
    assert {"check_in", "check_in_bar", "bell_planned", "review_next"} <= set(marks)
