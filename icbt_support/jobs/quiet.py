"""Quiet people: a note after a week, a call after two, a decision after three. Nobody is ended by a timer."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import InstrumentedAttribute

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.queries import has_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.service.models import RhythmSettings, Service

NOT_STARTED = (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)


def watch_quiet_weeks(now: datetime) -> int:
    """Owes staff one task at each of a quiet person's three marks. Returns how many people passed a mark."""
    last_seen: ColumnElement[datetime] = func.coalesce(Account.last_signed_in_at, Enrolment.started_at)
    told = 0
    for service_id, rhythm in _services():
        marks = (
            ("quiet-note", rhythm.quiet_prompts_stop_days, _supporter),
            ("quiet-call", rhythm.quiet_call_days, _supporter),
            ("quiet-decide", rhythm.quiet_decide_days, _clinician),
        )
        quiet_since = now - timedelta(days=rhythm.quiet_prompts_stop_days)
        is_quiet = Enrolment.state == EnrolmentState.ACTIVE
        for row in _people(service_id, last_seen, (is_quiet, last_seen <= quiet_since)):
            told += _tell(row, marks, now)
    return told


def watch_invitations(now: datetime) -> int:
    """Owes a call on the eighth day of an invitation that nobody took up, and the clinician's decision on
    day 21.
    """
    told = 0
    for service_id, rhythm in _services():
        marks = (
            ("never-started-call", rhythm.never_started_call_day, _supporter),
            ("never-started-decide", rhythm.never_started_close_day, _clinician),
        )
        since = now - timedelta(days=rhythm.never_started_call_day)
        waits = (Enrolment.state.in_(NOT_STARTED), Enrolment.invited_at <= since)
        for row in _people(service_id, Enrolment.invited_at, waits):
            told += _tell(row, marks, now)
    return told


Mark = tuple[str, int, Callable[[Row], int]]


def _supporter(row: Row) -> int:
    return row.supporter_id


def _clinician(row: Row) -> int:
    return row.clinician_id


def _services() -> list[tuple[int, RhythmSettings]]:
    rows = db.session.execute(select(Service.id, Service.rhythm_settings).order_by(Service.id))
    return [(row.id, RhythmSettings.from_json(row.rhythm_settings)) for row in rows]


def _people(
    service_id: int,
    since: ColumnElement[datetime] | InstrumentedAttribute[datetime],
    conditions: Sequence[ColumnElement[bool]],
) -> Sequence[Row]:
    return db.session.execute(
        select(
            Enrolment.id,
            Enrolment.supporter_id,
            Enrolment.clinician_id,
            Enrolment.service_id,
            since.label("since"),
        )
        .join(Account, Account.id == Enrolment.patient_id)
        .where(Enrolment.service_id == service_id, *conditions)
        .order_by(Enrolment.id)
    ).all()


def _tell(row: Row, marks: Sequence[Mark], now: datetime) -> int:
    """Owes the newest mark that has passed; its key makes it one for this quiet time."""
    passed = [mark for mark in marks if row.since <= now - timedelta(days=mark[1])]
    name, days, whom = passed[-1]
    key = f"{name}:{row.id}:{row.since:%Y%m%d}"
    if has_reminder(key):
        return 0
    owe_reminder(
        key=key,
        kind=ReminderKind.STAFF_CALL_TASK,
        recipient_id=whom(row),
        service_id=row.service_id,
        subject=f"enrolment:{row.id}",
        context=f"enrolment:{row.id}",
        due_at=now,
        expires_at=now + timedelta(days=days),
        now=now,
    )
    return 1
