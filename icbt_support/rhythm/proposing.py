"""The next week as it would open: what a letter is previewed with, and nothing of it stored."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from icbt_support.accounts.queries import called_of
from icbt_support.cadence import local_day
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.cover import writer_at
from icbt_support.plan.models import PlanItem, Week
from icbt_support.plan.owed import OwedReminder, WeekItem, WeekToRemind, reminders_of_week
from icbt_support.plan.queries import items_with_state, latest_week_of
from icbt_support.plan.rules import PlannedItem, step_item, with_its_minutes
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import highest_number, owed_reviews
from icbt_support.reviews.rules import NextWeekChoice, module_of
from icbt_support.rhythm.course_changes import changes_that_count
from icbt_support.rhythm.prompts import wishes_of
from icbt_support.rhythm.week_items import items_of_next_week
from icbt_support.rhythm.weeks import programme_of, promise_for, promise_on


@dataclass(frozen=True)
class ProposedWeek:
    """The next week as it would open: nothing of it is stored. `is_open_already` for a late review that
    follows.
    """

    number: int
    module: str | None
    opens_on: date
    review_on: date
    promised_at: datetime
    items: tuple[PlannedItem, ...]
    reminders: tuple[OwedReminder, ...]
    writer_called: str
    is_open_already: bool = False


def week_opened_without(review: Review) -> Week | None:
    """The week that opened because this review was late, if one did: the letter then only adds its step to
    it.
    """
    newest = latest_week_of(review.enrolment)
    return newest if newest is not None and newest.number > review.number else None


def propose_next_week(review: Review, choice: NextWeekChoice, *, now: datetime) -> ProposedWeek:
    """What would open if `review` were sent now with `choice`; reads only.

    A choice without a date is drawn with the cadence's day; a pause or the last review holds nothing but a
    step.
    """
    enrolment = review.enrolment
    open_already = week_opened_without(review)
    if open_already is not None:
        return _propose_step_in(open_already, review, choice, now)
    opens_on, changes = local_today(enrolment, now), changes_that_count(enrolment, choice)
    if choice.next_review_at is not None:
        _, promised_at = promise_for(enrolment, choice.next_review_at)
    else:
        cadence = changes.cadence_days or enrolment.cadence_days
        promised_at = promise_on(enrolment, opens_on + timedelta(days=cadence))
    review_on = local_day(promised_at, enrolment.patient.zone)
    module = module_of(choice.opens)
    items: tuple[PlannedItem, ...] = ()
    if module is not None:
        items = items_of_next_week(
            enrolment,
            module,
            review_on=review_on,
            step=choice.step,
            now=now,
            sessions_a_week=changes.sessions_a_week,
        )
    number, writer = highest_number(enrolment) + 1, _writer_called(enrolment, choice.next_review_at)
    return _proposed(enrolment, number, module, opens_on, promised_at, items, writer, now)


def _writer_called(enrolment: Enrolment, starts_at: datetime | None) -> str:
    """Who would write the next review: the supporter, or who is named as cover on that day."""
    supporter = enrolment.supporter
    writer_id = writer_at(supporter.id, supporter.zone, starts_at) if starts_at is not None else supporter.id
    return supporter.called if writer_id == supporter.id else called_of(writer_id)


def _propose_step_in(week: Week, review: Review, choice: NextWeekChoice, now: datetime) -> ProposedWeek:
    following = next((one for one in owed_reviews(review.enrolment) if one.number == week.number), None)
    promised_at = following.promised_at if following else now
    items = [_as_planned(one.item) for one in items_with_state(week) if one.is_planned]
    if choice.step is not None:
        items.append(step_item(with_its_minutes(choice.step, programme_of(review.enrolment))))
    writer = following.writer_called if following else review.enrolment.supporter.called
    proposed = _proposed(
        review.enrolment, week.number, week.module, week.opened_on, promised_at, tuple(items), writer, now
    )
    return replace(proposed, is_open_already=True)


def _proposed(
    enrolment: Enrolment,
    number: int,
    module: str | None,
    opens_on: date,
    promised_at: datetime,
    items: tuple[PlannedItem, ...],
    writer_called: str,
    now: datetime,
) -> ProposedWeek:
    week = WeekToRemind(
        enrolment_id=enrolment.id,
        number=number,
        opened_on=opens_on,
        promised_at=promised_at,
        items=[
            WeekItem(place, item.kind, item.planned_on, item.planned_time) for place, item in enumerate(items)
        ],
    )
    return ProposedWeek(
        number=number,
        module=module,
        opens_on=opens_on,
        review_on=local_day(promised_at, enrolment.patient.zone),
        promised_at=promised_at,
        items=items,
        reminders=reminders_of_week(week, wishes_of(enrolment), now=now),
        writer_called=writer_called,
    )


def _as_planned(item: PlanItem) -> PlannedItem:
    return PlannedItem(
        item.kind,
        item.subject,
        item.title,
        item.planned_on,
        item.planned_time,
        item.minutes,
        why=item.why,
        is_emailed=item.is_emailed,
    )
