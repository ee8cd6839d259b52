"""Jobs: what runs by itself and what is waiting for it. Rows as they are stored, and no names."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, render_template, request
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day, to_local
from icbt_support.db import db
from icbt_support.job_log.models import JobState
from icbt_support.job_log.queries import job_states, newest_heartbeat
from icbt_support.pages.guards import allow, current_service, request_time
from icbt_support.pages.kit import clock_time
from icbt_support.pages.reminder_words import short_when
from icbt_support.reminders import queries as ledger
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.service.models import Service

blueprint = Blueprint("admin_jobs", __name__)
FIRST_SHOWN = 12
MOST_SHOWN = 200
LATE_AFTER = timedelta(minutes=5)
HEART_STOPPED_AFTER = timedelta(minutes=1)
OWED_REVIEWS = (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)
STATES = {
    ReminderState.OWED: ("Planned", "white", "planned"),
    ReminderState.CLAIMED: ("Being sent", "blue", "planned"),
    ReminderState.HELD_BACK: ("Held back", "grey", "held_back"),
    ReminderState.EXPIRED: ("Expired", "grey", "held_back"),
    ReminderState.FAILED: ("Failed", "red", "held_back"),
}
REASONS = {
    Reason.PERSON_WROTE: "The supporter had written",
    Reason.PATIENT_WROTE: "The patient had written",
    Reason.ONE_A_DAY: "One prompt a day",
    Reason.ENOUGH_THIS_WEEK: "Enough prompts in seven days",
    Reason.PROMPTS_OFF: "The patient chose none",
    Reason.QUIET_HOURS: "Quiet hours",
    Reason.QUIET_WEEK: "Not signed in for a week: the supporter writes",
    Reason.ADDRESS_BOUNCED: "The address does not take mail",
    Reason.TOO_LATE: "It would have been stale",
    Reason.TRIED_LONG_ENOUGH: "Tried for a day; the mail server did not take it",
    Reason.REFUSED: "Refused by the mail server",
}
KIND_WORDS = {ReminderKind.SESSION: "Planned session", ReminderKind.RISK_ALERT: "Urgent notice"}


@dataclass(frozen=True)
class JobLine:
    name: str
    purpose: str
    every: str
    last_run: str
    did: str
    next_run: str
    state: str
    colour: str


@dataclass(frozen=True)
class QueueLine:
    due_at: datetime
    due: str
    what: str
    sign: str
    who: str
    state: str
    colour: str
    reason: str


@blueprint.get("/admin/jobs")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    service, now = current_service(Role.ADMINISTRATOR), request_time()
    today = local_day(now, service.zone)
    jobs = [_job_line(state, service.zone, today, now) for state in job_states().values()]
    is_all = request.args.get("show") == "all"
    lines, total = _queue(service, today, now, MOST_SHOWN if is_all else FIRST_SHOWN)
    next_email = ledger.next_due_at([Channel.EMAIL])
    return render_template(
        "admin/jobs.html",
        jobs=jobs,
        headline=_headline(jobs),
        heart=_heart_words(service),
        next_email=short_when(next_email, service.zone, today) if next_email else "",
        lines=lines,
        total=total,
    )


def _job_line(state: JobState, zone: str, today: date, now: datetime) -> JobLine:
    words, colour = "OK", "green"
    if state.last_error:
        words, colour = "Failed", "red"
    elif state.next_run_at is not None and now > state.next_run_at + LATE_AFTER:
        words, colour = "Late", "yellow"
    return JobLine(
        name=state.job,
        purpose=state.purpose,
        every=state.every,
        last_run=_when(state.last_started_at, zone, today),
        did=state.last_error or state.last_did or "Nothing to do yet",
        next_run=_when(state.next_run_at, zone, today),
        state=words,
        colour=colour,
    )


def _when(at: datetime | None, zone: str, today: date) -> str:
    if at is None:
        return "Not yet"
    local = to_local(at, zone)
    return clock_time(local) if local.date() == today else short_when(at, zone, today)


def _headline(jobs: list[JobLine]) -> str:
    if not jobs:
        return "No job has run yet"
    unwell = [job for job in jobs if job.state != "OK"]
    if unwell:
        return f"{len(unwell)} of {len(jobs)} jobs need a look"
    return f"All {len(jobs)} jobs have run on time"


def _heart_words(service: Service) -> str:
    beat = newest_heartbeat()
    if beat is None:
        return "No scheduler has started yet"
    if clock.real_now() - beat < HEART_STOPPED_AFTER:
        return "Scheduler is running"
    return f"Scheduler not heard of since {clock_time(to_local(beat, service.zone))}"


def _queue(service: Service, today: date, now: datetime, limit: int) -> tuple[list[QueueLine], int]:
    """Reminders and reviews in one list, oldest first, and how many there are of both."""
    since = now - timedelta(days=1)
    reminders = ledger.queue_of(service.id, since=since, limit=limit)
    owed = (Review.service_id == service.id, Review.state.in_(OWED_REVIEWS))
    reviews = db.session.scalars(
        select(Review).where(*owed).order_by(Review.promised_at, Review.id).limit(limit)
    ).all()
    count = db.session.scalar(select(func.count(Review.id)).where(*owed)) or 0
    lines = [_reminder_line(one, service.zone, today) for one in reminders]
    lines += [_review_line(one, service.zone, today, now) for one in reviews]
    lines.sort(key=lambda line: line.due_at)
    return lines[:limit], count + ledger.queue_length(service.id, since=since)


def _reminder_line(reminder: Reminder, zone: str, today: date) -> QueueLine:
    words, colour, sign = STATES[reminder.state]
    return QueueLine(
        due_at=reminder.due_at,
        due=short_when(reminder.due_at, zone, today),
        what=_kind_words(reminder.kind),
        sign=sign,
        who=_whose(reminder),
        state=words,
        colour=colour,
        reason=_reason(reminder, zone, today),
    )


def _whose(reminder: Reminder) -> str:
    """The number of the course; whom an urgent notice is about would be clinical."""
    kind, _, number = reminder.context.partition(":")
    if kind != "enrolment" or reminder.kind is ReminderKind.RISK_ALERT:
        return "The service"
    return f"Person {number}"


def _kind_words(kind: ReminderKind) -> str:
    return KIND_WORDS.get(kind, kind.value.replace("_", " ").capitalize())


def _reason(reminder: Reminder, zone: str, today: date) -> str:
    known = REASONS.get(Reason(reminder.reason), reminder.reason) if reminder.reason in list(Reason) else ""
    if reminder.reason_at is not None and known:
        return f"{known} at {_when(reminder.reason_at, zone, today)}"
    if reminder.state is ReminderState.OWED and reminder.attempt:
        return f"Tried {reminder.attempt} time{'' if reminder.attempt == 1 else 's'}; tried again then"
    if reminder.state is ReminderState.OWED and reminder.reason == Reason.QUIET_HOURS:
        return "Waits for the end of quiet hours"
    if reminder.kind is ReminderKind.CHECK_IN and reminder.state is ReminderState.OWED:
        return "Not sent if the check-in is done by then"
    return known


def _review_line(review: Review, zone: str, today: date, now: datetime) -> QueueLine:
    is_late = review.is_late(now)
    if is_late:
        told = f"Patient told at {_when(review.told_late_at, zone, today)}. " if review.told_late_at else ""
        reason = told + ("A named person has taken it" if review.taken_at else "Nobody has taken a new date")
    else:
        reason = "Supporter warned" if review.warned_at else ""
    return QueueLine(
        due_at=review.promised_at,
        due=short_when(review.promised_at, zone, today),
        what="Welcome" if review.kind == "welcome" else "Review",
        sign="review_late" if is_late else "review",
        who=f"Person {review.enrolment_id}",
        state="Late" if is_late else "Owed",
        colour="yellow" if is_late else "blue",
        reason=reason,
    )
