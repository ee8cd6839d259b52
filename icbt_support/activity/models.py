"""What people did: an append-only row for each act, and a count per person and day."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, Subject, UtcDateTime, WithId, care, text_enum


class Act(StrEnum):
    """What a patient did. Sign-ins are activity, never treatment contact."""

    SIGNED_IN = "signed_in"
    READ_PAGE = "read_page"
    ANSWERED_EXERCISE = "answered_exercise"
    SAVED_ENTRY = "saved_entry"
    FINISHED_CHECK_IN = "finished_check_in"
    DID_PLAN_ITEM = "did_plan_item"
    WROTE_MESSAGE = "wrote_message"
    READ_REVIEW = "read_review"


class ActivityEvent(WithId, Base):
    __tablename__ = "activity_events"

    service_id: Mapped[int] = mapped_column(BigInteger)
    enrolment_id: Mapped[int] = mapped_column(BigInteger)
    act: Mapped[Act] = mapped_column(text_enum(Act))
    subject: Mapped[str] = mapped_column(String(120), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    acted_on: Mapped[date]

    __table_args__ = (
        Index("ix_activity_events_enrolment_at", "enrolment_id", "at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class ActivityDay(Base):
    """How often each kind of act happened, per person and local day."""

    __tablename__ = "activity_days"

    enrolment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    acted_on: Mapped[date] = mapped_column(primary_key=True)
    act: Mapped[Act] = mapped_column(text_enum(Act), primary_key=True)
    service_id: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("service_id", "acted_on", "enrolment_id", "act"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )
