"""What we owe a person's inbox. References only: never rendered text, never clinical content."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import (
    Base,
    Erasure,
    Keep,
    RowId,
    Subject,
    UtcDateTime,
    WithId,
    care,
    is_one_of,
    often_changed_enum,
    text_enum,
)
from icbt_support.reminders.rules import Channel, MailingState, ReminderClass, ReminderKind, ReminderState


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Mailing(WithId, Base):
    """One email to one person. Whatever happens to it, it is sent under the same Message-ID.

    `prompt_on` and `prompt_number` are the place that a prompt takes in its recipient's local day: unique,
    so that two workers cannot race one person's caps.
    """

    __tablename__ = "mailings"

    recipient_id: Mapped[int] = mapped_column(BigInteger)
    service_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    local_on: Mapped[date]
    prompt_on: Mapped[date | None]
    prompt_number: Mapped[int | None]
    state: Mapped[MailingState] = mapped_column(often_changed_enum(MailingState))
    attempt: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(String(80), default="")
    claim_token: Mapped[str] = mapped_column(String(32), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reply: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    handed_over_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_mailings_lease", "lease_until", **_only_where("state = 'claimed'")),
        Index("ix_mailings_claim_token", "claim_token", **_only_where("state = 'claimed'")),
        Index("ix_mailings_waiting", "id", **_only_where("state = 'waiting'")),
        Index(
            "uq_mailings_prompt",
            "recipient_id",
            "prompt_on",
            "prompt_number",
            unique=True,
            **_only_where("prompt_on IS NOT NULL"),
        ),
        is_one_of("state", MailingState),
        care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.DELETE),
    )


class Reminder(WithId, Base):
    """One thing we owe one person through one channel.

    `due_at` is the one column that planning, quiet hours and back-off move; `first_due_at` is where it began.
    The wall time is kept as it was chosen, so that `due_at` can be computed again when the person's zone
    changes.
    """

    __tablename__ = "reminders"

    key: Mapped[str] = mapped_column(String(120))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))
    kind: Mapped[ReminderKind] = mapped_column(text_enum(ReminderKind))
    reminder_class: Mapped[ReminderClass] = mapped_column(text_enum(ReminderClass))
    recipient_id: Mapped[int] = mapped_column(BigInteger)
    service_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(80))
    context: Mapped[str] = mapped_column(String(60))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    wall_on: Mapped[date | None]
    wall_at: Mapped[time | None]
    wall_zone: Mapped[str | None] = mapped_column(String(60))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[ReminderState] = mapped_column(
        often_changed_enum(ReminderState), default=ReminderState.OWED
    )
    reason: Mapped[str] = mapped_column(String(120), default="")
    reason_about_id: Mapped[int | None] = mapped_column(BigInteger)
    reason_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    mailing_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("mailings.id"))
    nonce: Mapped[str] = mapped_column(String(32))
    owed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("key", "channel"),
        Index("ix_reminders_due", "channel", "due_at", **_only_where("state = 'owed'")),
        Index("ix_reminders_mailing", "mailing_id", **_only_where("mailing_id IS NOT NULL")),
        Index("ix_reminders_recipient", "recipient_id", "due_at"),
        Index("ix_reminders_context", "context", "due_at"),
        Index("ix_reminders_subject", "subject"),
        is_one_of("state", ReminderState),
        care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.DELETE),
    )


class InboxItem(WithId, Base):
    """A reminder as it stands in a person's inbox in the app: written once, in the transaction that settles
    it.
    """

    __tablename__ = "inbox_items"

    reminder_id: Mapped[int] = mapped_column(RowId, ForeignKey("reminders.id"), unique=True)
    account_id: Mapped[int] = mapped_column(BigInteger)
    service_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[ReminderKind] = mapped_column(text_enum(ReminderKind))
    subject: Mapped[str] = mapped_column(String(80))
    context: Mapped[str] = mapped_column(String(60))
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_inbox_items_account", "account_id", "arrived_at"),
        Index("ix_inbox_items_unread", "account_id", **_only_where("read_at IS NULL")),
        care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.DELETE),
    )
