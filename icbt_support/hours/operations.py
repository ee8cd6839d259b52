"""A supporter's protected slots, the duty rota and the days on which a service is closed."""

from datetime import date, datetime, time

from sqlalchemy import select

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.hours import duty_rota, rules
from icbt_support.hours.models import DutySession, ReviewSlot, ServiceClosure
from icbt_support.service.models import Service


class SlotTooShort(Exception):
    """The slot does not hold one review."""


class SlotOverlaps(Exception):
    """The supporter has a slot at that time already."""


class WrongReviewMinutes(Exception):
    """A review takes between 5 and 60 minutes."""


class DutyTaken(Exception):
    """Somebody stands at this place of this duty session already."""


class DutyTwice(Exception):
    """The clinician already has duty in these hours."""


def add_review_slot(
    supporter_id: int,
    *,
    service_id: int,
    weekday: int,
    starts: time,
    ends: time,
    minutes_per_review: int,
    by: Actor,
    now: datetime,
) -> ReviewSlot:
    """A weekly protected block in the supporter's own zone."""
    if not rules.SHORTEST_REVIEW_MINUTES <= minutes_per_review <= rules.LONGEST_REVIEW_MINUTES:
        raise WrongReviewMinutes
    if not rules.times_of_block(starts, ends, minutes_per_review):
        raise SlotTooShort
    wanted = rules.WeeklyBlock(weekday, starts, ends)
    for slot in _every_slot_of(supporter_id):
        if rules.blocks_overlap(wanted, rules.WeeklyBlock(slot.weekday, slot.starts, slot.ends)):
            raise SlotOverlaps
    slot = ReviewSlot(
        service_id=service_id,
        supporter_id=supporter_id,
        weekday=weekday,
        starts=starts,
        ends=ends,
        minutes_per_review=minutes_per_review,
        created_at=now,
    )
    db.session.add(slot)
    db.session.flush()
    record(
        "added_a_review_slot",
        by=by,
        now=now,
        object_kind="review_slot",
        object_id=slot.id,
        service_id=service_id,
        detail=f"account {supporter_id}",
    )
    return slot


def end_review_slot(slot: ReviewSlot, *, by: Actor, now: datetime) -> None:
    """No new bookings; the ones that are held stay where the patients were told."""
    if slot.ended_at is not None:
        return
    slot.ended_at = now
    db.session.flush()
    record(
        "ended_a_review_slot",
        by=by,
        now=now,
        object_kind="review_slot",
        object_id=slot.id,
        service_id=slot.service_id,
    )


def set_duty_session(
    service: Service,
    *,
    weekday: int,
    starts: time,
    ends: time,
    clinician_id: int,
    position: int = 1,
    by: Actor,
    now: datetime,
) -> DutySession:
    """A weekly session of duty in the service's zone; an end at or before its start lies on the next day."""
    for session in duty_rota.duty_sessions(service):
        if (session.weekday, session.starts) != (weekday, starts):
            continue
        if session.position == position:
            raise DutyTaken
        if session.clinician_id == clinician_id:
            raise DutyTwice
    session = DutySession(
        service_id=service.id,
        weekday=weekday,
        starts=starts,
        ends=ends,
        position=position,
        clinician_id=clinician_id,
    )
    db.session.add(session)
    db.session.flush()
    record(
        "set_duty",
        by=by,
        now=now,
        object_kind="duty_session",
        object_id=session.id,
        service_id=service.id,
        detail=f"account {clinician_id}, weekday {weekday}, {starts:%H:%M} to {ends:%H:%M}, place {position}",
    )
    return session


def remove_duty_session(session: DutySession, *, by: Actor, now: datetime) -> None:
    record(
        "removed_duty",
        by=by,
        now=now,
        object_kind="duty_session",
        object_id=session.id,
        service_id=session.service_id,
        detail=f"account {session.clinician_id}, weekday {session.weekday}, {session.starts:%H:%M}",
    )
    db.session.delete(session)
    db.session.flush()


def close_service_on(service: Service, on: date, reason: str, *, by: Actor, now: datetime) -> ServiceClosure:
    """Closes the whole service for one day; a second time changes nothing."""
    known = db.session.scalars(
        select(ServiceClosure).where(ServiceClosure.service_id == service.id, ServiceClosure.closed_on == on)
    ).first()
    if known is not None:
        return known
    closure = ServiceClosure(service_id=service.id, closed_on=on, reason=reason)
    db.session.add(closure)
    db.session.flush()
    record(
        "closed_the_service_for_a_day",
        by=by,
        now=now,
        object_kind="service_closure",
        object_id=closure.id,
        service_id=service.id,
        detail=str(on),
    )
    return closure


def _every_slot_of(supporter_id: int) -> list[ReviewSlot]:
    """Slots of all services: nobody writes in two places at once."""
    return list(
        db.session.scalars(
            select(ReviewSlot)
            .where(ReviewSlot.supporter_id == supporter_id, ReviewSlot.ended_at.is_(None))
            .order_by(ReviewSlot.id)
        )
    )
