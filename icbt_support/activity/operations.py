"""The one verb that writes both the row and the day's count."""

from datetime import date, datetime

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.activity.models import Act, ActivityDay, ActivityEvent
from icbt_support.db import db


def record_activity(
    act: Act, *, service_id: int, enrolment_id: int, on: date, now: datetime, subject: str = ""
) -> None:
    """Records one act of one person; `on` is the day in that person's zone."""
    db.session.execute(
        insert(ActivityEvent).values(
            service_id=service_id, enrolment_id=enrolment_id, act=act, subject=subject, at=now, acted_on=on
        )
    )
    dialect_insert = sqlite.insert if db.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = dialect_insert(ActivityDay).values(
        enrolment_id=enrolment_id, acted_on=on, act=act, service_id=service_id, count=1, last_at=now
    )
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["enrolment_id", "acted_on", "act"],
            set_={"count": ActivityDay.count + 1, "last_at": now},
        )
    )
