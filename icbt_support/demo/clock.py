"""The demo's own clock: it stands still between actions, and a jump runs what the scheduler runs."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from icbt_support import clock
from icbt_support.cadence import to_local, to_utc
from icbt_support.db import commit_with_retry, db
from icbt_support.demo.models import DemoState
from icbt_support.demo.people import ZONE
from icbt_support.jobs.runner import tick
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.reminders import queries as ledger
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.queries import OWED
from icbt_support.risk.models import RiskAlert
from icbt_support.service.models import Service

EVENING = time(19)
MORNING = time(9)
# Weeks open after midnight, digests are owed at eight, and weeks without a review at the promised hour.
LOOKED_AT = (time(0, 5), time(8, 1), time(17, 1))
LONGEST_JUMP = timedelta(days=92)
NOTHING = "nothing to do"
# What keeps house runs once, at the end of a jump; what belongs to the night keeps real nights.
NOT_SHOWN = ("heartbeat", "seal", "recover")
REAL_NIGHTS = ("backup", "purge")
ONCE_IS_ENOUGH = (*REAL_NIGHTS, *NOT_SHOWN)
_one_at_a_time = threading.Lock()


class CannotJump(Exception):
    """The clock does not go there; the message says why, in a sentence."""


@dataclass(frozen=True)
class Happened:
    """What one job did at one instant of a jump."""

    at: datetime
    job: str
    purpose: str
    did: str


def restore_demo_clock(app: Flask) -> None:
    """At the start of a development server: stops the clock where the demo stands, if there is a demo."""
    if not app.config["SETTINGS"].is_development:
        return
    with app.app_context():
        try:
            stands_at = db.session.scalar(
                select(DemoState.stands_at).where(DemoState.finished_at.is_not(None))
            )
        except DBAPIError:
            return
        finally:
            db.session.remove()
    if stands_at is not None:
        clock.stop_clock_at(stands_at)


def target_of(to: str, now: datetime) -> datetime:
    """The instant that `to` means: evening, morning, review, or an ISO instant. Raises `CannotJump`."""
    local = to_local(now, ZONE)
    if to == "evening":
        on = local.date() if local.time() < EVENING else local.date() + timedelta(days=1)
        return to_utc(on, EVENING, ZONE)
    if to == "morning":
        return to_utc(local.date() + timedelta(days=1), MORNING, ZONE)
    if to == "review":
        promised_at = _next_promise(now)
        if promised_at is None:
            raise CannotJump("No review is owed after this moment.")
        return promised_at
    return _instant(to, now)


def move_clock(app: Flask, to: datetime) -> list[Happened]:
    """Moves the clock on to `to`, through every due instant between, and says what each job did on the way.

    Raises `CannotJump` for an instant that has passed or lies too far ahead.
    """
    with _one_at_a_time:
        now = clock.now()
        if to <= now:
            raise CannotJump("The clock only goes forward. Build the demo again to start over: make demo.")
        if to - now > LONGEST_JUMP:
            raise CannotJump("That is too far: jump by three months at most.")
        happened = _run_jobs(app, now) if _is_anything_due(now) else []
        for instant in _due_instants(now, to):
            clock.stop_clock_at(instant)
            happened += _run_jobs(app, instant, without=REAL_NIGHTS if instant == to else ONCE_IS_ENOUGH)
        commit_with_retry(lambda: _save(to))
        return happened


def _is_anything_due(now: datetime) -> bool:
    due_at = ledger.next_due_at()
    db.session.rollback()
    return due_at is not None and due_at <= now


def _due_instants(now: datetime, until: datetime) -> Iterator[datetime]:
    """Each instant after `now` at which something is due, as it becomes due; the last one is `until`."""
    at = now
    while (at := min(_next_due(at), until)) < until:
        yield at
    yield until


def _next_due(after: datetime) -> datetime:
    db.session.rollback()
    found = [
        _next_reminder(after),
        _next_promise(after),
        _next_warning(after),
        db.session.scalar(
            select(func.min(RiskAlert.escalates_at)).where(
                RiskAlert.acknowledged_at.is_(None), RiskAlert.escalates_at > after
            )
        ),
        _next_look(after),
    ]
    db.session.rollback()
    return min(instant for instant in found if instant is not None)


def _next_reminder(after: datetime) -> datetime | None:
    """What was due at `after` has been looked at by then: a row that still waits does not stop the clock."""
    due_at = ledger.next_due_at()
    return due_at if due_at is not None and due_at > after else None


def _next_promise(after: datetime) -> datetime | None:
    return db.session.scalar(
        select(func.min(Review.promised_at)).where(
            Review.state.in_(OWED), Review.kind != ReviewKind.WELCOME, Review.promised_at > after
        )
    )


def _next_warning(after: datetime) -> datetime | None:
    """Minutes before a promise are a setting of each service."""
    warnings = []
    for service in db.session.scalars(select(Service).order_by(Service.id)):
        before = timedelta(minutes=service.rhythm.review_warning_minutes)
        promised_at = db.session.scalar(
            select(func.min(Review.promised_at)).where(
                Review.service_id == service.id,
                Review.state.in_(OWED),
                Review.warned_at.is_(None),
                Review.promised_at > after + before,
            )
        )
        if promised_at is not None:
            warnings.append(promised_at - before)
    return min(warnings, default=None)


def _next_look(after: datetime) -> datetime:
    local = to_local(after, ZONE)
    days = (local.date(), local.date() + timedelta(days=1))
    return min(at for on in days for wall in LOOKED_AT if (at := to_utc(on, wall, ZONE)) > after)


def _run_jobs(app: Flask, at: datetime, without: tuple[str, ...] = REAL_NIGHTS) -> list[Happened]:
    names = {job.name for job in SCHEDULE} - set(without)
    purposes = {job.name: job.purpose for job in SCHEDULE}
    return [
        Happened(at, name, purposes[name], did)
        for name, did in tick(app, names=names)
        if did != NOTHING and name not in NOT_SHOWN
    ]


def _save(stands_at: datetime) -> None:
    state = db.session.scalars(select(DemoState)).first()
    if state is not None:
        state.stands_at = stands_at


def _instant(to: str, now: datetime) -> datetime:
    try:
        instant = datetime.fromisoformat(to)
    except ValueError as error:
        raise CannotJump(
            "Say evening, morning, review, or an instant like 2026-11-20T09:00+00:00."
        ) from error
    if instant.tzinfo is None:
        raise CannotJump("The instant has no zone: it looks like 2026-11-20T09:00+00:00.")
    return instant
