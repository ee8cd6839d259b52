"""One act: a row that stays, a count for the day and the person's figures, by one verb."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import delete, event, select, update

from icbt_support.activity.models import Act, ActivityDay, ActivityEvent, ActivityPerson
from icbt_support.activity.operations import record_activity
from icbt_support.activity.rebuilding import rebuild_figures
from icbt_support.db import db

ON = date(2026, 11, 19)


def test_acts_are_kept_and_counted_per_person_day_and_kind(app: Flask, now: datetime) -> None:
    later = now + timedelta(minutes=5)
    record_activity(Act.READ_PAGE, service_id=1, enrolment_id=7, on=ON, now=now, subject="one")
    record_activity(Act.READ_PAGE, service_id=1, enrolment_id=7, on=ON, now=later, subject="two")
    record_activity(Act.SAVED_ENTRY, service_id=1, enrolment_id=7, on=ON, now=now)
    record_activity(Act.READ_PAGE, service_id=1, enrolment_id=8, on=ON, now=now)
    record_activity(Act.READ_PAGE, service_id=1, enrolment_id=7, on=ON + timedelta(days=1), now=now)
    db.session.commit()
    days = db.session.scalars(
        select(ActivityDay).where(ActivityDay.enrolment_id == 7, ActivityDay.acted_on == ON)
    ).all()
    assert {day.act: (day.count, day.last_at) for day in days} == {
        Act.READ_PAGE: (2, later),
        Act.SAVED_ENTRY: (1, now),
    }
    events = db.session.scalars(select(ActivityEvent).order_by(ActivityEvent.id)).all()
    assert [event.subject for event in events if event.enrolment_id == 7] == ["one", "two", "", ""]


def test_figures_kept_as_people_act_are_those_that_the_events_give(app: Flask, now: datetime) -> None:
    """Sixty people over a year and more, acts in any order: what the verb kept and a rebuild agree row by row."""
    chance = Random(20261119)
    for _ in range(1_500):
        at = now - timedelta(
            minutes=chance.choice([chance.randrange(40 * 1440), chance.randrange(420 * 1440)])
        )
        act = chance.choice(list(Act))
        subject = f"page:{chance.choice(['one', 'one-more', 'two'])}/{chance.randrange(3)}"
        record_activity(
            act,
            service_id=1,
            enrolment_id=chance.randrange(1, 61),
            on=at.date(),
            now=at,
            subject=subject if act is Act.READ_PAGE else "",
        )
    db.session.commit()
    kept = _figures()
    assert len(kept[1]) == 60
    assert max(row[6] for row in kept[1]).bit_length() > 1
    assert {frozenset(row[7]) for row in kept[1]} >= {frozenset({"one", "one-more", "two"})}
    db.session.execute(update(ActivityPerson).values(weeks_here=0, modules="/elsewhere/"))
    db.session.execute(delete(ActivityDay).where(ActivityDay.enrolment_id == 7))
    db.session.commit()
    assert rebuild_figures() == 1_500
    assert _figures() == kept


def test_recording_an_act_costs_two_statements_more_than_its_row(app: Flask, now: datetime) -> None:
    seen: list[str] = []

    def note(*rest: Any) -> None:
        seen.append(rest[2])

    db.session.connection()
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        record_activity(Act.READ_PAGE, service_id=1, enrolment_id=7, on=ON, now=now, subject="page:one/two")
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert [statement.split()[2] for statement in seen] == [
        "activity_events",
        "activity_days",
        "activity_people",
    ]


def _figures() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    db.session.expire_all()
    days = db.session.scalars(
        select(ActivityDay).order_by(ActivityDay.enrolment_id, ActivityDay.acted_on, ActivityDay.act)
    )
    people = db.session.scalars(select(ActivityPerson).order_by(ActivityPerson.enrolment_id))
    return (
        [(one.enrolment_id, one.acted_on, one.act, one.service_id, one.count, one.last_at) for one in days],
        [
            (
                one.enrolment_id,
                one.service_id,
                one.last_at,
                one.last_week,
                one.weeks_here,
                one.weeks_with_tool,
                one.first_days,
                one.modules_opened,
                one.first_day,
            )
            for one in people
        ],
    )
