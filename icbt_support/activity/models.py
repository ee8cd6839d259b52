"""What people did: an append-only row for each act, a count per person and day, and one row of figures a person."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.activity.rules import modules_of_marks
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


USED_A_TOOL = (Act.SAVED_ENTRY, Act.ANSWERED_EXERCISE)


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

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)


class ActivityPerson(Base):
    """All that lists and the service's figures ask about one person's acts, so that no page counts events.

    `last_week` is the number of the week of the last act (`rules.week_number`). Bit n of `weeks_here` says
    whether the person was here n weeks before it, bit n of `weeks_with_tool` whether they used a tool then.
    `first_day` is the ordinal of the day of the first act; bit n of `first_days` says whether they were here n days
    after it. `modules` are the modules of which a page was read, each between slashes.
    """

    __tablename__ = "activity_people"

    enrolment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    service_id: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_week: Mapped[int]
    weeks_here: Mapped[int] = mapped_column(BigInteger)
    weeks_with_tool: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[int]
    first_days: Mapped[int] = mapped_column(BigInteger)
    modules: Mapped[str] = mapped_column(String(1000), default="")

    __table_args__ = (
        Index("ix_activity_people_service_last_at", "service_id", "last_at"),
        Index("ix_activity_people_service_first_day", "service_id", "first_day"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def modules_opened(self) -> frozenset[str]:
        return modules_of_marks(self.modules)

    def was_here(self, week: int) -> bool:
        """Whether the person did anything in the week of this number."""
        return _has_bit(self.weeks_here, self.last_week - week)

    def used_a_tool(self, week: int) -> bool:
        return _has_bit(self.weeks_with_tool, self.last_week - week)


def _has_bit(bits: int, place: int) -> bool:
    return place >= 0 and bool(bits >> place & 1)
