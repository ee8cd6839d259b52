"""Claiming due emails: judged, folded into mailings and leased in one short transaction. Callers commit."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, text, update

from icbt_support.db import db
from icbt_support.id_lists import among
from icbt_support.reminders.due import due_reminders, judge_due, mailings, settle_verdicts
from icbt_support.reminders.folding import Parcel, fold, without_prompt
from icbt_support.reminders.many_rows import insert_mailings, link_reminders
from icbt_support.reminders.rules import Channel, MailingState, ReminderClass
from icbt_support.reminders.verdicts import Decision, DueReminder, Judge, Judgement

LEASE = timedelta(seconds=60)
_SEND, _PROMPT = Decision.SEND, ReminderClass.PROMPT


class ClaimedMailing(NamedTuple):
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


@dataclass(frozen=True)
class _Lease:
    token: str
    worker: str
    now: datetime
    until: datetime


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
    lease = _Lease(secrets.token_hex(16), worker[:80], now, real_now + LEASE)
    due = due_reminders(connection, Channel.EMAIL, limit, now)
    if not due:
        return Claim(lease.token, [])
    judgement = judge_due(judge, due, now)
    wanted = [row for row in due if judgement.verdicts[row.id].decision is _SEND]
    claimed = _claim_again(connection, [row for row in wanted if row.mailing_id is not None], lease)
    fresh = [row for row in wanted if row.mailing_id is None]
    folded = fold(fresh, judgement.recipients, _prompts_sent(connection, fresh, judgement))
    judgement.verdicts.update(folded.held_back)
    claimed += _claim_parcels(connection, folded.parcels, lease, message_domain, judgement)
    link_reminders(connection, {row.id: mailing.id for mailing in claimed for row in mailing.reminders})
    settled, put_off = settle_verdicts(connection, due, judgement.verdicts, now)
    return Claim(lease.token, claimed, settled, put_off)


def _prompts_sent(
    connection: Connection, fresh: Sequence[DueReminder], judgement: Judgement
) -> dict[int, list[date]]:
    """The local days of the prompts that these people got in the last seven days."""
    people = {row.recipient_id for row in fresh if row.reminder_class is _PROMPT}
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
    return claimed


def _write_mailings(
    connection: Connection, parcels: Sequence[Parcel], lease: _Lease, domain: str
) -> tuple[list[ClaimedMailing], list[Parcel]]:
    """The mailings of these parcels, and the parcels whose prompt another worker was quicker with."""
    by_message_id = dict(zip(_new_message_ids(len(parcels), domain), parcels, strict=True))
    numbers = insert_mailings(
        connection,
        [_row_of(parcel, message_id) for message_id, parcel in by_message_id.items()],
        worker=lease.worker,
        token=lease.token,
        lease_until=lease.until,
        now=lease.now,
    )
    written: list[ClaimedMailing] = []
    refused: list[Parcel] = []
    for message_id, parcel in by_message_id.items():
        number = numbers.get(message_id)
        if number is None:
            refused.append(parcel)
            continue
        rows = tuple(parcel.reminders)
        written.append(ClaimedMailing(number, message_id, parcel.recipient_id, parcel.service_id, 1, rows))
    return written, refused


def _new_message_ids(count: int, domain: str) -> list[str]:
    """128 random bits for the batch, then each mail's place: so they lie side by side in their index."""
    batch = secrets.token_hex(16)
    return [f"{batch}.{place}@{domain}" for place in range(count)]


def _row_of(parcel: Parcel, message_id: str) -> tuple[int, int | None, str, str, str | None, int | None]:
    on = parcel.local_on.isoformat()
    prompt_on = None if parcel.prompt_number is None else on
    return (parcel.recipient_id, parcel.service_id, message_id, on, prompt_on, parcel.prompt_number)


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
    )
    return [ClaimedMailing._make((*mailing, tuple(of_mailing[mailing.id]))) for mailing in taken.all()]
