"""Meetings, what was decided about each person in them, and letters that were read for skills."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
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
    text_enum,
)
from icbt_support.enrolments.models import Enrolment
from icbt_support.reviews.models import Review
from icbt_support.supervision.rules import FollowUp, SupervisionDecision


class SupervisionMeeting(WithId, Base):
    """One meeting of a clinician with a supporter, open from `started_at` until `ended_at`.

    A meeting that breaks off stays open, and is gone on with later; a supporter has one open meeting at most.
    """

    __tablename__ = "supervision_meetings"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    supporter_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    started_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    supporter: Mapped[Account] = relationship(foreign_keys=[supporter_id])
    starter: Mapped[Account] = relationship(foreign_keys=[started_by])

    __table_args__ = (
        Index(
            "uq_supervision_meetings_one_open",
            "service_id",
            "supporter_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        care(Subject.STAFF, Keep.CLINICAL_RECORD, Erasure.KEEP),
    )

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class SupervisionDiscussion(WithId, Base):
    """One person on a meeting's list: the reasons as they were at its start, the decision, and what came of it.

    `reasons` is a list of [reason, words]: scores, dates and answers, never what somebody typed.
    """

    __tablename__ = "supervision_discussions"

    meeting_id: Mapped[int] = mapped_column(RowId, ForeignKey("supervision_meetings.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    position: Mapped[int]
    reasons: Mapped[list[list[str]]] = mapped_column(JSON)
    decision: Mapped[SupervisionDecision | None] = mapped_column(text_enum(SupervisionDecision))
    note: Mapped[str] = mapped_column(EncryptedText, default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    follow_up: Mapped[FollowUp | None] = mapped_column(text_enum(FollowUp))
    followed_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    followed_up_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))

    meeting: Mapped[SupervisionMeeting] = relationship()
    enrolment: Mapped[Enrolment] = relationship()
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])

    __table_args__ = (
        UniqueConstraint("meeting_id", "enrolment_id"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class LetterAudit(WithId, Base):
    """One sent letter, drawn at random at a meeting, read with the nine behaviours of the ICBT-TRS in mind.

    `marks` maps a behaviour to {"mark", "comment"}. It is one encrypted text, so that nothing can be counted or
    ranked by a query: this is a conversation about one letter, never a score of a person.
    """

    __tablename__ = "letter_audits"

    meeting_id: Mapped[int] = mapped_column(RowId, ForeignKey("supervision_meetings.id"), index=True)
    review_id: Mapped[int] = mapped_column(RowId, ForeignKey("reviews.id"), unique=True)
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    drawn_at: Mapped[datetime] = mapped_column(UtcDateTime)
    marks: Mapped[dict[str, dict[str, str]] | None] = mapped_column(EncryptedJson)
    comment: Mapped[str | None] = mapped_column(EncryptedText)
    filled_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    filled_in_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    answer: Mapped[str | None] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    meeting: Mapped[SupervisionMeeting] = relationship()
    review: Mapped[Review] = relationship()
    enrolment: Mapped[Enrolment] = relationship()
    reader: Mapped[Account | None] = relationship(foreign_keys=[filled_in_by])

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)

    def mark_of(self, behaviour: str) -> dict[str, Any]:
        """The mark and comment on one behaviour; empty until the form is filled in."""
        return (self.marks or {}).get(behaviour, {})
