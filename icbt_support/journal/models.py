"""What a patient read and wrote in the programme."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

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
)


class PageRead(WithId, Base):
    """A page is read when *Continue* is posted; opening it is not reading it."""

    __tablename__ = "page_reads"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    module: Mapped[str] = mapped_column(String(60))
    page: Mapped[str] = mapped_column(String(60))
    first_read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_read_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enrolment_id", "module", "page"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class ExerciseAnswer(WithId, Base):
    """One version of what a patient wrote in an exercise; the newest counts."""

    __tablename__ = "exercise_answers"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    module: Mapped[str] = mapped_column(String(60))
    exercise: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    words: Mapped[str] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enrolment_id", "module", "exercise", "version"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class Entry(WithId, Base):
    """One filled-in tool: private until shared. `version` refuses a stale edit."""

    __tablename__ = "entries"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    tool: Mapped[str] = mapped_column(String(60))
    fields: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    is_shared: Mapped[bool]
    posted_key: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enrolment_id", "posted_key"),
        Index("ix_entries_enrolment", "enrolment_id", "created_at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    __mapper_args__ = {"version_id_col": version}
