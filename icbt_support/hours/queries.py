"""Reads about working time: free review times, who is away, who is on duty, which days are closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Date, Integer, cast, func, null, select, union_all

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.cadence import is_working_day, local_day
from icbt_support.db import UtcDateTime, db
from icbt_support.hours import rules
from icbt_support.hours.closed_days import bank_holidays_between, closed_days
from icbt_support.hours.models import Absence, ReviewSlot, ServiceClosure, SlotBooking
from icbt_support.read_once import read_once
from icbt_support.service.models import Service


@dataclass(frozen=True)
class FreeTime:
    """A place in a protected slot that nobody has booked; `on` is the day in the supporter's zone."""

    slot: ReviewSlot
    starts_at: datetime
    on: date


# Absence --------------------------------------------------------------------------------------------------


@read_once
def is_absent(account_id: int, on: date) -> Absence | None:
    """The absence that holds this day, if the person is away on it; the newest where two overlap."""
    return db.session.scalars(
        select(Absence)
        .where(
            Absence.account_id == account_id,
            Absence.withdrawn_at.is_(None),
            Absence.from_on <= on,
            Absence.until_on >= on,
        )
        .order_by(Absence.id.desc())
        .limit(1)
    ).first()


@read_once
def absences_between(account_ids: Iterable[int], from_on: date, until_on: date) -> list[Absence]:
    return list(
        db.session.scalars(
            select(Absence)
            .where(
                Absence.account_id.in_(list(account_ids)),
                Absence.withdrawn_at.is_(None),
                Absence.from_on <= until_on,
                Absence.until_on >= from_on,
            )
            .order_by(Absence.from_on, Absence.id)
        )
    )


def coming_absences(account_id: int, today: date) -> list[Absence]:
    """Absences of one person that run now or are to come, soonest first."""
    return list(
        db.session.scalars(
            select(Absence)
            .where(
                Absence.account_id == account_id, Absence.withdrawn_at.is_(None), Absence.until_on >= today
            )
            .order_by(Absence.from_on, Absence.id)
        )
    )


def absence_of(account_id: int, absence_id: int) -> Absence | None:
    """One absence of this person that was not withdrawn."""
    return db.session.scalars(
        select(Absence).where(
            Absence.id == absence_id, Absence.account_id == account_id, Absence.withdrawn_at.is_(None)
        )
    ).one_or_none()


def away_until(absence: Absence) -> date:
    """The last day of a time away: what is recorded without a day between is one time away."""
    until_on = absence.until_on
    for following in coming_absences(absence.account_id, absence.from_on):
        if following.from_on <= until_on + timedelta(days=1):
            until_on = max(until_on, following.until_on)
    return until_on


def absences_to_cover(account_id: int, from_on: date, until_on: date | None = None) -> list[Absence]:
    """Absences for which this person is named as cover, from a day on."""
    until = [] if until_on is None else [Absence.from_on <= until_on]
    return list(
        db.session.scalars(
            select(Absence)
            .where(
                Absence.cover_id == account_id,
                Absence.withdrawn_at.is_(None),
                Absence.until_on >= from_on,
                *until,
            )
            .order_by(Absence.from_on, Absence.id)
        )
    )


def first_day_back(account_id: int, on: date, *, service: Service) -> date:
    """The first working day from `on` on which the person is not away."""
    absences = coming_absences(account_id, on)
    last = max((absence.until_on for absence in absences), default=on) + timedelta(days=14)
    closed = closed_days(service, on, last)
    day = on
    while not is_working_day(day, closed) or any(a.from_on <= day <= a.until_on for a in absences):
        day += timedelta(days=1)
    return day


def cover_pool(service_id: int, on: date) -> list[Account]:
    """The supporters of the service who are not away on this day, by name."""
    supporters = staff_with_role(service_id, Role.SUPPORTER)
    away = {absence.account_id for absence in absences_between([s.id for s in supporters], on, on)}
    return [supporter for supporter in supporters if supporter.id not in away]


# Review slots ---------------------------------------------------------------------------------------------


@read_once
def review_slots_of(supporter_id: int, service_id: int) -> list[ReviewSlot]:
    return list(
        db.session.scalars(
            select(ReviewSlot)
            .where(
                ReviewSlot.supporter_id == supporter_id,
                ReviewSlot.service_id == service_id,
                ReviewSlot.ended_at.is_(None),
            )
            .order_by(ReviewSlot.weekday, ReviewSlot.starts, ReviewSlot.id)
        )
    )


def services_with_slots(supporter_id: int) -> list[int]:
    return list(
        db.session.scalars(
            select(ReviewSlot.service_id)
            .where(ReviewSlot.supporter_id == supporter_id, ReviewSlot.ended_at.is_(None))
            .distinct()
            .order_by(ReviewSlot.service_id)
        )
    )


