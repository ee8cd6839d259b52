"""The check-in after the end of a course."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum
from icbt_support.enrolments.models import Enrolment


class BoosterState(StrEnum):
    """planned → asked → answered → read; or declined by the person, or lapsed unanswered."""

    PLANNED = "planned"
    ASKED = "asked"
    ANSWERED = "answered"
    READ = "read"
    DECLINED = "declined"
    LAPSED = "lapsed"


class Booster(WithId, Base):
    """One check-in after a course, open from `due_on` to `open_until_on` where the patient is.

    Its answers are questionnaires of the week `week_number`, which no week of the course has. Once it is
    answered, `reader_id` is the person who reads it by `promised_at`.
    """

    __tablename__ = "boosters"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), unique=True)
    state: Mapped[BoosterState] = mapped_column(text_enum(BoosterState), default=BoosterState.PLANNED)
    week_number: Mapped[int]
    due_on: Mapped[date]
    open_until_on: Mapped[date]
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reader_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    promised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_late_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship()
    reader: Mapped[Account | None] = relationship(foreign_keys=[reader_id])

    __table_args__ = (
        Index(
            "ix_boosters_waiting",
            "due_on",
            sqlite_where=text("state IN ('planned', 'asked', 'answered')"),
            postgresql_where=text("state IN ('planned', 'asked', 'answered')"),
        ),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def can_be_declined(self) -> bool:
        return self.state in (BoosterState.PLANNED, BoosterState.ASKED)

    @property
    def waits_for_a_reader(self) -> bool:
        return self.state is BoosterState.ANSWERED

    def is_late(self, now: datetime) -> bool:
        """Answered, promised to be read by now, and not read."""
        return self.waits_for_a_reader and self.promised_at is not None and now >= self.promised_at
