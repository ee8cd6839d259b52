"""All figures counted again from the events, some people at a time: what the verb keeps is what this finds."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select

from icbt_support.activity.models import USED_A_TOOL, Act, ActivityDay, ActivityEvent, ActivityPerson
from icbt_support.activity.rules import as_module_mark, days_after, module_of_page, week_number, weeks_before
from icbt_support.db import commit_with_retry, db

PEOPLE_AT_ONCE = 500
MEMORY_KIB = 64 * 1024


def rebuild_figures() -> int:
    """Counts every person's days and figures again; returns how many events they stand on.

    Each batch of people is a transaction of its own, so that the product may go on meanwhile.
    """
    events = ActivityEvent
    first, last = db.session.execute(
        select(func.min(events.enrolment_id), func.max(events.enrolment_id))
    ).one()
    if first is None:
        return 0
    return sum(
        commit_with_retry(lambda start=start: _rebuild(start, start + PEOPLE_AT_ONCE))  # type: ignore[misc]
        for start in range(first, last + 1, PEOPLE_AT_ONCE)
    )


def _rebuild(start: int, end: int) -> int:
    """Of the courses from `start` up to but not with `end`."""
    _prepare(db.session.connection())
    for figures in (ActivityDay, ActivityPerson):
        db.session.execute(
            delete(figures).where(figures.enrolment_id >= start, figures.enrolment_id < end),
            execution_options={"synchronize_session": False},
        )
    _insert_days(start, end)
    rows = [one.as_row() for one in _people(start, end)]
    if rows:
        db.session.execute(insert(ActivityPerson.__table__), rows)
    days = ActivityDay
    return (
        db.session.scalar(
            select(func.sum(days.count)).where(days.enrolment_id >= start, days.enrolment_id < end)
        )
        or 0
    )


def _prepare(connection: Connection) -> None:
    """Memory for some people's events at once: they lie far apart, and are sorted by day.

    On PostgreSQL whoever records an act meanwhile waits, so that no act is counted twice or not at all.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE activity_events IN SHARE MODE")
        connection.exec_driver_sql(f"SET LOCAL work_mem = '{MEMORY_KIB}kB'")
    else:
        connection.exec_driver_sql(f"PRAGMA cache_size = -{MEMORY_KIB}")


def _insert_days(start: int, end: int) -> None:
    events = ActivityEvent
    counted = (
        select(
            events.enrolment_id,
            events.acted_on,
            events.act,
            func.min(events.service_id),
            func.count(),
            func.max(events.at),
        )
        .where(events.enrolment_id >= start, events.enrolment_id < end)
        .group_by(events.enrolment_id, events.acted_on, events.act)
    )
    columns = ["enrolment_id", "acted_on", "act", "service_id", "count", "last_at"]
    db.session.execute(insert(ActivityDay.__table__).from_select(columns, counted))


@dataclass
class _Person:
    enrolment_id: int
    service_id: int = 0
    last_at: datetime | None = None
    days: list[date] = field(default_factory=list)
    days_with_tool: list[date] = field(default_factory=list)
    modules: str = ""

    def as_row(self) -> dict[str, Any]:
        first, last = self.days[0].toordinal(), week_number(self.days[-1])
        return {
            "enrolment_id": self.enrolment_id,
            "service_id": self.service_id,
            "last_at": self.last_at,
            "last_week": last,
            "weeks_here": weeks_before(map(week_number, self.days), last),
            "weeks_with_tool": weeks_before(map(week_number, self.days_with_tool), last),
            "first_day": first,
            "first_days": days_after(map(date.toordinal, self.days), first),
            "modules": self.modules,
        }


def _people(start: int, end: int) -> Iterable[_Person]:
    days = ActivityDay
    is_tool = case((days.act.in_(USED_A_TOOL), 1), else_=0)
    rows = db.session.connection().execute(
        select(
            days.enrolment_id,
            days.acted_on,
            func.min(days.service_id),
            func.max(days.last_at),
            func.max(is_tool),
        )
        .where(days.enrolment_id >= start, days.enrolment_id < end)
        .group_by(days.enrolment_id, days.acted_on)
        .order_by(days.enrolment_id, days.acted_on)
    )
    people: dict[int, _Person] = {}
    for enrolment_id, on, service_id, last_at, used_tool in rows:
        person = people.setdefault(enrolment_id, _Person(enrolment_id, service_id))
        person.days.append(on)
        person.last_at = last_at if person.last_at is None else max(person.last_at, last_at)
        if used_tool:
            person.days_with_tool.append(on)
    for enrolment_id, modules in _modules(start, end).items():
        people[enrolment_id].modules = "".join(map(as_module_mark, sorted(modules)))
    return people.values()


def _modules(start: int, end: int) -> dict[int, set[str]]:
    """Each person's modules of which a page was read."""
    events = ActivityEvent
    rows = db.session.connection().execute(
        select(events.enrolment_id, events.subject)
        .where(events.enrolment_id >= start, events.enrolment_id < end, events.act == Act.READ_PAGE)
        .distinct()
    )
    found: dict[int, set[str]] = defaultdict(set)
    for enrolment_id, subject in rows:
        found[enrolment_id].add(module_of_page(subject))
    return found
