"""Away and paused: prompts stop, help stays, and the next review moves behind the time away."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.queries import local_today
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.rules import longest_away_until
from icbt_support.enrolments.transitions import change_state, set_away_until, set_start_day
from icbt_support.hours.queries import FreeTime, next_free_times
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.plan.queries import latest_week_of, open_week_of
from icbt_support.plan.transitions import close_week
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.queries import next_review, review_of_week
from icbt_support.rhythm.ending import let_go_of_reviews
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.moving import move_item, move_review_date
from icbt_support.rhythm.news import tell_patient_of_change
from icbt_support.rhythm.prompts import reconcile_prompts, withdraw_prompts
from icbt_support.rhythm.weeks import book_review, open_week, open_without_review

DAYS_BEFORE_A_REVIEW = 3


class AwayTooLong(Exception):
    """Away ends within the service's longest time; `latest_on` is the last day that can be chosen."""

    def __init__(self, latest_on: date) -> None:
        super().__init__(str(latest_on))
        self.latest_on = latest_on


class AwayInThePast(Exception):
    """The last day away lies before today."""


class NoReviewTime(Exception):
    """The supporter has no free place after the time away."""


@dataclass(frozen=True)
class AwayPlan:
    """What going away would do, shown before it is done; `review_to` is None where the date can stay, and
    where the review is late already.
    """

    until_on: date
    back_on: date
    review: Review | None
    review_to: FreeTime | None
    items_that_move: int
    is_review_late: bool = False


def propose_away(enrolment: Enrolment, until_on: date, *, now: datetime) -> AwayPlan:
    """The dates of an absence that starts today. Raises `AwayInThePast`, `AwayTooLong` or `NoReviewTime`."""
    today = local_today(enrolment, now)
    latest_on = longest_away_until(today, enrolment.service.rhythm.longest_away_days)
    if until_on < today:
        raise AwayInThePast
    if until_on > latest_on:
        raise AwayTooLong(latest_on)
    back_on = until_on + timedelta(days=1)
    review = next_review(enrolment)
    earliest_on = back_on + timedelta(days=DAYS_BEFORE_A_REVIEW)
    is_late = review is not None and review.is_late(now)
    moves = review is not None and review.due_on < earliest_on and not is_late
    moves_to = _place_from(enrolment, earliest_on, now) if moves else None
    items = _items_until(enrolment, today, until_on, now=now)
    return AwayPlan(until_on, back_on, review, moves_to, len(items), is_late)


def go_away(enrolment: Enrolment, until_on: date, *, by: Actor, now: datetime) -> AwayPlan:
    """The patient's own button: prompts stop, the review and the plan move behind the time away.

    A review that is late already stays owed: its new date is for the person who takes it to give. Raises what
    `propose_away` raises, and `NotPossibleNow` outside of an active course.
    """
    hold_and_reread(enrolment)
    if enrolment.state is not EnrolmentState.ACTIVE:
        raise NotPossibleNow(enrolment.state, EnrolmentState.AWAY)
    plan = propose_away(enrolment, until_on, now=now)
    today = local_today(enrolment, now)
    if plan.review is not None and plan.review_to is not None:
        move_review_date(
            plan.review,
            plan.review_to.starts_at,
            reason="patient away",
            told_because="you are away",
            by=by,
            now=now,
        )
    if enrolment.starts_on is not None and today < enrolment.starts_on <= until_on:
        set_start_day(enrolment, plan.back_on, by=by, now=now)
    week = open_week_of(enrolment)
    for item in _items_until(enrolment, today, until_on, now=now):
        on = plan.back_on + (item.planned_on - today)
        move_item(item, min(on, _last_day_of(week, plan.back_on)), item.planned_time, by=by, now=now)
    change_state(enrolment, EnrolmentState.AWAY, by=by, now=now)
    set_away_until(enrolment, until_on, by=by, now=now)
    withdraw_prompts(enrolment, reason="away", now=now)
    return plan


