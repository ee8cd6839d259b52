"""State changes of weeks and items that only `rhythm` may make: rows and audit lines, no reminders."""

from collections.abc import Iterable
from datetime import date, datetime, time

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import ItemMove, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.plan.rules import PlannedItem


def create_week(
    enrolment: Enrolment,
    *,
    number: int,
    module: str,
    opened_on: date,
    review_on: date,
    because: OpenedBecause,
    items: Iterable[PlannedItem],
    by: Actor,
    now: datetime,
    review_id: int | None = None,
) -> Week:
    """A new open week with its items; an IntegrityError means that somebody else opened this number first.

    `review_id` is the review that agreed the step among `items`.
    """
    week = Week(
        enrolment_id=enrolment.id,
        number=number,
        module=module,
        opened_on=opened_on,
        review_on=review_on,
        opened_at=now,
        opened_because=because,
    )
    db.session.add(week)
    db.session.flush()
    for planned in items:
        add_item(week, planned, review_id=review_id)
    db.session.flush()
    db.session.refresh(week, ["items"])
    record(
        "opened_week",
        by=by,
        now=now,
        object_kind="week",
        object_id=week.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=f"week {number}, {module}, because {because.value}",
    )
    return week


def add_item(week: Week, planned: PlannedItem, *, review_id: int | None = None) -> PlanItem:
    """One more item in a week; the item it carries on is marked as carried over."""
    item = PlanItem(
        week_id=week.id,
        enrolment_id=week.enrolment_id,
        kind=planned.kind,
        subject=planned.subject,
        title=planned.title,
        why=planned.why,
        planned_on=planned.planned_on,
        planned_time=planned.planned_time,
        minutes=planned.minutes,
        is_emailed=planned.is_emailed,
        carried_from_id=planned.carried_from_id,
        review_id=review_id if planned.kind is planned.kind.AGREED_STEP else None,
    )
    db.session.add(item)
    if planned.carried_from_id is not None:
        before = db.session.get_one(PlanItem, planned.carried_from_id)
        before.state = ItemState.CARRIED_OVER
    db.session.flush()
    return item


def close_week(week: Week, *, by: Actor, now: datetime) -> None:
    """Closes a week; what was not done stays as it was planned."""
    week.closed_at = now
    db.session.flush()
    record(
        "closed_week",
        by=by,
        now=now,
        object_kind="week",
        object_id=week.id,
        enrolment_id=week.enrolment_id,
        detail=f"week {week.number}",
    )


def settle(item: PlanItem, state: ItemState, *, words: str, by: Actor, now: datetime) -> None:
    """Done, not this time, or planned again; `words` are the patient's own."""
    item.state = state
    item.settled_at = None if state is ItemState.PLANNED else now
    item.patient_words = words
    db.session.flush()
    record(
        "settled_plan_item",
        by=by,
        now=now,
        object_kind="plan_item",
        object_id=item.id,
        enrolment_id=item.enrolment_id,
        detail=state.value,
    )


def move(item: PlanItem, on: date, at: time | None, *, by: Actor, now: datetime) -> None:
    """Moves an item and keeps where it came from."""
    db.session.add(
        ItemMove(
            item_id=item.id,
            from_on=item.planned_on,
            from_time=item.planned_time,
            to_on=on,
            to_time=at,
            moved_at=now,
            moved_by=by.account_id,
        )
    )
    item.planned_on = on
    item.planned_time = at
    db.session.flush()
    record(
        "moved_plan_item",
        by=by,
        now=now,
        object_kind="plan_item",
        object_id=item.id,
        enrolment_id=item.enrolment_id,
        detail=f"to {on}",
    )


def set_review_day(week: Week, review_on: date, *, by: Actor, now: datetime) -> None:
    """The day by which this week's review is promised."""
    week.review_on = review_on
    db.session.flush()
    record(
        "moved_review_day_of_week",
        by=by,
        now=now,
        object_kind="week",
        object_id=week.id,
        enrolment_id=week.enrolment_id,
        detail=f"to {review_on}",
    )


def mark_told_ready(week: Week, *, by: Actor, now: datetime) -> None:
    """The patient says that they are ready for more; it promises nothing."""
    week.told_ready_at = now
    db.session.flush()
    record(
        "told_ready",
        by=by,
        now=now,
        object_kind="week",
        object_id=week.id,
        enrolment_id=week.enrolment_id,
    )
