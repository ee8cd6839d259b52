"""Writing down what jobs did. Callers commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, insert, or_
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.db import db
from icbt_support.job_log.models import Heartbeat, JobRun, JobState, PeriodDone

LONGEST = 300


@dataclass(frozen=True)
class RunToNote:
    """One run as its process saw it; `did` and `error` are words of our own, without anybody's data."""

    job: str
    position: int
    purpose: str
    every: str
    started_at: datetime
    ended_at: datetime
    did: str = ""
    error: str = ""
    next_run_at: datetime | None = None

    @property
    def is_worth_a_row(self) -> bool:
        return bool(self.did or self.error)


def note_runs(runs: Sequence[RunToNote]) -> None:
    """Brings each job's state up to date, and keeps a row for each run that did something or failed."""
    worth = [run for run in runs if run.is_worth_a_row]
    if worth:
        db.session.execute(
            insert(JobRun),
            [
                {
                    "job": run.job,
                    "started_at": run.started_at,
                    "ended_at": run.ended_at,
                    "did": run.did[:LONGEST],
                    "error": run.error[:LONGEST],
                }
                for run in worth
            ],
        )
    _upsert_states(runs)


def _upsert_states(runs: Sequence[RunToNote]) -> None:
    """One statement for all; a run that did nothing leaves the words of the last one that did something."""
    if not runs:
        return
    rows = _upsert(JobState).values(
        [
            {
                "job": run.job,
                "position": run.position,
                "purpose": run.purpose[:200],
                "every": run.every[:60],
                "last_started_at": run.started_at,
                "last_ended_at": run.ended_at,
                "last_did": run.did[:LONGEST],
                "last_error": run.error[:LONGEST],
                "next_run_at": run.next_run_at,
            }
            for run in runs
        ]
    )
    new = rows.excluded
    did_something = or_(new.last_did != "", new.last_error != "")
    changes: dict[str, Any] = {
        name: new[name]
        for name in (
            "position",
            "purpose",
            "every",
            "last_started_at",
            "last_ended_at",
            "last_error",
            "next_run_at",
        )
    }
    changes["last_did"] = case((did_something, new.last_did), else_=JobState.last_did)
    db.session.execute(rows.on_conflict_do_update(index_elements=["job"], set_=changes))


def beat(process: str, *, real_now: datetime, forget_before: datetime) -> None:
    """Notes that this process is alive, and forgets those that have long gone."""
    row = _upsert(Heartbeat).values(process=process[:80], beat_at=real_now)
    db.session.execute(row.on_conflict_do_update(index_elements=["process"], set_={"beat_at": real_now}))
    db.session.execute(delete(Heartbeat).where(Heartbeat.beat_at < forget_before))


def take_period(job: str, period: str, *, now: datetime) -> bool:
    """Whether this process is the first to do the job for this period; held with the transaction's commit."""
    row = _upsert(PeriodDone).values(job=job, period=period, done_at=now).on_conflict_do_nothing()
    return db.session.scalar(row.returning(PeriodDone.id)) is not None


def give_period_back(job: str, period: str) -> None:
    """The work of this period failed: it may be tried again."""
    db.session.execute(delete(PeriodDone).where(PeriodDone.job == job, PeriodDone.period == period))


def _upsert(model: type) -> sqlite.Insert | postgresql.Insert:
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
