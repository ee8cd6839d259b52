"""APScheduler drives the jobs; it is the clock, and the queue is rows.

Its job store is memory: a fixed table of jobs registered in code. Nothing here depends on there being one
scheduler.
"""

import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from icbt_support import clock
from icbt_support.collector import collect_seldom
from icbt_support.db import commit_with_retry, db
from icbt_support.job_log.operations import RunToNote, note_runs
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.schedule import SCHEDULE, Job, Lane
from icbt_support.jobs.tasks import Hands, JobTrouble
from icbt_support.reminders import queries as ledger

WOKEN = ("in_app", "deliver")
IDLE_NOTE_SECONDS = 15.0
SOONEST_AGAIN = timedelta(milliseconds=100)
LAST_WORDS_SECONDS = 20.0

log = structlog.get_logger()


class Runner:
    """One process's jobs: runs them, notes what they did."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stopping = threading.Event()
        settings = app.config["SETTINGS"]
        process = f"{socket.gethostname()}:{os.getpid()}"
        self.hands = Hands(settings, Deliverer(settings, stop=self.stopping.is_set, worker=process), process)
        self._noted: dict[str, tuple[float, str]] = {}

    def run(self, job: Job) -> RunToNote:
        """Runs one job in a context of its own. An error is noted, never raised: the next run comes
        anyway.
        """
        started_at = clock.now()
        did = error = ""
        with self.app.app_context():
            try:
                did = job.task(self.hands)
            except JobTrouble as trouble:
                error = str(trouble)
            except Exception as problem:  # noqa: BLE001 (whatever it is, the other jobs go on)
                error = in_words(problem)
                log.error(
                    "job_failed", job=job.name, error=error, where=traceback.format_tb(problem.__traceback__)
                )
            finally:
                db.session.rollback()
        return RunToNote(
            job=job.name,
            position=SCHEDULE.index(job),
            purpose=job.purpose,
            every=job.every_words,
            started_at=started_at,
            ended_at=clock.now(),
            did=did,
            error=error,
            next_run_at=clock.now() + job.every,
        )

    def note_unless_idle(self, run: RunToNote) -> None:
        """Writes a run down; one that did nothing, or met the same trouble as the one before, only now and then:
        a sweep would never let the disk rest.
        """
        now = time.monotonic()
        noted_at, last_error = self._noted.get(run.job, (0.0, ""))
        is_news = bool(run.did) or run.error != last_error
        if is_news or now - noted_at > IDLE_NOTE_SECONDS:
            self.note([run])
            self._noted[run.job] = (now, run.error)

    def note(self, runs: Sequence[RunToNote]) -> None:
        try:
            with self.app.app_context():
                commit_with_retry(lambda: note_runs(runs))
        except SQLAlchemyError as problem:
            log.error("runs_not_noted", error=in_words(problem))

    def next_due_at(self) -> datetime | None:
        """When the next reminder is due; None also while the database is away: a sweep comes anyway."""
        with self.app.app_context():
            try:
                return ledger.next_due_at()
            except SQLAlchemyError as problem:
                log.error("next_reminder_not_read", error=in_words(problem))
                return None
            finally:
                db.session.rollback()

    def close(self) -> None:
        self.hands.deliverer.close()


class Scheduler:
    """The jobs of this process, driven by APScheduler until `shutdown`."""

    def __init__(self, app: Flask) -> None:
        self._runner = runner_of(app)
        self._runner.stopping.clear()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                Lane.IN_APP: ThreadPoolExecutor(1),
                Lane.DELIVERY: ThreadPoolExecutor(1),
                Lane.HOUSE: ThreadPoolExecutor(2),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(_listen, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        for job in SCHEDULE:
            self._scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=UTC),
                args=[job],
                id=job.name,
                name=job.purpose,
                executor=job.lane,
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        self._scheduler.start()

    def shutdown(self) -> None:
        """Finishes the message in hand, gives the rest back, and stops."""
        self._runner.stopping.set()
        self._scheduler.shutdown(wait=True)
        self._runner.close()
        self._runner.stopping.clear()

    def end_process(self) -> None:
        """As `shutdown`, for a process that ends now: a mail server that does not answer holds it up for
        `LAST_WORDS_SECONDS` at most. What was in hand is then as after a kill: journal and lease know of it.
        """
        hard_end = threading.Timer(LAST_WORDS_SECONDS, _end_anyway)
        hard_end.daemon = True
        hard_end.start()
        self.shutdown()
        hard_end.cancel()

    def _run(self, job: Job) -> None:
        run = self._runner.run(job)
        if job.name in WOKEN:
            self._wake_for_next_reminder(job)
        self._runner.note_unless_idle(run)

    def _wake_for_next_reminder(self, job: Job) -> None:
        """The queue sets the clock: the next run is when the next row is due, not when a sweep comes
        round.
        """
        if clock.is_stopped() or self._runner.stopping.is_set():
            return
        due_at = self._runner.next_due_at()
        now = datetime.now(UTC)
        if due_at is not None and now < due_at < now + job.every:
            self._scheduler.modify_job(job.name, next_run_time=max(due_at, now + SOONEST_AGAIN))


def runner_of(app: Flask) -> Runner:
    """The one runner of this process and app: ticks and the scheduler share its journal and connections."""
    return app.extensions.setdefault("icbt_jobs", None) or _new_runner(app)


def _new_runner(app: Flask) -> Runner:
    app.extensions["icbt_jobs"] = Runner(app)
    return app.extensions["icbt_jobs"]


def start_scheduler(app: Flask) -> Scheduler:
    """Starts the jobs inside this process. Never called by commands, by a reloader's parent or by a pre-fork
    master.
    """
    scheduler = Scheduler(app)
    scheduler.start()
    return scheduler


def tick(
    app: Flask, at: datetime | None = None, names: Collection[str] | None = None
) -> list[tuple[str, str]]:
    """Runs every job once, in the order of the schedule, and says what each did; `names` picks some."""
    return [(run.job, words_of(run)) for run in run_each_once(app, at, names)]


def words_of(run: RunToNote) -> str:
    return run.error or run.did or "nothing to do"


def run_each_once(
    app: Flask, at: datetime | None = None, names: Collection[str] | None = None
) -> list[RunToNote]:
    """`at` stands the clock at that instant for the time of the runs; one that fails holds up no other."""
    runner = runner_of(app)
    with _clock_at(at):
        runs = [runner.run(job) for job in SCHEDULE if names is None or job.name in names]
        runner.note(runs)
    return runs


@contextmanager
def _clock_at(at: datetime | None) -> Iterator[None]:
    if at is None:
        yield
        return
    stood_at = clock.now() if clock.is_stopped() else None
    clock.stop_clock_at(at)
    try:
        yield
    finally:
        if stood_at is None:
            clock.let_clock_run()
        else:
            clock.stop_clock_at(stood_at)


def run_worker(app: Flask) -> None:
    """Runs the jobs until SIGTERM or SIGINT; any number of such processes may run."""
    asked = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    collect_seldom()
    scheduler = start_scheduler(app)
    log.info("worker_started", jobs=len(SCHEDULE))
    asked.wait()
    scheduler.end_process()


def _end_anyway() -> None:
    log.warning("ended_with_work_in_hand")
    os._exit(0)


def _listen(event: JobExecutionEvent) -> None:
    log.warning("job_not_run", job=event.job_id, code=event.code)


def in_words(problem: BaseException) -> str:
    """An error without anybody's data: only our own exceptions may speak."""
    name = type(problem).__name__
    if type(problem).__module__.startswith("icbt_support"):
        return f"{name}: {problem}"[:300]
    return name
