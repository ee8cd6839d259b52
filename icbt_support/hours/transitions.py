"""State changes of bookings and absences that only `rhythm` may call."""

from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.hours import queries
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import Absence, AbsenceReason, ReviewSlot, SlotBooking
from icbt_support.hours.queries import FreeTime
from icbt_support.hours.refusals import (
    InsideAbsence,
    OnClosedDay,
    OutsideSlots,
    SlotTaken,
    WrongAbsenceDays,
)
from icbt_support.service.models import Service


def book_slot(
    supporter_id: int, starts_at: datetime, *, enrolment_id: int, by: Actor, now: datetime
) -> SlotBooking:
    """Holds one place for one review; raises a `TimeNotFree` that names why and the next three places."""
    supporter = db.session.get_one(Account, supporter_id)
    on = local_day(starts_at, supporter.zone)
    slot = queries.slot_holding(supporter_id, starts_at)
    if slot is None or starts_at <= now:
        raise OutsideSlots(_next_three(supporter_id, slot, on, now))
    absence = queries.is_absent(supporter_id, on)
    if absence is not None:
        raise InsideAbsence(absence, _next_three(supporter_id, slot, on, now))
    if on in closed_days(db.session.get_one(Service, slot.service_id), on, on):
        raise OnClosedDay(_next_three(supporter_id, slot, on, now))
    if queries.held_booking(supporter_id, starts_at, slot.minutes_per_review) is not None:
        raise SlotTaken(_next_three(supporter_id, slot, on, now))
    booking = SlotBooking(
        slot_id=slot.id,
        supporter_id=supporter_id,
        starts_at=starts_at,
        enrolment_id=enrolment_id,
        booked_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(booking)
    except IntegrityError as error:
        raise SlotTaken(_next_three(supporter_id, slot, on, now)) from error
    record(
        "booked_a_review_time",
        by=by,
        now=now,
        object_kind="slot_booking",
        object_id=booking.id,
        enrolment_id=enrolment_id,
        service_id=slot.service_id,
    )
    return booking


def release_booking(booking: SlotBooking, *, now: datetime) -> None:
    """Frees the place; the caller's own audit line says why."""
    if booking.released_at is None:
        booking.released_at = now
        db.session.flush()


def record_absence_row(
    account_id: int,
    *,
    service_id: int,
    from_on: date,
    until_on: date,
    cover_id: int | None,
    by: Actor,
    now: datetime,
    reason: AbsenceReason | None = None,
) -> Absence:
    """Writes the absence itself; `rhythm.absence` sees to the reviews that it touches."""
    if until_on < from_on:
        raise WrongAbsenceDays
    absence = Absence(
        account_id=account_id,
        service_id=service_id,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        reason=reason,
        recorded_by=by.account_id,
        recorded_at=now,
    )
    db.session.add(absence)
    db.session.flush()
    record(
        "recorded_an_absence",
        by=by,
        now=now,
        object_kind="absence",
        object_id=absence.id,
        service_id=service_id,
        detail=f"account {account_id}, {from_on} to {until_on}",
    )
    return absence


def change_absence_row(
    absence: Absence, *, from_on: date, until_on: date, cover_id: int | None, by: Actor, now: datetime
) -> None:
    """Other days or other cover; `rhythm.absence` sees to the reviews."""
    if until_on < from_on:
        raise WrongAbsenceDays
    before = f"{absence.from_on} to {absence.until_on}"
    absence.from_on, absence.until_on, absence.cover_id = from_on, until_on, cover_id
    db.session.flush()
    record(
        "changed_an_absence",
        by=by,
        now=now,
        object_kind="absence",
        object_id=absence.id,
        service_id=absence.service_id,
        detail=f"account {absence.account_id}, {before}, now {from_on} to {until_on}",
    )


def withdraw_absence_row(absence: Absence, *, by: Actor, now: datetime) -> None:
    absence.withdrawn_at = now
    db.session.flush()
    record(
        "withdrew_an_absence",
        by=by,
        now=now,
        object_kind="absence",
        object_id=absence.id,
        service_id=absence.service_id,
    )


def _next_three(supporter_id: int, slot: ReviewSlot | None, on: date, now: datetime) -> list[FreeTime]:
    service_ids = [slot.service_id] if slot else queries.services_with_slots(supporter_id)
    found: list[FreeTime] = []
    for service_id in service_ids:
        service = db.session.get_one(Service, service_id)
        found.extend(queries.next_free_times(supporter_id, on, service=service, now=now))
    return sorted(found, key=lambda time: time.starts_at)[:3]
