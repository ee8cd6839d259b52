"""A week (one turn of the rhythm) and its dated items."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

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
    text_enum,
)


class OpenedBecause(StrEnum):
    START = "start"
    REVIEW_SENT = "review_sent"
    REVIEW_LATE = "review_late"
    RETURN = "return"


class Week(WithId, Base):
    """Open from `opened_at` until `closed_at`; `review_on` is the day by which its review is promised.

    Unique per enrolment and number: whichever commits first (the review or its lateness) opens it.
    """

    __tablename__ = "weeks"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    number: Mapped[int]
    module: Mapped[str] = mapped_column(String(60))
    opened_on: Mapped[date]
    review_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_because: Mapped[OpenedBecause] = mapped_column(text_enum(OpenedBecause))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    items: Mapped[list["PlanItem"]] = relationship(
        back_populates="week", order_by="PlanItem.planned_on, PlanItem.planned_time, PlanItem.id"
    )

    __table_args__ = (
        UniqueConstraint("enrolment_id", "number"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class ItemKind(StrEnum):
    SESSION = "session"
    PRACTICE = "practice"
    AGREED_STEP = "agreed_step"
    CHECK_IN = "check_in"


class ItemState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    CARRIED_OVER = "carried_over"


class PlanItem(WithId, Base):
    """One dated thing to do. `planned_on` and `planned_time` are wall time in the patient's zone; no time is
    any time.

    `subject` names what it is about: `session:<module>/<session>`, `practice:<module>/<practice>`,
    `tool:<slug>`, `page:<module>/<page>`, `check_in` or empty for a free task. For an agreed step,
    `planned_on` is the by-when, `why` its reason and `review_id` the review that agreed it. A check-in's
    `done` is derived from `finished_check_ins`, never stored here.
    """

    __tablename__ = "plan_items"

    week_id: Mapped[int] = mapped_column(RowId, ForeignKey("weeks.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    kind: Mapped[ItemKind] = mapped_column(text_enum(ItemKind))
    subject: Mapped[str] = mapped_column(String(140), default="")
    title: Mapped[str] = mapped_column(EncryptedText)
    why: Mapped[str] = mapped_column(EncryptedText, default="")
    planned_on: Mapped[date]
    planned_time: Mapped[time | None]
    minutes: Mapped[int]
    is_emailed: Mapped[bool] = mapped_column(default=False)
    state: Mapped[ItemState] = mapped_column(text_enum(ItemState), default=ItemState.PLANNED)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    patient_words: Mapped[str] = mapped_column(EncryptedText, default="")
    review_id: Mapped[int | None] = mapped_column(BigInteger)
    carried_from_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("plan_items.id"))

    week: Mapped[Week] = relationship(back_populates="items")

    __table_args__ = (
        Index("ix_plan_items_enrolment_day", "enrolment_id", "planned_on"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class ItemMove(WithId, Base):
    """One item moved to another day or time, by whom."""

    __tablename__ = "item_moves"

    item_id: Mapped[int] = mapped_column(RowId, ForeignKey("plan_items.id"), index=True)
    from_on: Mapped[date]
    from_time: Mapped[time | None]
    to_on: Mapped[date]
    to_time: Mapped[time | None]
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    moved_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)
