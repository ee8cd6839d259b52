"""Delivering what is due at once, against a loop that renders and sends the same mails with no database.

Two loads: 100,000 people with one reminder each, and 20,000 people with five each, folded into one mail.
Both sides word and render with the real templates and send over the same pipelined connection to the same
sink, by turns, five times; the ratio is the median of the five rounds' own. The sink counts every
recipient's mails, so that a loss or a repeat shows. PostgreSQL, which has no goal, gets a fifth of the
people. `BENCH_SCALE=0.1` tries a tenth.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import func, select

from benchmarks.population import NOW, owe_again, populate
from benchmarks.postgresql import running_postgresql
from benchmarks.report import Report
from benchmarks.sinks import RunningSink, own_rate, running_sink
from icbt_support import clock
from icbt_support.collector import collect_seldom
from icbt_support.db import db, use_data_keys
from icbt_support.delivery.channel import Mail
from icbt_support.delivery.rendering import Renderer
from icbt_support.delivery.smtp import SmtpChannel
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.scene import load_titles
from icbt_support.jobs.wanted import EmailJudge
from icbt_support.jobs.wording import Wording
from icbt_support.reminders.claims import ClaimedMailing
from icbt_support.reminders.due import due_reminders, mailings, reminders
from icbt_support.reminders.rules import Channel
from icbt_support.settings import Settings, read_settings
from icbt_support.tables import METADATA

RUNS = 5
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
CONNECTIONS = 2
RENDERED = 20_000
assert METADATA is not None


@dataclass(frozen=True)
class Load:
    people: int
    reminders_each: int

    @property
    def name(self) -> str:
        return f"{self.people:,} people, {self.reminders_each} reminder{'s' * (self.reminders_each > 1)} each"

    def fifth(self) -> Self:
        return replace(self, people=self.people // 5)


LOADS = (Load(int(100_000 * SCALE), 1), Load(int(20_000 * SCALE), 5))


def measure(report: Report) -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        running_sink(Path(place), max(one.people for one in LOADS)) as sink,
    ):
        for load in LOADS:
            with tempfile.TemporaryDirectory() as folder:
                _measure_engine(
                    report, load, sink, f"sqlite:///{folder}/bench.sqlite", Path(folder), "SQLite", 0.6
                )
        for load in LOADS:
            with running_postgresql() as url, tempfile.TemporaryDirectory() as folder:
                if url is not None:
                    _measure_engine(report, load.fifth(), sink, url, Path(folder), "PostgreSQL", None)


@dataclass(frozen=True)
class Timed:
    """How long a piece of work took, by the clock and in this process's CPU time."""

    wall: float
    cpu: float


@dataclass
class Rounds:
    """The loop and the engine, by turns."""

    mails: int
    loop: list[Timed] = field(default_factory=list)
    engine: list[Timed] = field(default_factory=list)
    lost: int = 0
    repeated: int = 0

    def loop_rate(self) -> float:
        return self.mails / statistics.median(one.wall for one in self.loop)

    def engine_rate(self) -> float:
        return self.mails / statistics.median(one.wall for one in self.engine)

    def ratio(self) -> float:
        rounds = zip(self.loop, self.engine, strict=True)
        return statistics.median(loop.wall / engine.wall for loop, engine in rounds)

    def cpu_ratio(self) -> float:
        rounds = zip(self.loop, self.engine, strict=True)
        return statistics.median(loop.cpu / engine.cpu for loop, engine in rounds)


def _measure_engine(
    report: Report, load: Load, sink: RunningSink, url: str, folder: Path, engine: str, goal: float | None
) -> None:
    settings = _settings(url, sink, folder)
    with _application(settings).app_context():
        populate(load.people, load.reminders_each)
        letters = _everything(settings)
        collect_seldom()  # As a worker does; what the loop holds in memory is not to slow the engine either.
        rounds = _run_by_turns(load, letters, settings, sink)
        _report_rounds(report, f"{engine}, {load.name}", rounds, goal)
        if engine == "SQLite":
            faster = max(rounds.loop_rate(), rounds.engine_rate())
            _measure_limits(report, load, letters, settings, sink, faster)
        db.session.remove()
        db.engine.dispose()


def _run_by_turns(load: Load, letters: "Letters", settings: Settings, sink: RunningSink) -> Rounds:
    rounds = Rounds(load.people)
    for _ in range(RUNS):
        rounds.loop.append(_timed(lambda: _send_without_database(letters, settings)))
        _check(sink, load)
        owe_again()
        rounds.engine.append(_timed(lambda: _send_with_engine(settings)))
        lost, repeated = _check(sink, load)
        rounds.lost += lost
        rounds.repeated += repeated
    return rounds


def _report_rounds(report: Report, name: str, rounds: Rounds, goal: float | None) -> None:
    loop_rate = rounds.loop_rate()
    report.add(f"{name}: loop without database", loop_rate, "mails/s")
    report.add_ratio(
        f"{name}: whole engine",
        rounds.engine_rate(),
        "mails/s",
        against="the loop",
        other=loop_rate,
        at_least=goal,
        ratio=rounds.ratio(),
    )
    report.add(f"{name}: the same ratio by CPU time", rounds.cpu_ratio(), "of the loop")
    report.add_exactly(f"{name}: lost in {RUNS} runs", rounds.lost, "mails", goal=0)
    report.add_exactly(f"{name}: repeated in {RUNS} runs", rounds.repeated, "mails", goal=0)
    report.add_exactly(f"{name}: not settled", _unsettled(), "reminders", goal=0)


