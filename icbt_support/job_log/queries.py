"""Reads of what the jobs did."""

from datetime import datetime

from sqlalchemy import func, select

from icbt_support.db import db
from icbt_support.job_log.models import Heartbeat, JobRun, JobState, PeriodDone


def job_states() -> dict[str, JobState]:
    """The last known state of every job that ever ran, by name, in the order of the schedule."""
    states = select(JobState).order_by(JobState.position, JobState.job)
    return {state.job: state for state in db.session.scalars(states)}


def recent_runs(job: str, limit: int = 20) -> list[JobRun]:
    """Runs that did something or failed, newest first."""
    rows = select(JobRun).where(JobRun.job == job).order_by(JobRun.started_at.desc(), JobRun.id.desc())
    return list(db.session.scalars(rows.limit(limit)))


def newest_heartbeat() -> datetime | None:
    return db.session.scalar(select(func.max(Heartbeat.beat_at)))


def is_period_done(job: str, period: str) -> bool:
    found = select(PeriodDone.id).where(PeriodDone.job == job, PeriodDone.period == period)
    return db.session.scalar(found) is not None
