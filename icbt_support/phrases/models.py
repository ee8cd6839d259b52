"""A phrase and each letter in which it was sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

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
)


class Phrase(WithId, Base):
    """A piece of a letter. `owner_id` is the supporter whose own it is; None: the service's, for all its
    supporters. A removed phrase stays, because letters were sent with it.
    """

    __tablename__ = "phrases"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    posted_key: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(EncryptedText)
    words: Mapped[str] = mapped_column(EncryptedText)
    created_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("created_by", "posted_key"),
        care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class PhraseUse(WithId, Base):
    """One letter that was sent with one phrase in it, by whom."""

    __tablename__ = "phrase_uses"

    phrase_id: Mapped[int] = mapped_column(RowId, ForeignKey("phrases.id"))
    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    used_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("phrase_id", "review_id"),
        Index("ix_phrase_uses_phrase_person", "phrase_id", "used_by", "used_at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )
