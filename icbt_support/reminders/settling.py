"""What becomes of claimed mailings. Every change is one conditional update; callers commit.

A worker settles only what it still holds (its token), or what was taken from it and nobody has taken up
since.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, text, update

from icbt_support.db import db
from icbt_support.id_lists import ID_LIST, MAILING_ID_LIST, among
from icbt_support.reminders.claims import LEASE
from icbt_support.reminders.due import IS_OWED, mailings, reminders
from icbt_support.reminders.many_rows import hand_over_mailings
from icbt_support.reminders.rules import MailingState, Reason, ReminderState, next_try
from icbt_support.reminders.whole_results import WholeResult

_REPLY_LENGTH = 200
_HOLDER = (
    select(mailings.c.claim_token)
    .where(mailings.c.id == reminders.c.mailing_id, text("mailings.state = 'claimed'"))
    .scalar_subquery()
)
# Asked for every fifty mails, so it is built once; not a join, or SQLite walks all mailings of the token each time.
_STILL_WANTED = WholeResult(
    select(reminders.c.id).where(
        among(reminders.c.id, ID_LIST),
        text("reminders.state = 'claimed'"),
        bindparam("token") == _HOLDER,
    )
)


# Counted, since nearly always nothing has changed. The token stands in a function, or SQLite goes by its index and
# walks all mailings of the token each time.
_STILL_WANTED_COUNTS = select(
    select(func.count())
    .where(among(reminders.c.id, ID_LIST), text("reminders.state = 'claimed'"))
    .scalar_subquery(),
    select(func.count())
    .where(
        among(mailings.c.id, MAILING_ID_LIST),
        text("mailings.state = 'claimed'"),
        func.coalesce(mailings.c.claim_token, "") == bindparam("token"),
    )
    .scalar_subquery(),
)


# Locked until the caller commits: by the rows' locks, or by SQLite's write lock.
_STILL_HELD = WholeResult(
    select(mailings.c.id)
    .where(
        among(mailings.c.id, ID_LIST),
        or_(
            and_(mailings.c.state == MailingState.CLAIMED, mailings.c.claim_token == bindparam("token")),
            mailings.c.state == MailingState.WAITING,
        ),
    )
    .order_by(mailings.c.id)
    .with_for_update()
)


class Accepted(NamedTuple):
    """A mailing that the provider took, with the reminders that stood in it."""

    mailing_id: int
    reminder_ids: tuple[int, ...]
    reply: str


class Refusal(NamedTuple):
    mailing_id: int
    attempt: int
    reply: str


def settle_accepted(accepted: Sequence[Accepted], *, token: str, now: datetime) -> int:
    """Marks mailings and their reminders as handed over; returns how many mailings."""
    if not accepted:
        return 0
    connection = db.session.connection()
    ours = _still_held(connection, [one.mailing_id for one in accepted], token)
    replies = [(one.mailing_id, one.reply[:_REPLY_LENGTH]) for one in accepted if one.mailing_id in ours]
    hand_over_mailings(connection, replies, token=token, now=now)
    sent = [reminder_id for one in accepted if one.mailing_id in ours for reminder_id in one.reminder_ids]
    connection.execute(
        update(reminders)
        .where(
            among(reminders.c.id, sent),
            reminders.c.mailing_id.is_not(None),
            reminders.c.state.in_([ReminderState.CLAIMED, ReminderState.OWED, ReminderState.WITHDRAWN]),
        )
        .values(state=ReminderState.HANDED_OVER, reason="", settled_at=now)
    )
    return len(ours)


def settle_from_journal(lines: Sequence[tuple[int, str, str]], *, now: datetime) -> int:
    """Settles what a worker handed over and could not record before it died: (mailing, token, reply)."""
    settled = 0
    connection = db.session.connection()
    for token in {line[1] for line in lines}:
        replies = {line[0]: line[2] for line in lines if line[1] == token}
        rows = connection.execute(
            select(reminders.c.mailing_id, reminders.c.id).where(
                among(reminders.c.mailing_id, replies),
                reminders.c.state.in_([ReminderState.CLAIMED, ReminderState.OWED]),
            )
        ).all()
        sent: dict[int, list[int]] = {mailing_id: [] for mailing_id in replies}
        for mailing_id, reminder_id in rows:
            sent[mailing_id].append(reminder_id)
        settled += settle_accepted(
            [Accepted(mailing_id, tuple(ids), replies[mailing_id]) for mailing_id, ids in sent.items()],
            token=token,
            now=now,
        )
    return settled


def are_all_still_wanted(
    connection: Connection, reminder_ids: Collection[int], mailing_ids: Collection[int], token: str
) -> bool:
    """Whether nobody has withdrawn any of these claimed reminders, and this worker still holds their mailings."""
    values = {"ids": reminder_ids, "mailing_ids": mailing_ids, "token": token}
    counted = connection.execute(_STILL_WANTED_COUNTS, values).one()
    return tuple(counted) == (len(reminder_ids), len(mailing_ids))


def still_wanted(connection: Connection, reminder_ids: Collection[int], token: str) -> set[int]:
    """Of these claimed reminders, those that nobody has withdrawn and that this worker still holds.

    Asked on a connection of the caller's own, every fifty mails.
    """
    return {row[0] for row in _STILL_WANTED.rows(connection, {"ids": reminder_ids, "token": token})}


def renew_lease(token: str, *, real_now: datetime) -> None:
    db.session.connection().execute(
        update(mailings)
        .where(text("mailings.state = 'claimed'"), mailings.c.claim_token == token)
        .values(lease_until=real_now + LEASE)
    )


def put_off(refusals: Sequence[Refusal], *, token: str, now: datetime) -> int:
    """Back to waiting for the next try, spread by the back-off; given up after a day. Returns how many were
    given up.
    """
    given_up = 0
    connection = db.session.connection()
    held = _still_held(connection, [one.mailing_id for one in refusals], token)
    for refusal in refusals:
        if refusal.mailing_id not in held:
            continue
        again_at = next_try(refusal.attempt, now)
        if again_at is None:
            _give_up(connection, refusal, Reason.TRIED_LONG_ENOUGH, now)
            given_up += 1
            continue
        _wait(connection, [refusal.mailing_id], refusal.reply)
        connection.execute(
            update(reminders)
            .where(reminders.c.mailing_id == refusal.mailing_id, reminders.c.state == ReminderState.CLAIMED)
            .values(state=ReminderState.OWED, due_at=again_at)
        )
    return given_up


def fail(refusals: Sequence[Refusal], *, token: str, now: datetime) -> None:
    """Refused for good: no try would end otherwise."""
    connection = db.session.connection()
    held = _still_held(connection, [one.mailing_id for one in refusals], token)
    for refusal in refusals:
        if refusal.mailing_id in held:
            _give_up(connection, refusal, Reason.REFUSED, now)


def release(mailing_ids: Collection[int], *, token: str, tried: bool = False) -> None:
    """Gives back what this worker did not send: still due, under the same Message-ID."""
    connection = db.session.connection()
    held = _still_held(connection, mailing_ids, token)
    _wait(connection, held, "", attempt_change=0 if tried else -1)
    _owe_again(connection, held)


def drop_empty(mailing_ids: Collection[int], *, token: str) -> None:
    """Mailings in which nothing was wanted any more at the moment of sending; a prompt's place is free
    again.
    """
    connection = db.session.connection()
    held = _still_held(connection, mailing_ids, token)
    connection.execute(update(mailings).where(among(mailings.c.id, held)).values(_DROPPED))


def has_lost_leases(*, real_now: datetime) -> bool:
    """Whether any claimed mailing's lease has run out."""
    lost = select(mailings.c.id).where(text("mailings.state = 'claimed'"), mailings.c.lease_until < real_now)
    return db.session.connection().execute(lost.limit(1)).first() is not None


