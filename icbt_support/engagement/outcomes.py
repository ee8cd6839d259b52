"""Outcomes of a service: who ended how, by the definitions in `measures.outcomes`. Courses of training never count.

A figure is worked out from one tuple for each ended course, which SQL makes of the first and the last score and
the confirmed contacts; the people behind a figure are the same tuples, asked one by one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    String,
    Subquery,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import joinedload

from icbt_support.cadence import local_day
from icbt_support.contacts.queries import confirmed_contacts_by_course
from icbt_support.db import db
from icbt_support.engagement.dropping_out import AttritionWeek, DropOutAt, attrition_of, dropped_out_at
from icbt_support.engagement.outcome_filter import (
    DROPPED_OUT,
    NO_GROUP,
    OutcomeFilter,
    is_wanted,
    month_after,
    month_begins,
)
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.measures.models import Occasion, Questionnaire
from icbt_support.measures.outcomes import (
    CONTACTS_OF_COMPLETED_TREATMENT,
    GAD_7,
    PHQ_9,
    CourseOutcome,
    CourseScores,
    Outcome,
    OutcomeRates,
    Rate,
    outcome_of,
    rates_of,
)
from icbt_support.patient_groups.models import GroupMember
from icbt_support.service.models import Service

_CODES: dict[str | None, EndCode] = {code.value: code for code in EndCode}


class Figure(StrEnum):
    """A number on the page that leads to the people behind it; the rates are those of `Outcome`."""

    ENDED = "ended"
    NEVER_STARTED = "never_started"
    COMPLETED = "completed"
    NOT_COMPLETED = "not_completed"
    MISSING_SCORES = "missing_scores"
    DROPPED_OUT = "dropped_out"


class EndedCourse(NamedTuple):
    """One ended course, as far as figures ask; `month` is the first day of its month of ending."""

    enrolment_id: int
    programme: str
    group_id: int
    end_code: EndCode | None
    month: date
    outcome: CourseOutcome

    @property
    def was_started(self) -> bool:
        return self.end_code is not EndCode.NEVER_STARTED

    @property
    def dropped_out(self) -> bool:
        return self.end_code in DROPPED_OUT

    def is_behind(self, figure: Figure) -> bool:
        return _BEHIND[figure](self)


_BEHIND: dict[Figure, Callable[[EndedCourse], bool]] = {
    Figure.ENDED: lambda one: one.was_started,
    Figure.NEVER_STARTED: lambda one: not one.was_started,
    Figure.COMPLETED: lambda one: one.outcome.completed,
    Figure.NOT_COMPLETED: lambda one: one.was_started and not one.outcome.completed,
    Figure.MISSING_SCORES: lambda one: one.outcome.completed and not one.outcome.has_every_score,
    Figure.DROPPED_OUT: lambda one: one.dropped_out,
}


@dataclass(frozen=True)
class OutcomeReport:
    """Everything that the page of outcomes shows for one filter.

    `by_month` is keyed by the first day of the month of ending in the service's zone, newest first.
    """

    ended: int
    never_started: int
    rates: OutcomeRates
    by_programme: dict[str, OutcomeRates]
    by_month: dict[date, OutcomeRates]
    by_group: dict[int, OutcomeRates]
    dropped_out: Rate
    end_codes: dict[EndCode, int]
    dropped_out_at: tuple[DropOutAt, ...]
    attrition: tuple[AttritionWeek, ...]


def outcomes_of(service: Service, wanted: OutcomeFilter, *, now: datetime) -> OutcomeReport:
    """Four statements, whatever the number of people."""
    courses = _ended_courses(service, wanted)
    started = [one for one in courses if one.was_started]
    outcomes = [one.outcome for one in started]
    by_code = Counter(one.end_code for one in started if one.end_code is not None)
    return OutcomeReport(
        ended=len(started),
        never_started=len(courses) - len(started),
        rates=rates_of(outcomes),
        by_programme=dict(sorted(_rates_by([one.programme for one in started], outcomes).items())),
        by_month=dict(sorted(_rates_by([one.month for one in started], outcomes).items(), reverse=True)),
        by_group=_rates_by([one.group_id for one in started], outcomes),
        dropped_out=Rate(sum(by_code[code] for code in DROPPED_OUT), len(started)),
        end_codes={
            code: by_code[code] for code in EndCode if code is not EndCode.NEVER_STARTED and by_code[code]
        },
        dropped_out_at=dropped_out_at(service, wanted),
        attrition=attrition_of(service, wanted.whenever_ended, now),
    )


def people_behind(
    service: Service,
    wanted: OutcomeFilter,
    figure: Figure | Outcome,
    *,
    end_code: EndCode | None = None,
) -> list[int]:
    """The courses behind a figure, newest ending first; `end_code` narrows it to one way of ending."""
    return [
        one.enrolment_id
        for one in _ended_courses(service, wanted, Enrolment.ended_at.desc(), Enrolment.id)
        if (one.outcome.is_counted_as(figure) if isinstance(figure, Outcome) else one.is_behind(figure))
        and (end_code is None or one.end_code is end_code)
    ]


def courses_to_list(enrolment_ids: Collection[int]) -> list[Enrolment]:
    """These courses with their people, newest ending first."""
    return list(
        db.session.scalars(
            select(Enrolment)
            .options(joinedload(Enrolment.patient), joinedload(Enrolment.supporter))
            .where(Enrolment.id.in_(enrolment_ids))
            .order_by(Enrolment.ended_at.desc(), Enrolment.id)
        ).unique()
    )


def _ended_courses(service: Service, wanted: OutcomeFilter, *order: Any) -> list[EndedCourse]:
    """Ended courses of care with their outcome, in two statements.

    The database works out the month and what is complete: 50,000 rows are read in no time where no instant has to be
    made of any.
    """
    months = _months_of_ending(service, wanted)
    contacts = confirmed_contacts_by_course(service).subquery()
    is_completed = contacts.c.contacts >= CONTACTS_OF_COMPLETED_TREATMENT
    scores = [
        case((is_completed, which(measure, contacts)))
        for which in (_first_total, _last_total)
        for measure in (PHQ_9, GAD_7)
    ]
    rows = db.session.connection().execute(
        select(
            Enrolment.id,
            Enrolment.programme_slug,
            func.coalesce(GroupMember.group_id, NO_GROUP),
            type_coerce(Enrolment.end_code, String),
            _place_among(months, service),
            case((is_completed, 1), else_=0),
            *scores,
        )
        .outerjoin(contacts, contacts.c.enrolment_id == Enrolment.id)
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.state == EnrolmentState.ENDED)
        .order_by(*order)
    )
    return [
        EndedCourse(
            number,
            programme,
            group_id,
            _CODES.get(code),
            months[place],
            _outcome(
                has_contacts == 1 and code != EndCode.NEVER_STARTED, phq_first, gad_first, phq_last, gad_last
            ),
        )
        for (
            number,
            programme,
            group_id,
            code,
            place,
            has_contacts,
            phq_first,
            gad_first,
            phq_last,
            gad_last,
        ) in rows.all()
    ]


def _months_of_ending(service: Service, wanted: OutcomeFilter) -> list[date]:
    """From the month of the first ending to that of the last one, by the service's wall clock."""
    first, last = db.session.execute(
        select(func.min(Enrolment.ended_at), func.max(Enrolment.ended_at))
        .outerjoin(GroupMember, GroupMember.enrolment_id == Enrolment.id)
        .where(is_wanted(service, wanted), Enrolment.state == EnrolmentState.ENDED)
    ).one()
    if first is None or last is None:
        return []
    months = [local_day(first, service.zone).replace(day=1)]
    while (following := month_after(months[-1])) <= local_day(last, service.zone):
        months.append(following)
    return months


