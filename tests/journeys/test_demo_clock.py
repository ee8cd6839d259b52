"""The clock of the demo goes on, and a demo is built again."""

from datetime import UTC, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.cadence import to_local
from icbt_support.db import commit_with_retry, db
from icbt_support.delivery.mailbox import mails_in_mailbox
from icbt_support.demo.building import NotADemo, build_demo, forget_everything, has_any_data
from icbt_support.demo.clock import CannotJump, move_clock, target_of
from icbt_support.demo.crowd import everybody
from icbt_support.demo.models import DemoState
from icbt_support.demo.people import (
    ADMINISTRATOR,
    SAM,
    STANDS_AT,
    ZONE,
)
from icbt_support.engagement.this_week import this_week
from icbt_support.plan.models import PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reviews.models import Review
from tests.journeys.demo import demo, demo_app, forget_requests, signed_in, the_course_of, words_of

__all__ = ["demo", "demo_app"]


def test_to_this_evening_one_email_arrives(demo: Flask) -> None:
    """Also: the four reviews that nobody wrote are late, and the patients' pages say so."""
    client = signed_in(demo, ADMINISTRATOR)
    page = words_of(client.post("/development/clock", {"to": "evening"}))

    assert "It is now Thursday 19 November, 7pm" in page
    assert [to_local(mail.arrived_at, ZONE).time() for mail in mails_in_mailbox()] == [time(18, 30)]
    assert [mail.address for mail in mails_in_mailbox()] == ["kofi.mensah@example.org"]
    assert db.session.scalars(select(DemoState.stands_at)).one() == clock.now()
    leo = this_week(the_course_of("leo.grant@example.org"), now=clock.now())
    assert leo.late[0] == "Priya's review is not here yet. That is on us, not you."
    with pytest.raises(CannotJump):
        move_clock(demo, STANDS_AT)
    with pytest.raises(CannotJump):
        target_of("yesterday", clock.now())


def test_other_jumps(demo: Flask) -> None:
    client = signed_in(demo, SAM)
    assert client.post("/development/clock", {"to": "nonsense"}).status_code == 400
    forget_requests()
    client.post("/development/clock", {"to": "morning"})
    assert to_local(clock.now(), ZONE).time() == time(9)
    forget_requests()
    client.post("/development/clock", {"to": "review"})
    assert to_local(clock.now(), ZONE).strftime("%A %H:%M") == "Monday 17:00"
    before = clock.now()
    forget_requests()
    client.post("/development/clock", {"to": (before + timedelta(hours=3)).isoformat()})
    assert clock.now() == before + timedelta(hours=3)


def test_the_same_seed_gives_the_same_people(app: Flask) -> None:
    assert everybody(30, 8, 7) == everybody(30, 8, 7)
    assert everybody(30, 8, 7) != everybody(30, 8, 8)


def test_a_build_that_was_killed_begins_again(app: Flask) -> None:
    commit_with_retry(lambda: db.session.add(DemoState(seed=1, stands_at=STANDS_AT)))
    commit_with_retry(lambda: db.session.add(_stranger()))
    assert not has_any_data()

    build_demo(app, patients=1, weeks=2)
    first = fingerprint()
    assert has_any_data()
    with pytest.raises(NotADemo):
        build_demo(app, patients=1, weeks=2)

    forget_everything()
    assert not has_any_data()
    build_demo(app, patients=1, weeks=2)
    assert fingerprint() == first
    clock.stop_clock_at(STANDS_AT)


def test_it_is_not_built_over_other_data(app: Flask) -> None:
    commit_with_retry(lambda: db.session.add(_stranger()))
    with pytest.raises(NotADemo):
        build_demo(app, patients=1, weeks=1)


def _stranger() -> Account:
    return Account(
        email="someone@example.net",
        full_name="Some One",
        called="Some",
        created_at=datetime(2026, 9, 1, tzinfo=UTC),
    )


def fingerprint() -> list[object]:
    """Everything that a seed decides, in one list."""
    return [
        *db.session.execute(select(Week.enrolment_id, Week.number, Week.opened_at, Week.module)).all(),
        *db.session.execute(select(PlanItem.title, PlanItem.state, PlanItem.settled_at)).all(),
        *db.session.execute(
            select(Reminder.key, Reminder.state, Reminder.reason, Reminder.due_at).order_by(
                Reminder.key, Reminder.channel
            )
        ).all(),
        *db.session.execute(select(Review.number, Review.state, Review.sent_at)).all(),
    ]
