"""Links in reminders: a GET changes nothing, a POST moves or stops, and only a genuine token opens them."""

from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.accounts.models import ContactPreferences, PromptLevel
from icbt_support.db import db
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.own_links import OwnLink, path_of
from icbt_support.reminders.rules import ReminderKind
from tests.browsing import PageClient
from tests.cast import Cast


@pytest.fixture
def item(cast: Cast, now: datetime) -> PlanItem:
    week = Week(
        enrolment_id=cast.enrolment.id,
        number=1,
        module="getting-started",
        opened_on=now.date(),
        review_on=now.date() + timedelta(days=7),
        opened_at=now,
        opened_because=OpenedBecause.START,
    )
    item = PlanItem(
        week=week,
        enrolment_id=cast.enrolment.id,
        kind=ItemKind.SESSION,
        subject="session:getting-started/one",
        title="A title that is nobody else's business",
        why="",
        planned_on=now.date() + timedelta(days=4),
        planned_time=time(19),
        minutes=12,
        patient_words="",
    )
    db.session.add(item)
    db.session.commit()
    return item


@pytest.fixture
def reminder(cast: Cast, item: PlanItem, now: datetime) -> Reminder:
    owe_reminder(
        key="session",
        kind=ReminderKind.SESSION,
        recipient_id=cast.patient.id,
        service_id=cast.service.id,
        subject=f"plan_item:{item.id}",
        context=f"enrolment:{cast.enrolment.id}",
        due_at=now,
        now=now,
    )
    db.session.commit()
    return db.session.scalars(select(Reminder)).one()


def link(app: Flask, reminder: Reminder, purpose: OwnLink) -> str:
    return path_of(purpose, reminder.id, reminder.nonce, link_key=app.config["SETTINGS"].link_key)


def test_opening_the_link_moves_nothing_and_names_nothing(
    app: Flask, client: PageClient, reminder: Reminder, item: PlanItem
) -> None:
    text = client.get(link(app, reminder, OwnLink.MOVE)).text
    assert "Move it to another day" in text
    assert item.title not in text
    assert "Alex" not in text
    db.session.expire_all()
    assert db.session.get_one(PlanItem, item.id).planned_on == date(2026, 11, 23)


def test_a_press_moves_it(app: Flask, client: PageClient, reminder: Reminder, item: PlanItem) -> None:
    path = link(app, reminder, OwnLink.MOVE)
    client.get(path)
    text = client.post(path, {"on": "2026-11-24", "at": "19:30"}).text
    assert "Tuesday 24 November, 7.30pm" in text
    db.session.rollback()
    db.session.expire_all()
    moved = db.session.get_one(PlanItem, item.id)
    assert (moved.planned_on, moved.planned_time) == (date(2026, 11, 24), time(19, 30))


def test_a_day_outside_the_week_is_refused_with_its_reason(
    app: Flask, client: PageClient, reminder: Reminder
) -> None:
    path = link(app, reminder, OwnLink.MOVE)
    client.get(path)
    assert client.post(path, {"on": "2027-01-01", "at": "19:30"}).status_code == 400


def test_what_is_done_cannot_be_moved(
    app: Flask, client: PageClient, reminder: Reminder, item: PlanItem
) -> None:
    item.state = ItemState.DONE
    db.session.commit()
    response = client.get(link(app, reminder, OwnLink.MOVE))
    assert response.status_code == 404
    assert "This link is closed" in response.text


@pytest.mark.parametrize("damage", ["x", "a" * 32, "%00", "9" * 30 + "-" + "a" * 32])
def test_a_link_that_is_not_genuine_is_closed(client: PageClient, reminder: Reminder, damage: str) -> None:
    assert client.get(f"/reminders/move/{damage}").status_code == 404
    assert client.get(f"/reminders/stop/{damage}").status_code == 404


def test_a_link_to_move_does_not_stop(app: Flask, client: PageClient, reminder: Reminder) -> None:
    token = link(app, reminder, OwnLink.MOVE).rsplit("/", 1)[1]
    assert client.get(f"/reminders/stop/{token}").status_code == 404


def test_stopping_asks_first(app: Flask, client: PageClient, cast: Cast, reminder: Reminder) -> None:
    path = link(app, reminder, OwnLink.STOP)
    client.get(path)
    db.session.expire_all()
    assert db.session.get_one(ContactPreferences, cast.patient.id).prompts is PromptLevel.ALL
    assert "News from people still comes" in client.post(path).text
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(ContactPreferences, cast.patient.id).prompts is PromptLevel.OFF


def test_a_mail_program_stops_reminders_with_one_click(
    app: Flask, cast: Cast, reminder: Reminder, item: PlanItem
) -> None:
    """As RFC 8058 has it: no cookie, no form before it, nothing but the link."""
    said = {"List-Unsubscribe": "One-Click"}
    nobody = app.test_client(use_cookies=False)
    assert nobody.post(link(app, reminder, OwnLink.MOVE), data=said).status_code == 400
    assert nobody.post("/reminders/stop/1-" + "a" * 32, data=said).status_code == 404
    response = nobody.post(link(app, reminder, OwnLink.STOP), data=said)
    assert "Reminders are off" in response.text
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(ContactPreferences, cast.patient.id).prompts is PromptLevel.OFF