def _place_among(months: Sequence[date], service: Service) -> ColumnElement[int]:
    """The place of a course's month of ending in `months`."""
    later = list(enumerate(months))[:0:-1]
    if not later:
        return literal(0)
    return case(
        *((Enrolment.ended_at >= month_begins(month, service), place) for place, month in later), else_=0
    )


@lru_cache(maxsize=65_536)
def _outcome(
    completed: bool,
    first_phq9: int | None,
    first_gad7: int | None,
    last_phq9: int | None,
    last_gad7: int | None,
) -> CourseOutcome:
    """Many courses have the same four scores: their outcome is one object, so that it is counted quickly."""
    scores = CourseScores(
        first=_known({PHQ_9: first_phq9, GAD_7: first_gad7}),
        last=_known({PHQ_9: last_phq9, GAD_7: last_gad7}),
        has_ended=True,
        treatment_contacts=CONTACTS_OF_COMPLETED_TREATMENT if completed else 0,
    )
    return outcome_of(scores)


def _known(totals: dict[str, int | None]) -> dict[str, int]:
    return {measure: total for measure, total in totals.items() if total is not None}


def _first_total(measure: str, contacts: Subquery) -> ScalarSelect[Any]:
    """The baseline, or the first questionnaire finished no later than the first treatment contact.

    An assessment may come before the person is invited, and then every questionnaire comes after the first contact.
    """
    is_of_the_start = or_(
        Questionnaire.occasion == Occasion.BASELINE, Questionnaire.finished_at <= contacts.c.first_at
    )
    return (
        _totals(measure)
        .where(is_of_the_start)
        .order_by(Questionnaire.finished_at, Questionnaire.id)
        .limit(1)
        .correlate(Enrolment, contacts)
        .scalar_subquery()
    )


def _last_total(measure: str, contacts: Subquery) -> ScalarSelect[Any]:
    """The last questionnaire finished after the first treatment contact; the baseline is never the end."""
    return (
        _totals(measure)
        .where(Questionnaire.occasion != Occasion.BASELINE, Questionnaire.finished_at > contacts.c.first_at)
        .order_by(Questionnaire.finished_at.desc(), Questionnaire.id.desc())
        .limit(1)
        .correlate(Enrolment, contacts)
        .scalar_subquery()
    )


def _totals(measure: str) -> Any:
    """Finished questionnaires of the course itself: the check-in some weeks after the end is not part of it."""
    return select(Questionnaire.total).where(
        Questionnaire.enrolment_id == Enrolment.id,
        Questionnaire.measure == measure,
        Questionnaire.total.is_not(None),
        Questionnaire.occasion != Occasion.BOOSTER,
    )


def _rates_by(keys: Sequence[Any], outcomes: Sequence[CourseOutcome]) -> dict[Any, OutcomeRates]:
    groups: dict[Any, Counter[CourseOutcome]] = {}
    for (key, outcome), number in Counter(zip(keys, outcomes, strict=True)).items():
        groups.setdefault(key, Counter())[outcome] = number
    return {key: rates_of(counted) for key, counted in groups.items()}
