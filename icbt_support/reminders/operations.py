"""Owing and withdrawing, in the transaction of the verb that changes the plan."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.db import db
from icbt_support.links import new_nonce
from icbt_support.reminders.models import InboxItem, Reminder
from icbt_support.reminders.rules import (
    Channel,
    ReminderKind,
    ReminderState,
    WallTime,
    channels_of,
    class_of,
    default_expiry,
)

_MAY_BE_OWED_AGAIN = (ReminderState.OWED, ReminderState.WITHDRAWN)
_MAY_BE_WITHDRAWN = (ReminderState.OWED, ReminderState.CLAIMED)


def owe_reminder(
    *,
    key: str,
    kind: ReminderKind,
    recipient_id: int,
    service_id: int | None,
    subject: str,
    context: str,
    due_at: datetime,
    now: datetime,
    expires_at: datetime | None = None,
    wall: WallTime | None = None,
    channels: Sequence[Channel] | None = None,
) -> None:
    """Owes one reminder, a row for each of its channels (those of its kind unless named).

    The key makes it one reminder: owing it again moves it while it is owed, brings it back if it was
    withdrawn, and changes nothing once it is on its way, was sent, was held back or has expired.
    """
    shared = {
        "key": key,
        "kind": kind,
        "reminder_class": class_of(kind),
        "recipient_id": recipient_id,
        "service_id": service_id,
        "subject": subject,
        "context": context,
        "due_at": due_at,
        "first_due_at": due_at,
        "wall_on": wall.on if wall else None,
        "wall_at": wall.at if wall else None,
        "wall_zone": wall.zone if wall else None,
        "expires_at": expires_at or default_expiry(kind, due_at),
        "state": ReminderState.OWED,
        "reason": "",
        "attempt": 0,
        "owed_at": now,
    }
    rows = [{**shared, "channel": channel, "nonce": new_nonce()} for channel in channels or channels_of(kind)]
    dialect_insert = sqlite.insert if db.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    insertion = dialect_insert(Reminder).values(rows)
    moved = ("subject", "context", "due_at", "first_due_at", "wall_on", "wall_at", "wall_zone", "expires_at")
    changes: dict[str, Any] = {name: insertion.excluded[name] for name in moved}
    changes |= {
        "state": ReminderState.OWED,
        "recipient_id": insertion.excluded.recipient_id,
        "reason": "",
        "reason_about_id": None,
        "reason_at": None,
        "attempt": 0,
        "mailing_id": None,
        "settled_at": None,
    }
    db.session.execute(
        insertion.on_conflict_do_update(
            index_elements=["key", "channel"], set_=changes, where=Reminder.state.in_(_MAY_BE_OWED_AGAIN)
        )
    )


def withdraw_reminders(
    *,
    now: datetime,
    reason: str,
    subject: str | None = None,
    context: str | None = None,
    kinds: Collection[ReminderKind] | None = None,
    key: str | None = None,
    recipient_id: int | None = None,
) -> int:
    """Withdraws what is still owed or on its way about a subject, key or recipient, or in a whole context.

    Rows that a worker has claimed are withdrawn too: the worker reads its claims again before it sends.
    Returns how many reminders (not rows) were withdrawn.
    """
    chosen: list[ColumnElement[bool]] = []
    for column, value in (
        (Reminder.subject, subject),
        (Reminder.context, context),
        (Reminder.key, key),
        (Reminder.recipient_id, recipient_id),
    ):
        if value is not None:
            chosen.append(column == value)
    if not chosen:
        raise ValueError("Name the subject, context, key or recipient whose reminders are withdrawn.")
    if kinds is not None:
        chosen.append(Reminder.kind.in_(list(kinds)))
    keys = db.session.scalars(
        update(Reminder)
        .where(Reminder.state.in_(_MAY_BE_WITHDRAWN), *chosen)
        .values(state=ReminderState.WITHDRAWN, reason=reason[:120], settled_at=now)
        .returning(Reminder.key)
        .execution_options(synchronize_session=False)
    ).all()
    return len(set(keys))


def recompute_due_times(recipient_id: int, *, zone: str, now: datetime) -> int:
    """After a change of zone or quiet hours: each owed reminder starts again from its wall time, in the new
    zone.

    What was put off until the end of quiet hours becomes due when it first was; the engine looks at it again.
    Returns how many rows moved.
    """
    rows = db.session.execute(
        select(
            Reminder.id,
            Reminder.wall_on,
            Reminder.wall_at,
            Reminder.wall_zone,
            Reminder.due_at,
            Reminder.first_due_at,
            Reminder.expires_at,
        ).where(
            Reminder.recipient_id == recipient_id,
            Reminder.state == ReminderState.OWED,
            Reminder.mailing_id.is_(None),
            or_(Reminder.wall_zone != zone, Reminder.due_at != Reminder.first_due_at),
        )
    ).all()
    for row in rows:
        has_moved_zone = row.wall_zone is not None and row.wall_zone != zone
        due_at = WallTime(row.wall_on, row.wall_at, zone).instant() if has_moved_zone else row.first_due_at
        expires_at = row.expires_at + (due_at - row.first_due_at) if row.expires_at else None
        db.session.execute(
            update(Reminder)
            .where(Reminder.id == row.id, Reminder.state == ReminderState.OWED)
            .values(due_at=due_at, first_due_at=due_at, expires_at=expires_at)
            .values(wall_zone=zone if has_moved_zone else row.wall_zone)
            .execution_options(synchronize_session=False)
        )
    return len(rows)


def mark_inbox_read(
    account_id: int, *, now: datetime, subject: str | None = None, item_id: int | None = None
) -> int:
    """Marks a person's unread inbox items as read: all, those about one subject, or one item."""
    chosen: list[ColumnElement[bool]] = [InboxItem.account_id == account_id, InboxItem.read_at.is_(None)]
    if subject is not None:
        chosen.append(InboxItem.subject == subject)
    if item_id is not None:
        chosen.append(InboxItem.id == item_id)
    marked = db.session.scalars(
        update(InboxItem)
        .where(*chosen)
        .values(read_at=now)
        .returning(InboxItem.id)
        .execution_options(synchronize_session=False)
    )
    return len(marked.all())
