"""The thread: undated words, either way."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
from icbt_support.db import (
    Base,
    EncryptedText,
    Erasure,
    Keep,
    RowId,
    Subject,
    UtcDateTime,
    WithId,
    care,
    refuse_changes,
    text_enum,
)
from icbt_support.enrolments.models import Enrolment


class MessageKind(StrEnum):
    MESSAGE = "message"
    QUESTION = "question"
    WELCOME = "welcome"
    CORRECTION = "correction"
    NOTE = "note"


class Message(WithId, Base):
    """One message. Its words never change; reading, answering and being late are what happens to it.

    A question stays in the review workspace until `answered_at`. `posted_key` makes a double click one row.
    """

    __tablename__ = "messages"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    author_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    kind: Mapped[MessageKind] = mapped_column(text_enum(MessageKind))
    words: Mapped[str] = mapped_column(EncryptedText)
    posted_key: Mapped[str] = mapped_column(String(40))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by: Mapped[int | None] = mapped_column(BigInteger)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    author: Mapped[Account] = relationship()
    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (
        UniqueConstraint("enrolment_id", "posted_key"),
        Index("ix_messages_thread", "enrolment_id", "sent_at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


refuse_changes("messages", frozen_columns=("id", "enrolment_id", "author_id", "kind", "words", "sent_at"))
