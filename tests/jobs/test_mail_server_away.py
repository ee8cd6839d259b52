"""A mail server that refuses us or falls silent: what the jobs do meanwhile, and what people are told."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import cli, clock
from icbt_support.accounts.models import Account
from icbt_support.db import commit_with_retry, db
from icbt_support.job_log.models import JobRun, JobState
from icbt_support.jobs import mail_rest, runner
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.pages.public import health
from icbt_support.reminders.models import InboxItem, Mailing
from icbt_support.reminders.rules import Channel, MailingState, ReminderState
from icbt_support.schema import SchemaState
from icbt_support.settings import SmtpServer
from tests.browsing import PageClient
from tests.cast import Cast
from tests.jobs.owing import K, owe, owe_session, plan_a_session, row
from tests.outbound.scripted import HANG, Scripted, scripted_server

DENIED = "550 relay not permitted"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def deliverer(app: Flask, server: Scripted) -> Iterator[Deliverer]:
    """The app's own, but it speaks to the scripted server."""
    own = runner.runner_of(app)
    settings = dataclasses.replace(app.config["SETTINGS"], smtp=SmtpServer("127.0.0.1", server.port))
    before = own.hands
    own.stopping.clear()
    own.hands = dataclasses.replace(before, deliverer=Deliverer(settings, stop=own.stopping.is_set))
    yield own.hands.deliverer
    own.hands.deliverer.close()
    own.hands = before
    own.stopping.clear()


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_rest.MailRest, "is_on", False)


