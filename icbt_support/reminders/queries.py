"""Reads of the ledger and of the inbox."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text

from icbt_support.db import db
from icbt_support.reminders.models import InboxItem, Mailing, Reminder
from icbt_support.reminders.rules import Channel, MailingState, ReminderClass, ReminderState

_IS_OWED = text("reminders.state = 'owed'")


def next_due_at(channels: Collection[Channel] = tuple(Channel)) -> datetime | None:
    """When the earliest owed reminder is due: one probe of the partial index for each channel."""
    earliest = [_earliest(channel) for channel in channels]
    return min((at for at in earliest if at is not None), default=None)


def _earliest(channel: Channel) -> datetime | None:
    # ORDER BY and LIMIT, not min(): a prepared min() or a bare filter turned into a full scan on PostgreSQL.
    return db.session.scalar(
        select(Reminder.due_at)
        .where(_IS_OWED, Reminder.channel == channel)
        .order_by(Reminder.due_at)
        .limit(1)
    )


def ledger_of(
    *,
    since: datetime,
    until: datetime,
    context: str | None = None,
    recipient_id: int | None = None,
    classes: Collection[ReminderClass] | None = None,
    channel: Channel = Channel.EMAIL,
) -> list[Reminder]:
    """What was sent, held back, withdrawn or is owed in a stretch of time, newest first, one channel's
    rows.
    """
    chosen: list[ColumnElement[bool]] = [
        Reminder.channel == channel,
        Reminder.due_at >= since,
        Reminder.due_at < until,
    ]
    if context is not None:
        chosen.append(Reminder.context == context)
    if recipient_id is not None:
        chosen.append(Reminder.recipient_id == recipient_id)
    if classes is not None:
        chosen.append(Reminder.reminder_class.in_(list(classes)))
    rows = select(Reminder).where(*chosen).order_by(Reminder.due_at.desc(), Reminder.id.desc())
    return list(db.session.scalars(rows))


def coming(
    recipient_id: int, *, now: datetime, classes: Collection[ReminderClass], limit: int = 20
) -> list[Reminder]:
    """Emails that are owed to a person, soonest first."""
    return list(
        db.session.scalars(
            select(Reminder)
            .where(
                Reminder.recipient_id == recipient_id,
                Reminder.channel == Channel.EMAIL,
                Reminder.state.in_([ReminderState.OWED, ReminderState.CLAIMED]),
                Reminder.reminder_class.in_(list(classes)),
            )
            .order_by(Reminder.due_at, Reminder.id)
            .limit(limit)
        )
    )


def has_reminder(key: str) -> bool:
    """Whether anything was ever owed under this key, whatever became of it."""
    return db.session.scalar(select(Reminder.id).where(Reminder.key == key).limit(1)) is not None


def find_reminder(reminder_id: int) -> Reminder | None:
    """One row by its number: only for a link whose token proves that it may be seen."""
    return db.session.get(Reminder, reminder_id)


def queue_of(service_id: int, *, since: datetime, limit: int, offset: int = 0) -> list[Reminder]:
    """A service's emails that are owed, and those that came to their end since: in order of their due
    time.
    """
    return list(
        db.session.scalars(
            select(Reminder)
            .where(*_in_queue(service_id, since))
            .order_by(Reminder.due_at, Reminder.id)
            .limit(limit)
            .offset(offset)
        )
    )


def queue_length(service_id: int, *, since: datetime) -> int:
    return db.session.scalar(select(func.count(Reminder.id)).where(*_in_queue(service_id, since))) or 0


def _in_queue(service_id: int, since: datetime) -> tuple[ColumnElement[bool], ...]:
    not_sent = (ReminderState.HELD_BACK, ReminderState.FAILED, ReminderState.EXPIRED)
    return (
        Reminder.service_id == service_id,
        Reminder.channel == Channel.EMAIL,
        or_(
            Reminder.state.in_([ReminderState.OWED, ReminderState.CLAIMED]),
            and_(Reminder.state.in_(not_sent), Reminder.settled_at >= since),
        ),
    )


def inbox_of(account_id: int, *, limit: int = 50) -> list[InboxItem]:
    """A person's inbox, newest first."""
    return list(
        db.session.scalars(
            select(InboxItem)
            .where(InboxItem.account_id == account_id)
            .order_by(InboxItem.arrived_at.desc(), InboxItem.id.desc())
            .limit(limit)
        )
    )


def unread_count(account_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(InboxItem)
            .where(InboxItem.account_id == account_id, text("inbox_items.read_at IS NULL"))
        )
        or 0
    )


@dataclass(frozen=True)
class QueueHealth:
    """How the queue stands: what is due and not settled, what failed, whose leases ran out."""

    due: int
    oldest_due_at: datetime | None
    waiting: int
    failed: int


def queue_health(*, now: datetime, failures_since: datetime) -> QueueHealth:
    oldest = next_due_at()
    due = db.session.scalar(
        select(func.count())
        .select_from(Reminder)
        .where(_IS_OWED, Reminder.channel.in_(list(Channel)), Reminder.due_at <= now)
    )
    failed = db.session.scalar(
        select(func.count())
        .select_from(Reminder)
        .where(
            Reminder.state.in_([ReminderState.FAILED, ReminderState.BOUNCED]),
            Reminder.settled_at >= failures_since,
        )
    )
    waiting = db.session.scalar(
        select(func.count()).select_from(Mailing).where(Mailing.state == MailingState.WAITING)
    )
    return QueueHealth(
        due=due or 0,
        oldest_due_at=oldest if oldest is not None and oldest <= now else None,
        waiting=waiting or 0,
        failed=failed or 0,
    )


def oldest_due_seconds(now: datetime) -> float:
    """How long the oldest due reminder has been waiting; 0 when nothing is due."""
    oldest = next_due_at()
    return max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