def free_review_times(
    supporter_id: int, from_on: date, until_on: date, *, service: Service, now: datetime
) -> list[FreeTime]:
    """Places in the supporter's slots that can be booked, soonest first: nobody away, nothing closed."""
    supporter = db.session.get_one(Account, supporter_id)
    slots = review_slots_of(supporter_id, service.id)
    away = absences_between([supporter_id], from_on, until_on)
    closures, busy = _closures_and_bookings(supporter_id, service, now, from_on, until_on)
    closed = closures | bank_holidays_between(service, from_on, until_on)
    free: list[FreeTime] = []
    on = from_on
    while on <= until_on:
        if on not in closed and not any(a.from_on <= on <= a.until_on for a in away):
            free.extend(
                FreeTime(slot, starts_at, on)
                for slot in slots
                if slot.weekday == on.weekday()
                for starts_at in _instants(slot, on, supporter.zone)
                if starts_at > now and not rules.is_busy(starts_at, slot.minutes_per_review, busy)
            )
        on += timedelta(days=1)
    return sorted(free, key=lambda time: (time.starts_at, time.slot.id))


def next_free_times(
    supporter_id: int, from_on: date, *, service: Service, now: datetime, count: int = 3
) -> list[FreeTime]:
    """The next `count` places from a day on, looking eight weeks ahead."""
    until_on = from_on + timedelta(weeks=8)
    return free_review_times(supporter_id, from_on, until_on, service=service, now=now)[:count]


def slot_holding(supporter_id: int, starts_at: datetime) -> ReviewSlot | None:
    """The protected slot of this supporter in which a review can start at this instant."""
    supporter = db.session.get_one(Account, supporter_id)
    on = local_day(starts_at, supporter.zone)
    slots = db.session.scalars(
        select(ReviewSlot)
        .where(
            ReviewSlot.supporter_id == supporter_id,
            ReviewSlot.ended_at.is_(None),
            ReviewSlot.weekday == on.weekday(),
        )
        .order_by(ReviewSlot.id)
    )
    return next((slot for slot in slots if starts_at in _instants(slot, on, supporter.zone)), None)


def held_booking(supporter_id: int, starts_at: datetime, minutes: int = 1) -> SlotBooking | None:
    """The booking of this supporter, in whatever slot, that overlaps so many minutes from then on."""
    longest = timedelta(minutes=rules.LONGEST_REVIEW_MINUTES)
    held = db.session.execute(
        select(SlotBooking, ReviewSlot.minutes_per_review)
        .join(ReviewSlot, ReviewSlot.id == SlotBooking.slot_id)
        .where(
            SlotBooking.supporter_id == supporter_id,
            SlotBooking.released_at.is_(None),
            SlotBooking.starts_at > starts_at - longest,
            SlotBooking.starts_at < starts_at + timedelta(minutes=minutes),
        )
        .order_by(SlotBooking.starts_at)
    )
    return next(
        (
            booking
            for booking, length in held
            if rules.is_busy(starts_at, minutes, [rules.busy_time(booking.starts_at, length)])
        ),
        None,
    )


def held_bookings_of(enrolment_id: int, from_at: datetime) -> list[SlotBooking]:
    """Bookings of one course that start at or after an instant and are still held."""
    return list(
        db.session.scalars(
            select(SlotBooking)
            .where(
                SlotBooking.enrolment_id == enrolment_id,
                SlotBooking.released_at.is_(None),
                SlotBooking.starts_at >= from_at,
            )
            .order_by(SlotBooking.starts_at, SlotBooking.id)
        )
    )


def bookings_in_slot(slot: ReviewSlot, from_at: datetime) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(
                SlotBooking.slot_id == slot.id,
                SlotBooking.released_at.is_(None),
                SlotBooking.starts_at >= from_at,
            )
        )
        or 0
    )


def _instants(slot: ReviewSlot, on: date, zone: str) -> list[datetime]:
    return rules.instants_of_block(slot.starts, slot.ends, slot.minutes_per_review, on=on, zone=zone)


def _closures_and_bookings(
    supporter_id: int, service: Service, now: datetime, from_on: date, until_on: date
) -> tuple[set[date], list[rules.BusyTime]]:
    """The days on which the service itself is closed, and the times that are booked: one statement."""
    around = timedelta(days=1)
    closures = select(
        ServiceClosure.closed_on.label("closed_on"),
        cast(null(), UtcDateTime).label("starts_at"),
        cast(null(), Integer).label("minutes"),
    ).where(ServiceClosure.service_id == service.id, ServiceClosure.closed_on.between(from_on, until_on))
    bookings = (
        select(cast(null(), Date), SlotBooking.starts_at, ReviewSlot.minutes_per_review)
        .join(ReviewSlot, ReviewSlot.id == SlotBooking.slot_id)
        .where(
            SlotBooking.supporter_id == supporter_id,
            SlotBooking.released_at.is_(None),
            SlotBooking.starts_at > now - timedelta(minutes=rules.LONGEST_REVIEW_MINUTES),
            SlotBooking.starts_at >= datetime.combine(from_on - around, datetime.min.time(), now.tzinfo),
            SlotBooking.starts_at < datetime.combine(until_on + 2 * around, datetime.min.time(), now.tzinfo),
        )
    )
    rows = db.session.execute(union_all(closures, bookings)).all()
    closed = {row.closed_on for row in rows if row.closed_on is not None}
    return closed, [rules.busy_time(row.starts_at, row.minutes) for row in rows if row.starts_at is not None]
