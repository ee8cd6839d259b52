"""The figures of a service by calendar week, by module and by standing, always with what they are counted of.

Read from rows that are kept: one for each person (`activity`), one for each day of the service (`service_days`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, and_, case, func, literal, or_, select
from sqlalchemy.orm import aliased

from icbt_support.activity.models import ActivityPerson
from icbt_support.activity.rules import FIRST_DAYS_KEPT, WEEKS_KEPT, modules_of_marks, week_number
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.engagement.models import ServiceDay
from icbt_support.engagement.service_days import STANDS_AFTER
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.plan.models import Week
from icbt_support.programme.content import Programme
from icbt_support.service.models import Service

WEEKS_SHOWN = 8
ONE_WEEK = timedelta(weeks=1)
REACH_LOOK_BACK = timedelta(weeks=26)
DAYS_HERE = ((1, 1), (2, 3), (4, 6), (7, FIRST_DAYS_KEPT))
"""The groups of `FirstFortnight`: fewest and most days."""
_MIDNIGHT = datetime.min.time()


class Standing(StrEnum):
    """Where an open course stands, by the last visit alone."""

    IN_RHYTHM = "in-rhythm"
    SLIPPING = "slipping"
    QUIET = "quiet"
    AWAY = "away"
    NOT_STARTED = "not-started"


@dataclass(frozen=True)
class WeekFigures:
    """One calendar week from Monday: prompts by what became of them, reviews by promise, people by visits.

    A review is late if its promise passed without it, whether it came later or never did.
    """

    monday: date
    sent: int = 0
    held_back: int = 0
    withdrawn: int = 0
    on_time: int = 0
    late: int = 0
    sessions_done: int = 0
    sessions_planned: int = 0
    used_tool: int = 0
    signed_in: int = 0
    no_visit: int = 0

    @property
    def in_treatment(self) -> int:
        return self.used_tool + self.signed_in + self.no_visit


@dataclass(frozen=True)
class Followed:
    """Prompts by email, and after how many of them the person was here within 48 hours."""

    count: int
    of: int


@dataclass(frozen=True)
class FirstFortnight:
    """People by the number of days on which they were here in the fortnight that began with their first visit."""

    one: int
    two_or_three: int
    four_to_six: int
    seven_or_more: int

    @property
    def people(self) -> int:
        return self.one + self.two_or_three + self.four_to_six + self.seven_or_more


@dataclass(frozen=True)
class ModuleReach:
    """Of those whose plan had time for the module (as many weeks as its number), how many opened it."""

    number: int
    slug: str
    title: str
    opened: int
    had_time: int

    @property
    def label(self) -> str:
        return f"{self.number}. {self.title}"


@dataclass(frozen=True)
class PeopleFigures:
    """People by standing, and for each Monday: in treatment, here, and with a tool used."""

    standing: dict[Standing, int]
    weeks: dict[date, tuple[int, int, int]]


def is_of_care(service: Service) -> tuple[ColumnElement[bool], ...]:
    """The courses that figures are about: care, never training."""
    return Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE


def mondays_until(today: date) -> list[date]:
    """The Mondays of this week and of the seven before it, oldest first."""
    this = today - timedelta(days=today.weekday())
    return [this - n * ONE_WEEK for n in range(WEEKS_SHOWN - 1, -1, -1)]


# Standing ---------------------------------------------------------------------------------------------------


def has_standing(standing: Standing, service: Service, *, now: datetime) -> ColumnElement[bool]:
    """The same rule for the figure and for the list behind it; needs `ActivityPerson` joined."""
    state = Enrolment.state
    if standing is Standing.NOT_STARTED:
        return state.in_((EnrolmentState.INVITED, EnrolmentState.ONBOARDING))
    if standing is Standing.AWAY:
        return state.in_((EnrolmentState.AWAY, EnrolmentState.PAUSED))
    lately = _was_seen(service.rhythm.quiet_prompts_stop_days, service, now)
    not_long_ago = _was_seen(service.rhythm.quiet_call_days, service, now)
    is_active = state == EnrolmentState.ACTIVE
    if standing is Standing.IN_RHYTHM:
        return and_(is_active, lately)
    if standing is Standing.SLIPPING:
        return and_(is_active, ~lately, not_long_ago)
    return and_(is_active, ~lately, ~not_long_ago)


def _was_seen(days: int, service: Service, now: datetime) -> ColumnElement[bool]:
    """Fewer than `days` days ago; a course that has just begun or gone on counts from then."""
    first_on = local_day(now, service.zone) - timedelta(days=days - 1)
    since = to_utc(first_on, _MIDNIGHT, service.zone)
    return or_(
        *(
            func.coalesce(seen, literal(False))
            for seen in (
                ActivityPerson.last_at >= since,
                Enrolment.started_at >= since,
                Enrolment.back_at >= since,
                Enrolment.starts_on >= first_on,
            )
        )
    )


def people_figures(service: Service, mondays: Sequence[date], *, now: datetime) -> PeopleFigures:
    """One statement that looks once at each course of the last weeks, and at nothing that its person did."""
    is_open = Enrolment.state != EnrolmentState.ENDED
    sums: list[Any] = [_sum(and_(is_open, has_standing(standing, service, now=now))) for standing in Standing]
    for monday in mondays:
        treated = in_treatment(monday, service)
        sums += [
            _sum(treated),
            _sum(and_(treated, has_week(ActivityPerson.weeks_here, monday))),
            _sum(and_(treated, has_week(ActivityPerson.weeks_with_tool, monday))),
        ]
    since = to_utc(mondays[0], _MIDNIGHT, service.zone)
    row = db.session.execute(
        select(*sums)
        .select_from(Enrolment)
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .where(*is_of_care(service), or_(Enrolment.ended_at.is_(None), Enrolment.ended_at >= since))
    ).one()
    numbers = [number or 0 for number in row]
    by_week = numbers[len(Standing) :]
    return PeopleFigures(
        dict(zip(Standing, numbers, strict=False)),
        {monday: tuple(by_week[n * 3 : n * 3 + 3]) for n, monday in enumerate(mondays)},  # type: ignore[misc]
    )


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0), type_=Integer())


def in_treatment(monday: date, service: Service) -> ColumnElement[bool]:
    """Whether a course had started and not ended at some time of the week."""
    begins = to_utc(monday, _MIDNIGHT, service.zone)
    ends = to_utc(monday + ONE_WEEK, _MIDNIGHT, service.zone)
    return and_(Enrolment.started_at < ends, or_(Enrolment.ended_at.is_(None), Enrolment.ended_at >= begins))


def has_week(bits: Any, monday: date) -> ColumnElement[bool]:
    """Whether the bits of an `ActivityPerson` say so of the week of this Monday; never NULL."""
    ago = ActivityPerson.last_week - week_number(monday)
    return case((and_(ago >= 0, ago < WEEKS_KEPT), bits.bitwise_rshift(ago).bitwise_and(1) == 1), else_=False)


# By week ----------------------------------------------------------------------------------------------------


def days_kept(service: Service, mondays: Sequence[date]) -> Sequence[ServiceDay]:
    return db.session.scalars(
        select(ServiceDay)
        .where(ServiceDay.service_id == service.id, ServiceDay.day >= mondays[0])
        .order_by(ServiceDay.day)
    ).all()


def week_figures(
    days: Sequence[ServiceDay], people: PeopleFigures, mondays: Sequence[date]
) -> tuple[WeekFigures, ...]:
    return tuple(
        _week([day for day in days if monday <= day.day < monday + ONE_WEEK], people.weeks[monday], monday)
        for monday in mondays
    )


def _week(days: Sequence[ServiceDay], people: tuple[int, int, int], monday: date) -> WeekFigures:
    treated, here, used_tool = people
    return WeekFigures(
        monday=monday,
        sent=sum(day.prompts_sent for day in days),
        held_back=sum(day.prompts_held_back for day in days),
        withdrawn=sum(day.prompts_withdrawn for day in days),
        on_time=sum(day.reviews_on_time for day in days),
        late=sum(day.reviews_late for day in days),
        sessions_done=sum(day.sessions_done for day in days),
        sessions_planned=sum(day.sessions_planned for day in days),
        used_tool=used_tool,
        signed_in=here - used_tool,
        no_visit=treated - here,
    )


def followed_prompts(days: Sequence[ServiceDay], today: date) -> Followed:
    """Only days of which it is known who came."""
    standing = [day for day in days if day.day <= today - STANDS_AFTER]
    return Followed(sum(day.prompts_followed for day in standing), sum(day.prompts_sent for day in standing))


# The first fortnight and the modules ------------------------------------------------------------------------


def was_first_here_lately(service: Service, today: date) -> tuple[ColumnElement[bool], ...]:
    """Whose first visit was in the eight weeks before the last fortnight."""
    end = today.toordinal() - FIRST_DAYS_KEPT
    return (
        ActivityPerson.service_id == service.id,
        ActivityPerson.first_day > end - 7 * WEEKS_SHOWN,
        ActivityPerson.first_day <= end,
        *is_of_care(service),
    )


def first_fortnight(service: Service, today: date) -> FirstFortnight:
    rows = db.session.execute(
        select(ActivityPerson.first_days, func.count())
        .join(Enrolment, Enrolment.id == ActivityPerson.enrolment_id)
        .where(*was_first_here_lately(service, today))
        .group_by(ActivityPerson.first_days)
    )
    days: Counter[int] = Counter()
    for bits, people in rows:
        days[bits.bit_count()] += people
    return FirstFortnight(*(sum(days[n] for n in range(low, high + 1)) for low, high in DAYS_HERE))


def began_lately(service: Service, programme: Programme, *, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The courses of the programme that began in the last 26 weeks."""
    return (
        *is_of_care(service),
        Enrolment.programme_slug == programme.slug,
        Enrolment.started_at >= now - REACH_LOOK_BACK,
    )


def newest_week() -> ScalarSelect[int | None]:
    """The number of a course's newest week: the plan had time for as many modules."""
    week = aliased(Week)
    return (
        select(func.max(week.number)).where(week.enrolment_id == Enrolment.id).correlate(Enrolment)
    ).scalar_subquery()


def reach_of(service: Service, programme: Programme, *, now: datetime) -> tuple[ModuleReach, ...]:
    rows = db.session.execute(
        select(ActivityPerson.modules, newest_week().label("weeks"), func.count())
        .select_from(Enrolment)
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .where(*began_lately(service, programme, now=now))
        .group_by(ActivityPerson.modules, "weeks")
    )
    opened: Counter[int] = Counter()
    had_time: Counter[int] = Counter()
    for marks, weeks, people in rows:
        modules = modules_of_marks(marks or "")
        for module in programme.modules:
            if module.number <= (weeks or 0):
                had_time[module.number] += people
                opened[module.number] += people if module.slug in modules else 0
    return tuple(
        ModuleReach(module.number, module.slug, module.title, opened[module.number], had_time[module.number])
        for module in programme.modules
    )
