"""Quiet people: a note after a week, a call after two, a decision after three. Nobody is ended by a timer."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.queries import has_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.rhythm.quiet import QuietPerson, QuietReason, quiet_people
from icbt_support.service.models import RhythmSettings, Service

Mark = tuple[str, int, Callable[[Enrolment], int]]


def watch_quiet_weeks(now: datetime) -> int:
    """Owes staff one task at each of a quiet person's three marks. Returns how many people passed a mark."""
    return _watch(QuietReason.NOT_SEEN, _marks_of_quiet_weeks, now)


def watch_invitations(now: datetime) -> int:
    """Owes a call on the eighth day of an invitation that nobody took up, and the clinician's decision on
    day 21.
    """
    return _watch(QuietReason.NEVER_STARTED, _marks_of_invitations, now)


def _supporter(enrolment: Enrolment) -> int:
    return enrolment.supporter_id


def _clinician(enrolment: Enrolment) -> int:
    return enrolment.clinician_id


def _marks_of_quiet_weeks(rhythm: RhythmSettings) -> tuple[Mark, ...]:
    return (
        ("quiet-note", rhythm.quiet_prompts_stop_days, _supporter),
        ("quiet-call", rhythm.quiet_call_days, _supporter),
        ("quiet-decide", rhythm.quiet_decide_days, _clinician),
    )


def _marks_of_invitations(rhythm: RhythmSettings) -> tuple[Mark, ...]:
    return (
        ("never-started-call", rhythm.never_started_call_day, _supporter),
        ("never-started-decide", rhythm.never_started_close_day, _clinician),
    )


def _watch(reason: QuietReason, marks_of: Callable[[RhythmSettings], tuple[Mark, ...]], now: datetime) -> int:
    services = db.session.scalars(select(Service).order_by(Service.id)).all()
    marks = {service.id: marks_of(service.rhythm) for service in services}
    first_day = min((days for of_service in marks.values() for _, days, _ in of_service), default=1)
    quiet = quiet_people(marks, now=now, signed_in_before=now - timedelta(days=first_day - 1))
    return sum(
        _tell(person, marks[person.enrolment.service_id], now) for person in quiet if person.reason is reason
    )


def _tell(person: QuietPerson, marks: Sequence[Mark], now: datetime) -> int:
    """Owes the newest mark that has passed; its key makes it one for this quiet time."""
    passed = [mark for mark in marks if person.days >= mark[1]]
    if not passed:
        return 0
    (name, days, whom), enrolment = passed[-1], person.enrolment
    key = f"{name}:{enrolment.id}:{person.since_on:%Y%m%d}"
    if has_reminder(key):
        return 0
    owe_reminder(
        key=key,
        kind=ReminderKind.STAFF_CALL_TASK,
        recipient_id=whom(enrolment),
        service_id=enrolment.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        expires_at=now + timedelta(days=days),
        now=now,
    )
    return 1
