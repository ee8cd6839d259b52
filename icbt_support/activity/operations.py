"""The one verb that writes both the row and the day's count."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.activity.models import Act, ActivityDay, ActivityEvent
from icbt_support.db import db

_INSERT_EVENT = insert(ActivityEvent.__table__)


def _count_day(dialect_insert: Callable[[Table], Any]) -> Any:
    """One statement, built once for each engine: a first act makes the day's row, a further one counts it up."""
    row = dialect_insert(ActivityDay.__table__)
    return row.on_conflict_do_update(
        index_elements=["enrolment_id", "acted_on", "act"],
        set_={"count": ActivityDay.__table__.c.count + 1, "last_at": row.excluded.last_at},
    )


_COUNT_DAY = {"sqlite": _count_day(sqlite.insert), "postgresql": _count_day(postgresql.insert)}


def record_activity(
    act: Act, *, service_id: int, enrolment_id: int, on: date, now: datetime, subject: str = ""
) -> None:
    """Records one act of one person; `on` is the day in that person's zone."""
    who = {"service_id": service_id, "enrolment_id": enrolment_id, "act": act, "acted_on": on}
    connection = db.session.connection()
    connection.execute(_INSERT_EVENT, {**who, "subject": subject, "at": now})
    connection.execute(_COUNT_DAY[connection.dialect.name], {**who, "count": 1, "last_at": now})
