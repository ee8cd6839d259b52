"""Treatment contacts: what staff did with a person that a clinician has looked at and decided about."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum
from icbt_support.enrolments.models import Enrolment


class ContactKind(StrEnum):
    REVIEW_SENT = "review_sent"
    CALL_ANSWERED = "call_answered"
    ASSESSMENT = "assessment"
    MESSAGES = "messages"


class TreatmentContact(WithId, Base):
    """One contact that counts (`confirmed_at`) or does not (`not_counted_at`): exactly one of the two is set.

    A sent review and an answered call are suggested by themselves (`contacts.queries`) and become a row when a
    clinician decides; an assessment or an exchange of messages is written down by a clinician. `recorded_by` is
    who had the contact, `decided_by` the clinician. A sign-in is never a contact. `contact_at` of one that was
    written down with a date only is the beginning of that day.
    """

    __tablename__ = "treatment_contacts"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"))
    kind: Mapped[ContactKind] = mapped_column(text_enum(ContactKind))
    contact_at: Mapped[datetime] = mapped_column(UtcDateTime)
    minutes: Mapped[int | None]
    review_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("reviews.id"), unique=True)
    call_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("call_logs.id"), unique=True)
    recorded_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    posted_key: Mapped[str | None] = mapped_column(String(40))

    enrolment: Mapped[Enrolment] = relationship()
    recorder: Mapped[Account] = relationship(foreign_keys=[recorded_by])
    decider: Mapped[Account] = relationship(foreign_keys=[decided_by])

    __table_args__ = (
        CheckConstraint("(confirmed_at IS NULL) <> (not_counted_at IS NULL)", name="is_decided_once"),
        Index("uq_treatment_contacts_posted", "enrolment_id", "posted_key", unique=True),
        Index("ix_treatment_contacts_enrolment", "enrolment_id", "contact_at"),
        Index("ix_treatment_contacts_service", "service_id", "enrolment_id"),
        care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),
    )

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None
