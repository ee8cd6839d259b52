"""How much a supporter's week holds: places and minutes, what is taken of them, and the limits that are set."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select

from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.cadence import to_utc
from icbt_support.db import db
from icbt_support.hours import queries, rules
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import ReviewSlot, SlotBooking, SupporterLimit
from icbt_support.service.models import Service


@dataclass(frozen=True)
class Place:
    """One place of a protected block on one day; `enrolment_id` is whose review is booked there, if any."""

    starts_at: datetime
    enrolment_id: int | None


@dataclass(frozen=True)
class BlockOnDay:
    """A protected block on one day. On a day away or closed only what is booked is left of it."""

    slot: ReviewSlot
    on: date
    places: tuple[Place, ...]
    is_away: bool
    is_closed: bool

    @property
    def taken(self) -> int:
        return sum(place.enrolment_id is not None for place in self.places)


@dataclass(frozen=True)
class WeekOfSlots:
    """One week of a supporter, Monday to Sunday."""

    monday: date
    blocks: tuple[BlockOnDay, ...]

    @property
    def places(self) -> int:
        return sum(len(block.places) for block in self.blocks)

    @property
    def taken(self) -> int:
        return sum(block.taken for block in self.blocks)

    @property
    def minutes(self) -> int:
        return sum(len(block.places) * block.slot.minutes_per_review for block in self.blocks)

    @property
    def minutes_taken(self) -> int:
        return sum(block.taken * block.slot.minutes_per_review for block in self.blocks)


@dataclass
class Capacity:
    """What one supporter's slots hold in an ordinary week, and how many people are booked on each weekday."""

    places: int = 0
    minutes: int = 0
    places_on: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    booked_on: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def minutes_a_review(self) -> int:
        return round(self.minutes / self.places) if self.places else 0

    @property
    def free_weekdays(self) -> tuple[int, ...]:
        return tuple(day for day in sorted(self.places_on) if self.places_on[day] > self.booked_on[day])


def week_of_slots(supporter: Account, monday: date, *, service: Service) -> WeekOfSlots:
    """Every protected block of the week from `monday`, with what is booked and what is free, in five
    statements.
    """
    sunday = monday + timedelta(days=6)
    with_minutes = _booked_in(supporter, monday, sunday)
    booked = [one for one, _ in with_minutes]
    busy = [rules.busy_time(one.starts_at, minutes) for one, minutes in with_minutes]
    slots = db.session.scalars(
        select(ReviewSlot)
        .where(
            ReviewSlot.supporter_id == supporter.id,
            ReviewSlot.service_id == service.id,
            or_(ReviewSlot.ended_at.is_(None), ReviewSlot.id.in_({one.slot_id for one in booked})),
        )
        .order_by(ReviewSlot.starts, ReviewSlot.id)
    ).all()
    absences = queries.absences_between([supporter.id], monday, sunday)
    closed = closed_days(service, monday, sunday)
    blocks = []
    for on in (monday + timedelta(days=count) for count in range(7)):
        is_away = any(one.from_on <= on <= one.until_on for one in absences)
        for slot in (one for one in slots if one.weekday == on.weekday()):
            held = {one.starts_at: one.enrolment_id for one in booked if one.slot_id == slot.id}
            is_open = slot.ended_at is None and not is_away and on not in closed
            places = _places(slot, on, supporter.zone, held, busy, is_open=is_open)
            if places or slot.ended_at is None:
                blocks.append(BlockOnDay(slot, on, places, is_away, on in closed))
    return WeekOfSlots(monday, tuple(blocks))


def _booked_in(supporter: Account, monday: date, sunday: date) -> list[tuple[SlotBooking, int]]:
    """What is booked, with how many minutes it takes."""
    rows = db.session.execute(
        select(SlotBooking, ReviewSlot.minutes_per_review)
        .join(ReviewSlot, ReviewSlot.id == SlotBooking.slot_id)
        .where(
            SlotBooking.supporter_id == supporter.id,
            SlotBooking.released_at.is_(None),
            SlotBooking.starts_at >= to_utc(monday, time(), supporter.zone),
            SlotBooking.starts_at < to_utc(sunday + timedelta(days=1), time(), supporter.zone),
        )
    )
    return [(booking, minutes) for booking, minutes in rows]


def _places(
    slot: ReviewSlot,
    on: date,
    zone: str,
    held: dict[datetime, int],
    busy: Sequence[rules.BusyTime],
    *,
    is_open: bool,
) -> tuple[Place, ...]:
    """What is held, and what is free: a place that a booking of another slot overlaps is neither."""
    times = set(held)
    if is_open:
        instants = rules.instants_of_block(slot.starts, slot.ends, slot.minutes_per_review, on=on, zone=zone)
        times |= {at for at in instants if not rules.is_busy(at, slot.minutes_per_review, busy)}
    return tuple(Place(starts_at, held.get(starts_at)) for starts_at in sorted(times))


def weekly_capacity(service_id: int, *, now: datetime) -> dict[int, Capacity]:
    """The ordinary week of everybody who has a protected slot in the service, in two statements."""
    found: dict[int, Capacity] = defaultdict(Capacity)
    slots = db.session.scalars(
        select(ReviewSlot).where(ReviewSlot.service_id == service_id, ReviewSlot.ended_at.is_(None))
    )
    for slot in slots:
        count = len(rules.times_of_block(slot.starts, slot.ends, slot.minutes_per_review))
        capacity = found[slot.supporter_id]
        capacity.places += count
        capacity.minutes += count * slot.minutes_per_review
        capacity.places_on[slot.weekday] += count
    booked = db.session.execute(
        select(SlotBooking.supporter_id, ReviewSlot.weekday, func.count(SlotBooking.enrolment_id.distinct()))
        .join(ReviewSlot, ReviewSlot.id == SlotBooking.slot_id)
        .where(
            ReviewSlot.service_id == service_id,
            SlotBooking.released_at.is_(None),
            SlotBooking.starts_at >= now,
        )
        .group_by(SlotBooking.supporter_id, ReviewSlot.weekday)
    )
    for supporter_id, weekday, people in booked:
        if supporter_id in found:
            found[supporter_id].booked_on[weekday] = people
    return dict(found)


def limit_of(supporter_id: int, service_id: int) -> SupporterLimit | None:
    return limits_of([supporter_id], service_id).get(supporter_id)


def limits_of(supporter_ids: Iterable[int], service_id: int) -> dict[int, SupporterLimit]:
    rows = db.session.scalars(
        select(SupporterLimit).where(
            SupporterLimit.service_id == service_id, SupporterLimit.supporter_id.in_(list(supporter_ids))
        )
    )
    return {row.supporter_id: row for row in rows}


def set_limit(
    supporter_id: int,
    *,
    service_id: int,
    people: int | None,
    minutes_a_week: int | None,
    by: Actor,
    now: datetime,
) -> SupporterLimit:
    """How many people and minutes a week are enough for this supporter; None is no limit."""
    limit = limit_of(supporter_id, service_id)
    if limit is None:
        limit = SupporterLimit(service_id=service_id, supporter_id=supporter_id)
        db.session.add(limit)
    limit.people, limit.minutes_a_week, limit.set_at = people, minutes_a_week, now
    db.session.flush()
    record(
        "set_a_supporter_limit",
        by=by,
        now=now,
        object_kind="account",
        object_id=supporter_id,
        service_id=service_id,
        detail=f"{people or 'any number of'} people, {minutes_a_week or 'any number of'} minutes a week",
    )
    return limit
