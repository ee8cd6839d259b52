"""Weeks open: the first on the start date, the next when its review is sent or two working days after it was
due.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import exists, or_, select

from icbt_support.audit.models import Actor
from icbt_support.cadence import add_working_days, local_day, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.cover import free_times_of_cover, writer_at
from icbt_support.hours.models import SlotBooking
from icbt_support.hours.queries import FreeTime, absences_between, next_free_times
from icbt_support.hours.transitions import book_slot, release_booking
from icbt_support.plan.models import OpenedBecause, Week
from icbt_support.plan.queries import latest_week_of
from icbt_support.plan.rules import (
    StepChoice,
)
from icbt_support.plan.transitions import close_week, create_week
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.course import without_first
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.queries import OWED, highest_number, owed_reviews, review_of_week
from icbt_support.reviews.rules import default_opening, module_of
from icbt_support.reviews.transitions import (
    attach_to_week,
    change_owner,
    mark_week_opened_late,
    owe_again,
    schedule_review,
    set_date,
)
from icbt_support.rhythm.new_owner import tell_of_hand_over
from icbt_support.rhythm.prompts import reconcile_prompts
from icbt_support.rhythm.week_items import is_worked_through, items_of_next_week
from icbt_support.risk.operations import hold_course

ONE_DAY = timedelta(days=1)
SHORTEST_AFTER_SLOT = timedelta(hours=1)
CLOSED_DAYS_AHEAD = timedelta(days=28)
WAITING_FOR_A_WEEK = (*OWED, ReviewState.CANCELLED)


class NoReviewBooked(Exception):
    """A week opens only with the date of its review."""


# Reviews --------------------------------------------------------------------------------------------------


def promise_for(enrolment: Enrolment, starts_at: datetime) -> tuple[date, datetime]:
    """The day of a review time where the supporter is, and the instant that is promised to the patient.

    Promised is the service's hour on that day; a slot later than that is promised an hour after its start.
    """
    due_on = local_day(starts_at, enrolment.supporter.zone)
    return due_on, max(promise_on(enrolment, due_on), starts_at + SHORTEST_AFTER_SLOT)


def promised_day(enrolment: Enrolment, starts_at: datetime) -> date:
    """The day that the patient is told for a review time, where the patient is."""
    _, promised_at = promise_for(enrolment, starts_at)
    return local_day(promised_at, enrolment.patient.zone)


def promise_on(enrolment: Enrolment, on: date) -> datetime:
    """The service's hour on a day: by when a review of that day is promised."""
    return to_utc(on, enrolment.service.promised_time, enrolment.service.zone)


def book_review(
    enrolment: Enrolment,
    starts_at: datetime,
    *,
    number: int,
    by: Actor,
    now: datetime,
    week: Week | None = None,
) -> Review:
    """Books a free review time of the supporter and schedules the review in it. While the supporter is away it is
    a time of the colleague who is named as cover, who then owes it and hears of it.

    A review of this number that waits for its week (the plan was paused with a date) moves to this time, and
    one that was cancelled before its week opened is owed again; a number that is used up gives way to the
    next one. Raises a kind of `hours.refusals.TimeNotFree`, with the next three times that are free.
    """
    supporter = enrolment.supporter
    writer_id = writer_at(supporter.id, supporter.zone, starts_at)
    booking = book_slot(writer_id, starts_at, enrolment_id=enrolment.id, by=by, now=now)
    review = _promise(enrolment, booking, number=number, by=by, now=now, week=week)
    if writer_id != supporter.id:
        tell_of_hand_over(
            writer_id,
            service_id=review.service_id,
            subject=f"review:{review.id}",
            context=f"enrolment:{enrolment.id}",
            key=f"review:{review.id}",
            now=now,
        )
    return review


