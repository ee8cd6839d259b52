"""What people decided when somebody was pointed out to them."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
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
    text_enum,
)
from icbt_support.early_warning.rules import Sign, WarningChoice


class EarlyWarningDecision(WithId, Base):
    """One warning as it was pointed out (its signs and facts then), and what a named person decided about it.

    A warning is worked out when a page asks, so that it is never out of date; it becomes a row when somebody
    answers it. `signs` are joined by commas.
    """

    __tablename__ = "early_warning_decisions"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    signs: Mapped[str] = mapped_column(String(120))
    facts: Mapped[list[str]] = mapped_column(JSON)
    choice: Mapped[WarningChoice] = mapped_column(text_enum(WarningChoice))
    note: Mapped[str] = mapped_column(EncryptedText, default="")
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))

    decider: Mapped[Account] = relationship()

    __table_args__ = (
        Index("ix_early_warning_decisions_enrolment", "enrolment_id", "decided_at"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def sign_set(self) -> frozenset[Sign]:
        return frozenset(Sign(sign) for sign in self.signs.split(","))
