"""Who stopped early: at which module, and after how many weeks of those who had the time."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from icbt_support.db import UtcDateTime, db, whole_weeks
from icbt_support.engagement.figures import newest_week
from icbt_support.engagement.outcome_filter import DROPPED_OUT, OutcomeFilter, is_wanted
from icbt_support.enrolments.models import Enrolment
from icbt_support.patient_groups.models import GroupMember
from icbt_support.plan.models import Week
from icbt_support.service.models import Service

MOST_WEEKS = 20


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
    return list(
        db.session.scalars(
            select(Enrolment.id)
            .outerjoin(Week, _is_last_week())
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
    return list(
        db.session.scalars(
            select(Enrolment.id)
            .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
            .where(
                is_wanted(service, wanted.whenever_ended),
                Enrolment.end_code.in_(DROPPED_OUT),
                whole_weeks(Enrolment.started_at, literal(now, UtcDateTime)) >= week,
                whole_weeks(Enrolment.started_at, Enrolment.ended_at) < week,
            )
            .order_by(Enrolment.ended_at.desc(), Enrolment.id)
        )
    )


def _is_last_week() -> ColumnElement[bool]:
    return and_(Week.enrolment_id == Enrolment.id, Week.number == newest_week())


def dropped_out_at(service: Service, wanted: OutcomeFilter) -> tuple[DropOutAt, ...]:
    rows = db.session.execute(
        select(Enrolment.programme_slug, Week.module, func.count(Enrolment.id))
        .outerjoin(Week, _is_last_week())
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.end_code.in_(DROPPED_OUT))
        .group_by(Enrolment.programme_slug, Week.module)
    )
    return tuple(DropOutAt(programme, module or "", count) for programme, module, count in rows)


def attrition_of(service: Service, wanted: OutcomeFilter, now: datetime) -> tuple[AttritionWeek, ...]:
    """Week by week, for as many weeks as somebody has had the time for."""
    had_weeks = whole_weeks(Enrolment.started_at, literal(now, UtcDateTime))
    rows = db.session.execute(
        select(
            case((had_weeks > MOST_WEEKS, MOST_WEEKS), else_=had_weeks).label("had"),
            (whole_weeks(Enrolment.started_at, Enrolment.ended_at) + 1).label("left_by"),
            case((Enrolment.end_code.in_(DROPPED_OUT), 1), else_=0).label("dropped_out"),
            func.count(),
        )
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.started_at.is_not(None))
        .group_by("had", "left_by", "dropped_out")
    )
    began: Counter[int] = Counter()
    left: dict[bool, Counter[tuple[int, int]]] = {True: Counter(), False: Counter()}
    for had, left_by, dropped_out, people in rows:
        began[had] += people
        if left_by is not None:
            left[bool(dropped_out)][had, left_by] += people
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
