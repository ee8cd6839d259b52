"""The weekly email to leads: five figures of the week before, and what needs a look. No patient data."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from icbt_support.cadence import is_working_day, local_day, to_local
from icbt_support.db import db
from icbt_support.feedback.queries import waiting_reports
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.duty_rota import duty_count, duty_gaps
from icbt_support.implementation.board import LINES, PeriodFigures, figures_of, period_between
from icbt_support.implementation.queries import TrainingBook, leads_of, readers_of_weekly
from icbt_support.implementation.rules import LEAD_WORDS, LeadKind, TrainingState
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind, WallTime
from icbt_support.service.models import Service

MORNING = time(8)
IN_THE_EMAIL = ("invited", "started", "supporters_active", "reviews_on_time", "open_reports")
ANSWER_WITHIN_WORKING_DAYS = 2
_LABELS = {line.name: line.label for line in LINES}


@dataclass(frozen=True)
class Weekly:
    """`figures` are (label, words) with every cell under 5 hidden; `to_look_at` are sentences."""

    service_name: str
    from_on: date
    figures: tuple[tuple[str, str], ...]
    to_look_at: tuple[str, ...]


def is_due(service: Service, now: datetime) -> bool:
    """On working days of a week from 8am: the first of them, unless nothing ran then."""
    local = to_local(now, service.zone)
    closed = closed_days(service, local.date(), local.date())
    return is_working_day(local.date(), closed) and local.time() >= MORNING


def week_of(service: Service, now: datetime) -> str:
    """What names the week for which the email is owed."""
    return f"{service.id}:{_monday_of(local_day(now, service.zone)).isoformat()}"


def owe_weekly(service: Service, *, now: datetime) -> int:
    """Owes the email of this week to the implementation lead and the clinical champion; returns to how many."""
    today = local_day(now, service.zone)
    wall = WallTime(today, MORNING, service.zone)
    leads = readers_of_weekly(service.id)
    for lead in leads:
        owe_reminder(
            key=f"leads-weekly:{service.id}:{lead.id}:{_monday_of(today).isoformat()}",
            kind=ReminderKind.LEADS_WEEKLY,
            recipient_id=lead.id,
            service_id=service.id,
            subject=f"account:{lead.id}",
            context=f"service:{service.id}",
            due_at=max(now, wall.instant()),
            wall=wall,
            now=now,
        )
    return len(leads)


def weekly_of(service_id: int, *, now: datetime) -> Weekly:
    """The week before this one, Monday to Sunday."""
    service = db.session.get_one(Service, service_id)
    monday = _monday_of(local_day(now, service.zone))
    period = period_between(service, monday - timedelta(days=7), monday)
    [week] = figures_of(service, [period], now=period.until_at)
    return Weekly(
        service.name,
        period.first_on,
        tuple((_LABELS[name], week.by_name[name].words_outside) for name in IN_THE_EMAIL),
        tuple(_to_look_at(service, week, now)),
    )


def _to_look_at(service: Service, week: PeriodFigures, now: datetime) -> list[str]:
    """Facts about work, never about a person."""
    today = local_day(now, service.zone)
    found = []
    on_time = week.by_name["reviews_on_time"]
    if on_time.of and on_time.count < on_time.of:
        found.append("Not every review of last week came on time.")
    if waiting_reports(service, now=now, working_days=ANSWER_WITHIN_WORKING_DAYS):
        found.append(f"A report has waited {ANSWER_WITHIN_WORKING_DAYS} working days for its first answer.")
    if any(row.state is TrainingState.EXPIRED for row in TrainingBook(service).on(today)):
        found.append("A training that somebody needs has expired.")
    if duty_count(service) and duty_gaps(service, today, today + timedelta(days=6)):
        found.append("Nobody is on duty on a day of this week.")
    leads = leads_of(service.id)
    found += [f"Nobody is named as {LEAD_WORDS[kind].lower()}." for kind in LeadKind if kind not in leads]
    return found


def _monday_of(on: date) -> date:
    return on - timedelta(days=on.weekday())