def come_back(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """Back, early or on the day: the plan goes on where it stands, and its reminders are owed again.

    Where a clinician closed the week's review meanwhile, the next week opens, for a review that is owed.
    """
    hold_and_reread(enrolment)
    if enrolment.state is not EnrolmentState.AWAY:
        raise NotPossibleNow(enrolment.state, EnrolmentState.ACTIVE)
    change_state(enrolment, EnrolmentState.ACTIVE, by=by, now=now)
    set_away_until(enrolment, None, by=by, now=now)
    missed = _review_missed_while_away(enrolment)
    if missed is not None:
        open_without_review(missed, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now)


def due_to_come_back(*, now: datetime) -> list[int]:
    """The courses whose last day away may have passed, by id; `end_one_away` decides."""
    tomorrow = now.date() + timedelta(days=1)
    return list(
        db.session.scalars(
            select(Enrolment.id)
            .where(Enrolment.state == EnrolmentState.AWAY, Enrolment.away_until_on < tomorrow)
            .order_by(Enrolment.id)
        )
    )


def end_one_away(enrolment_id: int, *, by: Actor, now: datetime) -> bool:
    """Brings one person back if their last day away has passed where they are."""
    enrolment = db.session.get_one(Enrolment, enrolment_id)
    hold_and_reread(enrolment)
    until_on = enrolment.away_until_on
    if enrolment.state is not EnrolmentState.AWAY or until_on is None:
        return False
    if until_on >= local_today(enrolment, now):
        return False
    come_back(enrolment, by=by, now=now)
    return True


def pause_course(enrolment: Enrolment, *, reason: str, by: Actor, now: datetime) -> None:
    """Stops the rhythm without a date: the week closes, no review is owed, nothing is prompted.

    The patient is told.
    """
    hold_and_reread(enrolment)
    change_state(enrolment, EnrolmentState.PAUSED, reason=reason, by=by, now=now)
    if enrolment.away_until_on is not None:
        set_away_until(enrolment, None, by=by, now=now)
    week = open_week_of(enrolment)
    if week is not None:
        close_week(week, by=by, now=now)
    let_go_of_reviews(enrolment, reason="the course is paused", by=by, now=now)
    withdraw_prompts(enrolment, reason="paused", now=now)
    tell_patient_of_change(enrolment, "paused", now=now)


def resume_course(
    enrolment: Enrolment, *, module: str, review_at: datetime, by: Actor, now: datetime
) -> Week:
    """Starts the rhythm again with a new week, for a review in a free place of the supporter's diary.

    The week follows the last one that opened: a course that was paused before its first week begins with
    week 1. Raises `NotPossibleNow`, and what `weeks.book_review` raises.
    """
    hold_and_reread(enrolment)
    if enrolment.state is not EnrolmentState.PAUSED:
        raise NotPossibleNow(enrolment.state, EnrolmentState.ACTIVE)
    change_state(enrolment, EnrolmentState.ACTIVE, by=by, now=now)
    latest = latest_week_of(enrolment)
    number = latest.number + 1 if latest is not None else 1
    review = book_review(enrolment, review_at, number=number, by=by, now=now)
    tell_patient_of_change(enrolment, "goes-on", now=now)
    return open_week(enrolment, module, review=review, because=OpenedBecause.RETURN, by=by, now=now)


def _review_missed_while_away(enrolment: Enrolment) -> Review | None:
    week = open_week_of(enrolment)
    review = review_of_week(enrolment, week.number) if week is not None else None
    is_missed = review is not None and review.state is ReviewState.MISSED
    return review if is_missed and next_review(enrolment) is None else None


def _place_from(enrolment: Enrolment, earliest_on: date, now: datetime) -> FreeTime:
    places = next_free_times(enrolment.supporter_id, earliest_on, service=enrolment.service, now=now, count=1)
    if not places:
        raise NoReviewTime
    return places[0]


def _items_until(enrolment: Enrolment, today: date, until_on: date, *, now: datetime) -> list[PlanItem]:
    """What is planned for the time away; the check-in hangs on the review and moves with it.

    A week whose review is late has no days left: what is planned in it is carried over when the next opens.
    """
    week = open_week_of(enrolment)
    review = review_of_week(enrolment, week.number) if week is not None else None
    if week is None or (review is not None and review.is_late(now)):
        return []
    return [
        item
        for item in week.items
        if item.state is ItemState.PLANNED
        and item.kind is not ItemKind.CHECK_IN
        and today <= item.planned_on <= until_on
    ]


def _last_day_of(week: Week | None, back_on: date) -> date:
    return max(back_on, week.review_on - timedelta(days=1)) if week is not None else back_on