@pytest.fixture
def at_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of a test are made without migrations."""
    monkeypatch.setattr(health, "schema_state", lambda connection: SchemaState.CURRENT)
    monkeypatch.setattr(cli, "_require_schema", lambda: None)


def owe_news_to_staff(cast: Cast, key: str, due_at: datetime, recipient: Account) -> None:
    owe(
        dataclasses.replace(cast, patient=recipient),
        key,
        K.STAFF_HAND_OVER,
        f"enrolment:{cast.enrolment.id}",
        due_at,
    )


def bounced() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Account.id).where(Account.address_bounced_at.is_not(None))))


@pytest.mark.parametrize("said", [DENIED, "550 5.7.1 Not from you", "554 No", "530 5.7.0 Sign in first"])
def test_a_relay_that_lets_nothing_through_marks_nobody_and_loses_nothing(
    cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted, no_rest: None, said: str
) -> None:
    server.answers["RCPT"] = said
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    for recipient in (cast.supporter, cast.colleague, cast.clinician):
        owe_news_to_staff(cast, f"news:{recipient.id}", now, recipient)
    for minutes in range(0, 40, 2):
        clock.stop_clock_at(now + timedelta(minutes=minutes))
        deliverer.deliver_due()
    assert bounced() == []
    assert server.taken == []
    db.session.expire_all()
    states = set(db.session.scalars(select(Mailing.state)))
    assert states == {MailingState.WAITING}
    names = set(db.session.scalars(select(Mailing.message_id)))
    server.answers["RCPT"] = "250 OK"
    for minutes in (60, 120):
        clock.stop_clock_at(now + timedelta(minutes=minutes))
        deliverer.deliver_due()
    assert sorted(server.taken) == sorted(names)
    assert len(names) == 4
    assert row(f"session:{item.id}").state is ReminderState.HANDED_OVER


def test_a_full_mailbox_is_given_up_after_a_day_and_the_address_is_not_marked(
    cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted, no_rest: None
) -> None:
    server.answers["RCPT"] = "552 5.2.2 Mailbox full"
    owe_news_to_staff(cast, "news", now, cast.supporter)
    for hours in range(72):
        clock.stop_clock_at(now + timedelta(hours=hours))
        deliverer.deliver_due()
    reminder = row("news")
    assert (reminder.state, reminder.reason) == (ReminderState.FAILED, "tried_long_enough")
    assert bounced() == []
    assert len([line for line in server.asked if line.startswith("RCPT")]) == 9


def test_the_jobs_page_says_that_email_is_paused_and_why_until_a_mail_is_taken(
    app: Flask,
    client: PageClient,
    cast: Cast,
    now: datetime,
    deliverer: Deliverer,
    server: Scripted,
    no_rest: None,
    at_this_version: None,
) -> None:
    server.answers["RCPT"] = f"550 5.7.1 <{cast.patient.email}>: relay not permitted"
    owe_session(cast, plan_a_session(cast, now), now)
    runner.tick(app, names=["deliver"])
    runner.tick(app, names=["deliver"])  # Nothing is due now, and the trouble is not over.
    client.sign_in(cast.administrator)
    text = client.get("/admin/jobs").text
    assert "1 of 1 jobs need a look" in text
    assert "email is paused: The mail server does not take our mail: 550 5.7.1 (address): relay" in text
    assert cast.patient.email not in text
    ready = client.get("/readyz").json
    assert ready["failing_jobs"] == ["deliver"]
    server.answers["RCPT"] = "250 OK"
    runner.tick(app, at=now + timedelta(minutes=2), names=["deliver"])
    assert "All 1 jobs have run on time" in client.get("/admin/jobs").text


def test_a_server_that_answers_again_is_well_before_the_next_mail_is_due(
    app: Flask, cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted, no_rest: None
) -> None:
    server.answers["hello"] = "554 No service here"
    owe_session(cast, plan_a_session(cast, now), now)
    assert "email is paused" in dict(runner.tick(app, names=["deliver"]))["deliver"]
    server.answers["hello"] = "220 scripted"
    assert dict(runner.tick(app, at=now - timedelta(hours=1), names=["deliver"])) == {
        "deliver": "nothing to do"
    }


def test_while_a_server_is_left_alone_nothing_is_asked_of_it(
    cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted
) -> None:
    server.answers["hello"] = "421 Later"
    owe_session(cast, plan_a_session(cast, now), now)
    for _ in range(3):
        assert "email is paused" in deliverer.deliver_due().words
    assert server.connections == 1


def test_the_same_trouble_is_not_written_down_at_every_sweep(
    app: Flask, cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted
) -> None:
    server.answers["hello"] = "421 Later"
    owe_session(cast, plan_a_session(cast, now), now)
    own, job = runner.runner_of(app), next(job for job in SCHEDULE if job.name == "deliver")
    for _ in range(4):
        own.note_unless_idle(own.run(job))
    db.session.rollback()
    assert len(db.session.scalars(select(JobRun)).all()) == 1
    assert "email is paused" in db.session.get_one(JobState, "deliver").last_error


@pytest.mark.parametrize("step", ["hello", "MAIL", "body"])
def test_what_stands_in_the_app_waits_for_no_mail_server(
    app: Flask, cast: Cast, deliverer: Deliverer, server: Scripted, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.let_clock_run()
    server.answers[step] = HANG
    due_at = datetime.now(UTC)
    owe(cast, "mail", K.SAMPLE, f"account:{cast.patient.id}", due_at)  # It waits for no quiet hours.
    jobs = [job for job in SCHEDULE if job.name in ("in_app", "deliver")]
    monkeypatch.setattr(runner, "SCHEDULE", jobs)
    scheduler = runner.start_scheduler(app)
    try:
        wait_until(lambda: server.connections > 0 and (step == "hello" or step_is_asked(server, step)))
        due_at = datetime.now(UTC) + timedelta(seconds=1)
        owe_beside_the_jobs(cast, due_at)
        wait_until(lambda: arrived_at() is not None)
        assert arrived_at() - due_at < timedelta(seconds=6)
    finally:
        server.end()
        scheduler.shutdown()


def owe_beside_the_jobs(cast: Cast, due_at: datetime) -> None:
    """As the product writes: the jobs' threads write too, so this takes SQLite's lock before it reads."""
    channels = [Channel.INBOX]
    commit_with_retry(lambda: owe(cast, "seen", K.STAFF_HAND_OVER, "enrolment:1", due_at, channels=channels))


def step_is_asked(server: Scripted, step: str) -> bool:
    return any(line.startswith({"MAIL": "MAIL", "body": "DATA"}[step]) for line in server.asked)


def arrived_at() -> datetime | None:
    db.session.rollback()
    return db.session.scalar(select(InboxItem.arrived_at))


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def test_a_tick_fails_when_a_job_did_and_says_which_and_runs_the_others(
    app: Flask, cast: Cast, now: datetime, deliverer: Deliverer, server: Scripted, at_this_version: None
) -> None:
    server.answers["hello"] = "421 Later"
    owe_session(cast, plan_a_session(cast, now), now)
    owe_news_to_staff(cast, "news", now, cast.supporter)
    result = app.test_cli_runner().invoke(args=["tick"])
    assert result.exit_code == 1
    assert f"1 of {len(SCHEDULE)} jobs failed: deliver." in result.output
    lines = {line.split()[0]: line for line in result.output.splitlines()}
    assert "FAILED" in lines["deliver"]
    assert "email is paused" in lines["deliver"]
    assert lines["in_app"].endswith("1 shown in the app")
    assert set(lines) >= {job.name for job in SCHEDULE}


def test_a_tick_in_which_every_job_ended_well_says_so(app: Flask, cast: Cast, at_this_version: None) -> None:
    result = app.test_cli_runner().invoke(args=["tick"])
    assert result.exit_code == 0
    assert "FAILED" not in result.output
