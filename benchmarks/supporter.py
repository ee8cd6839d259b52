"""The supporter's pages: how many statements and how long, for a year against a week, for 50,000 against 100.

Two services are built, in a hundred and in 50,000 patients; the measured supporter has the same hundred people in
both. Every figure is of a whole request through the real application, its sign-in and audit line included; times
are medians of five rounds in which the contenders take turns. A person who uses the keyboard alone then writes and
sends a review in a real browser. `BENCH_SCALE=0.1` tries a tenth.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, event

from benchmarks.postgresql import running_postgresql
from benchmarks.report import Report
from benchmarks.supporter_keys import count_key_presses
from benchmarks.supporter_service import (
    LARGE_CASELOAD,
    MEASURED,
    NOW,
    WEEK,
    WEEKS_OF,
    YEAR,
    enrolment_of,
    fill_service,
)
from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.db import assert_triggers, db
from icbt_support.factory import create_app
from icbt_support.pages.signing_in import sign_in_for_tests
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA
from tests.browsing import Page

RUNS = 5
LOOKS = 2
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SMALL, LARGE = 100, max(400, int(50_000 * SCALE))
KEYS = Fernet.generate_key().decode()
TODAY, CASELOAD = "/supporting/today", "/supporting/caseload"


def measure(report: Report) -> None:
    with ExitStack() as stack:
        small = stack.enter_context(_service("small", SMALL))
        large = stack.enter_context(_service("large", LARGE))
        _measure_figures(report, f"SQLite, {LARGE:,} patients", small, large)
        presses = count_key_presses(small.app, small.http)
        report.add_at_most("Key presses from Today to sent, keyboard alone", presses, "presses", goal=24)
    with ExitStack() as stack:
        url = stack.enter_context(running_postgresql())
        if url is not None:
            small = stack.enter_context(_service("small", SMALL, _own_database(url, "small")))
            large = stack.enter_context(_service("large", LARGE, _own_database(url, "large")))
            _measure_figures(report, f"PostgreSQL, {LARGE:,} patients", small, large)


def _measure_figures(report: Report, name: str, small: "Visitor", large: "Visitor") -> None:
    year, week = _workspace(YEAR), _workspace(WEEK)
    report.add_at_most(f"{name}: workspace, a year", large.statements(year), "statements", goal=14)
    report.add_at_most(f"{name}: workspace, a week", large.statements(week), "statements", goal=14)
    crowded = large.somebody_else(LARGE_CASELOAD)
    report.add_at_most(f"{name}: Today, caseload of 200", crowded.statements(TODAY), "statements", goal=10)
    report.add_at_most(f"{name}: Today, caseload of 100", large.statements(TODAY), "statements", goal=10)
    report.add_at_most(f"{name}: autosave", large.autosave_statements(WEEK), "statements", goal=4)
    _compare(
        report, f"{name}: workspace, a year", lambda: large.get(year), lambda: large.get(week), "a week",
        at_most=1.3,
    )  # fmt: skip
    pages = {"Today": TODAY, "workspace": week, "caseload": CASELOAD, "record": _record(WEEK)}
    for page, path in pages.items():
        _compare(
            report, f"{name}: {page}", _getting(large, path), _getting(small, path), f"{SMALL} patients",
            at_most=1.2,
        )  # fmt: skip


def _getting(visitor: "Visitor", path: str) -> Callable[[], None]:
    return lambda: visitor.get(path)


def _compare(
    report: Report,
    name: str,
    ours: Callable[[], None],
    theirs: Callable[[], None],
    against: str,
    *,
    at_most: float,
) -> None:
    """By turns, so that a busy machine touches both alike."""
    ours(), theirs()
    mine, other = [], []
    for _ in range(RUNS):
        mine.append(_milliseconds(ours))
        other.append(_milliseconds(theirs))
    ratio = statistics.median(one / two for one, two in zip(mine, other, strict=True))
    report.add_ratio_at_most(
        name, statistics.median(mine), "ms", against=against, ratio=ratio, at_most=at_most
    )


def _milliseconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(LOOKS):
        work()
    return (time.perf_counter() - began) * 1000 / LOOKS


def _review(number: int) -> int:
    return number * 60 + WEEKS_OF[number]


def _workspace(number: int) -> str:
    return f"/supporting/reviews/{_review(number)}"


def _record(number: int) -> str:
    return f"/supporting/patients/{enrolment_of(number)}"


@dataclass
class Visitor:
    """A supporter at one of the services."""

    app: Flask
    account_id: int
    engine: Engine
    http: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.app.test_client()
        with self.app.app_context():
            sign_in_for_tests(self.http, db.session.get_one(Account, self.account_id))
            db.session.remove()

    def somebody_else(self, account_id: int) -> "Visitor":
        return Visitor(self.app, account_id, self.engine)

    def get(self, path: str) -> None:
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"

    def statements(self, path: str) -> int:
        """All statements of a second look: last-seen is written once a minute, and caches are warm."""
        self.get(path)
        with counted(self.engine) as seen:
            self.get(path)
        return len(seen)

    def autosave_statements(self, number: int) -> int:
        """Of a save that follows another one, as they come while somebody writes."""
        path = _workspace(number)
        fields = Page(self.http.get(path).get_data(as_text=True)).fields
        version = fields.get("version", "")
        for words in ("One.", "One. Two."):
            values = {**fields, "noticed": words, "version": version}
            with counted(self.engine) as seen:
                answer = self.http.post(f"{path}/draft", data=values)
            assert answer.status_code == 200, f"autosave: {answer.status_code}"
            version = str(answer.get_json()["version"])
        return len(seen)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Every statement that reaches the database, without the marks of transactions."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        if not str(args[2]).startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def _service(name: str, patients: int, url: str = "") -> Iterator[Visitor]:
    with tempfile.TemporaryDirectory() as folder:
        address = url or f"sqlite:///{Path(folder) / name}.sqlite"
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
            fill_service(patients)
            db.session.remove()
            visitor = Visitor(app, MEASURED, db.engine)
        yield visitor
        with app.app_context():
            db.engine.dispose()
        clock.let_clock_run()


def _own_database(url: str, name: str) -> str:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.replace("postgres@/postgres", f"postgres@/{name}")
