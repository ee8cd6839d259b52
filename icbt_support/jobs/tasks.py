"""What each job does: it composes verbs from below, commits, and says in words what came of it ("" for
nothing).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit import Actor
from icbt_support.audit.seals import seal_lines
from icbt_support.boosters.queries import due_boosters
from icbt_support.cadence import local_day, to_local
from icbt_support.db import commit_with_retry, db
from icbt_support.engagement.service_days import keep_service_days
from icbt_support.implementation import weekly
from icbt_support.job_log.operations import beat, give_period_back, take_period
from icbt_support.job_log.queries import is_period_done
from icbt_support.jobs import backups, digest, purge, quiet
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.wanted import STALLED_AFTER
from icbt_support.messages.operations import tell_of_late_messages
from icbt_support.reminders import queries as ledger
from icbt_support.reminders import settling
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.rhythm import away, booster, lateness, weeks
from icbt_support.risk import operations as risk
from icbt_support.service.models import Service
from icbt_support.settings import Settings

BACKUP_AT = time(2)
PURGE_AT = time(3)
HOUSE_ZONE = "Europe/London"
HEARTBEATS_KEPT = timedelta(days=1)


@dataclass
class Hands:
    """What jobs work with: the settings, the deliverer, and this process's name."""

    settings: Settings
    deliverer: Deliverer
    process: str


class JobTrouble(Exception):
    """A job that could not do its work for no mistake of ours: the message is for people to read."""


def show_in_app(hands: Hands) -> str:
    return hands.deliverer.show_due().words


def deliver(hands: Hands) -> str:
    done = hands.deliverer.deliver_due()
    if done.away or done.unwritten:
        raise JobTrouble(done.words)
    return done.words


def recover(hands: Hands) -> str:
    """First what was handed over by workers that have gone, then their leases, then what would be stale by
    now.
    """
    replayed = hands.deliverer.replay()
    leases = commit_with_retry(lambda: settling.recover_leases(real_now=clock.real_now()))
    expired = commit_with_retry(lambda: settling.expire_reminders(now=clock.now()))
    commit_with_retry(settling.drop_abandoned)
    stalled = commit_with_retry(lambda: _tell_of_stalled_queue(clock.now()))
    return _words(
        (replayed, "found in the journals"),
        (leases, "taken back from workers that have gone"),
        (expired, "expired"),
        (stalled, "told that the queue stands still"),
    )


def _tell_of_stalled_queue(now: datetime) -> int:
    """A queue that stands still is itself an alert: every administrator is told, once an hour at most."""
    oldest = ledger.next_due_at()
    if oldest is None or oldest > now - STALLED_AFTER or clock.is_stopped():
        return 0
    told = 0
    for service in db.session.scalars(select(Service).order_by(Service.id)):
        for administrator in staff_with_role(service.id, Role.ADMINISTRATOR):
            key = f"queue-stalled:{service.id}:{administrator.id}:{now:%Y%m%d%H}"
            told += not ledger.has_reminder(key)
            owe_reminder(
                key=key,
                kind=ReminderKind.QUEUE_STALLED,
                recipient_id=administrator.id,
                service_id=service.id,
                subject=f"service:{service.id}",
                context=f"service:{service.id}",
                due_at=oldest,
                now=now,
            )
    return told


def reviews(hands: Hands) -> str:
    by = Actor.system("reviews")
    opened = _count(lambda now: lateness.open_reviews(now=now, by=by))
    merged = _count(lambda now: lateness.merge_near_reviews(now=now, by=by))
    warned = _count(lambda now: lateness.warn_of_reviews(now=now, by=by))
    late = _count(lambda now: lateness.tell_of_late_reviews(now=now, by=by))
    return _words(
        (opened, "opened"), (merged, "merged"), (warned, "warned of"), (late, "late, and people told")
    )


def open_weeks(hands: Hands) -> str:
    by = Actor.system("weeks")
    opened = _each(
        weeks.due_openings(now=clock.now()),
        lambda one, now: weeks.open_one_due_week(one, by=by, now=now) is not None,
    )
    return _words((opened, "week opened", "weeks opened"))


def watch_messages(hands: Hands) -> str:
    by = Actor.system("messages")
    return _words(
        (
            _count(lambda now: tell_of_late_messages(now=now, by=by)),
            "message late, and people told",
            "messages late, and people told",
        )
    )


def end_aways(hands: Hands) -> str:
    by = Actor.system("aways")
    back = _each(
        away.due_to_come_back(now=clock.now()), lambda one, now: away.end_one_away(one, by=by, now=now)
    )
    return _words((back, "person back from their time away", "people back from their time away"))


def watch_boosters(hands: Hands) -> str:
    """The check-in after a course: asked for on its day, read by a person, said when that is late."""
    by = Actor.system("boosters")
    moved = _each(
        due_boosters(clock.now().date() + timedelta(days=1)),
        lambda one, now: booster.move_booster_on(one, by=by, now=now),
    )
    return _words((moved, "check-in after a course moved on", "check-ins after a course moved on"))


def watch_alerts(hands: Hands) -> str:
    by = Actor.system("risk")
    escalated = _count(lambda now: risk.escalate_due_alerts(now=now, by=by))
    return _words((escalated, "alert passed to the next person", "alerts passed to the next person"))


