"""What the jobs did: a row for each run that did something, a heartbeat, and a row per job and period."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, Subject, UtcDateTime, WithId, care


class JobRun(WithId, Base):
    """One run of a job: when, what it did in words, and what went wrong, if anything did."""

    __tablename__ = "job_runs"

    job: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    did: Mapped[str] = mapped_column(String(300), default="")
    error: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (
        Index("ix_job_runs_job_started", "job", "started_at"),
        care(Subject.NOBODY, Keep.DAYS_90, Erasure.KEEP),
    )


class JobState(Base):
    """One row per job, so that pages need not know the schedule: what it is for, its last run and its next."""

    __tablename__ = "job_states"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    purpose: Mapped[str] = mapped_column(String(200), default="")
    every: Mapped[str] = mapped_column(String(60), default="")
    last_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_did: Mapped[str] = mapped_column(String(300), default="")
    last_error: Mapped[str] = mapped_column(String(300), default="")
    next_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.NOBODY, Keep.DAYS_90, Erasure.KEEP),)


class PeriodDone(WithId, Base):
    """A guarded job that was done once for a period (a night, a local day): no second process does it again."""

    __tablename__ = "periods_done"

    job: Mapped[str] = mapped_column(String(40))
    period: Mapped[str] = mapped_column(String(40))
    done_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("job", "period"),
        care(Subject.NOBODY, Keep.DAYS_90, Erasure.KEEP),
    )


class Heartbeat(Base):
    """A scheduler or worker process that was alive at `beat_at` (real time)."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(80), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.NOBODY, Keep.DAYS_90, Erasure.KEEP),)
