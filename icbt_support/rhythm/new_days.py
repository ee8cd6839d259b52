"""A plan whose days have passed gets new ones: the person's own button, with the days shown first."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from icbt_support.audit.models import Actor
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.plan.queries import items_with_state, open_week_of
from icbt_support.plan.rules import ChosenTime, moments_left
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.moving import move_item

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class NewDay:
    """One thing of the plan whose day has passed, and the day and time it would get."""

    item: PlanItem
    on: date
    at: time


def items_behind(week: Week, today: date) -> list[PlanItem]:
    """What is still planned for a day that has passed; the check-in hangs on the review."""
    return [
        one.item
        for one in items_with_state(week)
        if one.is_planned and one.item.kind is not ItemKind.CHECK_IN and one.item.planned_on < today
    ]


def propose_new_days(enrolment: Enrolment, *, now: datetime) -> tuple[NewDay, ...]:
    """The person's own times from now to the day before the review, shared out in the plan's order."""
    week = open_week_of(enrolment)
    if week is None or not enrolment.is_in_rhythm:
        return ()
    today = local_today(enrolment, now)
    behind = items_behind(week, today)
    moments = moments_left(
        len(behind),
        [ChosenTime(one.weekday, one.at) for one in enrolment.session_times],
        opens_on=today,
        opens_after=to_local(now, enrolment.patient.zone).time(),
        last_on=max(week.review_on - ONE_DAY, today),
    )
    return tuple(NewDay(item, on, at) for item, (on, at) in zip(behind, moments, strict=True))


def give_new_days(enrolment: Enrolment, *, by: Actor, now: datetime) -> int:
    """Moves what is behind to its new days, reminders with it; returns how many things moved."""
    hold_and_reread(enrolment)
    days = propose_new_days(enrolment, now=now)
    for day in days:
        move_item(day.item, day.on, day.at, by=by, now=now)
    return len(days)