def _promise(
    enrolment: Enrolment, booking: SlotBooking, *, number: int, by: Actor, now: datetime, week: Week | None
) -> Review:
    starts_at = booking.starts_at
    due_on, promised_at = promise_for(enrolment, starts_at)
    known = review_of_week(enrolment, number)
    if known is not None and known.week_id is None and known.state in WAITING_FOR_A_WEEK:
        owe_again(known, promised_at=promised_at, by=by, now=now)
        release_place(known, now=now)
        set_date(
            known,
            due_on=due_on,
            promised_at=promised_at,
            booking_id=booking.id,
            slot_at=starts_at,
            by=by,
            now=now,
        )
        if known.owner_id != booking.supporter_id:
            change_owner(known, booking.supporter_id, by=by, now=now)
        return known
    return schedule_review(
        enrolment,
        number=number if known is None else highest_number(enrolment) + 1,
        due_on=due_on,
        promised_at=promised_at,
        owner_id=booking.supporter_id,
        booking_id=booking.id,
        slot_at=starts_at,
        week=week,
        by=by,
        now=now,
    )


def release_place(review: Review, *, now: datetime) -> None:
    """A place that lies ahead is free for somebody else; one that has passed was used."""
    if review.booking_id is None or review.slot_at is None or review.slot_at <= now:
        return
    release_booking(db.session.get_one(SlotBooking, review.booking_id), now=now)


# Weeks ----------------------------------------------------------------------------------------------------


def programme_of(enrolment: Enrolment) -> Programme:
    """The version of the programme that this course is pinned to."""
    return find_programme(enrolment.programme_slug, enrolment.programme_version)


def open_first_week(enrolment: Enrolment, *, by: Actor, now: datetime) -> Week:
    """Opens week 1 with the first module, for the review that is booked (number 1); the welcome never blocks
    it.

    Called at onboarding when the start date is today; `open_one_due_week` calls it on a later start date.
    """
    review = review_of_week(enrolment, 1)
    if review is None:
        raise NoReviewBooked
    module = programme_of(enrolment).modules[0]
    return open_week(enrolment, module.slug, review=review, because=OpenedBecause.START, by=by, now=now)


def open_week(
    enrolment: Enrolment,
    module: str,
    *,
    review: Review,
    because: OpenedBecause,
    by: Actor,
    now: datetime,
    step: StepChoice | None = None,
    agreed_in: Review | None = None,
) -> Week:
    """Opens the next week with `module`; `review` is the one that will close it (its number becomes the
    week's).

    Owes the week's reminders in the same transaction. `step` was agreed in the review `agreed_in`.
    """
    week = place_week(
        enrolment, module, review=review, because=because, by=by, now=now, step=step, agreed_in=agreed_in
    )
    reconcile_prompts(enrolment, by=by, now=now)
    return week


def place_week(
    enrolment: Enrolment,
    module: str,
    *,
    review: Review,
    because: OpenedBecause,
    by: Actor,
    now: datetime,
    step: StepChoice | None = None,
    agreed_in: Review | None = None,
) -> Week:
    """The week and its items without its reminders: for verbs that reconcile once, at their end."""
    review_on = review.promised_on
    week = create_week(
        enrolment,
        number=review.number,
        module=module,
        opened_on=local_today(enrolment, now),
        review_on=review_on,
        because=because,
        items=items_of_next_week(enrolment, module, review_on=review_on, step=step, now=now),
        review_id=agreed_in.id if agreed_in else None,
        by=by,
        now=now,
    )
    attach_to_week(review, week)
    if enrolment.modules_ahead is not None:
        enrolment.modules_ahead = list(without_first(enrolment.modules_ahead, module))
    return week


# Weeks that open by themselves ----------------------------------------------------------------------------


def due_openings(*, now: datetime) -> list[int]:
    """The courses for which a week may be due to open, by id; `open_one_due_week` decides."""
    starting = select(Enrolment.id).where(
        Enrolment.state == EnrolmentState.ACTIVE,
        Enrolment.starts_on <= now.date() + ONE_DAY,
        ~exists().where(Week.enrolment_id == Enrolment.id),
        exists().where(Review.enrolment_id == Enrolment.id, Review.number == 1, Review.state.in_(OWED)),
    )
    late = (
        select(Review.enrolment_id)
        .join(Enrolment, Enrolment.id == Review.enrolment_id)
        .where(
            Review.state.in_(OWED),
            Review.kind != ReviewKind.WELCOME,
            Review.due_on <= now.date(),
            or_(Review.promised_at <= now, Review.taken_at.is_not(None)),
            Review.week_opened_late_at.is_(None),
            Enrolment.state == EnrolmentState.ACTIVE,
        )
    )
    return sorted({*db.session.scalars(starting), *db.session.scalars(late)})


