"""A CSV of one million rows: how much memory it takes in a process of its own, and how long.

Two tables: questionnaires, and the therapy log, the widest one. The rows come from the database as they do for
the page. `BENCH_SCALE=0.1` tries a tenth.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, insert, text

from benchmarks.postgresql import running_postgresql
from benchmarks.report import Report
from icbt_support.accounts.models import Account
from icbt_support.db import Base
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep, Purpose
from icbt_support.exports.queries import lines_of
from icbt_support.exports.rules import Wanted, csv_lines
from icbt_support.exports.tables import EXPORT_TABLES
from icbt_support.service.models import Service
from icbt_support.tables import METADATA

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
WEEKS = 50
COURSES = int(20_000 * SCALE)
MOST_MEGABYTES = 100
STARTED = datetime(2026, 1, 5, 9, tzinfo=UTC)
STAFF = 1
MEASURED = ("questionnaires", "therapy-log")
assert METADATA is not None

_NUMBERED = """
WITH RECURSIVE course(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM course WHERE number <= :courses),
week(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM week WHERE number < :weeks)
"""
_WEEKS = """
INSERT INTO weeks (id, enrolment_id, number, module, opened_on, review_on, opened_at, opened_because)
"""
_REVIEWS = """
INSERT INTO reviews (id, service_id, enrolment_id, week_id, kind, number, owner_id, due_on, promised_at,
first_promised_at, state, created_at, sent_at, sent_by, minutes)
"""
_QUESTIONNAIRES = """
INSERT INTO questionnaires (enrolment_id, measure, occasion, week_number, started_at, finished_at, total)
"""
_ID = "(course.number - 2) * :weeks + week.number"


def measure(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure_engine(report, f"sqlite:///{folder}/bench.sqlite", "SQLite")
    with running_postgresql() as url:
        if url is not None:
            _measure_engine(report, url, "PostgreSQL")


def _measure_engine(report: Report, url: str, name: str) -> None:
    engine = create_engine(url)
    _populate(engine)
    engine.dispose()
    for slug in MEASURED:
        found = _in_a_process_of_its_own(url, slug)
        what = f"{name}: {found['rows']:,} rows of {slug}"
        report.add_exactly(f"{what}, rows", found["rows"], "rows", goal=COURSES * WEEKS)
        report.add_at_most(f"{what}, memory grown by", found["megabytes"], "MB", goal=MOST_MEGABYTES)
        report.add(f"{what}, size", found["size"] / 1e6, "MB")
        report.add(f"{what}, time", found["seconds"], "s")


def _populate(engine: Engine) -> None:
    values = {"courses": COURSES, "weeks": WEEKS, "staff": STAFF, "at": STARTED, "on": STARTED.date()}
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        _add_people(connection)
        kept = (
            values if engine.dialect.name == "postgresql" else {**values, "at": "2026-01-05 09:00:00.000000"}
        )
        both = "FROM course CROSS JOIN week"
        for head, row in (
            (_WEEKS, f"{_ID}, course.number, week.number, 'getting-started', :on, :on, :at, 'start'"),
            (
                _REVIEWS,
                f"{_ID}, 1, course.number, {_ID}, 'weekly', week.number, :staff, :on, :at, :at, 'sent', :at, :at,"
                " :staff, 12",
            ),
            (
                _QUESTIONNAIRES,
                "course.number, 'phq-9', 'check_in', week.number, :at, :at, (course.number + week.number) % 28",
            ),
        ):
            _run(connection, head, f"SELECT {row} {both}", kept)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _run(connection: Connection, head: str, body: str, values: dict[str, object]) -> None:
    if connection.dialect.name == "postgresql":
        body = body.replace(":at", "CAST(:at AS timestamptz)").replace(":on", "CAST(:on AS date)")
        connection.execute(text(f"{head} {_NUMBERED} {body}"), values)
        return
    connection.execute(text(f"{head} {_NUMBERED} {body}"), {**values, "on": str(values["on"])})


def _add_people(connection: Connection) -> None:
    connection.execute(insert(Service), [{"id": 1, "name": "Bench", "created_at": STARTED}])
    numbers = range(2, COURSES + 2)
    connection.execute(insert(Account), [_account(number) for number in (STAFF, *numbers)])
    connection.execute(insert(Enrolment), [_enrolment(number) for number in numbers])


def _account(number: int) -> dict[str, object]:
    return {
        "id": number,
        "email": f"person-{number}@bench.example.net",
        "full_name": f"Person {number}",
        "called": f"Person {number}",
        "created_at": STARTED,
    }


def _enrolment(number: int) -> dict[str, object]:
    return {
        "id": number,
        "service_id": 1,
        "patient_id": number,
        "supporter_id": STAFF,
        "clinician_id": STAFF,
        "programme_slug": "low-mood",
        "programme_version": "1",
        "purpose": Purpose.CARE,
        "state": EnrolmentState.ACTIVE,
        "onboarding_step": OnboardingStep.DONE,
        "invited_at": STARTED - timedelta(days=7),
        "starts_on": date(2026, 1, 5),
        "started_at": STARTED,
    }


# In the process that is measured ----------------------------------------------------------------------------


def _in_a_process_of_its_own(url: str, slug: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.export", url, slug]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _export(url: str, slug: str) -> dict[str, float]:
    engine = create_engine(url)
    table = next(one for one in EXPORT_TABLES if one.slug == slug)
    wanted = Wanted(1, "Europe/London", with_names=table.can_name_people)
    rows, size = 0, 0
    before, started = _megabytes("VmRSS"), time.perf_counter()

    with closing(lines_of(engine, table, wanted)) as lines:
        for piece in csv_lines([column.name for column in table.columns], lines):
            size += len(piece)
            rows += piece.count(b"\r\n")
    return {
        "rows": rows - 1,
        "size": size,
        "seconds": time.perf_counter() - started,
        "megabytes": _megabytes("VmHWM") - before,
    }


def _megabytes(name: str) -> float:
    """`VmRSS` is what the process holds now, `VmHWM` the most that it ever held."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    print(json.dumps(_export(sys.argv[1], sys.argv[2])))
