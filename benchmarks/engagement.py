"""Engagement at three depths: 50,000 courses in one service, with 20 million events and with 2 million.

Every time is of a whole request through the real application, signed in, its audit line and its rendering included;
medians of five rounds in which the two services take turns, on SQLite and on PostgreSQL. The figures of both are
built by the product's own rebuilding, which is measured as well. A CSV of a million rows comes last (`export`).
It takes about a quarter of an hour; `BENCH_SCALE=0.1` tries a tenth of the people in two minutes.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import create_engine

from benchmarks import export
from benchmarks.engagement_service import EVENTS_FEW, EVENTS_MOST, analyse, count_events, fill_with_events
from benchmarks.postgresql import running_postgresql
from benchmarks.report import Report
from benchmarks.supporter import Visitor, counted
from benchmarks.supporter_service import CLINICIAN, LARGE_CASELOAD, NOW, TODAY, YEAR, enrolment_of
from icbt_support import clock
from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.activity.rebuilding import rebuild_figures
from icbt_support.db import assert_triggers, db
from icbt_support.factory import create_app
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
PEOPLE = max(1_000, int(50_000 * SCALE))
RUNS = 5
KEYS = Fernet.generate_key().decode()
SERVICE = "/clinical/engagement"
CASELOAD = f"/clinical/caseload?supporter={LARGE_CASELOAD}"
PERSON = f"/clinical/patients/{enrolment_of(YEAR)}"
OWN_CASELOAD = "/supporting/caseload"


@dataclass
class Filled:
    """One service, its clinician, one of its supporters, and how fast its figures were built."""

    app: Flask
    clinician: Visitor
    supporter: Visitor
    events: int
    rebuilt_a_second: float


def measure(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure_engine(report, "SQLite", lambda name: f"sqlite:///{Path(folder) / name}.sqlite")
    with running_postgresql() as url:
        if url is not None:
            _measure_engine(report, "PostgreSQL", lambda name: _own_database(url, name))
    export.measure(report)


def _measure_engine(report: Report, engine: str, address_of: Callable[[str], str]) -> None:
    with ExitStack() as stack:
        few = stack.enter_context(_filled(address_of("few"), EVENTS_FEW))
        most = stack.enter_context(_filled(address_of("most"), EVENTS_MOST))
        of = f"{engine}, {PEOPLE:,} people, {most.events / 1_000_000:g} million events"
        report.add_at_least(f"{of}: rebuilding", most.rebuilt_a_second, "events a second", goal=200_000)
        report.add_at_most(
            f"{engine}: recording an act, beyond its row", _statements_beyond(most), "statements", goal=2
        )
        clinician, other = most.clinician, few.clinician
        for page, path, limit, statements in (
            ("service", SERVICE, 400, 15),
            ("caseload of 200", CASELOAD, 150, 10),
            ("a person with a year", PERSON, 150, None),
        ):
            if statements is not None:
                report.add_at_most(f"{of}: {page}", clinician.statements(path), "statements", goal=statements)
            _compare(report, f"{of}: {page}", clinician, other, path, limit)
        own = f"{of}: a supporter's own caseload of 200"
        report.add_at_most(own, most.supporter.statements(OWN_CASELOAD), "statements", goal=10)
        _compare(report, own, most.supporter, few.supporter, OWN_CASELOAD, None)


def _compare(report: Report, name: str, most: Visitor, few: Visitor, path: str, limit: int | None) -> None:
    """By turns, so that a busy machine touches both alike."""
    most.get(path), few.get(path)
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(_milliseconds(most, path))
        theirs.append(_milliseconds(few, path))
    if limit is None:
        report.add(name, statistics.median(ours), "ms")
    else:
        report.add_at_most(name, statistics.median(ours), "ms", goal=limit)
    ratio = statistics.median(one / two for one, two in zip(ours, theirs, strict=True))
    report.add_ratio_at_most(
        name, statistics.median(ours), "ms", against="a tenth of the events", ratio=ratio, at_most=1.15
    )


def _milliseconds(visitor: Visitor, path: str) -> float:
    began = time.perf_counter()
    visitor.get(path)
    return (time.perf_counter() - began) * 1000


def _statements_beyond(filled: Filled) -> int:
    with filled.app.app_context():
        db.session.connection()
        with counted(db.engine) as seen:
            record_activity(
                Act.READ_PAGE, service_id=1, enrolment_id=1, on=TODAY, now=NOW, subject="page:one/two"
            )
        db.session.rollback()
    return len(seen) - 1


@contextmanager
def _filled(address: str, events_each: int) -> Iterator[Filled]:
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(address)
        with engine.begin() as connection:
            METADATA.create_all(connection)
            assert_triggers(connection)
        engine.dispose()
        app = create_app(
            read_settings(
                {
                    "ENVIRONMENT": "test",
                    "DATABASE_URL": address,
                    "BASE_URL": "http://127.0.0.1",
                    "JOURNAL_DIR": str(Path(folder) / "journal"),
                    "SCHEDULER": "off",
                    "DATA_KEYS": KEYS,
                }
            )
        )
        clock.stop_clock_at(NOW)
        with app.app_context():
            filled = _fill(app, events_each)
        yield filled
        with app.app_context():
            db.engine.dispose()
        clock.let_clock_run()


def _fill(app: Flask, events_each: int) -> Filled:
    began = time.perf_counter()
    fill_with_events(PEOPLE, events_each)
    events = count_events()
    print(f"  {events:,} events written in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    rebuild_figures()
    rate = events / (time.perf_counter() - began)
    print(f"  figures built at {rate:,.0f} events a second", flush=True)
    analyse()
    db.session.remove()
    engine = db.engine
    return Filled(app, Visitor(app, CLINICIAN, engine), Visitor(app, LARGE_CASELOAD, engine), events, rate)


def _own_database(url: str, name: str) -> str:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.replace("postgres@/postgres", f"postgres@/{name}")
