"""The people behind each figure of the engagement page, asked for with the figure's own conditions.

Each read answers with courses and how many of what is counted are theirs: over all of them it is the figure.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Integer, Select, and_, literal, not_, select
from sqlalchemy.orm import joinedload

from icbt_support.activity.models import ActivityPerson
from icbt_support.activity.rules import FIRST_DAYS_KEPT, as_module_mark
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.engagement.figures import (
    DAYS_HERE,
    ONE_WEEK,
    began_lately,
    has_week,
    in_treatment,
    is_of_care,
    mondays_until,
    newest_week,
    was_first_here_lately,
)
from icbt_support.engagement.service_days import (
    SENT,
    STANDS_AFTER,
    prompts_of,
    reviews_of,
    sessions_of,
)
from icbt_support.enrolments.models import Enrolment
from icbt_support.programme.content import Module, Programme
from icbt_support.reminders.rules import ReminderState
from icbt_support.service.models import Service

Behind = dict[int, int]


class WeekFigure(StrEnum):
    """A number of one calendar week."""

    USED_A_TOOL = "used-a-tool"
    VISITED_ONLY = "visited-only"
    DID_NOT_VISIT = "did-not-visit"
    SENT = "sent"
    HELD_BACK = "held-back"
    WITHDRAWN = "withdrawn"
    ON_TIME = "on-time"
    LATE = "late"
    SESSIONS_KEPT = "sessions-kept"
    SESSIONS_NOT_KEPT = "sessions-not-kept"


_STATES = {
    WeekFigure.SENT: SENT,
    WeekFigure.HELD_BACK: (ReminderState.HELD_BACK,),
    WeekFigure.WITHDRAWN: (ReminderState.WITHDRAWN,),
}


def behind_week(service: Service, figure: WeekFigure, monday: date, *, now: datetime) -> Behind:
    """Visits by person; prompts, reviews and sessions by whose they are, those with most first."""
    end = monday + ONE_WEEK
    if figure in (WeekFigure.ON_TIME, WeekFigure.LATE):
        is_on_time = figure is WeekFigure.ON_TIME
        reviews = reviews_of(service, monday, end, now=now)
        return _counted(one.enrolment_id for one in reviews if one.is_on_time is is_on_time)
    if figure in (WeekFigure.SESSIONS_KEPT, WeekFigure.SESSIONS_NOT_KEPT):
        was_kept = figure is WeekFigure.SESSIONS_KEPT
        sessions = sessions_of(service, monday, end)
        return _counted(one.enrolment_id for one in sessions if one.was_kept is was_kept)
    if figure in _STATES:
        prompts = prompts_of(service, monday, end)
        return _counted(one.enrolment_id for one in prompts if one.state in _STATES[figure])
    return _visitors(service, figure, monday)


def behind_followed(service: Service, *, now: datetime) -> Behind:
    """Who was here within 48 hours of a prompt; only of days of which that is known."""
    today = local_day(now, service.zone)
    end = today - STANDS_AFTER + timedelta(days=1)
    prompts = prompts_of(service, mondays_until(today)[0], end)
    return _counted(one.enrolment_id for one in prompts if one.was_followed)


def behind_fortnight(service: Service, group: int, *, now: datetime) -> Behind:
    """`group` is a place in `DAYS_HERE`."""
    fewest, most = DAYS_HERE[group]
    first_days = ActivityPerson.first_days
    days = (literal(day, Integer) for day in range(FIRST_DAYS_KEPT))
    days_here = sum((first_days.bitwise_rshift(day).bitwise_and(1) for day in days), start=literal(0))
    lately = was_first_here_lately(service, local_day(now, service.zone))
    return _each_once(_people().where(*lately, days_here >= fewest, days_here <= most))


def behind_had_time(service: Service, programme: Programme, module: Module, *, now: datetime) -> Behind:
    """Whose plan had time for the module."""
    return _each_once(_people().where(*_had_time(service, programme, module, now)))


def behind_opened(service: Service, programme: Programme, module: Module, *, now: datetime) -> Behind:
    """Of those whose plan had time for the module, who opened it."""
    opened = ActivityPerson.modules.contains(as_module_mark(module.slug), autoescape=True)
    return _each_once(_people().where(*_had_time(service, programme, module, now), opened))


def courses_named(enrolment_ids: Collection[int]) -> dict[int, Enrolment]:
    """These courses with their people."""
    courses = db.session.scalars(
        select(Enrolment)
        .options(joinedload(Enrolment.patient), joinedload(Enrolment.supporter))
        .where(Enrolment.id.in_(enrolment_ids))
    ).unique()
    return {course.id: course for course in courses}


def _visitors(service: Service, figure: WeekFigure, monday: date) -> Behind:
    was_here = has_week(ActivityPerson.weeks_here, monday)
    used_a_tool = has_week(ActivityPerson.weeks_with_tool, monday)
    condition = {
        WeekFigure.USED_A_TOOL: used_a_tool,
        WeekFigure.VISITED_ONLY: and_(was_here, not_(used_a_tool)),
        WeekFigure.DID_NOT_VISIT: not_(was_here),
    }[figure]
    return _each_once(_people().where(*is_of_care(service), in_treatment(monday, service), condition))


def _had_time(
    service: Service, programme: Programme, module: Module, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (*began_lately(service, programme, now=now), newest_week() >= module.number)


def _people() -> Select[int]:
    return (
        select(Enrolment.id)
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .order_by(ActivityPerson.last_at.is_not(None), ActivityPerson.last_at, Enrolment.id)
    )


def _each_once(people: Select[int]) -> Behind:
    """Those who have not been here for longest come first."""
    return dict.fromkeys(db.session.scalars(people), 1)


def _counted(enrolment_ids: Iterable[int]) -> Behind:
    counted = Counter(enrolment_ids)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
