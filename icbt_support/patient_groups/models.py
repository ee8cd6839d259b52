"""A service's own groups (an age band, for example), and who is in which. Not recorded is a group of its own."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care


class PatientGroup(WithId, Base):
    """One group of a service. From `removed_at` on nobody new is put in it; who is in it stays."""

    __tablename__ = "patient_groups"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("service_id", "name"),
        care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class GroupMember(WithId, Base):
    """The group of one course, set by a clinician."""

    __tablename__ = "patient_group_members"

    enrolment_id: Mapped[int] = mapped_column(RowId, ForeignKey("enrolments.id"), unique=True)
    group_id: Mapped[int] = mapped_column(RowId, ForeignKey("patient_groups.id"), index=True)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)

    group: Mapped[PatientGroup] = relationship()

    __table_args__ = (care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE),)