def open_one_due_week(enrolment_id: int, *, now: datetime, by: Actor) -> Week | None:
    """Opens this person's next week if it is still due once the course is held; else None."""
    hold_course(enrolment_id)
    enrolment = db.session.get_one(Enrolment, enrolment_id, populate_existing=True)
    if not enrolment.is_in_rhythm:
        return None
    week = latest_week_of(enrolment)
    if week is None:
        has_come = enrolment.starts_on is not None and enrolment.starts_on <= local_today(enrolment, now)
        return open_first_week(enrolment, by=by, now=now) if has_come else None
    review = review_of_week(enrolment, week.number)
    if review is None or not week.is_open:
        return None
    db.session.refresh(review)
    if not review.is_owed or now < opens_late_at(review):
        return None
    return open_without_review(review, by=by, now=now)


def opens_late_at(review: Review) -> datetime:
    """When the next week opens without this review: two working days after the day on which it was due."""
    service = review.enrolment.service
    closed = closed_days(service, review.due_on, review.due_on + CLOSED_DAYS_AHEAD)
    on = add_working_days(review.due_on, service.rhythm.late_opens_working_days, closed)
    return to_utc(on, service.promised_time, service.zone)


def open_without_review(review: Review, *, by: Actor, now: datetime) -> Week:
    """Closes the week of a review that did not come and opens the next; the clinician is told.

    The same module again if it was not opened, else the next. The next review keeps the rhythm: the first
    free time of the supporter, or of who covers, from the cadence's day on.
    """
    enrolment = review.enrolment
    week = latest_week_of(enrolment)
    if week is None:
        raise NoReviewBooked
    close_week(week, by=by, now=now)
    mark_week_opened_late(review, now=now)
    opening = default_opening(
        programme_of(enrolment),
        week.module,
        was_opened=is_worked_through(enrolment, week.module),
        ahead=enrolment.modules_ahead,
    )
    opened = open_week(
        enrolment,
        module_of(opening) or week.module,
        review=_next_review_after(review, by=by, now=now),
        because=OpenedBecause.REVIEW_LATE,
        by=by,
        now=now,
    )
    owe_reminder(
        key=f"week-opened-late:{review.id}",
        kind=ReminderKind.STAFF_REVIEW_LATE,
        recipient_id=enrolment.clinician_id,
        service_id=enrolment.service_id,
        subject=f"review:{review.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )
    return opened


def _next_review_after(review: Review, *, by: Actor, now: datetime) -> Review:
    enrolment = review.enrolment
    known = [one for one in owed_reviews(enrolment) if one.number > review.number]
    if known:
        return known[0]
    service = enrolment.service
    earliest_on = max(
        review.due_on + timedelta(days=enrolment.cadence_days),
        local_day(now, service.zone) + timedelta(days=service.rhythm.merge_under_days),
    )
    place = _first_place(enrolment, earliest_on, now)
    if place is not None:
        return book_review(enrolment, place.starts_at, number=review.number + 1, by=by, now=now)
    return _promise_without_slot(enrolment, earliest_on, number=review.number + 1, by=by, now=now)


def _first_place(enrolment: Enrolment, earliest_on: date, now: datetime) -> FreeTime | None:
    """The first free time of the supporter or, on days on which they are away, of the colleague who covers."""
    supporter_id, service = enrolment.supporter_id, enrolment.service
    own = next_free_times(supporter_id, earliest_on, service=service, now=now, count=1)
    until_on = own[0].on if own else earliest_on + CLOSED_DAYS_AHEAD
    away = absences_between([supporter_id], earliest_on, until_on)
    of_cover = free_times_of_cover(away, earliest_on, until_on, service=service, now=now)
    return min([*own, *of_cover], key=lambda time: time.starts_at, default=None)


def _promise_without_slot(enrolment: Enrolment, on: date, *, number: int, by: Actor, now: datetime) -> Review:
    """A date is promised even when every slot is taken; the clinician sees a review without a slot."""
    closed = closed_days(enrolment.service, on, on + CLOSED_DAYS_AHEAD)
    due_on = add_working_days(on, 0, closed)
    return schedule_review(
        enrolment,
        number=number,
        due_on=due_on,
        promised_at=promise_on(enrolment, due_on),
        owner_id=enrolment.supporter_id,
        by=by,
        now=now,
    )
