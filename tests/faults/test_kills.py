"""Workers killed, stopped and doubled while 2,000 mails go out to a real server, on both engines.

Nothing is lost; a kill repeats at most one mail for each open connection; the same mail has the same
Message-ID.
"""

import os
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from benchmarks.population import populate
from benchmarks.sinks import RunningSink, running_sink
from icbt_support import clock
from icbt_support.db import db
from icbt_support.factory import create_app
from icbt_support.reminders.models import InboxItem, Mailing, Reminder
from icbt_support.reminders.rules import Channel, MailingState, ReminderKind, ReminderState
from icbt_support.settings import read_settings
from tests.faults.worker import start_worker

MAILS = 2_000
CONNECTIONS = 2
PATIENCE_SECONDS = 300
# As docs/operations.md asks of a server: a process that stands still inside a transaction loses it, and its
# locks.
LET_GO_OF_LOCKS = "options=-c%20idle_in_transaction_session_timeout%3D4s"


class Fleet:
    """A full database, a mail server, and workers that can be started and killed."""

    def __init__(self, environ: dict[str, str], sink: RunningSink, stack: ExitStack) -> None:
        self.environ = environ
        self.sink = sink
        self.workers: list[ForkServerProcess] = []
        stack.callback(self.end)

    def start(self, **more: str) -> ForkServerProcess:
        worker = start_worker({**self.environ, **more})
        self.workers.append(worker)
        return worker

    def kill(self, worker: ForkServerProcess) -> None:
        worker.kill()
        worker.join()

    def end(self) -> None:
        for worker in self.workers:
            if worker.is_alive():
                tell(worker, signal.SIGCONT)
                worker.terminate()
        for worker in self.workers:
            worker.join(20)
            worker.kill()

    def taken(self) -> int:
        """How many mails the server has taken, repeats included."""
        return sum(count * people for count, people in self.sink.tally().items())

    def wait_until_taken(self, count: int) -> None:
        wait_until(lambda: self.taken() >= count, f"{count} mails taken")

    def wait_until_settled(self) -> None:
        wait_until(lambda: unsettled() == 0, "everything settled")

    def message_ids(self) -> dict[str, set[str]]:
        found = defaultdict(set)
        for line in self.sink.log.read_text().splitlines():
            number, _, message_id = line.partition(" ")
            found[number].add(message_id)
        return found


def tell(worker: ForkServerProcess, number: signal.Signals) -> None:
    assert worker.pid is not None
    os.kill(worker.pid, number)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} seconds for: {what}")


def unsettled() -> int:
    db.session.rollback()
    waiting = select(func.count(Reminder.id)).where(
        Reminder.key.not_like("later:%"), Reminder.state != ReminderState.HANDED_OVER
    )
    return db.session.scalar(waiting) or 0


@contextmanager
def application(url: str) -> Iterator[Flask]:
    clock.let_clock_run()
    app = create_app(read_settings({"ENVIRONMENT": "test", "DATABASE_URL": url, "SCHEDULER": "off"}))
    with app.app_context():
        populate(MAILS, 1)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    if request.param == "sqlite":
        url = workers_url = f"sqlite:///{tmp_path / 'faults.sqlite'}"
    else:
        url = request.getfixturevalue("postgresql").new_database()
        workers_url = url + ("&" if "?" in url else "?") + LET_GO_OF_LOCKS
    with ExitStack() as stack:
        sink = stack.enter_context(running_sink(tmp_path, MAILS, delay=0.002, is_logged=True))
        stack.enter_context(application(url))
        environ = {
            "ENVIRONMENT": "test",
            "DATABASE_URL": workers_url,
            "BASE_URL": "https://course.example.net",
            "MAIL_FROM": "course@example.net",
            "SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
            "EMAIL_CONNECTIONS": str(CONNECTIONS),
            "JOURNAL_DIR": str(tmp_path / "journal"),
        }
        yield Fleet(environ, sink, stack)


