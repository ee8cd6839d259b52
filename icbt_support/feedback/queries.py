"""Reports, always within what the person who asks may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, case, func, select

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport, ReportAnswer
from icbt_support.feedback.rules import (
    CLOSED_STATES,
    WORKING_DAY,
    AnswerKind,
    AnswerSide,
    ReportKind,
    ReportState,
    Wait,
    page_for_vendor,
    wait_of,
    working_time,
)
from icbt_support.hours.closed_days import closed_days
from icbt_support.service.models import Service

MOST_SHOWN = 200


@dataclass(frozen=True)
class ReportForVendor:
    """All that the vendor sees of a report: no name, no number of a person, only the words confirmed at triage."""

    id: int
    service_id: int
    kind: ReportKind
    state: ReportState
    from_whom: str
    page: str
    product_version: str
    words: str
    sent_at: datetime
    answers: tuple[ReportAnswer, ...]


@dataclass(frozen=True)
class ReportNews:
    """As much of a report as a reminder about it needs."""

    id: int
    reported_by: int | None
    closed_at: datetime | None
    news_at: datetime | None
    news_read_at: datetime | None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def has_news(self) -> bool:
        return self.news_at is not None and (self.news_read_at is None or self.news_read_at < self.news_at)


@dataclass(frozen=True)
class Waits:
    """How long people waited, in working time, from the moment of the report."""

    first_answer: Wait
    resolution: Wait


def reports_of(service_id: int) -> Sequence[ProblemReport]:
    """The newest 200 reports of a service: open ones first, then newest first."""
    is_closed = case((ProblemReport.state.in_(CLOSED_STATES), 1), else_=0)
    return db.session.scalars(
        select(ProblemReport)
        .where(ProblemReport.service_id == service_id)
        .order_by(is_closed, ProblemReport.reported_at.desc(), ProblemReport.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def report_of(service_id: int, report_id: int) -> ProblemReport | None:
    return db.session.scalar(
        select(ProblemReport).where(ProblemReport.id == report_id, ProblemReport.service_id == service_id)
    )


def reports_by(account_id: int) -> Sequence[ProblemReport]:
    """What a person has reported, newest first."""
    return db.session.scalars(
        select(ProblemReport)
        .where(ProblemReport.reported_by == account_id)
        .order_by(ProblemReport.reported_at.desc(), ProblemReport.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def own_report(account_id: int, report_id: int) -> ProblemReport | None:
    return db.session.scalar(
        select(ProblemReport).where(ProblemReport.id == report_id, ProblemReport.reported_by == account_id)
    )


def answers_for_reporter(report: ProblemReport) -> tuple[ReportAnswer, ...]:
    return tuple(one for one in report.answers if one.kind is AnswerKind.TO_REPORTER)


def unread_answers(account_id: int) -> int:
    """How many of a person's reports have an answer that they have not read."""
    return (
        db.session.scalar(
            select(func.count(ProblemReport.id)).where(
                ProblemReport.reported_by == account_id,
                ProblemReport.news_at.is_not(None),
                func.coalesce(ProblemReport.news_read_at < ProblemReport.news_at, True),
            )
        )
        or 0
    )


def news_of_reports(report_ids: Sequence[int]) -> list[ReportNews]:
    """Whether these reports are closed and their answers read, in one statement."""
    columns = (
        ProblemReport.id,
        ProblemReport.reported_by,
        ProblemReport.closed_at,
        ProblemReport.news_at,
        ProblemReport.news_read_at,
    )
    rows = db.session.execute(select(*columns).where(ProblemReport.id.in_(report_ids)))
    return [ReportNews(*row) for row in rows]


def reports_for_vendor(service_ids: Sequence[int]) -> list[ReportForVendor]:
    """What services have sent to their vendor, open reports first."""
    found = db.session.scalars(_with_vendor(service_ids).order_by(ProblemReport.sent_to_vendor_at.desc()))
    return sorted(map(as_vendor_sees, found), key=lambda one: one.state in CLOSED_STATES)


def report_with_vendor(service_ids: Sequence[int], report_id: int) -> ProblemReport | None:
    """For the verbs of the vendor; what is shown comes from `as_vendor_sees`."""
    return db.session.scalar(_with_vendor(service_ids).where(ProblemReport.id == report_id))


def _with_vendor(service_ids: Sequence[int]) -> Select[ProblemReport]:
    return select(ProblemReport).where(
        ProblemReport.service_id.in_(service_ids), ProblemReport.sent_to_vendor_at.is_not(None)
    )


def as_vendor_sees(report: ProblemReport) -> ReportForVendor:
    if report.sent_to_vendor_at is None or report.service_id is None:
        raise ValueError("This report is not with the vendor.")
    return ReportForVendor(
        id=report.id,
        service_id=report.service_id,
        kind=report.kind,
        state=report.state,
        from_whom="A patient" if report.reported_as in (Role.PATIENT, None) else "A member of staff",
        page=page_for_vendor(report.page),
        product_version=report.product_version,
        words=report.vendor_words or "",
        sent_at=report.sent_to_vendor_at,
        answers=tuple(
            one
            for one in report.answers
            if one.side is AnswerSide.VENDOR or one.kind is AnswerKind.BETWEEN_US
        ),
    )


def published_reports(service_id: int) -> Sequence[ProblemReport]:
    """You said, we did: newest first."""
    return db.session.scalars(
        select(ProblemReport)
        .where(ProblemReport.service_id == service_id, ProblemReport.published_at.is_not(None))
        .order_by(ProblemReport.published_at.desc(), ProblemReport.id.desc())
        .limit(MOST_SHOWN)
    ).all()


def waiting_reports(service: Service, *, now: datetime, working_days: int) -> int:
    """How many open reports have had no answer for this many working days."""
    reported = db.session.scalars(
        select(ProblemReport.reported_at).where(
            ProblemReport.service_id == service.id,
            ProblemReport.first_answered_at.is_(None),
            ProblemReport.closed_at.is_(None),
        )
    ).all()
    if not reported:
        return 0
    today = local_day(now, service.zone)
    closed = closed_days(service, local_day(min(reported), service.zone), today)
    limit = working_days * WORKING_DAY
    return sum(working_time(at, now, zone=service.zone, closed=closed) >= limit for at in reported)


def waits_of(service: Service) -> Waits:
    """Over all reports that the service still keeps; those without an answer yet are not in the median."""
    rows = db.session.execute(
        select(ProblemReport.reported_at, ProblemReport.first_answered_at, ProblemReport.closed_at).where(
            ProblemReport.service_id == service.id
        )
    ).all()
    if not rows:
        return Waits(wait_of([]), wait_of([]))
    ends = [row.closed_at or row.first_answered_at or row.reported_at for row in rows]
    first_day = local_day(min(row.reported_at for row in rows), service.zone)
    closed = closed_days(service, first_day, local_day(max(ends), service.zone))

    def waited(start: datetime, end: datetime) -> timedelta:
        return working_time(start, end, zone=service.zone, closed=closed)

    answered = [waited(row.reported_at, row.first_answered_at) for row in rows if row.first_answered_at]
    ended = [waited(row.reported_at, row.closed_at) for row in rows if row.closed_at]
    return Waits(wait_of(answered), wait_of(ended))
