"""The service closes for a day: every review that was to be written on it moves, and whom it concerns is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.hours.closed_days import first_open_day
from icbt_support.hours.operations import close_service_on
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.rhythm.moving import move_review_date, move_review_without_place
from icbt_support.rhythm.touched import TouchedReview, touched_reviews
from icbt_support.service.models import Service

CLOSED_WORDS = "we are closed on that day"


@dataclass(frozen=True)
class MovedByClosure:
    """A review that is to be written on the closed day by `writer`; without a free place it moves to `opens_on`."""

    writer: Account
    touched: TouchedReview
    opens_on: date

    @property
    def has_place(self) -> bool:
        """A review with the pool is written by whoever takes it, on the next day that is open."""
        return self.touched.first_day_back is not None and self.touched.review.pooled_at is None

    @property
    def moves_to(self) -> date:
        place = self.touched.first_day_back
        return place.on if place is not None and self.has_place else self.opens_on


def moved_by_closure(service: Service, on: date, *, now: datetime) -> tuple[MovedByClosure, ...]:
    """Owed reviews and welcomes that are to be written on this day, by writer, each with where it goes.

    What is late already has no day to move from: the pool sees to it as before.
    """
    writers = {
        one.id: one for role in (Role.SUPPORTER, Role.CLINICIAN) for one in staff_with_role(service.id, role)
    }
    opens_on = first_open_day(service, on + timedelta(days=1))
    return tuple(
        MovedByClosure(writer, touched, opens_on)
        for writer in sorted(writers.values(), key=lambda one: (one.full_name, one.id))
        for touched in touched_reviews(writer, service=service, from_on=on, until_on=on, now=now)
        if not touched.review.is_late(now)
    )


def close_day(
    service: Service, on: date, reason: str, *, by: Actor, now: datetime
) -> tuple[MovedByClosure, ...]:
    """Closes the day and moves what was to be written on it; returns what moved. A second time moves nothing."""
    moving = moved_by_closure(service, on, now=now)
    close_service_on(service, on, reason, by=by, now=now)
    for one in moving:
        _move(one, by=by, now=now)
    _tell_writers(moving, now)
    return moving


def _move(one: MovedByClosure, *, by: Actor, now: datetime) -> None:
    review, place = one.touched.review, one.touched.first_day_back
    if place is not None and one.has_place:
        move_review_date(
            review, place.starts_at, reason="closed day", told_because=CLOSED_WORDS, by=by, now=now
        )
        return
    move_review_without_place(
        review, one.opens_on, reason="closed day", told_because=CLOSED_WORDS, by=by, now=now
    )


def _tell_writers(moving: Sequence[MovedByClosure], now: datetime) -> None:
    for one in moving:
        review = one.touched.review
        owe_reminder(
            key=f"closed-day:{review.id}:{review.promised_at:%Y%m%d%H%M}:{review.owner_id}",
            kind=ReminderKind.STAFF_COURSE_NEWS,
            recipient_id=review.owner_id,
            service_id=review.service_id,
            subject=f"review:{review.id}",
            context=f"enrolment:{review.enrolment_id}",
            due_at=now,
            now=now,
        )