def watch_quiet_weeks(hands: Hands) -> str:
    return _words((_count(quiet.watch_quiet_weeks), "person quiet, staff told", "people quiet, staff told"))


def watch_invitations(hands: Hands) -> str:
    return _words(
        (
            _count(quiet.watch_invitations),
            "invitation not taken up, staff told",
            "invitations not taken up, staff told",
        )
    )


def send_digests(hands: Hands) -> str:
    """Once for each morning in each zone, whichever process comes first."""
    return _words((_count(_digests), "digest owed", "digests owed"))


def _digests(now: datetime) -> int:
    zones = db.session.scalars(select(Service.zone).distinct().order_by(Service.zone)).all()
    is_new = False
    for zone in zones:
        local = to_local(now, zone)
        if local.time() >= digest.MORNING:
            is_new |= take_period("digest", f"{zone}:{local.date().isoformat()}", now=now)
    return digest.owe_digests(now) if is_new else 0


def send_weekly_to_leads(hands: Hands) -> str:
    """Once a week for each service, whichever process comes first."""
    return _words((_count(_weekly_to_leads), "weekly email owed", "weekly emails owed"))


def _weekly_to_leads(now: datetime) -> int:
    owed = 0
    for service in db.session.scalars(select(Service).order_by(Service.id)):
        if not weekly.is_due(service, now):
            continue
        if take_period("leads", weekly.week_of(service, now), now=now):
            owed += weekly.owe_weekly(service, now=now)
    return owed


def keep_figures(hands: Hands) -> str:
    """Once an hour, whichever process comes first."""
    hour = f"{clock.now():%Y-%m-%dT%H}"
    if not commit_with_retry(lambda: take_period("figures", hour, now=clock.now())):
        return ""
    return _words(
        (keep_service_days(now=clock.now()), "day of a service counted", "days of services counted")
    )


def seal(hands: Hands) -> str:
    key = hands.settings.seal_key
    return _words(
        (
            _count(lambda now: seal_lines(key=key, now=clock.real_now())),
            "audit line sealed",
            "audit lines sealed",
        )
    )


def heartbeat(hands: Hands) -> str:
    now = clock.real_now()
    commit_with_retry(lambda: beat(hands.process, real_now=now, forget_before=now - HEARTBEATS_KEPT))
    return ""


def backup(hands: Hands) -> str:
    """Each night, or as soon as the machine is up again; real nights, whatever the demo's clock says."""

    def copy(on: datetime) -> str:
        return backups.nightly_backup(hands.settings.database_url, backup_folder(hands.settings), on.date())

    return _once_a_night("backup", BACKUP_AT, copy)


def purge_rows(hands: Hands) -> str:
    def clear(on: datetime) -> str:
        gone = commit_with_retry(lambda: purge.purge_old_rows(clock.now()))
        rows = ((count, f"row of {name}", f"rows of {name}") for name, count in gone.items())
        return _words(*rows) or "nothing is past its time"

    return _once_a_night("purge", PURGE_AT, clear)


def _once_a_night(job: str, at: time, work: Callable[[datetime], str]) -> str:
    """The period is taken first, so that two processes never do it at once, and given back if the work
    fails.
    """
    local = to_local(clock.real_now(), HOUSE_ZONE)
    period = local_day(clock.real_now(), HOUSE_ZONE).isoformat()
    if local.time() < at or is_period_done(job, period):
        return ""
    if not commit_with_retry(lambda: take_period(job, period, now=clock.real_now())):
        return ""
    try:
        return work(local)
    except BaseException:
        commit_with_retry(lambda: give_period_back(job, period))
        raise


def backup_folder(settings: Settings) -> Path:
    """Beside a SQLite database, else beside the journal."""
    url = make_url(settings.database_url)
    beside = (
        Path(url.database or "").parent if url.get_backend_name() == "sqlite" else settings.journal_dir.parent
    )
    return beside / "backups"


def _count(work: Callable[[datetime], int]) -> int:
    return commit_with_retry(lambda: work(clock.now()))


def _each(enrolment_ids: Sequence[int], work: Callable[[int, datetime], bool]) -> int:
    """Does the work for each course in a transaction of its own; returns for how many it changed something.

    One that fails is raised once all the others are done, so that it holds up nobody and is not lost.
    """
    db.session.rollback()
    changed, problems = 0, []
    for enrolment_id in enrolment_ids:
        try:
            changed += commit_with_retry(partial(_with_clock, work, enrolment_id))
        except Exception as problem:  # noqa: BLE001 (whatever it is, the other people come first)
            db.session.rollback()
            problems.append(problem)
    if problems:
        raise problems[0]
    return changed


def _with_clock(work: Callable[[int, datetime], bool], enrolment_id: int) -> bool:
    return work(enrolment_id, clock.now())


def _words(*counts: tuple[int, str] | tuple[int, str, str]) -> str:
    """ "1 week opened, 2 late": each count with what it counts, in words for one and for many where they differ."""
    return ", ".join(f"{count} {words[0 if count == 1 else -1]}" for count, *words in counts if count)
