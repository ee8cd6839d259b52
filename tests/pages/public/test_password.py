"""A forgotten password: nothing tells whether an address is known, and a link works once."""

import time
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts import operations, passwords
from icbt_support.accounts.links import make_link_token
from icbt_support.accounts.models import AccountLink, LinkPurpose, SignIn
from icbt_support.accounts.passwords import is_right_password
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from tests.browsing import PageClient
from tests.cast import Cast

OPERATOR = Actor.operator("tests")
OLD, NEW = "three calm words", "another calm phrase"


@pytest.fixture
def people(cast: Cast, now: datetime) -> Cast:
    operations.set_password(cast.patient, passwords.hash_password(OLD), by=OPERATOR, now=now)
    db.session.commit()
    return cast


def ask(client: PageClient, email: str) -> object:
    client.get("/forgotten-password")
    return client.post("/forgotten-password", {"email": email})


def links() -> list[AccountLink]:
    db.session.rollback()
    return list(db.session.scalars(select(AccountLink).order_by(AccountLink.id)))


def address_of(app: Flask, link: AccountLink) -> str:
    return f"/new-password/{make_link_token(link, link_key=app.config['SETTINGS'].link_key)}"


@pytest.fixture
def link_address(app: Flask, client: PageClient, people: Cast) -> str:
    ask(client, people.patient.email)
    return address_of(app, links()[0])


def test_known_and_unknown_addresses_get_the_same_answer(client: PageClient, people: Cast) -> None:
    known, unknown = ask(client, people.patient.email), ask(client, "nobody@example.net")
    assert known.status_code == unknown.status_code == 200
    assert known.text == unknown.text
    assert "Check your email" in known.text
    assert [link.account_id for link in links()] == [people.patient.id]


def test_known_and_unknown_addresses_take_as_long(client: PageClient, people: Cast, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    try:
        rounds = [
            (_seconds(client, people.patient.email), _seconds(client, f"nobody{number}@example.net"))
            for number in range(5)  # The sixth mail to an address is not owed any more.
        ]
    finally:
        app.config["WTF_CSRF_ENABLED"] = True
    # By turns, the shortest of each, and in time of this thread: what else the machine does changes nothing. Both
    # kinds of address wait for the disk once, for one transaction.
    known, unknown = (min(times) for times in zip(*rounds, strict=True))
    assert abs(known - unknown) <= 0.040


def _seconds(client: PageClient, email: str) -> float:
    began = time.thread_time()
    assert client.http.post("/forgotten-password", data={"email": email}).status_code == 302
    return time.thread_time() - began


def test_the_mail_is_owed_and_not_sent_in_the_request(client: PageClient, people: Cast) -> None:
    ask(client, people.patient.email)
    link = links()[0]
    owed = db.session.scalars(select(Reminder).where(Reminder.kind == ReminderKind.PASSWORD_RESET)).all()
    assert owed
    assert all(reminder.state is ReminderState.OWED for reminder in owed)
    assert {reminder.subject for reminder in owed} == {f"account_link:{link.id}"}


def test_asking_often_sends_five_and_still_answers_alike(client: PageClient, people: Cast) -> None:
    answers = {ask(client, people.patient.email).text for _ in range(8)}
    assert len(answers) == 1
    assert len(links()) == 5
    assert [link.withdrawn_at is None for link in links()] == [False] * 4 + [True]


def test_an_address_that_is_none_is_told_so(client: PageClient, app: Flask) -> None:
    for odd in ("", "nobody", "x" * 300, "a b@example.net"):
        assert "Enter" in ask(client, odd).text


def test_opening_the_link_changes_nothing(client: PageClient, link_address: str) -> None:
    for _ in range(3):
        assert client.get(link_address).status_code == 200
    assert links()[0].used_at is None


def test_a_new_password_signs_in_here_and_out_everywhere_else(
    app: Flask, client: PageClient, people: Cast, link_address: str
) -> None:
    elsewhere = PageClient(app).sign_in(people.patient)
    assert elsewhere.http.get("/account").status_code == 200
    client.get(link_address)
    response = client.post(link_address, {"password": NEW}, follow=False)
    assert response.location == "/"
    assert client.http.get("/account").status_code == 200
    assert elsewhere.http.get("/account").status_code == 302
    db.session.rollback()
    assert is_right_password(NEW, people.patient.password_hash)


def test_a_link_works_once(client: PageClient, people: Cast, link_address: str) -> None:
    client.get(link_address)
    client.post(link_address, {"password": NEW}, follow=False)
    for response in (
        client.get(link_address),
        client.post(link_address, {"password": "a third calm phrase"}),
    ):
        assert response.status_code == 410
        assert "does not work any more" in response.text
    db.session.rollback()
    assert is_right_password(NEW, people.patient.password_hash)


def test_a_link_runs_out_after_an_hour(client: PageClient, link_address: str, now: datetime) -> None:
    clock.stop_clock_at(now + timedelta(minutes=59))
    assert client.get(link_address).status_code == 200
    clock.stop_clock_at(now + timedelta(minutes=60))
    assert client.get(link_address).status_code == 410


def test_the_old_link_dies_when_a_new_one_is_asked_for(
    client: PageClient, people: Cast, link_address: str
) -> None:
    ask(client, people.patient.email)
    assert client.get(link_address).status_code == 410


@pytest.mark.parametrize("password", ["short", "password1", "alex.reed@example.net", ""])
def test_a_weak_password_is_refused_and_the_link_stays_open(
    client: PageClient, link_address: str, password: str
) -> None:
    client.get(link_address)
    response = client.post(link_address, {"password": password})
    assert response.status_code == 200
    assert "There is a problem" in response.text
    assert links()[0].used_at is None


def test_a_link_of_another_purpose_or_a_made_up_one_does_nothing(
    app: Flask, client: PageClient, people: Cast, now: datetime
) -> None:
    link = operations.owe_account_link(
        people.patient,
        LinkPurpose.INVITATION,
        service_id=people.service.id,
        expires_at=now + timedelta(days=1),
        by=OPERATOR,
        now=now,
    )
    db.session.commit()
    assert client.get(address_of(app, link)).status_code == 410
    for token in ("1-" + "a" * 32, "x", "99999999999999999999-a", "1-%00"):
        assert client.get(f"/new-password/{token}").status_code == 410
    db.session.rollback()
    assert db.session.scalar(select(func.count(SignIn.id))) == 0
