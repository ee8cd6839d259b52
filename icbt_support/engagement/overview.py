"""The state of a service as its clinicians see it: figures with denominators, and people with reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import distinct, func, select

from icbt_support.activity.models import ActivityDay
from icbt_support.cadence import local_day, to_local
from icbt_support.db import db
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.figures import (
    USED_A_TOOL,
    ModuleReach,
    WeekFigures,
    courses_of,
    mondays_until,
    reach_of,
    week_figures,
)
from icbt_support.engagement.status import PersonFacts, PersonStatus, Status, status_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.messages.queries import late_since
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem
from icbt_support.plan.strip import StripModel
from icbt_support.plan.words import clock_words, day_words
from icbt_support.programme.content import Programme
from icbt_support.reviews.models import ReviewKind
from icbt_support.rhythm.quiet import QuietPerson, quiet_people
from icbt_support.rhythm.strips import strips_for
from icbt_support.risk.models import AlertSource, RiskAlert
from icbt_support.service.models import Service

ENOUGH_FOR_A_FINDING = 20
IN_TREATMENT = (EnrolmentState.ACTIVE, EnrolmentState.AWAY, EnrolmentState.PAUSED)
ITEM_9_ANSWERS = ("not at all", "several days", "more than half the days", "nearly every day")
NAMED_BY_WEEKDAY = timedelta(days=6)
_ORDER = {status: place for place, status in enumerate(Status)}


@dataclass(frozen=True)
class Tile:
    """A count with what it is counted of; where that is nobody, there is no figure and `detail` says so."""

    label: str
    count: int
    of: int
    detail: str


@dataclass(frozen=True)
class PersonRow:
    person: PersonNow
    status: PersonStatus
    strip: StripModel | None
    last_visit: datetime | None


@dataclass(frozen=True)
class Overview:
    in_treatment: int
    tiles: tuple[Tile, ...]
    weeks: tuple[WeekFigures, ...]
    reach: tuple[ModuleReach, ...]
    people: tuple[PersonRow, ...]

    @property
    def need_a_look(self) -> int:
        return sum(row.status.needs_a_look for row in self.people)

    @property
    def reach_heading(self) -> str:
        """A finding only where it rests on enough people and the figures say it; else a neutral title."""
        known = [row for row in self.reach if row.had_time >= ENOUGH_FOR_A_FINDING]
        for before, after in zip(known, known[1:], strict=False):
            if before.opened * after.had_time * 4 > after.opened * before.had_time * 5:
                return f"Fewer people open {after.title} than the module before it"
        return "Module reach"


def overview_of(service: Service, programme: Programme, *, now: datetime) -> Overview:
    """Everything on the engagement page of one service at `now`; a fixed number of statements."""
    people = people_rows(service, now=now)
    treated = [row.person.enrolment.id for row in people if row.person.enrolment.state in IN_TREATMENT]
    weeks = week_figures(service, mondays_until(local_day(now, service.zone)), now=now)
    return Overview(
        in_treatment=len(treated),
        tiles=_tiles(service, treated, weeks, now),
        weeks=weeks,
        reach=reach_of(service, programme),
        people=people,
    )


def people_rows(service: Service, *, now: datetime) -> tuple[PersonRow, ...]:
    """Everybody whose course is open, those who need a look first."""
    people = load_people(select(Enrolment).where(Enrolment.id.in_(courses_of(service))))
    return tuple(sorted(_rows_of(people, service, now), key=_place_of))


def person_row(enrolment: Enrolment, *, now: datetime) -> PersonRow | None:
    """One person as they stand in the list; None once the course has ended."""
    people = load_people(select(Enrolment).where(Enrolment.id == enrolment.id))
    return next(iter(_rows_of(people, enrolment.service, now)), None)


def _rows_of(people: Sequence[PersonNow], service: Service, now: datetime) -> list[PersonRow]:
    strips = strips_for([person.enrolment for person in people], now=now)
    quiet = {one.enrolment.id: one for one in quiet_people([service.id], now=now)}
    unread = late_since([person.enrolment.id for person in people])
    rows = []
    for person in people:
        number = person.enrolment.id
        facts = _facts(person, service, quiet.get(number), unread.get(number), now)
        visit = to_local(person.last_visit_at, service.zone) if person.last_visit_at else None
        rows.append(PersonRow(person, status_of(facts), strips.get(number), visit))
    return rows


def _place_of(row: PersonRow) -> tuple[int, str, int]:
    enrolment = row.person.enrolment
    return _ORDER[row.status.status], enrolment.patient.full_name.casefold(), enrolment.id


def _facts(
    person: PersonNow,
    service: Service,
    quiet: QuietPerson | None,
    unread: datetime | None,
    now: datetime,
) -> PersonFacts:
    return PersonFacts(
        state=person.enrolment.state,
        alert_words=alert_words(person.alerts[0].alert) if person.alerts else "",
        scores=person.scores,
        quiet_days=quiet.days if quiet else 0,
        quiet_task=quiet.task if quiet else None,
        calls_tried=quiet.tries if quiet else 0,
        was_reached=quiet.was_reached if quiet else False,
        slipping_days=service.rhythm.quiet_prompts_stop_days,
        review_late_words=_review_late_words(person, service, now),
        message_late_words=f"a message unread {_since(unread, service, now)}" if unread else "",
        week_opened_words=_week_opened_words(person),
    )


def _review_late_words(person: PersonNow, service: Service, now: datetime) -> str:
    late = next((owed.review for owed in person.owed if owed.review.is_late(now)), None)
    if late is None:
        return ""
    since = _since(late.promised_at, service, now)
    if late.kind is ReviewKind.WELCOME:
        return f"welcome owed {since}"
    opened = _week_opened_words(person)
    return f"{since}; {opened}" if opened else since


def _week_opened_words(person: PersonNow) -> str:
    week = person.week.week if person.week else None
    if week is None or week.opened_because is not OpenedBecause.REVIEW_LATE:
        return ""
    return f"week {week.number} opened without a review"


def _since(at: datetime, service: Service, now: datetime) -> str:
    local = to_local(at, service.zone)
    is_near = to_local(now, service.zone).date() - local.date() <= NAMED_BY_WEEKDAY
    day = f"{local:%A}" if is_near else day_words(local)
    return f"since {day} {clock_words(local)}"


def alert_words(alert: RiskAlert) -> str:
    """The answer as answered, never a conclusion from it."""
    if alert.source is AlertSource.STATED:
        return "said that they may not be safe"
    if alert.source is not AlertSource.ITEM_9 or alert.answer is None:
        return "a concern was raised"
    words = f"Item 9: {ITEM_9_ANSWERS[alert.answer]}"
    return words if alert.answer_before is None else f"{words} (was: {ITEM_9_ANSWERS[alert.answer_before]})"


# The tiles ------------------------------------------------------------------------------------------------


def _tiles(
    service: Service, treated: Sequence[int], weeks: Sequence[WeekFigures], now: datetime
) -> tuple[Tile, ...]:
    today = local_day(now, service.zone)
    last = weeks[-2]
    due = last.on_time + last.late
    kept, planned = _sessions_kept(service, last.monday)
    used, before = _used_a_tool(treated, today), _used_a_tool(treated, today - timedelta(weeks=1))
    return (
        Tile(
            "Used a tool, last 7 days",
            used,
            len(treated),
            f"{before} in the 7 days before" if treated else "Nobody is in treatment",
        ),
        Tile("Reviews on time, last week", last.on_time, due, _late_words(last.late, due)),
        Tile(
            "Sessions kept, last week",
            kept,
            planned,
            "of those planned with a day" if planned else "None was planned",
        ),
    )


def _late_words(late: int, due: int) -> str:
    if not due:
        return "None was due"
    return f"{late} late" if late else "none late"


def _used_a_tool(treated: Sequence[int], until: date) -> int:
    """Of those in treatment now, how many used a tool in the seven days up to and with `until`."""
    statement = select(func.count(distinct(ActivityDay.enrolment_id))).where(
        ActivityDay.enrolment_id.in_(treated),
        ActivityDay.act.in_(USED_A_TOOL),
        ActivityDay.acted_on > until - timedelta(days=7),
        ActivityDay.acted_on <= until,
    )
    return db.session.scalar(statement) or 0


def _sessions_kept(service: Service, monday: date) -> tuple[int, int]:
    """Done, and planned: what was carried over to another week was planned and not kept."""
    rows = db.session.execute(
        select(PlanItem.state, func.count())
        .where(
            PlanItem.enrolment_id.in_(courses_of(service)),
            PlanItem.kind == ItemKind.SESSION,
            PlanItem.planned_on >= monday,
            PlanItem.planned_on < monday + timedelta(weeks=1),
        )
        .group_by(PlanItem.state)
    )
    counts = {row[0]: row[1] for row in rows}
    return counts.get(ItemState.DONE, 0), sum(counts.values())
