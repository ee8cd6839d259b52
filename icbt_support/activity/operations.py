"""The one verb that writes an act's row, the day's count and the person's figures."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, insert, or_
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.activity.models import USED_A_TOOL, Act, ActivityDay, ActivityEvent, ActivityPerson
from icbt_support.activity.rules import (
    FIRST_DAYS_KEPT,
    FIRST_DAYS_MASK,
    WEEKS_KEPT,
    WEEKS_MASK,
    as_module_mark,
    module_of_page,
    week_number,
)
from icbt_support.db import db

_INSERT_EVENT = insert(ActivityEvent.__table__)
Insert = Callable[[Table], Any]


def _count_day(dialect_insert: Insert) -> Any:
    """One statement, built once for each engine: a first act makes the day's row, a further one counts it up."""
    kept, row = ActivityDay.__table__.c, dialect_insert(ActivityDay.__table__)
    return row.on_conflict_do_update(
        index_elements=["enrolment_id", "acted_on", "act"],
        set_={"count": kept.count + 1, "last_at": _larger(kept.last_at, row.excluded.last_at)},
    )


def _note_person(dialect_insert: Insert) -> Any:
    """Likewise for the person: right whatever the order in which acts arrive."""
    kept, row = ActivityPerson.__table__.c, dialect_insert(ActivityPerson.__table__)
    new = row.excluded
    weeks_on = new.last_week - kept.last_week
    days_back = kept.first_day - new.first_day
    return row.on_conflict_do_update(
        index_elements=["enrolment_id"],
        set_={
            "last_at": _larger(kept.last_at, new.last_at),
            "last_week": _larger(kept.last_week, new.last_week),
            "weeks_here": _joined(kept.weeks_here, new.weeks_here, weeks_on, WEEKS_KEPT, WEEKS_MASK),
            "weeks_with_tool": _joined(
                kept.weeks_with_tool, new.weeks_with_tool, weeks_on, WEEKS_KEPT, WEEKS_MASK
            ),
            "first_day": case((new.first_day < kept.first_day, new.first_day), else_=kept.first_day),
            "first_days": _joined(
                kept.first_days, new.first_days, days_back, FIRST_DAYS_KEPT, FIRST_DAYS_MASK
            ),
            "modules": case(
                (or_(new.modules == "", kept.modules.contains(new.modules)), kept.modules),
                else_=kept.modules + new.modules,
            ),
        },
    )


def _larger(kept: Any, new: Any) -> ColumnElement[Any]:
    return case((new > kept, new), else_=kept)


def _joined(kept: Any, new: Any, steps: Any, length: int, mask: int) -> ColumnElement[int]:
    """The bits of both, counted from the end that stands now: the new bits lie `steps` beyond the kept ones."""
    return case(
        (steps >= length, new),
        (steps >= 0, kept.bitwise_lshift(steps).bitwise_or(new).bitwise_and(mask)),
        (and_(steps < 0, steps > -length), kept.bitwise_or(new.bitwise_lshift(-steps))),
        else_=kept,
    )


_COUNT_DAY = {"sqlite": _count_day(sqlite.insert), "postgresql": _count_day(postgresql.insert)}
_NOTE_PERSON = {"sqlite": _note_person(sqlite.insert), "postgresql": _note_person(postgresql.insert)}


def record_activity(
    act: Act, *, service_id: int, enrolment_id: int, on: date, now: datetime, subject: str = ""
) -> None:
    """Records one act of one person; `on` is the day in that person's zone."""
    who = {"service_id": service_id, "enrolment_id": enrolment_id}
    what = {**who, "act": act, "acted_on": on}
    figures = {
        **who,
        "last_at": now,
        "last_week": week_number(on),
        "weeks_here": 1,
        "weeks_with_tool": int(act in USED_A_TOOL),
        "first_day": on.toordinal(),
        "first_days": 1,
        "modules": as_module_mark(module_of_page(subject)) if act is Act.READ_PAGE else "",
    }
    connection = db.session.connection()
    connection.execute(_INSERT_EVENT, {**what, "subject": subject, "at": now})
    connection.execute(_COUNT_DAY[connection.dialect.name], {**what, "count": 1, "last_at": now})
    connection.execute(_NOTE_PERSON[connection.dialect.name], figures)
