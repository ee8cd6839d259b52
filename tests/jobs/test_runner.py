"""The jobs as they are driven: ticks, what is noted, guarded nights, the scheduler itself."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts.models import SignIn
from icbt_support.audit.models import AuditLine
from icbt_support.db import commit_with_retry, db
from icbt_support.job_log.models import Heartbeat, JobRun, JobState
from icbt_support.job_log.operations import take_period
from icbt_support.jobs import backups, digest, purge, quiet, runner, tasks
from icbt_support.jobs.schedule import SCHEDULE, Lane
from icbt_support.jobs.summary import describe_jobs
from icbt_support.reminders.models import InboxItem, Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind
from tests.cast import Cast

QUICK = [job.name for job in SCHEDULE if job.name not in ("backup", "purge")]


def fresh() -> None:
    db.session.rollback()
    db.session.expire_all()


def owe_staff_news(cast: Cast, key: str, due_at: datetime) -> None:
    owe_reminder(
        key=key,
        kind=ReminderKind.STAFF_HAND_OVER,
        recipient_id=cast.supporter.id,
        service_id=cast.service.id,
        subject=f"enrolment:{cast.enrolment.id}",
        context=f"enrolment:{cast.enrolment.id}",
        due_at=due_at,
        now=due_at,
        channels=[Channel.INBOX],
    )
    db.session.commit()


def test_every_job_has_one_name_a_purpose_and_a_place_apart_from_slow_work() -> None:
    assert len({job.name for job in SCHEDULE}) == len(SCHEDULE)
    assert all(job.purpose and job.every >= timedelta(seconds=1) for job in SCHEDULE)
    assert [job.name for job in SCHEDULE if job.lane is Lane.DELIVERY] == ["deliver"]
    assert [job.name for job in SCHEDULE if job.lane is Lane.IN_APP] == ["in_app"]


def test_a_tick_runs_every_job_once_and_notes_what_it_did(app: Flask, cast: Cast, now: datetime) -> None:
    owe_staff_news(cast, "hand-over", now)
    did = dict(runner.tick(app, names=QUICK))
    assert list(did) == QUICK
    assert "1 shown in the app" in did["in_app"]
    fresh()
    state = db.session.get_one(JobState, "in_app")
    assert "1 shown in the app" in state.last_did
    assert state.last_started_at == now
    assert db.session.scalar(select(func.count(JobRun.id)).where(JobRun.job == "in_app")) == 1
    assert db.session.scalar(select(func.count(JobRun.id)).where(JobRun.job == "weeks")) == 0
    assert db.session.scalar(select(func.count(Heartbeat.process))) == 1


def test_a_second_tick_finds_nothing_and_keeps_the_last_words(app: Flask, cast: Cast, now: datetime) -> None:
    owe_staff_news(cast, "hand-over", now)
    runner.tick(app, names=["deliver"])
    assert runner.tick(app, names=["deliver"]) == [("deliver", "nothing to do")]
    fresh()
    assert "1 shown" in db.session.get_one(JobState, "deliver").last_did
    assert db.session.scalar(select(func.count(InboxItem.id))) == 1


def test_a_tick_at_an_instant_leaves_the_clock_as_it_was(app: Flask, cast: Cast, now: datetime) -> None:
    owe_staff_news(cast, "hand-over", now + timedelta(hours=3))
    assert runner.tick(app, names=["deliver"]) == [("deliver", "nothing to do")]
    did = runner.tick(app, at=now + timedelta(hours=3), names=["deliver"])
    assert did == [("deliver", "1 shown in the app")]
    assert clock.now() == now


def test_what_a_job_did_is_said_of_one_and_of_many(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = runner.runner_of(app).hands
    for count, words in ((1, "1 audit line sealed"), (2, "2 audit lines sealed"), (0, "")):
        monkeypatch.setattr(tasks, "_count", lambda work, count=count: count)
        assert tasks.seal(hands) == words
    for count, words in ((1, "1 week opened"), (3, "3 weeks opened")):
        monkeypatch.setattr(tasks, "_each", lambda *given, count=count: count)
        monkeypatch.setattr(tasks.weeks, "due_openings", lambda **given: [])
        assert tasks.open_weeks(hands) == words


def test_one_failing_job_stops_no_other_and_tells_no_data(
    app: Flask, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe_staff_news(cast, "hand-over", now)

    def fail(**_kwargs: object) -> int:
        raise RuntimeError("somebody's name")

    monkeypatch.setattr(tasks.weeks, "due_openings", fail)
    did = dict(runner.tick(app, names=["weeks", "deliver"]))
    assert did == {"weeks": "RuntimeError", "deliver": "1 shown in the app"}
    fresh()
    assert db.session.get_one(JobState, "weeks").last_error == "RuntimeError"


def test_a_period_is_taken_once(app: Flask, now: datetime) -> None:
    assert commit_with_retry(lambda: take_period("digest", "2026-11-19", now=now))
    assert not commit_with_retry(lambda: take_period("digest", "2026-11-19", now=now))
    assert commit_with_retry(lambda: take_period("digest", "2026-11-20", now=now))


def test_each_supporter_gets_one_digest_a_morning_in_numbers_only(
    app: Flask, cast: Cast, now: datetime
) -> None:
    db.session.add(
        Review(
            service_id=cast.service.id,
            enrolment_id=cast.enrolment.id,
            kind=ReviewKind.WEEKLY,
            number=1,
            owner_id=cast.supporter.id,
            due_on=now.date(),
            promised_at=now + timedelta(hours=7),
            first_promised_at=now + timedelta(hours=7),
            created_at=now,
        )
    )
    db.session.commit()
    runner.tick(app, names=["digest"])
    runner.tick(app, at=now + timedelta(minutes=10), names=["digest"])
    fresh()
    owed = db.session.scalars(select(Reminder).where(Reminder.kind == ReminderKind.STAFF_DIGEST)).all()
    assert {row.recipient_id for row in owed} == {
        cast.supporter.id,
        cast.colleague.id,
        cast.other_supporter.id,
    }
    due = [row for row in owed if row.recipient_id == cast.supporter.id]
    assert digest.Digest(due=1, late=2, messages=1).summary == "2 late and 1 due reviews, 1 message to read"
    assert len(due) == 1
    runner.tick(app, names=["deliver"])
    fresh()
    states = {row.recipient_id: row.state for row in db.session.scalars(select(Reminder))}
    assert states[cast.supporter.id] is ReminderState.HANDED_OVER
    assert states[cast.colleague.id] is ReminderState.WITHDRAWN


def test_a_quiet_person_is_written_to_called_and_decided_about_once_each(
    app: Flask, cast: Cast, now: datetime
) -> None:
    cast.patient.last_signed_in_at = now
    db.session.commit()
    told = []
    for day in range(25):
        told += [day] * commit_with_retry(lambda day=day: quiet.watch_quiet_weeks(now + timedelta(days=day)))
    assert len(told) == 6
    fresh()
    tasks_owed = db.session.scalars(
        select(Reminder).where(Reminder.context == f"enrolment:{cast.enrolment.id}").order_by(Reminder.id)
    ).all()
    assert [row.recipient_id for row in tasks_owed] == [
        cast.supporter.id,
        cast.supporter.id,
        cast.clinician.id,
    ]


def test_the_backup_opens_and_holds_the_rows(app: Flask, cast: Cast, tmp_path: Path) -> None:
    url = app.config["SETTINGS"].database_url
    words = backups.back_up(url, tmp_path / "copy.backup")
    assert "opened and checked" in words
    if url.startswith("sqlite"):
        copy = sqlite3.connect(tmp_path / "copy.backup")
        assert copy.execute("SELECT count(*) FROM accounts").fetchone()[0] >= 8
        copy.close()


def test_a_damaged_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.backup").write_bytes(b"not a database at all" * 100)
    with pytest.raises(backups.BackupFailed):
        backups.restore(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "bad.backup")
    assert not (tmp_path / "other.sqlite").exists()


def test_old_sign_ins_go_and_records_stay(app: Flask, cast: Cast, now: datetime) -> None:
    for age in (10, 100):
        at = now - timedelta(days=age)
        db.session.add(
            SignIn(account_id=cast.patient.id, token_hash=f"{age}", created_at=at, last_seen_at=at)
        )
    db.session.commit()
    lines = db.session.scalar(select(func.count(AuditLine.id)))
    gone = commit_with_retry(lambda: purge.purge_old_rows(now + timedelta(days=5)))
    assert gone == {"sign_ins": 1}
    assert db.session.scalar(select(func.count(AuditLine.id))) == lines
    assert [row.token_hash for row in db.session.scalars(select(SignIn))] == ["10"]


def test_every_short_lived_table_says_what_its_age_is_counted_from() -> None:
    short = {name for name, table in db.metadata.tables.items() if purge._age_of(table) is not None}
    assert short == set(purge.DATED_BY)


def test_the_scheduler_wakes_for_the_next_reminder_rather_than_sweeping(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.let_clock_run()
    monkeypatch.setattr(runner, "SCHEDULE", [job for job in SCHEDULE if job.name == "deliver"])
    due_at = datetime.now(UTC) + timedelta(seconds=2)
    owe_staff_news(cast, "hand-over", due_at)
    scheduler = runner.start_scheduler(app)
    try:
        arrived = None
        until = time.monotonic() + 15
        while arrived is None and time.monotonic() < until:
            time.sleep(0.05)
            fresh()
            arrived = db.session.scalar(select(InboxItem.arrived_at))
    finally:
        scheduler.shutdown()
    assert arrived is not None
    assert timedelta(0) <= arrived - due_at < timedelta(seconds=2.5)


def test_jobs_are_described_in_lines(app: Flask, cast: Cast, now: datetime) -> None:
    runner.tick(app, names=QUICK)
    fresh()
    lines = list(describe_jobs(now=now))
    assert len(lines) == len(SCHEDULE) + 2
    assert any(line.startswith("deliver") and "ok" in line for line in lines)
