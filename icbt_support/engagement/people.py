"""People as clinicians see them: each with one status, its reason and one action."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from icbt_support.cadence import to_local
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.status import PersonFacts, PersonStatus, Status, status_of
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import OpenedBecause
from icbt_support.plan.words import clock_words, day_words
from icbt_support.reviews.models import ReviewKind
from icbt_support.rhythm.quiet import QuietPerson, quiet_person
from icbt_support.risk.models import AlertSource, RiskAlert
from icbt_support.service.models import Service

ITEM_9_ANSWERS = ("not at all", "several days", "more than half the days", "nearly every day")
NAMED_BY_WEEKDAY = timedelta(days=6)
_ORDER = {status: place for place, status in enumerate(Status)}


@dataclass(frozen=True)
class PersonRow:
    person: PersonNow
    status: PersonStatus
    last_visit: datetime | None


def rows_of(scope: Select[Enrolment], *, now: datetime) -> tuple[PersonRow, ...]:
    """Everybody of `scope` whose course is open, those who need a look first; a fixed number of statements."""
    people = [one for one in load_people(scope) if one.enrolment.is_open]
    return tuple(sorted((_row(person, now) for person in people), key=place_of))


def person_row(enrolment: Enrolment, *, now: datetime) -> PersonRow | None:
    """One person as they stand in the list; None once the course has ended."""
    return next(iter(rows_of(select(Enrolment).where(Enrolment.id == enrolment.id), now=now)), None)


def place_of(row: PersonRow) -> tuple[int, str, int]:
    """By status, then by name."""
    enrolment = row.person.enrolment
    return _ORDER[row.status.status], enrolment.patient.full_name.casefold(), enrolment.id


def _row(person: PersonNow, now: datetime) -> PersonRow:
    service = person.enrolment.service
    quiet = quiet_person(person.enrolment, last_act=person.last_visit_at, calls=person.calls, now=now)
    visit = to_local(person.last_visit_at, service.zone) if person.last_visit_at else None
    return PersonRow(person, status_of(_facts(person, service, quiet, now)), visit)


def _facts(person: PersonNow, service: Service, quiet: QuietPerson | None, now: datetime) -> PersonFacts:
    unread = min((message.sent_at for message in person.late_messages), default=None)
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
