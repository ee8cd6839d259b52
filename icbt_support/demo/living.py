"""Living through the weeks: from one due instant to the next, people act and the scheduler's own jobs run."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import count

from flask import Flask
from sqlalchemy import select, text

from icbt_support import clock
from icbt_support.db import UtcDateTime, commit_with_retry, db
from icbt_support.demo import habits, staff, stories, structures, team
from icbt_support.demo.people import SLOTS, STANDS_ON
from icbt_support.demo.world import Act, World, day_of, wall
from icbt_support.job_log.operations import RunToNote, note_runs
from icbt_support.jobs.runner import Runner, runner_of
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.plan.models import Week
from icbt_support.reviews.queries import review_of_week

# When in a day which of the scheduler's jobs can find something to do: between these they would find nothing.
EVERY_DAY = ((time(0, 5), ("aways", "boosters", "weeks", "reviews")),)
ON_WORKING_DAYS = (
    (time(8), ("digest", "leads")),
    (time(9), ("quiet", "invitations", "risk")),
    (time(15), ("reviews",)),
    (time(17), ("reviews", "weeks", "messages")),
)
SATURDAY = 5
# Asked after every act, so they are written once: building a statement takes longer here than running it.
_NEWEST_WEEK = text("SELECT max(id) FROM weeks")
_FIRST_PROMISE = text(
    "SELECT min(promised_at) AS first FROM reviews WHERE state IN ('scheduled', 'open', 'drafted')"
).columns(first=UtcDateTime)
_NEXT_DUE = text("SELECT min(due_at) AS due_at FROM reminders WHERE state = 'owed'").columns(
    due_at=UtcDateTime
)
ALL_JOBS = (
    "aways",
    "boosters",
    "weeks",
    "reviews",
    "messages",
    "risk",
    "quiet",
    "invitations",
    "digest",
    "deliver",
)
DELIVERS_AGAIN_AFTER = timedelta(minutes=20)
RUNS_NOTED_AT_ONCE = 100
READING_TIME = time(9, 2)


class JobFailed(Exception):
    """A job did not end well while the demo was being built."""


class Days:
    """The run of time in the demo, from its first morning until it stands still."""

    def __init__(self, app: Flask, world: World) -> None:
        self._world = world
        self._runner: Runner = runner_of(app)
        self._jobs = {job.name: job for job in SCHEDULE}
        self._rounds = _rounds(world.begins_on)
        self._next_round, self._round_jobs = next(self._rounds)
        self._deliver_at: datetime | None = None
        self._delivered_at = datetime.min.replace(tzinfo=self._next_round.tzinfo)
        self._newest_week = 0
        self._runs: list[RunToNote] = []

    def live_until(self, until: datetime) -> None:
        for life in self._world.lives:
            habits.plan_arrival(self._world, life)
            stories.tell_of_leo_draft(self._world, life)
        self._plan_reading(until.date())
        team.plan_team_days(self._world)
        structures.plan_structures(self._world)
        while (instant := self._next_instant()) <= until:
            clock.stop_clock_at(instant)
            self._live_at(instant)
        clock.stop_clock_at(until)
        self._run_jobs(ALL_JOBS)
        self._note_runs(at_least=0)

    def _next_instant(self) -> datetime:
        instants = (self._next_round, self._world.next_at(), self._deliver_at)
        return min(instant for instant in instants if instant is not None)

    def _live_at(self, instant: datetime) -> None:
        """What the clock brings comes before what people do at the same instant."""
        if self._deliver_at is not None and self._deliver_at <= instant:
            self._run_jobs(("deliver",))
            self._delivered_at = instant
        elif self._next_round <= instant:
            self._run_jobs(
                tuple(name for name in self._round_jobs if name != "reviews" or _is_review_near(instant))
            )
            self._next_round, self._round_jobs = next(self._rounds)
        else:
            act = self._world.take_next()
            commit_with_retry(lambda: act(instant))
        self._plan_new_weeks(instant)
        self._look_ahead(instant)

    def _run_jobs(self, names: tuple[str, ...]) -> None:
        db.session.rollback()
        for name in names:
            run = self._runner.run(self._jobs[name])
            if run.error:
                raise JobFailed(f"{name} at {clock.now().isoformat()}: {run.error}")
            if run.is_worth_a_row:
                self._runs.append(run)
        self._note_runs(at_least=RUNS_NOTED_AT_ONCE)

    def _note_runs(self, *, at_least: int) -> None:
        if len(self._runs) <= at_least:
            return
        for runs in _each_job_once(self._runs):
            commit_with_retry(partial(note_runs, runs))
        self._runs = []

    def _plan_new_weeks(self, now: datetime) -> None:
        newest = self._newest_week
        if (db.session.scalar(_NEWEST_WEEK) or 0) == newest:
            return
        opened = select(Week).where(Week.id > newest, Week.closed_at.is_(None)).order_by(Week.id)
        for week in db.session.scalars(opened).all():
            life = self._world.life_of(week.enrolment_id)
            life.planned_week = week.number
            review = review_of_week(life.enrolment(), week.number)
            habits.plan_week(self._world, life, week, review, now)
            self._newest_week = week.id

    def _look_ahead(self, now: datetime) -> None:
        due_at = db.session.scalar(_NEXT_DUE)
        db.session.rollback()
        again_after = timedelta() if day_of(now) == STANDS_ON else DELIVERS_AGAIN_AFTER
        soonest = max(self._delivered_at + again_after, now + timedelta(minutes=1))
        self._deliver_at = None if due_at is None else max(due_at, soonest)

    def _plan_reading(self, until_on: date) -> None:
        """Supporters read messages on the mornings of their review days."""
        days = sorted({(slot.supporter, slot.weekday) for slot in SLOTS})
        for email, weekday in days:
            on = self._world.begins_on
            while on <= until_on:
                if on.weekday() == weekday:
                    self._world.at(wall(on, READING_TIME), _reads(self._world, email))
                on += timedelta(days=1)


def _each_job_once(runs: list[RunToNote]) -> list[list[RunToNote]]:
    """In the order of time, in groups in which no job comes twice."""
    groups: list[list[RunToNote]] = []
    for run in runs:
        places = [number for number, group in enumerate(groups) if any(run.job == one.job for one in group)]
        place = places[-1] + 1 if places else 0
        if place == len(groups):
            groups.append([])
        groups[place].append(run)
    return groups


def _is_review_near(now: datetime) -> bool:
    """Whether a review is promised for today or late already: else its job has nothing to look at."""
    first = db.session.scalar(_FIRST_PROMISE)
    return first is not None and first < now + timedelta(days=1)


def _reads(world: World, email: str) -> Act:
    return lambda now: staff.read_messages(world, email, now)


def _rounds(begins_on: date) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    for days in count():
        on = begins_on + timedelta(days=days)
        for at, jobs in (*EVERY_DAY, *(ON_WORKING_DAYS if on.weekday() < SATURDAY else ())):
            yield wall(on, at), jobs
