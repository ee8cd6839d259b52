"""Questionnaires and their answers.

A changed answer is a new row; a total exists only when every item is answered.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum
from icbt_support.enrolments.models import Enrolment


class Occasion(StrEnum):
    BASELINE = "baseline"
    CHECK_IN = "check_in"
    BOOSTER = "booster"


class Questionnaire(WithId, Base):
    """One measure asked once: at baseline (week 0), at the check-in of a week, or some weeks after the end."""

    __tablename__ = "questionnaires"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    measure: Mapped[str] = mapped_column(String(40))
    occasion: Mapped[Occasion] = mapped_column(text_enum(Occasion))
    week_number: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    total: Mapped[int | None]

    enrolment: Mapped[Enrolment] = relationship()
    answers: Mapped[list["Answer"]] = relationship(
        back_populates="questionnaire", order_by="Answer.item, Answer.version"
    )

    __table_args__ = (
        UniqueConstraint("enrolment_id", "measure", "week_number"),
        Index("ix_questionnaires_finished", "enrolment_id", "measure", "finished_at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def current_answers(self) -> dict[int, int]:
        """Item number (from 1) to its newest value."""
        return {answer.item: answer.value for answer in self.answers}


class Answer(WithId, Base):
    """One version of one answer, 0–3."""

    __tablename__ = "answers"

    questionnaire_id: Mapped[int] = mapped_column(RowId, ForeignKey("questionnaires.id"))
    item: Mapped[int]
    version: Mapped[int]
    value: Mapped[int]
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)

    questionnaire: Mapped[Questionnaire] = relationship(back_populates="answers")

    __table_args__ = (
        UniqueConstraint("questionnaire_id", "item", "version"),
        CheckConstraint("value BETWEEN 0 AND 3", name="value_is_0_to_3"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class FinishedCheckIn(WithId, Base):
    """A check-in that is done.

    Every questionnaire of the week answered, at baseline (week 0) or before a review.
    """

    __tablename__ = "finished_check_ins"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    week_number: Mapped[int]
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enrolment_id", "week_number"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )
