"""The send journal: what a worker handed over and could not record is not sent again."""

from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.db import commit_with_retry, db
from icbt_support.delivery.send_journal import JournalLine, lines_of_others, open_journal, replay_journals
from icbt_support.jobs import runner
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.wanted import EmailJudge
from icbt_support.reminders import settling
from icbt_support.reminders.claims import LEASE, Claim, claim_emails
from icbt_support.reminders.models import Mailing, Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel, MailingState, ReminderKind, ReminderState
from tests.cast import Cast


@pytest.fixture
def folder(app: Flask) -> Path:
    place = app.config["SETTINGS"].journal_dir
    place.mkdir(parents=True, exist_ok=True)
    for path in place.glob("*.journal"):
        path.write_bytes(b"")
    return place


@pytest.fixture
def claimed(cast: Cast, now: datetime) -> Claim:
    owe_reminder(
        key="hand-over",
        kind=ReminderKind.STAFF_HAND_OVER,
        recipient_id=cast.supporter.id,
        service_id=cast.service.id,
        subject=f"enrolment:{cast.enrolment.id}",
        context=f"enrolment:{cast.enrolment.id}",
        due_at=now,
        now=now,
        channels=[Channel.EMAIL],
    )
    db.session.commit()
    return commit_with_retry(
        lambda: claim_emails(
            EmailJudge(),
            worker="gone",
            message_domain="example.net",
            limit=10,
            now=now,
            real_now=clock.real_now(),
        )
    )


def mailing_state() -> tuple[MailingState, ReminderState]:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Mailing.state)).one(), db.session.scalars(select(Reminder.state)).one()


def test_what_a_dead_worker_handed_over_is_settled_not_sent_again(
    app: Flask, folder: Path, claimed: Claim
) -> None:
    journal = open_journal(folder)
    journal.note(claimed.mailings[0].id, claimed.token, "250 OK queued")
    journal.close()
    assert "1 found in the journals" in dict(runner.tick(app, names=["recover"]))["recover"]
    assert mailing_state() == (MailingState.HANDED_OVER, ReminderState.HANDED_OVER)
    assert db.session.scalars(select(Mailing.reply)).one() == "250 OK queued"
    assert all(path.read_bytes() == b"" for path in folder.glob("*.journal"))


def test_what_it_had_only_claimed_is_due_again(app: Flask, folder: Path, claimed: Claim) -> None:
    commit_with_retry(lambda: settling.recover_leases(real_now=clock.real_now() + LEASE * 2))
    assert mailing_state() == (MailingState.WAITING, ReminderState.OWED)


def test_a_living_worker_that_lost_its_lease_is_read_without_being_emptied(
    app: Flask, folder: Path, claimed: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(folder)
    journal.note(claimed.mailings[0].id, claimed.token, "250 OK")
    later = clock.real_now() + LEASE * 2
    monkeypatch.setattr(clock, "real_now", lambda: later)
    other = Deliverer(app.config["SETTINGS"])
    other.replay()
    assert mailing_state() == (MailingState.HANDED_OVER, ReminderState.HANDED_OVER)
    assert journal.path.read_bytes() != b""
    journal.clear()
    journal.close()


def test_two_workers_never_hold_one_slot(folder: Path) -> None:
    first, second = open_journal(folder), open_journal(folder)
    assert first.path != second.path
    first.note(1, "a" * 32, "250 OK")
    assert replay_journals(folder, lambda lines: pytest.fail("a held slot is not emptied")) == 0
    assert lines_of_others(folder, second) == [JournalLine(1, "a" * 32, "250 OK")]
    first.clear()
    first.close()
    second.close()


def test_a_half_written_line_and_a_forged_one_are_left_out(folder: Path) -> None:
    journal = open_journal(folder)
    journal.note(1, "a" * 32, "250 OK\nforged\tline")
    journal.close()
    with journal.path.open("ab") as handle:
        handle.write(b"2\t" + b"b" * 32 + b"\t250 half")
    found: list[JournalLine] = []
    replay_journals(folder, found.extend)
    assert found == [JournalLine(1, "a" * 32, "250 OK forged line")]


def test_lines_stay_until_they_are_settled(folder: Path) -> None:
    journal = open_journal(folder)
    journal.note(1, "a" * 32, "250 OK")
    journal.close()

    def fail(lines: object) -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        replay_journals(folder, fail)
    assert len(lines_of_others(folder)) == 1
    replay_journals(folder, lambda lines: None)
    assert lines_of_others(folder) == []
