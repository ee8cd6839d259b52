"""Reviews: dated, owed, by a named person."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day
from icbt_support.db import (
    Base,
    EncryptedJson,
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
from icbt_support.plan.models import Week
from icbt_support.reviews.rules import CLAIM_RESTS_AFTER


class ReviewKind(StrEnum):
    WELCOME = "welcome"
    WEEKLY = "weekly"
    LAST = "last"


class ReviewState(StrEnum):
    SCHEDULED = "scheduled"
    OPEN = "open"
    DRAFTED = "drafted"
    SENT = "sent"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Review(WithId, Base):
    """One owed letter. `promised_at` is the time that the patient was told; `owner_id` the named person who
    owes it.

    scheduled → open (the supporter's slot day, or the check-in is in) → drafted → sent | missed | cancelled.
    Late is derived: unsent after `promised_at`. `told_late_at` is when the patient's page and inbox said so;
    `taken_at` is when a named person gave a new `promised_at` after that (`first_promised_at` keeps the old
    one). `pooled_at` is since when anybody of the cover pool may take it. `moved_from_on` (a day where the patient
    is) and `moved_because` are what the patient reads of a date that moved.
    """

    __tablename__ = "reviews"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    week_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("weeks.id"))
    kind: Mapped[ReviewKind] = mapped_column(text_enum(ReviewKind))
    number: Mapped[int]
    owner_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    booking_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("slot_bookings.id"))
    slot_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_on: Mapped[date]
    promised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_promised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[ReviewState] = mapped_column(text_enum(ReviewState), default=ReviewState.SCHEDULED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pooled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    moved_from_on: Mapped[date | None]
    moved_because: Mapped[str | None] = mapped_column(String(160))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    week_opened_late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    minutes: Mapped[int | None]
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_reason: Mapped[str | None] = mapped_column(EncryptedText)
    merged_into_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("reviews.id"))

    enrolment: Mapped[Enrolment] = relationship()
    week: Mapped[Week | None] = relationship()
    owner: Mapped[Account] = relationship(foreign_keys=[owner_id])
    draft: Mapped["ReviewDraft | None"] = relationship(back_populates="review")
    letter: Mapped["ReviewLetter | None"] = relationship(back_populates="review")
    held_claim: Mapped["ReviewClaim | None"] = relationship(
        primaryjoin="and_(ReviewClaim.review_id == Review.id, ReviewClaim.released_at.is_(None))",
        viewonly=True,
        uselist=False,
    )

    __table_args__ = (
        UniqueConstraint("enrolment_id", "number"),
        Index(
            "ix_reviews_owed",
            "owner_id",
            "promised_at",
            sqlite_where=text("state IN ('scheduled', 'open', 'drafted')"),
            postgresql_where=text("state IN ('scheduled', 'open', 'drafted')"),
        ),
        Index(
            "ix_reviews_owed_by_time",
            "promised_at",
            sqlite_where=text("state IN ('scheduled', 'open', 'drafted')"),
            postgresql_where=text("state IN ('scheduled', 'open', 'drafted')"),
        ),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def is_owed(self) -> bool:
        return self.state in (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)

    @property
    def promised_on(self) -> date:
        """The day that the patient was told, where the patient is."""
        return local_day(self.promised_at, self.enrolment.patient.zone)

    @property
    def named_writer(self) -> str:
        """The name by which the patient knows who writes; empty while it is with the pool."""
        return "" if self.pooled_at else self.owner.called

    @property
    def writer_called(self) -> str:
        """Who reads and writes, to begin a sentence with: nobody by name while it is with the pool."""
        return self.named_writer or f"Someone in {self.enrolment.supporter.called}'s team"

    def waits_for(self, account_id: int) -> bool:
        """Whether this colleague may take it: it is with the pool, or the pool was warned that nobody has sent it."""
        supporter_id = self.enrolment.supporter_id
        was_warned = self.warned_at is not None and self.owner_id == supporter_id
        is_open = self.is_owed and (self.pooled_at is not None or was_warned)
        return is_open and account_id not in (self.owner_id, supporter_id)

    def written_on(self, zone: str, now: datetime) -> date:
        """The day on which it is to be written, for somebody in `zone`: a late one today, one that was taken on
        the day of its new promise.
        """
        if self.is_late(now):
            return local_day(now, zone)
        return local_day(self.promised_at, zone) if self.taken_at is not None else self.due_on

    @property
    def is_told_late(self) -> bool:
        """Whether people were told that the promise which stands now was not kept."""
        return self.told_late_at is not None and self.told_late_at >= self.promised_at

    def is_late(self, now: datetime) -> bool:
        return self.is_owed and now >= self.promised_at


class ReviewDraft(WithId, Base):
    """The letter as it is being written since `begun_at`. `version` refuses a stale save."""

    __tablename__ = "review_drafts"

    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"), unique=True)
    author_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    version: Mapped[int] = mapped_column(default=1)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    previewed_version: Mapped[int | None]
    previewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    review: Mapped[Review] = relationship(back_populates="draft")

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)
    # The database itself refuses to write over a version that was not read.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class ReviewClaim(WithId, Base):
    """Who is writing a review now; one person at a time. It is seen by colleagues and never keeps them from
    reading.

    It ends by hand (`released_at`), with the letter, or when its holder leaves. One that has rested for a while
    may be taken over by a colleague; the draft stays.
    """

    __tablename__ = "review_claims"

    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"))
    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_active_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()

    __table_args__ = (
        Index(
            "uq_review_claims_held",
            "review_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    def is_active(self, now: datetime) -> bool:
        """Whether the holder was seen writing so lately that nobody may take over."""
        return self.released_at is None and now < self.last_active_at + CLAIM_RESTS_AFTER


class KeptText(WithId, Base):
    """A text that could not be saved over a newer one: kept for its author, word for word.

    `settled_at` is when the author chose what of it goes into the letter; the text stays.
    """

    __tablename__ = "kept_texts"

    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"), index=True)
    author_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)


class ReviewLetter(WithId, Base):
    """The letter as it was sent; never changed. A mistake is mended by a correction message.

    `sections` is a list of {"heading", "words"}; the next step is columns because the plan and the strip show
    it.
    """

    __tablename__ = "review_letters"

    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"), unique=True)
    sections: Mapped[list[dict[str, str]]] = mapped_column(EncryptedJson)
    step_what: Mapped[str] = mapped_column(EncryptedText, default="")
    step_why: Mapped[str] = mapped_column(EncryptedText, default="")
    step_by_on: Mapped[date | None]
    step_by_time: Mapped[time | None]
    opens: Mapped[str] = mapped_column(String(80), default="")
    next_review_on: Mapped[date | None]
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    author_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))

    review: Mapped[Review] = relationship(back_populates="letter")
    author: Mapped[Account] = relationship()

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(heading, words) of each section, in order."""
        return [(section["heading"], section["words"]) for section in self.sections]


refuse_changes("review_letters")
