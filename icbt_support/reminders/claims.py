"""Claiming due emails: judged, folded into mailings and leased in one short transaction. Callers commit."""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, TextClause, bindparam, select, text, update

from icbt_support.db import UtcDateTime, db
from icbt_support.reminders.folding import Parcel, fold, without_prompt
from icbt_support.reminders.id_lists import among
from icbt_support.reminders.models import Mailing, Reminder
from icbt_support.reminders.rules import Channel, MailingState, ReminderState
from icbt_support.reminders.verdicts import (
    Decision,
    DueReminder,
    Judge,
    Judgement,
    Verdict,
    expired,
)

LEASE = timedelta(seconds=60)

reminders = Reminder.__table__
mailings = Mailing.__table__
# Written out, because a partial index is only used when its condition stands in the statement itself.
IS_OWED = text("reminders.state = 'owed'")
_COLUMNS = [reminders.c[name] for name in DueReminder._fields]
_STATE_AFTER = {
    Decision.HOLD_BACK: ReminderState.HELD_BACK,
    Decision.WITHDRAW: ReminderState.WITHDRAWN,
    Decision.EXPIRE: ReminderState.EXPIRED,
}


_OF_EACH = ("recipient_id", "service_id", "message_id", "local_on", "prompt_on", "prompt_number")


def _insert_mailings(rows: str, columns: str) -> TextClause:
    """All mailings of a claim in one statement; a prompt whose place is taken is left out."""
    statement = text(
        f"INSERT INTO mailings ({', '.join(_OF_EACH)}, state, attempt, claimed_by, claim_token, lease_until, "  # noqa: S608 (our own words)
        f"reply, created_at) SELECT {columns}, 'claimed', 1, :worker, :token, :lease_until, '', :now "
        f"FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING id, message_id"
    )
    instants = (bindparam("lease_until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))
    return statement.bindparams(*instants)


_INSERT_MAILINGS = {
    "sqlite": _insert_mailings(
        "json_each(:rows)", ", ".join(f"json_extract(value, '$.{name}')" for name in _OF_EACH)
    ),
    "postgresql": _insert_mailings(
        "jsonb_to_recordset(CAST(:rows AS jsonb)) AS parcel(recipient_id bigint, service_id bigint, "
        "message_id text, local_on date, prompt_on date, prompt_number int)",
        ", ".join(_OF_EACH),
    ),
}


@dataclass(frozen=True, slots=True)
class ClaimedMailing:
    """One email that this worker, and for now nobody else, may send."""

    id: int
    message_id: str
    recipient_id: int
    service_id: int | None
    attempt: int
    reminders: tuple[DueReminder, ...]


@dataclass(frozen=True)
class Claim:
    """One batch: its token proves to the database that this worker still holds it."""

    token: str
    mailings: list[ClaimedMailing]
    held_back: int = 0
    put_off: int = 0


def claim_emails(
    judge: Judge,
    *,
    worker: str,
    message_domain: str,
    limit: int,
    now: datetime,
    real_now: datetime,
) -> Claim:
    """Takes up to `limit` due emails, and whatever else is due to the same people.

    What is not wanted any more, capped or too late is settled here, with its reason.
    """
    connection = db.session.connection()
    token = secrets.token_hex(16)
    due = due_reminders(connection, Channel.EMAIL, limit, now)
    if not due:
        return Claim(token, [])
    judgement = judge_due(judge, due, now)
    wanted = [row for row in due if judgement.verdicts[row.id].decision is Decision.SEND]
    lease = _Lease(token, worker, now, real_now + LEASE)
    claimed = _claim_again(connection, [row for row in wanted if row.mailing_id is not None], lease)
    fresh = [row for row in wanted if row.mailing_id is None]
    folded = fold(fresh, judgement.recipients, _prompts_sent(connection, fresh, judgement))
    judgement.verdicts.update(folded.held_back)
    claimed += _claim_parcels(connection, folded.parcels, lease, message_domain, judgement)
    settled, put_off = settle_verdicts(connection, due, judgement.verdicts, now)
    return Claim(token, claimed, settled, put_off)


def due_reminders(connection: Connection, channel: Channel, limit: int, now: datetime) -> list[DueReminder]:
    """The oldest due rows of a channel, and every other due row of the people they are for, locked."""
    is_due = (IS_OWED, reminders.c.channel == channel, reminders.c.due_at <= now)
    people = select(reminders.c.recipient_id).where(*is_due)
    people = _lock(people.order_by(reminders.c.due_at, reminders.c.id).limit(limit), connection)
    oldest = people.cte("oldest").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = select(*_COLUMNS).where(*is_due, reminders.c.recipient_id.in_(select(oldest.c.recipient_id)))
    rows = _lock(rows.order_by(reminders.c.due_at, reminders.c.id), connection)
    return [DueReminder._make(row) for row in connection.execute(rows)]


def _lock(statement: Select[Any], connection: Connection) -> Select[Any]:
    """Row locks that skip (PostgreSQL). SQLite's write lock, taken when the transaction began, does the
    same.
    """
    if connection.dialect.name == "sqlite":
        return statement
    return statement.with_for_update(skip_locked=True, of=reminders)


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
        if verdict.decision is not Decision.SEND:
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


@dataclass(frozen=True)
class _Lease:
    token: str
    worker: str
    now: datetime
    until: datetime


def _prompts_sent(
    connection: Connection, fresh: Sequence[DueReminder], judgement: Judgement
) -> dict[int, list[date]]:
    people = {row.recipient_id for row in fresh if row.reminder_class == "prompt"}
    if not people:
        return {}
    since = min(judgement.recipients[person].local_on for person in people) - timedelta(days=7)
    sent: dict[int, list[date]] = defaultdict(list)
    for person, on in connection.execute(
        select(mailings.c.recipient_id, mailings.c.prompt_on).where(
            text("mailings.prompt_on IS NOT NULL"),
            among(mailings.c.recipient_id, people),
            mailings.c.prompt_on > since,
        )
    ):
        sent[person].append(on)
    return sent


def _claim_parcels(
    connection: Connection, parcels: list[Parcel], lease: _Lease, domain: str, judgement: Judgement
) -> list[ClaimedMailing]:
    claimed: list[ClaimedMailing] = []
    while parcels:
        written, refused = _write_mailings(connection, parcels, lease, domain)
        claimed += written
        parcels = []
        for parcel in refused:
            left, held_back = without_prompt(parcel)
            judgement.verdicts.update(held_back)
            if left.reminders:
                parcels.append(left)
    link_reminders(connection, [(row.id, mailing.id) for mailing in claimed for row in mailing.reminders])
    return claimed


def _write_mailings(
    connection: Connection, parcels: list[Parcel], lease: _Lease, domain: str
) -> tuple[list[ClaimedMailing], list[Parcel]]:
    by_message_id = {f"{secrets.token_hex(16)}@{domain}": parcel for parcel in parcels}
    rows = [
        {
            "recipient_id": parcel.recipient_id,
            "service_id": parcel.service_id,
            "message_id": message_id,
            "local_on": parcel.local_on.isoformat(),
            "prompt_on": parcel.local_on.isoformat() if parcel.prompt_number is not None else None,
            "prompt_number": parcel.prompt_number,
        }
        for message_id, parcel in by_message_id.items()
    ]
    found = connection.execute(
        _INSERT_MAILINGS[connection.dialect.name],
        {
            "rows": json.dumps(rows),
            "worker": lease.worker[:80],
            "token": lease.token,
            "lease_until": lease.until,
            "now": lease.now,
        },
    )
    written: list[ClaimedMailing] = []
    for mailing_id, message_id in found.all():
        parcel = by_message_id.pop(message_id)
        due = tuple(parcel.reminders)
        written.append(ClaimedMailing(mailing_id, message_id, parcel.recipient_id, parcel.service_id, 1, due))
    return written, list(by_message_id.values())


def _claim_again(connection: Connection, rows: Sequence[DueReminder], lease: _Lease) -> list[ClaimedMailing]:
    """Mailings that wait for their next try: the same rows under the same Message-ID."""
    of_mailing: dict[int, list[DueReminder]] = defaultdict(list)
    for row in rows:
        if row.mailing_id is not None:
            of_mailing[row.mailing_id].append(row)
    if not of_mailing:
        return []
    taken = connection.execute(
        update(mailings)
        .where(among(mailings.c.id, of_mailing), mailings.c.state == MailingState.WAITING)
        .values(
            state=MailingState.CLAIMED,
            attempt=mailings.c.attempt + 1,
            claimed_by=lease.worker,
            claim_token=lease.token,
            lease_until=lease.until,
        )
        .returning(
            mailings.c.id,
            mailings.c.message_id,
            mailings.c.recipient_id,
            mailings.c.service_id,
            mailings.c.attempt,
        )
    ).all()
    claimed = [
        ClaimedMailing(
            id=mailing.id,
            message_id=mailing.message_id,
            recipient_id=mailing.recipient_id,
            service_id=mailing.service_id,
            attempt=mailing.attempt,
            reminders=tuple(of_mailing[mailing.id]),
        )
        for mailing in taken
    ]
    link_reminders(connection, [(row.id, mailing.id) for mailing in claimed for row in mailing.reminders])
    return claimed


def link_reminders(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Marks reminders as claimed and names the mailing that each of them goes out in."""
    if pairs:
        connection.execute(_LINK[connection.dialect.name], {"pairs": json.dumps(pairs)})


def _link(pairs: str) -> TextClause:
    return text(
        "UPDATE reminders SET state = 'claimed', attempt = attempt + 1, mailing_id = chosen.mailing_id "  # noqa: S608 (our own words)
        f"FROM ({pairs}) AS chosen WHERE reminders.id = chosen.id AND reminders.state = 'owed'"
    )


_LINK = {
    "sqlite": _link(
        "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS mailing_id "
        "FROM json_each(:pairs)"
    ),
    "postgresql": _link(
        "SELECT CAST(value ->> 0 AS bigint) AS id, CAST(value ->> 1 AS bigint) AS mailing_id "
        "FROM jsonb_array_elements(CAST(:pairs AS jsonb))"
    ),
}
