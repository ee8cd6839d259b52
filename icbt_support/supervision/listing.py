"""Who is talked about in supervision now, worked out by rules from the record: four statements, however many."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import SelectBase, String, and_, cast, func, literal, select, union_all
from sqlalchemy.orm import joinedload

from icbt_support.activity.models import ActivityPerson
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.early_warning.queries import early_warnings_of
from icbt_support.early_warning.rules import EarlyWarning
from icbt_support.engagement.people import alert_words
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.enrolments.queries import is_of_others
from icbt_support.measures.models import Questionnaire
from icbt_support.measures.outcomes import PHQ_9
from icbt_support.measures.rules import MeasureRule
from icbt_support.plan.models import Week
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.queries import OWED
from icbt_support.risk.models import CallLog, CallOutcome
from icbt_support.risk.queries import open_alerts_by_enrolment
from icbt_support.service.models import Service
from icbt_support.supervision.rules import MeasureCourse, PersonFacts, Reason, ReasonSeen, reasons_for

_ORDER = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True)
class PersonToDiscuss:
    """Somebody on the list, with every reason that holds, the first one first."""

    enrolment: Enrolment
    week_number: int | None
    reasons: tuple[ReasonSeen, ...]


@dataclass(frozen=True)
class SupervisionList:
    """Who is talked about, of how many people whose course is open."""

    people: tuple[PersonToDiscuss, ...]
    open_courses: int


def supervision_list(
    supporter_id: int, service: Service, *, now: datetime, reader_id: int | None = None
) -> SupervisionList:
    """Everybody of this supporter for whom a rule holds: four statements, however many people there are."""
    courses = _courses(supporter_id, service, reader_id)
    ids = [enrolment.id for enrolment, _ in courses]
    read = _read(ids, now)
    alerts = open_alerts_by_enrolment(ids)
    warnings = early_warnings_of([enrolment for enrolment, _ in courses], now=now)
    people = []
    for enrolment, week in courses:
        alert = next(iter(alerts.get(enrolment.id, ())), None)
        words = alert_words(alert) if alert is not None else ""
        facts = _facts(enrolment, week, read[enrolment.id], words, warnings.get(enrolment.id), service, now)
        reasons = reasons_for(facts)
        if reasons:
            people.append(PersonToDiscuss(enrolment, week.number if week else None, reasons))
    return SupervisionList(tuple(sorted(people, key=_place_of)), len(courses))


def _place_of(person: PersonToDiscuss) -> tuple[int, str, int]:
    patient = person.enrolment.patient
    return _ORDER[person.reasons[0].reason], patient.full_name.casefold(), person.enrolment.id


def _courses(
    supporter_id: int, service: Service, reader_id: int | None
) -> list[tuple[Enrolment, Week | None]]:
    rows = db.session.execute(
        select(Enrolment, Week)
        .outerjoin(Week, and_(Week.enrolment_id == Enrolment.id, Week.closed_at.is_(None)))
        .options(joinedload(Enrolment.patient), joinedload(Enrolment.supporter))
        .where(
            Enrolment.supporter_id == supporter_id,
            Enrolment.service_id == service.id,
            Enrolment.state != EnrolmentState.ENDED,
            Enrolment.purpose == Purpose.CARE,
            is_of_others(reader_id),
        )
        .order_by(Enrolment.id, Week.number)
    )
    newest_week = {row[0]: row[1] for row in rows}
    return list(newest_week.items())


@dataclass
class _Read:
    overdue_since: datetime | None = None
    reviews_sent: int = 0
    is_last_owed: bool = False
    contacts: list[datetime] = field(default_factory=list)
    scores: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def _read(ids: Collection[int], now: datetime) -> dict[int, _Read]:
    """Reviews, visits, talks on the phone and scores: five small reads that travel as one statement."""
    facts = union_all(_sent(ids), _owed(ids), _visits(ids), _talks(ids), _scores(ids)).subquery()
    found: dict[int, _Read] = defaultdict(_Read)
    rows = db.session.execute(select(facts).order_by(facts.c.enrolment_id, facts.c.at))
    for what, enrolment_id, at, number, words in rows:
        read = found[enrolment_id]
        if what == "sent":
            read.reviews_sent = number
        elif what == "owed":
            read.is_last_owed = read.is_last_owed or words == ReviewKind.LAST
            if at <= now and read.overdue_since is None:
                read.overdue_since = at
        elif what == "contact":
            read.contacts.append(at)
        else:
            read.scores[words].append(number)
    return found


def _sent(ids: Collection[int]) -> SelectBase:
    return (
        select(
            literal("sent").label("what"),
            Review.enrolment_id.label("enrolment_id"),
            func.max(Review.sent_at).label("at"),
            func.count().label("number"),
            literal("").label("words"),
        )
        .where(
            Review.enrolment_id.in_(ids),
            Review.state == ReviewState.SENT,
            Review.kind != ReviewKind.WELCOME,
        )
        .group_by(Review.enrolment_id)
    )


def _owed(ids: Collection[int]) -> SelectBase:
    kind = cast(Review.kind, String)
    return select(literal("owed"), Review.enrolment_id, Review.promised_at, literal(0), kind).where(
        Review.enrolment_id.in_(ids), Review.state.in_(OWED)
    )


def _visits(ids: Collection[int]) -> SelectBase:
    return select(
        literal("contact"), ActivityPerson.enrolment_id, ActivityPerson.last_at, literal(0), literal("")
    ).where(ActivityPerson.enrolment_id.in_(ids))


def _talks(ids: Collection[int]) -> SelectBase:
    return (
        select(literal("contact"), CallLog.enrolment_id, func.max(CallLog.called_at), literal(0), literal(""))
        .where(CallLog.enrolment_id.in_(ids), CallLog.outcome == CallOutcome.SPOKE)
        .group_by(CallLog.enrolment_id)
    )


def _scores(ids: Collection[int]) -> SelectBase:
    return select(
        literal("score"),
        Questionnaire.enrolment_id,
        Questionnaire.finished_at,
        Questionnaire.total,
        Questionnaire.measure,
    ).where(
        Questionnaire.enrolment_id.in_(ids),
        Questionnaire.total.is_not(None),
        Questionnaire.finished_at.is_not(None),
    )


def _facts(
    enrolment: Enrolment,
    week: Week | None,
    read: _Read,
    alert: str,
    warning: EarlyWarning | None,
    service: Service,
    now: datetime,
) -> PersonFacts:
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    rhythm = service.rhythm
    contact = max([*read.contacts, *_began(enrolment)])
    return PersonFacts(
        state=enrolment.state,
        alert_words=alert,
        overdue_days=_days(read.overdue_since, now, service) if read.overdue_since else None,
        measures=_measures(programme, read, rhythm.high_phq9_at_start),
        reviews_sent=read.reviews_sent,
        days_without_contact=_days(contact, now, service),
        no_contact_from_days=rhythm.quiet_call_days,
        days_since_invited=_days(enrolment.invited_at, now, service),
        not_begun_from_days=rhythm.never_started_call_day,
        days_since_start=_days(enrolment.started_at, now, service) if enrolment.started_at else None,
        planned_weeks=len(programme.modules) * enrolment.cadence_days // 7,
        end_words=_end_words(programme, week, read),
        early_words=". ".join(warning.facts) if warning is not None else "",
    )


def _began(enrolment: Enrolment) -> list[datetime]:
    """Nobody is quiet before they began, nor while they were away: days without contact count from then."""
    began = [enrolment.started_at or enrolment.invited_at]
    return [*began, enrolment.back_at] if enrolment.back_at is not None else began


def _measures(programme: Programme, read: _Read, high_phq9: int) -> tuple[MeasureCourse, ...]:
    found = []
    for slug in programme.check_in:
        totals = read.scores.get(slug)
        if totals:
            measure = programme.measures[slug]
            rule = MeasureRule(measure.caseness, measure.reliable_change)
            severe_from = measure.bands[-1].from_total
            found.append(
                MeasureCourse(
                    measure.title,
                    rule,
                    severe_from,
                    totals[0],
                    totals[-1],
                    is_answered_again=len(totals) > 1,
                    high_from=high_phq9 if slug == PHQ_9 else None,
                )
            )
    return tuple(found)


def _end_words(programme: Programme, week: Week | None, read: _Read) -> str:
    if read.is_last_owed:
        return "the next review is the last one"
    if week is not None and programme.next_module(week.module) is None:
        return f"week {week.number} is on the last module"
    return ""


def _days(since: datetime, now: datetime, service: Service) -> int:
    return (local_day(now, service.zone) - local_day(since, service.zone)).days
