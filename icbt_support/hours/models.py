"""When staff work: protected slots and what is booked in them, absence and cover, and who is on duty."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum


class ReviewSlot(WithId, Base):
    """A protected block of the week in which a supporter writes reviews, in the supporter's own zone.

    A block from 09:00 to 12:00 with 15 minutes a review holds twelve bookings.
    """

    __tablename__ = "review_slots"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    supporter_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    weekday: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]
    minutes_per_review: Mapped[int] = mapped_column(default=15)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)


class SlotBooking(WithId, Base):
    """One review's place in a slot; unique per supporter and instant while it is held."""

    __tablename__ = "slot_bookings"

    slot_id: Mapped[int] = mapped_column(RowId, ForeignKey("review_slots.id"))
    supporter_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    enrolment_id: Mapped[int] = mapped_column(BigInteger, index=True)
    booked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_slot_bookings_held",
            "supporter_id",
            "starts_at",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class SupporterLimit(WithId, Base):
    """How many people a supporter looks after at most, and for how many minutes a week; None is no limit."""

    __tablename__ = "supporter_limits"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    supporter_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    people: Mapped[int | None]
    minutes_a_week: Mapped[int | None]
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("service_id", "supporter_id"),
        care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class AbsenceReason(StrEnum):
    """Why somebody is away, as far as patients are told."""

    LEAVE = "leave"
    COURSE = "course"
    AWAY = "away"


class Absence(WithId, Base):
    """Days on which a person does not work, both ends included; cover is a person or the pool (null)."""

    __tablename__ = "absences"

    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    cover_id: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))
    reason: Mapped[AbsenceReason | None] = mapped_column(text_enum(AbsenceReason))
    recorded_by: Mapped[int | None] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)


class DutySession(WithId, Base):
    """A weekly session of duty, in the service's zone; `position` 1 is told first, 2 next, and so on."""

    __tablename__ = "duty_sessions"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    weekday: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]
    position: Mapped[int] = mapped_column(default=1)
    clinician_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))

    __table_args__ = (
        UniqueConstraint("service_id", "weekday", "starts", "position"),
        care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class ServiceClosure(WithId, Base):
    """A day on which the whole service is closed beside the country's bank holidays."""

    __tablename__ = "service_closures"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    closed_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(120), default="")

    __table_args__ = (
        UniqueConstraint("service_id", "closed_on"),
        care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )
