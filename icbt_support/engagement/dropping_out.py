"""Who stopped early: at which module, and after how many weeks of those who had the time."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, Subquery, and_, func, select, type_coerce

from icbt_support.db import db
from icbt_support.engagement.outcome_filter import DROPPED_OUT, OutcomeFilter, is_wanted
from icbt_support.enrolments.models import Enrolment
from icbt_support.patient_groups.models import GroupMember
from icbt_support.plan.models import Week
from icbt_support.service.models import Service

MOST_WEEKS = 20
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class DropOutAt:
    """The module that was open when people stopped; empty: before the first week."""

    programme: str
    module: str
    count: int


@dataclass(frozen=True)
class AttritionWeek:
    """Of those who started at least `week` weeks ago, where they were after that many weeks."""

    week: int
    started: int
    in_course: int
    ended_otherwise: int
    dropped_out: int


def people_who_dropped_out_at(
    service: Service, wanted: OutcomeFilter, programme: str, module: str
) -> list[int]:
    """The courses behind one row of `dropped_out_at`, newest ending first."""
    last = _last_week(service)
    return list(
        db.session.scalars(
            select(Enrolment.id)
            .outerjoin(last, last.c.enrolment_id == Enrolment.id)
            .outerjoin(Week, and_(Week.enrolment_id == last.c.enrolment_id, Week.number == last.c.number))
            .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
            .where(
                is_wanted(service, wanted),
                Enrolment.end_code.in_(DROPPED_OUT),
                Enrolment.programme_slug == programme,
                func.coalesce(Week.module, "") == module,
            )
            .order_by(Enrolment.ended_at.desc(), Enrolment.id)
        )
    )


def people_who_had_dropped_out(
    service: Service, wanted: OutcomeFilter, week: int, *, now: datetime
) -> list[int]:
    """The courses behind a week of `attrition_of`: stopped within so many weeks of their start."""
    rows = db.session.execute(
        select(Enrolment.id, Enrolment.started_at, Enrolment.ended_at)
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted.whenever_ended), Enrolment.end_code.in_(DROPPED_OUT))
        .order_by(Enrolment.ended_at.desc(), Enrolment.id)
    )
    return [
        number
        for number, started_at, ended_at in rows
        if started_at is not None and ended_at is not None
        if started_at + week * _WEEK <= now and ended_at < started_at + week * _WEEK
    ]


def _last_week(service: Service) -> Subquery:
    return (
        select(Week.enrolment_id, func.max(Week.number).label("number"))
        .join(Enrolment, Enrolment.id == Week.enrolment_id)
        .where(Enrolment.service_id == service.id, Enrolment.end_code.in_(DROPPED_OUT))
        .group_by(Week.enrolment_id)
        .subquery()
    )


def dropped_out_at(service: Service, wanted: OutcomeFilter) -> tuple[DropOutAt, ...]:
    last = _last_week(service)
    rows = db.session.execute(
        select(Enrolment.programme_slug, Week.module, func.count(Enrolment.id))
        .outerjoin(last, last.c.enrolment_id == Enrolment.id)
        .outerjoin(Week, and_(Week.enrolment_id == last.c.enrolment_id, Week.number == last.c.number))
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.end_code.in_(DROPPED_OUT))
        .group_by(Enrolment.programme_slug, Week.module)
    )
    return tuple(DropOutAt(programme, module or "", count) for programme, module, count in rows)


def attrition_of(service: Service, wanted: OutcomeFilter, now: datetime) -> tuple[AttritionWeek, ...]:
    """Week by week, for as many weeks as somebody has had the time for."""
    rows = db.session.execute(
        select(Enrolment.started_at, Enrolment.ended_at, type_coerce(Enrolment.end_code, String))
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.started_at.is_not(None))
    )
    began: Counter[int] = Counter()
    left: dict[bool, Counter[tuple[int, int]]] = {True: Counter(), False: Counter()}
    for started_at, ended_at, end_code in rows:
        if started_at is None:
            continue
        had = min((now - started_at) // _WEEK, MOST_WEEKS)
        began[had] += 1
        if ended_at is not None:
            left[end_code in DROPPED_OUT][had, (ended_at - started_at) // _WEEK + 1] += 1
    return tuple(
        _attrition_week(week, began, left)
        for week in range(MOST_WEEKS + 1)
        if any(had >= week for had in began)
    )


def _attrition_week(
    week: int, began: Counter[int], left: dict[bool, Counter[tuple[int, int]]]
) -> AttritionWeek:
    """`began` counts courses by the weeks since their start, `left` by those and the week by which they ended."""
    started = sum(number for had, number in began.items() if had >= week)
    gone = {
        dropped_out: sum(number for (had, by), number in counted.items() if had >= week >= by)
        for dropped_out, counted in left.items()
    }
    return AttritionWeek(week, started, started - gone[True] - gone[False], gone[False], gone[True])
