"""The state of a service as its clinicians see it: figures with denominators, and people with reasons."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import distinct, func, select

from icbt_support.activity.models import Act, ActivityDay
from icbt_support.cadence import local_day, to_local, to_utc
from icbt_support.db import db
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.status import PersonFacts, PersonStatus, status_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.journal.models import PageRead
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.plan.strip import StripModel
from icbt_support.plan.words import clock_words
from icbt_support.programme.content import Programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.rhythm.strips import strips_for
from icbt_support.risk.models import AlertSource, RiskAlert
from icbt_support.service.models import Service

WEEKS_SHOWN = 8
ENOUGH_FOR_A_FINDING = 20
IN_TREATMENT = (EnrolmentState.ACTIVE, EnrolmentState.AWAY, EnrolmentState.PAUSED)
ITEM_9_ANSWERS = ("not at all", "several days", "more than half the days", "nearly every day")
_USED_A_TOOL = (Act.SAVED_ENTRY, Act.ANSWERED_EXERCISE)
_MIDNIGHT = datetime.min.time()


@dataclass(frozen=True)
class Tile:
    label: str
    count: int
    of: int
    detail: str


@dataclass(frozen=True)
class WeekFigures:
    """One calendar week from Monday: reminders by what became of them, sessions kept, reviews on time and late."""

    monday: date
    sent: int
    held_back: int
    withdrawn: int
    on_time: int
    late: int
    used_tool: int
    signed_in: int
    no_visit: int


@dataclass(frozen=True)
class ModuleReach:
    """Of those whose plan had time for the module, how many opened it."""

    label: str
    opened: int
    had_time: int


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
                return f"Fewer people open {after.label.split('. ', 1)[1]} than the module before it"
        return "Module reach"


def overview_of(service: Service, programme: Programme, *, now: datetime) -> Overview:
    """Everything on the engagement page of one service at `now`; a fixed number of statements."""
    people = people_rows(service, now=now)
    treated = [row for row in people if row.person.enrolment.state in IN_TREATMENT]
    mondays = _mondays(local_day(now, service.zone))
    figures = _week_figures(service, mondays)
    return Overview(
        in_treatment=len(treated),
        tiles=_tiles(service, treated, figures, now),
        weeks=figures,
        reach=_reach(service, programme),
        people=people,
    )


def people_rows(service: Service, *, now: datetime) -> tuple[PersonRow, ...]:
    """Everybody whose course is open, those who need a look first."""
    people = load_people(select(Enrolment).where(Enrolment.service_id == service.id))
    strips = strips_for([person.enrolment for person in people], now=now)
    rows = [_person_row(person, service, strips.get(person.enrolment.id), now) for person in people]
    order = {status: n for n, status in enumerate(type(rows[0].status.status))} if rows else {}
    return tuple(sorted(rows, key=lambda row: (order[row.status.status], row.person.enrolment.patient.full_name)))


def _person_row(person: PersonNow, service: Service, strip: StripModel | None, now: datetime) -> PersonRow:
    visit = to_local(person.last_visit_at, service.zone) if person.last_visit_at else None
    return PersonRow(
        person=person,
        status=status_of(
            _facts(person, service, now), never_started_call_day=service.rhythm.never_started_call_day
        ),
        strip=strip,
        last_visit=visit,
    )


def _facts(person: PersonNow, service: Service, now: datetime) -> PersonFacts:
    today = local_day(now, service.zone)
    late = next((owed.review for owed in person.owed if owed.review.is_late(now)), None)
    started = person.last_visit_at or person.enrolment.started_at
    return PersonFacts(
        state=person.enrolment.state,
        alert_words=alert_words(person.alerts[0].alert) if person.alerts else "",
        scores=person.scores,
        last_visit_days=(today - local_day(started, service.zone)).days if started else None,
        days_since_invited=(today - local_day(person.enrolment.invited_at, service.zone)).days,
        late_since=late.promised_at if late else None,
        late_words=_since_words(late, service) if late else "",
    )


def alert_words(alert: RiskAlert) -> str:
    """The answer as answered, never a conclusion from it."""
    if alert.source is not AlertSource.ITEM_9 or alert.answer is None:
        return "said that they may not be safe" if alert.source is AlertSource.STATED else "a concern was raised"
    words = f"Item 9: {ITEM_9_ANSWERS[alert.answer]}"
    return words if alert.answer_before is None else f"{words} (was: {ITEM_9_ANSWERS[alert.answer_before]})"


def _since_words(review: Review, service: Service) -> str:
    local = to_local(review.promised_at, service.zone)
    return f"since {local:%A} {clock_words(local)}"


def _mondays(today: date) -> list[date]:
    this = today - timedelta(days=today.weekday())
    return [this - timedelta(weeks=n) for n in range(WEEKS_SHOWN - 1, -1, -1)]


def _week_figures(service: Service, mondays: Sequence[date]) -> tuple[WeekFigures, ...]:
    start = to_utc(mondays[0], _MIDNIGHT, service.zone)
    end = to_utc(mondays[-1] + timedelta(weeks=1), _MIDNIGHT, service.zone)
    reminders = _reminders_by_week(service, start, end)
    reviews = _reviews_by_week(service, start, end)
    visits = _visits_by_week(service, mondays)
    treated = _in_treatment_by_week(service, mondays)
    return tuple(
        WeekFigures(
            monday=monday,
            sent=reminders[monday, ReminderState.HANDED_OVER],
            held_back=reminders[monday, ReminderState.HELD_BACK],
            withdrawn=reminders[monday, ReminderState.WITHDRAWN],
            on_time=reviews[monday, True],
            late=reviews[monday, False],
            used_tool=len(visits[monday, True]),
            signed_in=len(visits[monday, False] - visits[monday, True]),
            no_visit=max(treated[monday] - len(visits[monday, False] | visits[monday, True]), 0),
        )
        for monday in mondays
    )


def _monday_of(at: datetime, zone: str) -> date:
    on = local_day(at, zone)
    return on - timedelta(days=on.weekday())


def _reminders_by_week(service: Service, start: datetime, end: datetime) -> dict[tuple[date, ReminderState], int]:
    rows = db.session.execute(
        select(Reminder.due_at, Reminder.state).where(
            Reminder.service_id == service.id,
            Reminder.channel == Channel.EMAIL,
            Reminder.reminder_class == ReminderClass.PROMPT,
            Reminder.due_at >= start,
            Reminder.due_at < end,
        )
    )
    counts: dict[tuple[date, ReminderState], int] = defaultdict(int)
    for due_at, state in rows:
        counts[_monday_of(due_at, service.zone), state] += 1
    return counts


def _reviews_by_week(service: Service, start: datetime, end: datetime) -> dict[tuple[date, bool], int]:
    rows = db.session.execute(
        select(Review.first_promised_at, Review.sent_at).where(
            Review.service_id == service.id,
            Review.kind != ReviewKind.WELCOME,
            Review.state != ReviewState.CANCELLED,
            Review.first_promised_at >= start,
            Review.first_promised_at < end,
        )
    )
    counts: dict[tuple[date, bool], int] = defaultdict(int)
    for promised_at, sent_at in rows:
        if sent_at is not None:
            counts[_monday_of(promised_at, service.zone), sent_at <= promised_at] += 1
    return counts


def _visits_by_week(service: Service, mondays: Sequence[date]) -> dict[tuple[date, bool], set[int]]:
    """Who used a tool (True) and who visited at all (False), by week."""
    rows = db.session.execute(
        select(ActivityDay.enrolment_id, ActivityDay.acted_on, ActivityDay.act).where(
            ActivityDay.service_id == service.id,
            ActivityDay.acted_on >= mondays[0],
            ActivityDay.acted_on < mondays[-1] + timedelta(weeks=1),
        )
    )
    found: dict[tuple[date, bool], set[int]] = defaultdict(set)
    for enrolment_id, on, act in rows:
        monday = on - timedelta(days=on.weekday())
        found[monday, False].add(enrolment_id)
        if act in _USED_A_TOOL:
            found[monday, True].add(enrolment_id)
    return found


def _in_treatment_by_week(service: Service, mondays: Sequence[date]) -> dict[date, int]:
    rows = db.session.execute(
        select(Enrolment.started_at, Enrolment.ended_at).where(
            Enrolment.service_id == service.id, Enrolment.started_at.is_not(None)
        )
    ).all()
    return {
        monday: sum(
            local_day(started, service.zone) < monday + timedelta(weeks=1)
            and (ended is None or local_day(ended, service.zone) >= monday)
            for started, ended in rows
            if started is not None
        )
        for monday in mondays
    }


def _tiles(
    service: Service, treated: Sequence[PersonRow], weeks: Sequence[WeekFigures], now: datetime
) -> tuple[Tile, ...]:
    used_now, used_before = (_used_a_tool(service, treated, now, days_ago) for days_ago in (0, 7))
    last = weeks[-2]
    kept, planned = _sessions_kept(service, last.monday)
    late = f"{last.late} late" if last.late else "none late"
    return (
        Tile("Used a tool, last 7 days", used_now, len(treated), f"{used_before} in the 7 days before"),
        Tile("Reviews on time, last week", last.on_time, last.on_time + last.late, late),
        Tile("Sessions kept, last week", kept, planned, "of those planned with a day"),
    )


def _used_a_tool(service: Service, treated: Sequence[PersonRow], now: datetime, days_ago: int) -> int:
    until = local_day(now, service.zone) - timedelta(days=days_ago)
    return (
        db.session.scalar(
            select(func.count(distinct(ActivityDay.enrolment_id))).where(
                ActivityDay.service_id == service.id,
                ActivityDay.enrolment_id.in_([row.person.enrolment.id for row in treated]),
                ActivityDay.act.in_(_USED_A_TOOL),
                ActivityDay.acted_on > until - timedelta(days=7),
                ActivityDay.acted_on <= until,
            )
        )
        or 0
    )


def _sessions_kept(service: Service, monday: date) -> tuple[int, int]:
    rows = db.session.execute(
        select(PlanItem.state, func.count())
        .join(Enrolment, Enrolment.id == PlanItem.enrolment_id)
        .where(
            Enrolment.service_id == service.id,
            PlanItem.kind == ItemKind.SESSION,
            PlanItem.state != ItemState.CARRIED_OVER,
            PlanItem.planned_on >= monday,
            PlanItem.planned_on < monday + timedelta(weeks=1),
        )
        .group_by(PlanItem.state)
    ).all()
    counts: dict[ItemState, int] = {state: count for state, count in rows}
    return counts.get(ItemState.DONE, 0), sum(counts.values())


def _reach(service: Service, programme: Programme) -> tuple[ModuleReach, ...]:
    of_service = select(Enrolment.id).where(
        Enrolment.service_id == service.id, Enrolment.programme_slug == programme.slug
    )
    furthest = db.session.execute(
        select(Week.enrolment_id, func.max(Week.number))
        .where(Week.enrolment_id.in_(of_service))
        .group_by(Week.enrolment_id)
    ).all()
    opened: dict[str, int] = {
        module: count
        for module, count in db.session.execute(
            select(PageRead.module, func.count(distinct(PageRead.enrolment_id)))
            .where(PageRead.enrolment_id.in_(of_service))
            .group_by(PageRead.module)
        )
    }
    rows = []
    for module in programme.modules:
        had_time = sum(number >= module.number for _, number in furthest)
        rows.append(ModuleReach(f"{module.number}. {module.title}", min(opened.get(module.slug, 0), had_time), had_time))
    return tuple(rows)
