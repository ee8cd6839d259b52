"""What is due now: read and locked, judged, and settled where it is not to be sent. Callers commit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, select, text, update

from icbt_support.db import UtcDateTime
from icbt_support.id_lists import among
from icbt_support.reminders.models import Mailing, Reminder
from icbt_support.reminders.rules import Channel, ReminderState
from icbt_support.reminders.verdicts import Decision, DueReminder, Judge, Judgement, Verdict, expired
from icbt_support.reminders.whole_results import WholeResult

reminders = Reminder.__table__
mailings = Mailing.__table__
# Written out, because a partial index is only used when its condition stands in the statement itself.
IS_OWED = text("reminders.state = 'owed'")
_SEND = Decision.SEND
_BY_AGE = attrgetter("due_at", "id")
_COLUMNS = [reminders.c[name] for name in DueReminder._fields]
_STATE_AFTER = {
    Decision.HOLD_BACK: ReminderState.HELD_BACK,
    Decision.WITHDRAW: ReminderState.WITHDRAWN,
    Decision.EXPIRE: ReminderState.EXPIRED,
}


def due_reminders(connection: Connection, channel: Channel, limit: int, now: datetime) -> list[DueReminder]:
    """The oldest due rows of a channel, and every other due row of the people they are for, locked.

    The oldest come first; they are sorted here, since SQLite takes far longer for it.
    """
    values = {"channel": channel, "now": now, "limit": limit}
    return sorted(map(DueReminder._make, _DUE.rows(connection, values)), key=_BY_AGE)


def _due_with_the_rest_of_their_people() -> WholeResult:
    is_due = (
        IS_OWED,
        reminders.c.channel == bindparam("channel", type_=reminders.c.channel.type),
        reminders.c.due_at <= bindparam("now", type_=UtcDateTime()),
    )
    people = (
        select(reminders.c.recipient_id)
        .where(*is_due)
        .order_by(reminders.c.due_at, reminders.c.id)
        .limit(bindparam("limit", type_=Integer()))
    )
    oldest = _lock(people).cte("oldest").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = select(*_COLUMNS).where(*is_due, reminders.c.recipient_id.in_(select(oldest.c.recipient_id)))
    return WholeResult(_lock(rows))


def _lock(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Row locks that skip (PostgreSQL). SQLite's write lock, taken when the transaction began, does the
    same.
    """
    return statement.with_for_update(skip_locked=True, of=reminders)


_DUE = _due_with_the_rest_of_their_people()


def judge_due(judge: Judge, due: Sequence[DueReminder], now: datetime) -> Judgement:
    too_late = expired(due, now)
    judgement = judge([row for row in due if row.id not in too_late], now)
    judgement.verdicts.update(too_late)
    return judgement


def settle_verdicts(
    connection: Connection, due: Iterable[DueReminder], verdicts: Mapping[int, Verdict], now: datetime
) -> tuple[int, int]:
    """Writes what is not sent. Returns how many are done with (held back, withdrawn, expired) and how many
    put off.
    """
    alike: dict[Verdict, list[int]] = defaultdict(list)
    for row in due:
        verdict = verdicts[row.id]
        if verdict.decision is not _SEND:
            alike[verdict].append(row.id)
    settled = put_off = 0
    for verdict, ids in alike.items():
        change = update(reminders).where(among(reminders.c.id, ids), reminders.c.state == ReminderState.OWED)
        if verdict.decision is Decision.PUT_OFF:
            connection.execute(change.values(due_at=verdict.until, reason=verdict.reason))
            put_off += len(ids)
            continue
        connection.execute(
            change.values(
                state=_STATE_AFTER[verdict.decision],
                reason=verdict.reason[:120],
                reason_about_id=verdict.about_id,
                reason_at=verdict.about_at,
                settled_at=now,
            )
        )
        settled += len(ids)
    return settled, put_off
