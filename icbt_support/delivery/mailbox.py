"""The development mailbox: a channel that keeps mails in a table, shown at /dev/mailbox."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support import clock
from icbt_support.db import apart, db
from icbt_support.delivery.channel import IsStillWanted, Mail, Outcome, Result
from icbt_support.delivery.models import MailboxMail

BATCH = 50


class MailboxChannel:
    """Takes every mail; the same Message-ID twice is one mail."""

    def open(self) -> None:
        """A mailbox is always open."""

    def close(self) -> None:
        """There is nothing to close."""

    def deliver(self, mails: Iterable[Mail], is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        batch: list[Mail] = []
        for mail in mails:
            batch.append(mail)
            if len(batch) == BATCH:
                yield from _keep(batch)
                batch = []
        yield from _keep(batch)


def _keep(batch: list[Mail]) -> Iterator[Outcome]:
    if not batch:
        return
    rows = [
        {"message_id": mail.message_id, "address": mail.address, "data": mail.data, "arrived_at": clock.now()}
        for mail in batch
    ]
    with apart() as connection:
        dialect_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(dialect_insert(MailboxMail).on_conflict_do_nothing(), rows)
    for mail in batch:
        yield Outcome(mail.reference, Result.ACCEPTED, "kept in the mailbox")


class KeptMail(NamedTuple):
    """A mail of the mailbox, taken apart for showing."""

    id: int
    address: str
    arrived_at: datetime
    sender: str
    subject: str
    message_id: str
    plain: str
    html: str


def mails_in_mailbox(limit: int = 100) -> list[KeptMail]:
    """The newest first."""
    rows = db.session.scalars(select(MailboxMail).order_by(MailboxMail.id.desc()).limit(limit))
    return [_taken_apart(row) for row in rows]


def mail_in_mailbox(mail_id: int) -> KeptMail | None:
    row = db.session.get(MailboxMail, mail_id)
    return None if row is None else _taken_apart(row)


def _taken_apart(row: MailboxMail) -> KeptMail:
    message = message_from_bytes(row.data, policy=policy.default)
    return KeptMail(
        id=row.id,
        address=row.address,
        arrived_at=row.arrived_at,
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        message_id=str(message["Message-ID"]),
        plain=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content())
