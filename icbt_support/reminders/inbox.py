"""Delivery inside the app: the inbox row and the settled reminder are one transaction, so it happens exactly
once.
"""

from datetime import datetime

from sqlalchemy import insert, update

from icbt_support.db import db
from icbt_support.id_lists import among
from icbt_support.reminders.due import due_reminders, judge_due, reminders, settle_verdicts
from icbt_support.reminders.models import InboxItem
from icbt_support.reminders.rules import Channel, ReminderState
from icbt_support.reminders.verdicts import Decision, Judge


def deliver_to_inboxes(judge: Judge, *, limit: int, now: datetime) -> tuple[int, int]:
    """Puts up to `limit` due reminders in their inboxes. Returns how many were looked at and how many
    arrived.
    """
    connection = db.session.connection()
    due = due_reminders(connection, Channel.INBOX, limit, now)
    if not due:
        return 0, 0
    verdicts = judge_due(judge, due, now).verdicts
    settle_verdicts(connection, due, verdicts, now)
    wanted = [row for row in due if verdicts[row.id].decision is Decision.SEND]
    if not wanted:
        return len(due), 0
    connection.execute(
        insert(InboxItem.__table__),
        [
            {
                "reminder_id": row.id,
                "account_id": row.recipient_id,
                "service_id": row.service_id,
                "kind": row.kind,
                "subject": row.subject,
                "context": row.context,
                "arrived_at": now,
            }
            for row in wanted
        ],
    )
    connection.execute(
        update(reminders)
        .where(among(reminders.c.id, [row.id for row in wanted]), reminders.c.state == ReminderState.OWED)
        .values(state=ReminderState.HANDED_OVER, settled_at=now)
    )
    return len(due), len(wanted)
