"""Counts of a service by calendar week and by module, always with what they are counted of."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select

from icbt_support.activity.models import Act, ActivityDay
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.journal.models import PageRead
from icbt_support.plan.models import Week
from icbt_support.programme.content import Programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.service.models import Service

WEEKS_SHOWN = 8
ONE_WEEK = timedelta(weeks=1)
USED_A_TOOL = (Act.SAVED_ENTRY, Act.ANSWERED_EXERCISE)
_MIDNIGHT = datetime.min.time()
_SENT = (ReminderState.HANDED_OVER, ReminderState.BOUNCED)


@dataclass(frozen=True)
class WeekFigures:
    """One calendar week from Monday: prompts by what became of them, reviews by promise, people by visits.

    A review is late if its promise passed without it, whether it came later or never did.
    """

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
    """Of those whose plan had time for the module (as many weeks as its number), how many opened it."""

    number: int
    title: str
    opened: int
    had_time: int

    @property
    def label(self) -> str:
        return f"{self.number}. {self.title}"


def courses_of(service: Service) -> Select[int]:
    """The courses that figures are about: care, never training."""
    return select(Enrolment.id).where(Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE)


def mondays_until(today: date) -> list[date]:
    """The Mondays of this week and of the seven before it, oldest first."""
    this = _monday_of(today)
    return [this - n * ONE_WEEK for n in range(WEEKS_SHOWN - 1, -1, -1)]


def week_figures(service: Service, mondays: Sequence[date], *, now: datetime) -> tuple[WeekFigures, ...]:
    start = to_utc(mondays[0], _MIDNIGHT, service.zone)
    end = to_utc(mondays[-1] + ONE_WEEK, _MIDNIGHT, service.zone)
    reminders = _reminders_by_week(service, start, end)
    reviews = _reviews_by_week(service, start, min(end, now))
    used, visited = _visits_by_week(service, mondays)
    treated = _in_treatment_by_week(service, mondays)
    return tuple(
        WeekFigures(
            monday=monday,
            sent=sum(reminders[monday, state] for state in _SENT),
            held_back=reminders[monday, ReminderState.HELD_BACK],
            withdrawn=reminders[monday, ReminderState.WITHDRAWN],
            on_time=reviews[monday, True],
            late=reviews[monday, False],
            used_tool=len(used[monday] & treated[monday]),
            signed_in=len((visited[monday] - used[monday]) & treated[monday]),
            no_visit=len(treated[monday] - visited[monday]),
        )
        for monday in mondays
    )


def reach_of(service: Service, programme: Programme) -> tuple[ModuleReach, ...]:
    of_programme = courses_of(service).where(Enrolment.programme_slug == programme.slug)
    rows = db.session.execute(
        select(Week.enrolment_id, func.max(Week.number))
        .where(Week.enrolment_id.in_(of_programme))
        .group_by(Week.enrolment_id)
    )
    weeks = {row[0]: row[1] for row in rows}
    openers: dict[str, set[int]] = defaultdict(set)
    for enrolment_id, slug in db.session.execute(
        select(PageRead.enrolment_id, PageRead.module)
        .where(PageRead.enrolment_id.in_(of_programme))
        .distinct()
    ):
        openers[slug].add(enrolment_id)
    reach = []
    for module in programme.modules:
        had_time = {enrolment_id for enrolment_id, number in weeks.items() if number >= module.number}
        opened = len(openers[module.slug] & had_time)
        reach.append(ModuleReach(module.number, module.title, opened, len(had_time)))
    return tuple(reach)


def _monday_of(on: date) -> date:
    return on - timedelta(days=on.weekday())


def _reminders_by_week(
    service: Service, start: datetime, end: datetime
) -> dict[tuple[date, ReminderState], int]:
    rows = db.session.execute(
        select(Reminder.due_at, Reminder.state).where(
            Reminder.service_id == service.id,
            Reminder.channel == Channel.EMAIL,
            Reminder.reminder_class == ReminderClass.PROMPT,
            Reminder.due_at >= start,
            Reminder.due_at < end,
        )
    )
    return Counter((_monday_of(local_day(due_at, service.zone)), state) for due_at, state in rows)


def _reviews_by_week(service: Service, start: datetime, now: datetime) -> dict[tuple[date, bool], int]:
    """Reviews on time (True) and late (False) in the week of their promise, up to now.

    A review that was told of as late counts in that week, whatever it was promised for afterwards.
    """
    promised_at = func.coalesce(Review.told_late_at, Review.promised_at)
    rows = db.session.execute(
        select(promised_at, Review.told_late_at, Review.sent_at, Review.state, Review.closed_at).where(
            Review.enrolment_id.in_(courses_of(service)),
            Review.kind != ReviewKind.WELCOME,
            Review.state != ReviewState.CANCELLED,
            promised_at >= start,
            promised_at <= now,
        )
    )
    counts: Counter[tuple[date, bool]] = Counter()
    for promised, told_late_at, sent_at, state, closed_at in rows:
        if state is ReviewState.MISSED and closed_at is not None and closed_at < promised:
            continue
        is_on_time = told_late_at is None and sent_at is not None and sent_at <= promised
        counts[_monday_of(local_day(promised, service.zone)), is_on_time] += 1
    return counts


def _visits_by_week(
    service: Service, mondays: Sequence[date]
) -> tuple[dict[date, set[int]], dict[date, set[int]]]:
    """Who used a tool, and who visited at all, by week."""
    rows = db.session.execute(
        select(ActivityDay.enrolment_id, ActivityDay.acted_on, ActivityDay.act).where(
            ActivityDay.service_id == service.id,
            ActivityDay.acted_on >= mondays[0],
            ActivityDay.acted_on < mondays[-1] + ONE_WEEK,
        )
    )
    used: dict[date, set[int]] = defaultdict(set)
    visited: dict[date, set[int]] = defaultdict(set)
    for enrolment_id, on, act in rows:
        visited[_monday_of(on)].add(enrolment_id)
        if act in USED_A_TOOL:
            used[_monday_of(on)].add(enrolment_id)
    return used, visited


def _in_treatment_by_week(service: Service, mondays: Sequence[date]) -> dict[date, set[int]]:
    rows = db.session.execute(
        select(Enrolment.id, Enrolment.started_at, Enrolment.ended_at).where(
            Enrolment.id.in_(courses_of(service)), Enrolment.started_at.is_not(None)
        )
    )
    spans = [
        (number, local_day(began, service.zone), local_day(ended, service.zone) if ended else None)
        for number, began, ended in rows
        if began is not None
    ]
    return {
        monday: {
            number
            for number, began_on, ended_on in spans
            if began_on < monday + ONE_WEEK and (ended_on is None or ended_on >= monday)
        }
        for monday in mondays
    }