def _measure_limits(
    report: Report, load: Load, letters: "Letters", settings: Settings, sink: RunningSink, faster: float
) -> None:
    rates = [own_rate(sink, next(letters.mails(settings)).data) for _ in range(RUNS)]
    sink.forget()
    report.add_ratio(
        f"{load.name}: the sink by itself",
        statistics.median(rates),
        "mails/s",
        against="the faster of the two",
        other=faster,
        at_least=3,
    )
    speeds = [_rendered_a_cpu_second(letters, settings) for _ in range(RUNS)]
    report.add_at_least(
        f"{load.name}: worded and rendered", statistics.median(speeds), "mails/CPU s", goal=10_000
    )


@dataclass
class Letters:
    """All mails of a load, as the engine would claim them, and the scene that words them."""

    mailings: list[ClaimedMailing]
    wording: Wording

    def mails(self, settings: Settings) -> Iterator[Mail]:
        renderer = Renderer(base_url=settings.base_url, mail_from=settings.mail_from)
        for mailing in self.mailings:
            letter = self.wording.letter(mailing, mailing.reminders)
            data = renderer.render(letter)
            yield Mail(mailing.id, letter.address, mailing.message_id, data, time.monotonic())


def _everything(settings: Settings) -> Letters:
    """Loads what the loop without a database is given for nothing."""
    due = due_reminders(db.session.connection(), Channel.EMAIL, 1_000_000, NOW)
    judge = EmailJudge()
    for start in range(0, len(due), 5_000):
        part = EmailJudge()
        part(due[start : start + 5_000], NOW)
        for name in ("people", "courses", "houses", "items", "messages", "reviews", "weeks"):
            getattr(judge.scene, name).update(getattr(part.scene, name))
    ids = list(judge.scene.items)
    for start in range(0, len(ids), 5_000):
        load_titles(judge.scene, ids[start : start + 5_000])
    db.session.rollback()
    by_person: dict[int, list] = {}
    for row in sorted(due, key=lambda row: row.kind != "message"):
        by_person.setdefault(row.recipient_id, []).append(row)
    claimed = [
        ClaimedMailing(person, f"{person:032x}@bench.example.net", person, 1, 1, tuple(rows))
        for person, rows in by_person.items()
    ]
    wording = Wording(judge.scene, {}, base_url=settings.base_url, link_key=settings.link_key, now=NOW)
    return Letters(claimed, wording)


def _send_without_database(letters: Letters, settings: Settings) -> None:
    assert settings.smtp is not None
    channel = SmtpChannel(settings.smtp, settings.mail_from, connections=CONNECTIONS)
    accepted = sum(
        1
        for outcome in channel.deliver(letters.mails(settings), lambda _: True)
        if outcome.result == "accepted"
    )
    channel.close()
    assert accepted == len(letters.mailings)


def _send_with_engine(settings: Settings) -> None:
    deliverer = Deliverer(settings)
    try:
        deliverer.deliver_due()
    finally:
        deliverer.close()


def _rendered_a_cpu_second(letters: Letters, settings: Settings) -> float:
    mails = letters.mails(settings)
    next(mails)
    began, count = time.process_time(), 0
    for _ in mails:
        count += 1
        if count == RENDERED:
            break
    return count / (time.process_time() - began)


def _check(sink: RunningSink, load: Load) -> tuple[int, int]:
    """How many people got nothing, and how many mails too many were taken; the counts begin anew."""
    tally = sink.tally()
    spare = sink.counts.stat().st_size - load.people
    sink.forget()
    return tally[0] - spare, sum((count - 1) * people for count, people in tally.items() if count > 1)


def _unsettled() -> int:
    due = select(func.count()).select_from(reminders).where(reminders.c.due_at <= NOW)
    waiting = db.session.scalar(due.where(reminders.c.state != "handed_over")) or 0
    open_mailings = db.session.scalar(
        select(func.count()).select_from(mailings).where(mailings.c.state != "handed_over")
    )
    return waiting + (open_mailings or 0)


def _timed(work: Callable[[], None]) -> Timed:
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    return Timed(time.perf_counter() - began, time.process_time() - cpu_began)


def _settings(url: str, sink: RunningSink, folder: Path) -> Settings:
    return read_settings(
        {
            "ENVIRONMENT": "test",
            "DATABASE_URL": url,
            "BASE_URL": "https://course.example.net",
            "MAIL_FROM": "course@bench.example.net",
            "SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
            "EMAIL_CONNECTIONS": str(CONNECTIONS),
            "JOURNAL_DIR": str(folder / "journal"),
            "DATA_KEYS": Fernet.generate_key().decode(),
        }
    )


def _application(settings: Settings) -> Flask:
    """Only what delivery needs: the database and the settings."""
    app = Flask("bench")
    app.config.update(SETTINGS=settings, SQLALCHEMY_DATABASE_URI=settings.database_url)
    use_data_keys(settings.data_keys)
    db.init_app(app)
    clock.let_clock_run()
    return app
