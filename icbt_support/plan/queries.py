"""Reads of weeks and their items. That a check-in is done is derived here from the finished check-in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.models import FinishedCheckIn
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.read_once import read_once


@dataclass(frozen=True)
class ItemNow:
    """An item with its state as it is now; `settled_at` of a check-in is when it was finished."""

    item: PlanItem
    state: ItemState
    settled_at: datetime | None

    @property
    def is_planned(self) -> bool:
        return self.state is ItemState.PLANNED

    @property
    def is_done(self) -> bool:
        return self.state is ItemState.DONE


def open_week_of(enrolment: Enrolment) -> Week | None:
    """The week that is open now."""
    return db.session.scalars(
        select(Week)
        .where(Week.enrolment_id == enrolment.id, Week.closed_at.is_(None))
        .order_by(Week.number.desc())
        .options(selectinload(Week.items))
    ).first()


def week_of(enrolment: Enrolment, number: int) -> Week | None:
    return db.session.scalars(
        select(Week)
        .where(Week.enrolment_id == enrolment.id, Week.number == number)
        .options(selectinload(Week.items))
    ).one_or_none()


@read_once
def latest_week_of(enrolment: Enrolment) -> Week | None:
    """The week with the highest number, open or closed."""
    return (
        db.session.scalars(
            select(Week)
            .where(Week.enrolment_id == enrolment.id)
            .order_by(Week.number.desc())
            .limit(1)
            .options(joinedload(Week.items))
        )
        .unique()
        .first()
    )


def weeks_of(enrolment: Enrolment) -> list[Week]:
    """Every week, first to last, with its items."""
    return list(
        db.session.scalars(
            select(Week)
            .where(Week.enrolment_id == enrolment.id)
            .order_by(Week.number)
            .options(selectinload(Week.items))
        )
    )


def scoped_item(enrolment: Enrolment, item_id: int) -> PlanItem | None:
    """An item of this enrolment, or None."""
    return db.session.scalars(
        select(PlanItem).where(PlanItem.id == item_id, PlanItem.enrolment_id == enrolment.id)
    ).one_or_none()


def items_with_state(week: Week) -> list[ItemNow]:
    """The week's items by day and time, without those carried over to the next week's plan."""
    finished_at = check_ins_finished([week.enrolment_id]).get((week.enrolment_id, week.number))
    return [item_now(item, finished_at) for item in week.items]


def item_now(item: PlanItem, check_in_finished_at: datetime | None) -> ItemNow:
    """An item's state now; only a check-in looks at when it was finished."""
    if item.kind is ItemKind.CHECK_IN and check_in_finished_at is not None:
        return ItemNow(item, ItemState.DONE, check_in_finished_at)
    return ItemNow(item, item.state, item.settled_at)


@read_once
def check_ins_finished(enrolment_ids: Collection[int]) -> dict[tuple[int, int], datetime]:
    """(enrolment id, week number) to when its check-in was finished; one statement."""
    rows = db.session.execute(
        select(FinishedCheckIn.enrolment_id, FinishedCheckIn.week_number, FinishedCheckIn.finished_at).where(
            FinishedCheckIn.enrolment_id.in_(enrolment_ids)
        )
    )
    return {(row.enrolment_id, row.week_number): row.finished_at for row in rows}


def modules_opened(enrolment: Enrolment) -> list[str]:
    """The modules of this person's weeks, in the order in which they first opened."""
    modules = db.session.scalars(
        select(Week.module).where(Week.enrolment_id == enrolment.id).order_by(Week.number)
    )
    return list(dict.fromkeys(modules))
