"""A person in a programme, the people around them, and what a service has to know to reach them."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
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
from icbt_support.service.models import Service


class Purpose(StrEnum):
    CARE = "care"
    TRAINING = "training"


class EnrolmentState(StrEnum):
    INVITED = "invited"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    AWAY = "away"
    PAUSED = "paused"
    ENDED = "ended"


class OnboardingStep(StrEnum):
    CONSENT = "consent"
    BASELINE = "baseline"
    TIMES = "times"
    DONE = "done"


class EndCode(StrEnum):
    """Why a course ended. 46–48 are the codes of NHS Talking Therapies; the rest keep other endings apart."""

    AGREED = "46"
    PATIENT_STOPPED_EARLIER = "47"
    ENDED_EARLIER_THAN_PATIENT_WANTED = "48"
    NEVER_STARTED = "never_started"
    HAD_WHAT_I_NEEDED = "had_what_i_needed"
    STEPPED_UP = "stepped_up"
    LOST = "lost"


END_CODE_WORDS = {
    EndCode.AGREED: "46 Agreed: the course is complete, or both agreed to end",
    EndCode.PATIENT_STOPPED_EARLIER: "47 The patient stopped earlier than planned",
    EndCode.ENDED_EARLIER_THAN_PATIENT_WANTED: "48 Ended earlier than the patient wanted",
    EndCode.NEVER_STARTED: "Never started",
    EndCode.HAD_WHAT_I_NEEDED: "Had what they needed",
    EndCode.STEPPED_UP: "Stepped up to other care",
    EndCode.LOST: "Lost: we could not reach this person",
}


class Enrolment(WithId, Base):
    """One person's course of one version of a programme.

    `back_at` is when it last went on after an absence or a pause: quiet days count from then at the earliest.
    `modules_ahead` are the modules after the one that is open, in their order; None while the course keeps the
    programme's own order. `sessions_a_week` is the most that one week holds; None: all of its module.
    """

    __tablename__ = "enrolments"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    patient_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    supporter_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    clinician_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    programme_slug: Mapped[str] = mapped_column(String(60))
    programme_version: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose), default=Purpose.CARE)
    state: Mapped[EnrolmentState] = mapped_column(text_enum(EnrolmentState), default=EnrolmentState.INVITED)
    onboarding_step: Mapped[OnboardingStep] = mapped_column(
        text_enum(OnboardingStep), default=OnboardingStep.CONSENT
    )
    pronouns: Mapped[str] = mapped_column(String(30), default="")
    cadence_days: Mapped[int] = mapped_column(default=7)
    modules_ahead: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    sessions_a_week: Mapped[int | None]
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime)
    starts_on: Mapped[date | None]
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    away_until_on: Mapped[date | None]
    back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_code: Mapped[EndCode | None] = mapped_column(text_enum(EndCode))
    end_reason: Mapped[str | None] = mapped_column(EncryptedText)

    service: Mapped[Service] = relationship()
    patient: Mapped[Account] = relationship(foreign_keys=[patient_id])
    supporter: Mapped[Account] = relationship(foreign_keys=[supporter_id])
    clinician: Mapped[Account] = relationship(foreign_keys=[clinician_id])
    contact_sheet: Mapped["ContactSheet | None"] = relationship(back_populates="enrolment")
    session_times: Mapped[list["SessionTime"]] = relationship(
        back_populates="enrolment", order_by="SessionTime.position"
    )

    __table_args__ = (
        CheckConstraint("cadence_days IN (7, 14)", name="cadence_is_weekly_or_fortnightly"),
        Index(
            "uq_enrolments_one_open_course",
            "patient_id",
            "service_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index("ix_enrolments_service_state", "service_id", "state"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.BLANK),
    )

    @property
    def is_open(self) -> bool:
        return self.state is not EnrolmentState.ENDED

    @property
    def is_in_rhythm(self) -> bool:
        """Whether weeks open and prompts are owed."""
        return self.state is EnrolmentState.ACTIVE


SUPPORTER_CHANGED = "supporter"


class EnrolmentChange(WithId, Base):
    """One change of state, supporter, cadence or end: who made it, when, and why."""

    __tablename__ = "enrolment_changes"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    what: Mapped[str] = mapped_column(String(40))
    from_value: Mapped[str] = mapped_column(String(60), default="")
    to_value: Mapped[str] = mapped_column(String(60), default="")
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)


class ColleagueAccess(WithId, Base):
    """One course that is open to a colleague, or to the cover pool of its service (`account_id` is None).

    It lasts while one thing is owed (`subject`, such as `review:12`). `ended_at` may lie ahead: whoever did
    the work may still look at what they did.
    """

    __tablename__ = "colleague_access"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    subject: Mapped[str] = mapped_column(String(60))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_colleague_access_now", "service_id", "ended_at", "account_id"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class Consent(WithId, Base):
    """A yes to one version of what the course is, what is recorded, who reads it and when."""

    __tablename__ = "consents"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    version: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.KEEP),)


class SessionTime(WithId, Base):
    """A day and wall time (the patient's zone) at which this person plans to work; Monday is 0."""

    __tablename__ = "session_times"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    position: Mapped[int]
    weekday: Mapped[int]
    at: Mapped[time]

    enrolment: Mapped[Enrolment] = relationship(back_populates="session_times")

    __table_args__ = (
        UniqueConstraint("enrolment_id", "position"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )


class Goal(WithId, Base):
    """What this person wants, in their own words."""

    __tablename__ = "goals"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    words: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)


class ContactSheet(WithId, Base):
    """How to reach this person when it matters; one step from any alert."""

    __tablename__ = "contact_sheets"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), unique=True)
    phone: Mapped[str] = mapped_column(EncryptedText, default="")
    voicemail_ok: Mapped[bool | None]
    safe_times: Mapped[str] = mapped_column(EncryptedText, default="")
    gp: Mapped[str] = mapped_column(EncryptedText, default="")
    emergency_contact: Mapped[str] = mapped_column(EncryptedText, default="")
    usually_at: Mapped[str] = mapped_column(EncryptedText, default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship(back_populates="contact_sheet")

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)


class SupporterNote(WithId, Base):
    """A note between staff; never shown to the patient in the product."""

    __tablename__ = "supporter_notes"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), index=True)
    words: Mapped[str] = mapped_column(EncryptedText)
    written_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    posted_key: Mapped[str | None] = mapped_column(String(40))

    __table_args__ = (
        Index("uq_supporter_notes_posted", "enrolment_id", "posted_key", unique=True),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )
