"""Exports against the rows that they are read from, on both engines."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.db import db
from icbt_support.enrolments.models import Purpose
from icbt_support.exports.queries import lines_of
from icbt_support.exports.rules import Wanted
from icbt_support.exports.tables import EXPORT_TABLES
from icbt_support.plan.models import ItemState, PlanItem
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call
from tests.cast import Cast, enrol
from tests.concepts.beginnings import as_clinician, open_week_1
from tests.concepts.service_of_many import reminder, score

TABLES = {table.slug: table for table in EXPORT_TABLES}


def taken(cast: Cast, slug: str, **filters: object) -> list[dict[str, str | int]]:
    db.session.commit()
    table = TABLES[slug]
    wanted = Wanted(cast.service.id, cast.service.zone, **filters)  # type: ignore[arg-type]
    heads = [column.name for column in table.columns_for(with_names=wanted.with_names)]
    return [dict(zip(heads, line, strict=True)) for line in lines_of(db.engine, table, wanted)]


def sent_review(cast: Cast, number: int, by: int, minutes: int | None, at: datetime) -> Review:
    review = Review(
        service_id=cast.service.id,
        enrolment_id=cast.enrolment.id,
        kind=ReviewKind.WEEKLY,
        number=number,
        owner_id=by,
        due_on=at.date(),
        promised_at=at,
        first_promised_at=at,
        state=ReviewState.SENT,
        created_at=at,
        sent_at=at,
        sent_by=by,
        minutes=minutes,
    )
    db.session.add(review)
    db.session.flush()
    return review


@pytest.fixture
def week_1(cast: Cast, now: datetime) -> Cast:
    """Alex's first week with its review sent, two questionnaires, a call and reminders; and a course of training."""
    week = open_week_1(cast, now)
    review = db.session.scalars(select(Review).where(Review.number == 1)).one()
    review.week_id, review.state = week.id, ReviewState.SENT
    review.sent_at, review.sent_by, review.minutes = review.promised_at, cast.supporter.id, 14
    first = db.session.scalars(select(PlanItem).order_by(PlanItem.id)).first()
    assert first is not None
    first.state = ItemState.DONE
    score(cast.enrolment, 0, 15, now)
    score(cast.enrolment, 1, 9, now + timedelta(days=6))
    log_call(cast.enrolment, CallOutcome.SPOKE, "canary", 6, by=as_clinician(cast), now=now)
    log_call(cast.enrolment, CallOutcome.NO_ANSWER, "canary", 1, by=as_clinician(cast), now=now)
    training = enrol(cast.colleague, cast.supporter, cast.clinician, cast.service, now)
    training.purpose = Purpose.TRAINING
    score(training, 0, 3, now)
    score(cast.other_enrolment, 0, 4, now)
    return cast


def test_one_row_of_the_log_holds_what_a_log_asks_for(week_1: Cast) -> None:
    [row] = taken(week_1, "therapy-log", with_names=True)
    assert (row["course"], row["name"], row["programme"]) == (week_1.enrolment.id, "Alex Reed", "low-mood")
    assert (row["week"], row["minutes"]) == (1, 14)
    assert (row["phq9_at_start"], row["phq9_of_week"], row["gad7_at_start"]) == (15, 9, "")
    review = db.session.scalars(select(Review).where(Review.number == 1)).one()
    assert (row["reviewed_at"], row["counts_as_contact"]) == (f"{review.promised_at:%Y-%m-%d %H:%M}", "")
    assert "name" not in taken(week_1, "therapy-log")[0]


def test_every_table_holds_its_rows_and_only_those_of_care_in_this_service(
    week_1: Cast, now: datetime
) -> None:
    numbers = {slug: [row.get("course") for row in taken(week_1, slug)] for slug in TABLES}
    alex = week_1.enrolment.id
    assert numbers["enrolments"] == numbers["weeks"] == numbers["reviews"] == [alex]
    assert numbers["questionnaires"] == numbers["treatment-contacts"] == [alex, alex]
    assert set(numbers["reminders"]) == {alex}
    assert taken(week_1, "reviews")[0]["was_on_time"] == "yes"
    week = taken(week_1, "weeks")[0]
    assert week["items_done"] == 1
    assert week["items_planned"] == len(db.session.scalars(select(PlanItem)).all())
    assert [row["total"] for row in taken(week_1, "questionnaires")] == [15, 9]
    from_on = (now + timedelta(days=6)).date()
    assert [row["total"] for row in taken(week_1, "questionnaires", from_on=from_on)] == [9]
    until_on = from_on - timedelta(days=1)
    assert [row["total"] for row in taken(week_1, "questionnaires", until_on=until_on)] == [15]
    assert taken(week_1, "questionnaires", programme="another") == []


def test_a_contact_counts_only_by_a_clinicians_yes(week_1: Cast, now: datetime) -> None:
    assert {
        (row["kind"], row["minutes"], row["confirmed"]) for row in taken(week_1, "treatment-contacts")
    } == {
        ("review_sent", 14, "no"),
        ("call_answered", 6, "no"),
    }
    review = db.session.scalars(select(Review).where(Review.number == 1)).one()
    db.session.add(
        TreatmentContact(
            service_id=week_1.service.id,
            enrolment_id=week_1.enrolment.id,
            kind=ContactKind.REVIEW_SENT,
            contact_at=review.sent_at,
            minutes=14,
            review_id=review.id,
            recorded_by=week_1.supporter.id,
            recorded_at=now,
            decided_by=week_1.clinician.id,
            confirmed_at=now,
        )
    )
    confirmed = {row["kind"]: row["confirmed"] for row in taken(week_1, "treatment-contacts")}
    assert confirmed == {"review_sent": "yes", "call_answered": "no"}
    assert taken(week_1, "therapy-log")[0]["counts_as_contact"] == "yes"


def test_minutes_are_whole_weeks_of_the_team(cast: Cast, now: datetime) -> None:
    pat, chris = cast.supporter.id, cast.colleague.id
    sent_review(cast, 11, pat, 20, now)
    sent_review(cast, 12, chris, 17, now - timedelta(days=1))
    sent_review(cast, 13, chris, None, now - timedelta(days=1))
    sent_review(cast, 14, pat, 43, now - timedelta(days=8))
    monday = date(2026, 11, 16)
    this_week = {"week_from": "2026-11-16", "reviews_sent": 3, "reviews_with_minutes": 2, "minutes": 37}
    one_writer = {"week_from": "2026-11-09", "reviews_sent": 1, "reviews_with_minutes": 1, "minutes": ""}
    assert taken(cast, "minutes") == [one_writer, this_week]
    day = monday + timedelta(days=3)
    assert taken(cast, "minutes", from_on=day, until_on=day, programme="another") == [this_week]


def test_what_administrators_get_of_reminders_says_nothing_of_whom_or_what(cast: Cast, now: datetime) -> None:
    for key, kind in (("a", ReminderKind.SESSION), ("b", ReminderKind.RISK_ALERT)):
        reminder(cast.enrolment, key, kind, now, ReminderState.HELD_BACK)
    rows = taken(cast, "sending")
    prompts = db.session.scalars(select(Reminder).where(Reminder.key == "a")).all()
    assert rows == [
        {"due_on": "2026-11-19", "class": "prompt", "channel": one.channel.value, "state": "held_back"}
        for one in prompts
    ]
    assert {row["kind"] for row in taken(cast, "reminders")} == {"session", "risk_alert"}
