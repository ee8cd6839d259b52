"""One act: a row that stays, and a count for the day, by one verb."""

from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from icbt_support.activity.models import Act, ActivityDay, ActivityEvent
from icbt_support.activity.operations import record_activity
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
