"""Moving one date moves what hangs on it."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.transitions import book_slot
from icbt_support.plan.models import ItemKind, ItemMove, ItemState, PlanItem, Week
from icbt_support.plan.queries import check_ins_finished, item_now
from icbt_support.plan.rules import ItemIsSettled, OutsideTheWeek, check_in_opens_on
from icbt_support.plan.transitions import move, set_review_day
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.operations import check_is_owed
from icbt_support.reviews.rules import MoveReason, ReviewNotOwed, moved_because
from icbt_support.reviews.transitions import change_owner, set_date, take_back_from_pool
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.new_owner import release_place_of
from icbt_support.rhythm.onboarding import FIRST_REVIEW_NUMBER, SHORTEST_FIRST_WEEK_DAYS
from icbt_support.rhythm.prompts import reconcile_prompts
from icbt_support.rhythm.weeks import promise_for, promise_on, promised_day
from icbt_support.risk.operations import hold_course

ONE_DAY = timedelta(days=1)
NEWS_OF_THE_OLD_DAY = (
    ReminderKind.REVIEW_MOVED,
    ReminderKind.NEW_WRITER,
    ReminderKind.STAFF_REVIEW_WARNING,
)


class NotTheOwner(Exception):
    """Only the person who owes a review moves it."""


class ReviewIsLate(Exception):
    """A late review has no day to move from: whoever takes it promises a new one."""


class ReviewTooEarly(Exception):
    """The new day lies before `earliest_on`, the first one that fits this course."""

    def __init__(self, earliest_on: date) -> None:
        super().__init__(str(earliest_on))
        self.earliest_on = earliest_on


def move_item(item: PlanItem, on: date, at: time | None, *, by: Actor, now: datetime) -> None:
    """Moves one item within its open week (today to review day); its reminder follows.

    Raises `OutsideTheWeek(earliest_on, latest_on)` or `ItemIsSettled`. A check-in cannot move before it
    opens.
    """
    enrolment = _enrolment_of(item)
    hold_course(enrolment.id)
    db.session.refresh(item)
    week = item.week
    finished_at = check_ins_finished([enrolment.id]).get((enrolment.id, week.number))
    if not week.is_open or not item_now(item, finished_at).is_planned:
        raise ItemIsSettled
    earliest_on, latest_on = days_for(item, enrolment, now=now)
    if not earliest_on <= on <= latest_on:
        raise OutsideTheWeek(earliest_on, latest_on)
    if (on, at) == (item.planned_on, item.planned_time):
        return
    move(item, on, at, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now, reason="it was moved")


def days_for(item: PlanItem, enrolment: Enrolment, *, now: datetime) -> tuple[date, date]:
    """The first and last day to which an item may move: for the form, and for the refusal."""
    week = item.week
    first_on = max(week.opened_on, local_today(enrolment, now))
    if item.kind is ItemKind.CHECK_IN:
        opens_days = enrolment.service.rhythm.check_in_opens_days
        first_on = max(first_on, check_in_opens_on(week.review_on, opens_days, week.opened_on))
    return first_on, max(week.review_on, first_on)


def earliest_review_day(review: Review, *, now: datetime) -> date:
    """The first day, where the patient is, to which this review may move.

    Not before today nor while the patient is away, and so long after the week began that it does not merge with
    the review before it; a course that has not begun keeps its shortest first week.
    """
    enrolment, week = review.enrolment, review.week
    days = [local_today(enrolment, now)]
    if enrolment.away_until_on is not None:
        days.append(enrolment.away_until_on + ONE_DAY)
    if week is not None:
        days.append(week.opened_on + timedelta(days=enrolment.service.rhythm.merge_under_days))
    elif enrolment.starts_on is not None and review.number == FIRST_REVIEW_NUMBER:
        days.append(enrolment.starts_on + timedelta(days=SHORTEST_FIRST_WEEK_DAYS))
    return max(days)


def move_own_review(
    review: Review, starts_at: datetime, *, why: MoveReason, by: Actor, now: datetime
) -> None:
    """Whoever owes a review moves it to another free time of their own, and the patient is told from when, to
    when and why; the week's end, check-in and reminders follow.

    A late review is not moved: whoever takes it gives a date (`lateness.take_review`). Raises `NotTheOwner`,
    `ReviewIsLate`, `ReviewTooEarly`, a kind of `hours.refusals.TimeNotFree`, `ReviewAlreadySent` or
    `ReviewNotOwed`.
    """
    enrolment = review.enrolment
    hold_and_reread(enrolment)
    check_is_owed(review)
    if review.kind is ReviewKind.WELCOME:
        raise ReviewNotOwed(None)
    if review.owner_id != by.account_id:
        raise NotTheOwner
    if review.is_late(now) or review.taken_at is not None:
        raise ReviewIsLate
    earliest_on = earliest_review_day(review, now=now)
    if promised_day(enrolment, starts_at) < earliest_on:
        raise ReviewTooEarly(earliest_on)
    _move_to(
        review,
        starts_at,
        writer_id=review.owner_id,
        reason=why.value.replace("_", " "),
        told_because=moved_because(why, review.owner.called),
        by=by,
        now=now,
    )


def move_review_date(
    review: Review, starts_at: datetime, *, reason: str, by: Actor, now: datetime, told_because: str = ""
) -> None:
    """Moves an owed review to another free time of the supporter, who owes it then; the week's end, check-in
    and reminders follow.

    Items planned after the new day are brought to the last day before it. The patient is told; `reason` (a
    few words of our own, such as "supporter away") stays in the audit, and `told_because` is what the patient
    reads beside the new day. Raises a kind of
    `hours.refusals.TimeNotFree`, `ReviewAlreadySent` or `ReviewNotOwed`.
    """
    hold_course(review.enrolment_id)
    check_is_owed(review)
    _move_to(
        review,
        starts_at,
        writer_id=review.enrolment.supporter_id,
        reason=reason,
        told_because=told_because,
        by=by,
        now=now,
    )


def move_review_without_place(
    review: Review, on: date, *, reason: str, told_because: str, by: Actor, now: datetime
) -> None:
    """Moves the promise of an owed review to a day on which no place is held for it: it stays with whoever owes it,
    or with the pool. The patient is told; nobody is told of a welcome. Raises what `move_review_date` does.
    """
    hold_course(review.enrolment_id)
    check_is_owed(review)
    stood_at = review.promised_at
    release_place_of(review, now=now)
    set_date(
        review,
        due_on=review.due_on if review.taken_at is not None else on,
        promised_at=promise_on(review.enrolment, on),
        reason=reason,
        told_because=told_because,
        by=by,
        now=now,
    )
    follow_review_date(review, by=by, now=now)
    if review.kind is not ReviewKind.WELCOME and review.promised_at != stood_at:
        _tell_patient(review, now)


def _move_to(
    review: Review,
    starts_at: datetime,
    *,
    writer_id: int,
    reason: str,
    told_because: str,
    by: Actor,
    now: datetime,
) -> None:
    enrolment, stood_at = review.enrolment, review.promised_at
    if review.slot_at == starts_at and review.owner_id == writer_id:
        return
    booking = book_slot(writer_id, starts_at, enrolment_id=enrolment.id, by=by, now=now)
    release_place_of(review, now=now)
    if review.pooled_at is not None:
        take_back_from_pool(review, by=by, now=now)
    due_on, promised_at = promise_for(enrolment, starts_at)
    set_date(
        review,
        due_on=due_on,
        promised_at=promised_at,
        booking_id=booking.id,
        slot_at=starts_at,
        reason=reason,
        told_because=told_because,
        by=by,
        now=now,
    )
    if review.owner_id != writer_id:
        change_owner(review, writer_id, by=by, now=now)
    follow_review_date(review, by=by, now=now)
    if review.promised_at != stood_at:
        _tell_patient(review, now)


def follow_review_date(review: Review, *, by: Actor, now: datetime) -> None:
    """Brings the open week of a review to the review's new date: its end, its check-in, late items,
    reminders.
    """
    enrolment, week = review.enrolment, review.week
    if week is None or not week.is_open:
        return
    review_on = review.promised_on
    if review_on != week.review_on:
        set_review_day(week, review_on, by=by, now=now)
        for item in list(week.items):
            _bring_along(item, week, enrolment, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now, reason="the review was moved")


def _bring_along(item: PlanItem, week: Week, enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    if item.state is not ItemState.PLANNED:
        return
    last_on = max(week.review_on - ONE_DAY, week.opened_on)
    if item.kind is ItemKind.CHECK_IN and not _was_moved_by_hand(item, enrolment):
        asked_days = timedelta(days=enrolment.service.rhythm.check_in_asked_days)
        on = max(week.review_on - asked_days, week.opened_on)
    else:
        on = min(item.planned_on, last_on)
    if on != item.planned_on:
        move(item, on, item.planned_time, by=by, now=now)


def _was_moved_by_hand(item: PlanItem, enrolment: Enrolment) -> bool:
    return (
        db.session.scalar(
            select(ItemMove.id)
            .where(ItemMove.item_id == item.id, ItemMove.moved_by == enrolment.patient_id)
            .limit(1)
        )
        is not None
    )


def _tell_patient(review: Review, now: datetime) -> None:
    """News of the new day, each time that it moves; what was to be said of the old day and has not gone out yet
    is not said any more.
    """
    subject = f"review:{review.id}"
    withdraw_reminders(now=now, reason="it moved", subject=subject, kinds=NEWS_OF_THE_OLD_DAY)
    owe_reminder(
        key=f"review-moved:{review.id}:{review.promised_at:%Y%m%d%H%M}:{int(now.timestamp())}",
        kind=ReminderKind.REVIEW_MOVED,
        recipient_id=review.enrolment.patient_id,
        service_id=review.service_id,
        subject=subject,
        context=f"enrolment:{review.enrolment_id}",
        due_at=now,
        now=now,
    )


def _enrolment_of(item: PlanItem) -> Enrolment:
    return db.session.get_one(Enrolment, item.enrolment_id)
