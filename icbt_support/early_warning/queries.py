"""Who may not be benefiting yet, for many courses in one statement; and what was decided about one of them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import SelectBase, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import joinedload

from icbt_support.activity.models import ActivityPerson
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.rules import (
    LOOK_BACK_DAYS,
    SCORES_ARE_RECENT_DAYS,
    CourseFacts,
    EarlierDecision,
    EarlyWarning,
    ScorePair,
    Sign,
    early_warning_of,
)
from icbt_support.enrolments.models import Enrolment, EnrolmentChange, EnrolmentState, Purpose
from icbt_support.id_lists import among
from icbt_support.measures.models import FinishedCheckIn, Questionnaire
from icbt_support.measures.rules import MeasureRule
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme


def early_warnings_of(enrolments: Collection[Enrolment], *, now: datetime) -> dict[int, EarlyWarning]:
    """Those of these courses that are pointed out now, by their number; one statement, however many there are."""
    watched = [
        one for one in enrolments if one.state is EnrolmentState.ACTIVE and one.purpose is Purpose.CARE
    ]
    if not watched:
        return {}
    read = _read([one.id for one in watched], local_day(now, watched[0].service.zone))
    found = {one.id: early_warning_of(_facts(one, read[one.id], now)) for one in watched}
    return {number: warning for number, warning in found.items() if warning is not None}


def early_warning_for(enrolment: Enrolment, *, now: datetime) -> EarlyWarning | None:
    return early_warnings_of([enrolment], now=now).get(enrolment.id)


def decisions_on_warnings(enrolment: Enrolment) -> list[EarlyWarningDecision]:
    """What was decided in this course, newest first, with who decided."""
    return list(
        db.session.scalars(
            select(EarlyWarningDecision)
            .where(EarlyWarningDecision.enrolment_id == enrolment.id)
            .options(joinedload(EarlyWarningDecision.decider))
            .order_by(EarlyWarningDecision.decided_at.desc(), EarlyWarningDecision.id.desc())
        )
    )


# Reading ------------------------------------------------------------------------------------------------------


@dataclass
class _Read:
    week_number: int = 0
    active_since: datetime | None = None
    last_visit_at: datetime | None = None
    planned: int = 0
    done: int = 0
    scores: dict[str, list[tuple[datetime, int]]] = field(default_factory=lambda: defaultdict(list))
    decided: tuple[datetime, str] | None = None


def _read(ids: Collection[int], today: date) -> dict[int, _Read]:
    """Six small reads that travel as one statement."""
    facts = union_all(
        _weeks(ids), _beginnings(ids), _visits(ids), _scores(ids), _items(ids, today), _decisions(ids)
    ).subquery()
    found: dict[int, _Read] = defaultdict(_Read)
    rows = db.session.execute(select(facts).order_by(facts.c.enrolment_id, facts.c.at, facts.c.number))
    for what, enrolment_id, at, number, other, words in rows:
        _note(found[enrolment_id], what, at, number, other, words)
    return found


def _note(read: _Read, what: str, at: datetime, number: int, other: int, words: str) -> None:
    if what == "week":
        read.week_number = number
    elif what == "active":
        read.active_since = at
    elif what == "visit":
        read.last_visit_at = at
    elif what == "score":
        read.scores[words].append((at, number))
    elif what == "items":
        read.planned, read.done = number, other
    else:
        read.decided = (at, words)


def _weeks(ids: Collection[int]) -> SelectBase:
    return (
        select(
            literal("week").label("what"),
            Week.enrolment_id.label("enrolment_id"),
            func.max(Week.opened_at).label("at"),
            func.max(Week.number).label("number"),
            literal(0).label("other"),
            literal("").label("words"),
        )
        .where(among(Week.enrolment_id, ids), Week.closed_at.is_(None))
        .group_by(Week.enrolment_id)
    )


def _beginnings(ids: Collection[int]) -> SelectBase:
    """When the course last became active: its start, or the return from being away or paused."""
    return (
        select(
            literal("active"),
            EnrolmentChange.enrolment_id,
            func.max(EnrolmentChange.changed_at),
            literal(0),
            literal(0),
            literal(""),
        )
        .where(
            among(EnrolmentChange.enrolment_id, ids),
            EnrolmentChange.what == "state",
            EnrolmentChange.to_value == EnrolmentState.ACTIVE.value,
        )
        .group_by(EnrolmentChange.enrolment_id)
    )


def _visits(ids: Collection[int]) -> SelectBase:
    return select(
        literal("visit"),
        ActivityPerson.enrolment_id,
        ActivityPerson.last_at,
        literal(0),
        literal(0),
        literal(""),
    ).where(among(ActivityPerson.enrolment_id, ids))


def _scores(ids: Collection[int]) -> SelectBase:
    return select(
        literal("score"),
        Questionnaire.enrolment_id,
        Questionnaire.finished_at,
        Questionnaire.total,
        literal(0),
        Questionnaire.measure,
    ).where(
        among(Questionnaire.enrolment_id, ids),
        Questionnaire.total.is_not(None),
        Questionnaire.finished_at.is_not(None),
    )


def _items(ids: Collection[int], today: date) -> SelectBase:
    """Plan items whose day has passed, and those of them that were done; what was carried over counts once.

    The courses are named for each table, or PostgreSQL reads the weeks of the whole service.
    """
    is_done = or_(
        PlanItem.state == ItemState.DONE,
        and_(PlanItem.kind == ItemKind.CHECK_IN, FinishedCheckIn.finished_at.is_not(None)),
    )
    return (
        select(
            literal("items"),
            PlanItem.enrolment_id,
            func.max(PlanItem.settled_at),
            func.count(),
            func.sum(case((is_done, 1), else_=0)),
            literal(""),
        )
        .join(Week, Week.id == PlanItem.week_id)
        .outerjoin(
            FinishedCheckIn,
            and_(
                FinishedCheckIn.enrolment_id == PlanItem.enrolment_id,
                among(FinishedCheckIn.enrolment_id, ids),
                FinishedCheckIn.week_number == Week.number,
            ),
        )
        .where(
            among(PlanItem.enrolment_id, ids),
            among(Week.enrolment_id, ids),
            PlanItem.state != ItemState.CARRIED_OVER,
            PlanItem.planned_on >= today - timedelta(days=LOOK_BACK_DAYS),
            PlanItem.planned_on < today,
        )
        .group_by(PlanItem.enrolment_id)
    )


def _decisions(ids: Collection[int]) -> SelectBase:
    return select(
        literal("decided"),
        EarlyWarningDecision.enrolment_id,
        EarlyWarningDecision.decided_at,
        literal(0),
        literal(0),
        EarlyWarningDecision.signs,
    ).where(among(EarlyWarningDecision.enrolment_id, ids))


# Facts --------------------------------------------------------------------------------------------------------


def _facts(enrolment: Enrolment, read: _Read, now: datetime) -> CourseFacts:
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    zone = enrolment.service.zone
    since = read.active_since or enrolment.started_at or enrolment.invited_at
    seen = max(since, read.last_visit_at or since)
    return CourseFacts(
        week_number=read.week_number,
        days_active=_days(since, now, zone),
        scores=_pairs(programme, read, now),
        planned=read.planned,
        done=read.done,
        days_not_here=_days(seen, now, zone),
        not_here_from_days=enrolment.service.rhythm.quiet_prompts_stop_days,
        decided=_earlier(read, now, zone),
    )


def _pairs(programme: Programme, read: _Read, now: datetime) -> tuple[ScorePair, ...]:
    """Measures that say something about the course so far: answered again after two weeks, and not long ago."""
    pairs = []
    for slug in programme.check_in:
        totals = read.scores.get(slug, [])
        if len(totals) < 2:
            continue
        (began_at, first), (newest_at, newest) = totals[0], totals[-1]
        is_early = newest_at - began_at < timedelta(days=LOOK_BACK_DAYS)
        if is_early or now - newest_at > timedelta(days=SCORES_ARE_RECENT_DAYS):
            continue
        measure = programme.measures[slug]
        rule = MeasureRule(measure.caseness, measure.reliable_change)
        pairs.append(ScorePair(measure.title, rule, first, newest))
    return tuple(pairs)


def _earlier(read: _Read, now: datetime, zone: str) -> EarlierDecision | None:
    if read.decided is None:
        return None
    at, signs = read.decided
    return EarlierDecision(frozenset(Sign(sign) for sign in signs.split(",")), _days(at, now, zone))


def _days(since: datetime, now: datetime, zone: str) -> int:
    return (local_day(now, zone) - local_day(since, zone)).days
