"""Alerts and what was done about them.

A risk alert is never deleted, and never closed by anything but a person.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
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
    refuse_changes,
    text_enum,
)
from icbt_support.enrolments.models import Enrolment


class AlertSource(StrEnum):
    ITEM_9 = "item_9"
    STATED = "stated"
    CONCERN = "concern"


class Grade(StrEnum):
    URGENT = "urgent"
    SAME_DAY = "same_day"
    KNOWN = "known"


class SafetyAnswer(StrEnum):
    """The answer to "Can you keep yourself safe right now?"."""

    YES = "yes"
    NOT_SURE = "not_sure"
    NO = "no"


class RiskAlert(WithId, Base):
    """raised → acknowledged (with a note of what happens next) → resolved. `escalates_at` is null once taken.

    `source_key` names what raised it, so that the same answer, message or concern never raises two. For item
    9 it is one version of one stored answer: the positives in `answers` and the rows here can be counted
    against each other.
    """

    __tablename__ = "risk_alerts"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    source: Mapped[AlertSource] = mapped_column(text_enum(AlertSource))
    source_key: Mapped[str] = mapped_column(String(80))
    answer: Mapped[int | None]
    answer_before: Mapped[int | None]
    grade: Mapped[Grade] = mapped_column(text_enum(Grade))
    can_keep_safe: Mapped[SafetyAnswer | None] = mapped_column(text_enum(SafetyAnswer))
    words: Mapped[str | None] = mapped_column(EncryptedText)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    escalation: Mapped[int] = mapped_column(default=0)
    escalates_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    acknowledgement: Mapped[str | None] = mapped_column(EncryptedText)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    spoken_to: Mapped[str | None] = mapped_column(EncryptedText)
    agreed: Mapped[str | None] = mapped_column(EncryptedText)
    others_told: Mapped[str | None] = mapped_column(EncryptedText)

    enrolment: Mapped[Enrolment] = relationship()
    acknowledger: Mapped[Account | None] = relationship(foreign_keys=[acknowledged_by])
    resolver: Mapped[Account | None] = relationship(foreign_keys=[resolved_by])
    notices: Mapped[list["AlertNotice"]] = relationship(back_populates="alert", order_by="AlertNotice.id")

    __table_args__ = (
        UniqueConstraint("enrolment_id", "source", "source_key"),
        Index(
            "ix_risk_alerts_open",
            "service_id",
            "raised_at",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index(
            "ix_risk_alerts_clock",
            "escalates_at",
            sqlite_where=text("acknowledged_at IS NULL AND escalates_at IS NOT NULL"),
            postgresql_where=text("acknowledged_at IS NULL AND escalates_at IS NOT NULL"),
        ),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.KEEP),
    )

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def is_taken(self) -> bool:
        """Whether a person has acknowledged it."""
        return self.acknowledged_at is not None


class NoticeReason(StrEnum):
    SUPPORTER = "supporter"
    DUTY = "duty"
    ESCALATION = "escalation"
    NOBODY_ON_DUTY = "nobody_on_duty"


class AlertNotice(WithId, Base):
    """One person told of one alert, in the app; an email with initials only may follow."""

    __tablename__ = "alert_notices"

    alert_id: Mapped[int] = mapped_column(RowId, ForeignKey("risk_alerts.id"), index=True)
    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    reason: Mapped[NoticeReason] = mapped_column(text_enum(NoticeReason))
    escalation: Mapped[int] = mapped_column(default=0)
    noticed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    alert: Mapped[RiskAlert] = relationship(back_populates="notices")
    account: Mapped[Account] = relationship()

    __table_args__ = (
        UniqueConstraint("alert_id", "account_id", "escalation"),
        care(Subject.STAFF, Keep.CLINICAL_RECORD, Erasure.KEEP),
    )


class RiskAssessment(WithId, Base):
    """A clinician's assessment and plan at an answer.

    The same or a lower answer is *known* until it lapses.
    """

    __tablename__ = "risk_assessments"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    answer: Mapped[int]
    assessment: Mapped[str] = mapped_column(EncryptedText)
    plan: Mapped[str] = mapped_column(EncryptedText)
    assessed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assessed_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))

    posted_key: Mapped[str | None] = mapped_column(String(40))

    assessor: Mapped[Account] = relationship()

    __table_args__ = (
        Index("uq_risk_assessments_posted", "enrolment_id", "posted_key", unique=True),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.KEEP),
    )


class CallOutcome(StrEnum):
    SPOKE = "spoke"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    SOMEONE_ELSE = "someone_else"


class CallLog(WithId, Base):
    """A call to a patient, about an alert or not; a note of it stays with the record."""

    __tablename__ = "call_logs"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    alert_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("risk_alerts.id"))
    outcome: Mapped[CallOutcome] = mapped_column(text_enum(CallOutcome))
    note: Mapped[str] = mapped_column(EncryptedText, default="")
    minutes: Mapped[int | None]
    called_at: Mapped[datetime] = mapped_column(UtcDateTime)
    called_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    posted_key: Mapped[str | None] = mapped_column(String(40))

    caller: Mapped[Account] = relationship()

    __table_args__ = (
        Index("uq_call_logs_posted", "enrolment_id", "posted_key", unique=True),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class ReadFirst(WithId, Base):
    """A shared text that holds one of the service's phrases: moved to the top of *Today*. Not a detector."""

    __tablename__ = "read_first_marks"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    subject: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("subject", "subject_id"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


refuse_changes(
    "risk_alerts", frozen_columns=("id", "enrolment_id", "source", "source_key", "answer", "raised_at")
)
refuse_changes("alert_notices", frozen_columns=("id", "alert_id", "account_id", "noticed_at"))