def assert_within_the_promise(fleet: Fleet, *, kills: int) -> None:
    tally = fleet.sink.tally()
    assert tally[0] == 0, f"{tally[0]} of {MAILS} lost"
    repeats = sum((count - 1) * people for count, people in tally.items() if count > 1)
    assert repeats <= kills * CONNECTIONS, f"{repeats} repeated after {kills} kills"
    assert [number for number, ids in fleet.message_ids().items() if len(ids) > 1] == []


def test_a_worker_killed_three_times_loses_nothing(fleet: Fleet) -> None:
    for taken in (300, 900, 1_500):
        worker = fleet.start()
        fleet.wait_until_taken(taken)
        fleet.kill(worker)
    fleet.start()
    fleet.wait_until_settled()
    assert_within_the_promise(fleet, kills=3)


def test_two_workers_share_the_work_and_repeat_nothing(fleet: Fleet) -> None:
    fleet.start()
    fleet.start()
    fleet.wait_until_settled()
    assert_within_the_promise(fleet, kills=0)
    workers = select(func.count(func.distinct(Mailing.claimed_by))).where(
        Mailing.state == MailingState.HANDED_OVER
    )
    assert db.session.scalar(workers) >= 1


def test_a_worker_stopped_past_its_lease_does_not_send_what_another_has_sent(fleet: Fleet) -> None:
    stopped = fleet.start()
    fleet.wait_until_taken(300)
    tell(stopped, signal.SIGSTOP)
    fleet.start()
    wait_until(lambda: unsettled() == 0, "the other worker has sent the rest")
    tell(stopped, signal.SIGCONT)
    time.sleep(2)
    assert_within_the_promise(fleet, kills=1)


def test_a_worker_asked_to_stop_finishes_what_is_in_hand(fleet: Fleet) -> None:
    worker = fleet.start()
    fleet.wait_until_taken(300)
    worker.terminate()
    worker.join(30)
    assert worker.exitcode == 0
    db.session.rollback()
    claimed = select(func.count(Mailing.id)).where(Mailing.state == MailingState.CLAIMED)
    assert db.session.scalar(claimed) == 0
    fleet.start()
    fleet.wait_until_settled()
    assert_within_the_promise(fleet, kills=0)


@pytest.mark.parametrize("fleet", ["sqlite"], indirect=True)
def test_a_mail_server_that_falls_silent_holds_no_ending_up_and_loses_nothing(fleet: Fleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        worker = fleet.start(SMTP_URL=silent, EMAIL_CONNECTIONS="1")
        with fall_silent_before_the_body(listener):
            tell(worker, signal.SIGTERM)
            worker.join(30)
            assert worker.exitcode == 0
    fleet.start()
    fleet.wait_until_settled()
    assert_within_the_promise(fleet, kills=0)


@contextmanager
def fall_silent_before_the_body(listener: socket.socket) -> Iterator[None]:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 hello\r\n")
        connection.recv(1_000)
        connection.sendall(b"250-hello\r\n250 PIPELINING\r\n")
        connection.recv(1_000)
        yield


def test_in_the_app_everything_arrives_exactly_once(fleet: Fleet) -> None:
    db.session.execute(
        update(Reminder)
        .where(Reminder.key.not_like("later:%"))
        .values(channel=Channel.INBOX, kind=ReminderKind.STAFF_HAND_OVER)
    )
    db.session.commit()
    for _ in range(3):
        arrived = db.session.scalar(select(func.count(InboxItem.id))) or 0
        first, second = fleet.start(), fleet.start()
        wait_until(lambda seen=arrived: some_more_than(seen), "another batch in the app")
        fleet.kill(first)
        fleet.kill(second)
    fleet.start()
    fleet.wait_until_settled()
    reminders = db.session.scalars(select(InboxItem.reminder_id)).all()
    assert len(reminders) == len(set(reminders)) == MAILS


def some_more_than(seen: int) -> bool:
    db.session.rollback()
    arrived = db.session.scalar(select(func.count(InboxItem.id))) or 0
    return arrived > seen or arrived == MAILS