def recover_leases(*, real_now: datetime) -> int:
    """Mailings of workers that have gone: due again at once, under the same Message-ID. Returns how many."""
    connection = db.session.connection()
    lost = connection.execute(
        update(mailings)
        .where(text("mailings.state = 'claimed'"), mailings.c.lease_until < real_now)
        .values(state=MailingState.WAITING, claim_token="", claimed_by="", lease_until=None)
        .returning(mailings.c.id)
    ).scalars()
    ids = list(lost)
    _owe_again(connection, ids)
    return len(ids)


def drop_abandoned() -> int:
    """Waiting mailings whose every reminder was withdrawn meanwhile. Returns how many."""
    connection = db.session.connection()
    has_owed = exists().where(
        reminders.c.mailing_id == mailings.c.id, reminders.c.state == ReminderState.OWED
    )
    result = connection.execute(
        update(mailings).where(text("mailings.state = 'waiting'"), ~has_owed).values(_DROPPED)
    )
    return int(result.rowcount)


def expire_reminders(*, now: datetime) -> int:
    """Owed rows that would be stale mail by now. Returns how many."""
    result = db.session.connection().execute(
        update(reminders)
        .where(IS_OWED, reminders.c.due_at <= now, reminders.c.expires_at <= now)
        .values(state=ReminderState.EXPIRED, reason=Reason.TOO_LATE, settled_at=now)
    )
    return int(result.rowcount)


_DROPPED = {
    "state": MailingState.DROPPED,
    "prompt_on": None,
    "prompt_number": None,
    "lease_until": None,
    "claim_token": "",
}


def _still_held(connection: Connection, mailing_ids: Collection[int], token: str) -> set[int]:
    if not mailing_ids:
        return set()
    return {row[0] for row in _STILL_HELD.rows(connection, {"ids": mailing_ids, "token": token})}


def _wait(connection: Connection, ids: Collection[int], reply: str, attempt_change: int = 0) -> None:
    connection.execute(
        update(mailings)
        .where(among(mailings.c.id, ids))
        .values(
            state=MailingState.WAITING,
            attempt=mailings.c.attempt + attempt_change,
            reply=reply[:_REPLY_LENGTH],
            claim_token="",
            claimed_by="",
            lease_until=None,
        )
    )


def _owe_again(connection: Connection, mailing_ids: Collection[int]) -> None:
    connection.execute(
        update(reminders)
        .where(among(reminders.c.mailing_id, mailing_ids), reminders.c.state == ReminderState.CLAIMED)
        .values(state=ReminderState.OWED)
    )


def _give_up(connection: Connection, refusal: Refusal, reason: Reason, now: datetime) -> None:
    connection.execute(
        update(mailings)
        .where(mailings.c.id == refusal.mailing_id)
        .values({**_DROPPED, "state": MailingState.FAILED, "reply": refusal.reply[:_REPLY_LENGTH]})
    )
    connection.execute(
        update(reminders)
        .where(reminders.c.mailing_id == refusal.mailing_id)
        .where(reminders.c.state.in_([ReminderState.CLAIMED, ReminderState.OWED]))
        .values(state=ReminderState.FAILED, reason=reason, settled_at=now)
    )
