"""Verbs on reports: keep one, decide who answers, answer, end it with a reason, note that the answer was read."""

from datetime import datetime

from sqlalchemy import select

from icbt_support import audit
from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport, ReportAnswer
from icbt_support.feedback.rules import CLOSED_STATES, AnswerKind, AnswerSide, ReportKind, ReportState
from icbt_support.posted_once import add_once, key_of_post
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import Reason, ReminderKind


class ReportClosed(Exception):
    """The report has ended: nobody changes or answers it any more."""


class NotTriaged(Exception):
    """Nobody has decided yet who answers."""


class NobodyToAsk(Exception):
    """The service has no vendor representative who could answer."""


def report_problem(
    words: str,
    *,
    page: str,
    product_version: str,
    service_id: int | None,
    by: Actor,
    now: datetime,
    kind: ReportKind = ReportKind.PROBLEM,
    reported_as: Role | None = None,
    posted_key: str = "",
) -> ProblemReport:
    """Keeps a problem or an idea with the page that it is about; the words are never in the audit.

    The same words under the same `posted_key` are one report.
    """
    key = key_of_post(posted_key, words)
    report = ProblemReport(
        service_id=service_id,
        reported_by=by.account_id,
        reported_as=reported_as,
        posted_key=key,
        kind=kind,
        state=ReportState.NEW,
        page=page[:200],
        product_version=product_version[:40],
        words=words,
        reported_at=now,
    )
    same = select(ProblemReport).where(
        ProblemReport.reported_by == by.account_id, ProblemReport.posted_key == key
    )
    report, is_new = add_once(report, same)
    if is_new:
        _record("reported_problem", report, by=by, now=now)
    return report


def triage_report(
    report: ProblemReport, *, owner: Account, vendor_words: str | None, by: Actor, now: datetime
) -> None:
    """Names who sees to it. With `vendor_words` the vendor is asked, and reads exactly these words.

    Raises `ReportClosed`, or `NobodyToAsk` if the service has no vendor representative.
    """
    _refuse_closed(report)
    if report.owner_id != owner.id and owner.id != by.account_id:
        _tell_colleague(report, owner.id, f"report:{report.id}", now)
    report.owner_id = owner.id
    report.triaged_at = report.triaged_at or now
    if vendor_words:
        _send_to_vendor(report, vendor_words, now)
    elif report.state is ReportState.NEW:
        report.state = ReportState.TRIAGED
    db.session.flush()
    _record("triaged_report", report, by=by, now=now, detail=report.state.value)


def _send_to_vendor(report: ProblemReport, words: str, now: datetime) -> None:
    vendors = staff_with_role(report.service_id or 0, Role.VENDOR)
    if not vendors:
        raise NobodyToAsk
    report.vendor_words = words
    if report.sent_to_vendor_at is None:
        report.sent_to_vendor_at = now
        for vendor in vendors:
            _tell_colleague(report, vendor.id, f"vendor_report:{report.id}", now)
    if report.state in (ReportState.NEW, ReportState.TRIAGED):
        report.state = ReportState.WITH_VENDOR


def answer_report(
    report: ProblemReport,
    words: str,
    *,
    kind: AnswerKind,
    side: AnswerSide,
    posted_key: str,
    by: Actor,
    now: datetime,
) -> ReportAnswer:
    """Adds an answer to the person who reported, or a note between the service and the vendor.

    Posted twice, it is one. Raises `ReportClosed`; `NotTriaged` while nobody owns the report.
    """
    key = key_of_post(posted_key, words)
    posted = select(ReportAnswer).where(
        ReportAnswer.author_id == by.account_id, ReportAnswer.posted_key == key
    )
    if (known := db.session.scalars(posted).one_or_none()) is not None:
        return known
    _refuse_closed(report)
    if report.triaged_at is None:
        raise NotTriaged
    answer = ReportAnswer(
        author_id=by.account_id, posted_key=key, side=side, kind=kind, words=words, answered_at=now
    )
    report.answers.append(answer)
    db.session.flush()
    if kind is AnswerKind.TO_REPORTER:
        report.state = ReportState.ANSWERED
        _give_news(report, f"report-answer:{answer.id}", now)
    elif side is AnswerSide.VENDOR and report.owner_id is not None:
        _tell_colleague(report, report.owner_id, f"report:{report.id}", now, key=f"report-note:{answer.id}")
    _record("answered_report", report, by=by, now=now, detail=f"{side.value} {kind.value}")
    return answer


def take_over_reports(owner: Account, service_id: int, *, by: Actor, now: datetime) -> int:
    """What somebody saw to becomes the work of the administrator who ends their role; returns how many reports."""
    left = db.session.scalars(
        select(ProblemReport)
        .where(
            ProblemReport.owner_id == owner.id,
            ProblemReport.service_id == service_id,
            ProblemReport.state.not_in(CLOSED_STATES),
        )
        .order_by(ProblemReport.id)
    ).all()
    for report in left:
        report.owner_id = by.account_id
        _record("took_over_report", report, by=by, now=now)
    db.session.flush()
    return len(left)


def close_report(
    report: ProblemReport,
    state: ReportState,
    *,
    closing_words: str,
    said_words: str,
    did_words: str,
    by: Actor,
    now: datetime,
) -> None:
    """Ends it as resolved or not planned, with words for the person who reported.

    With both `said_words` and `did_words` it is also told to everybody of the service, without a name.
    Raises `ReportClosed`, `NotTriaged`, or `ValueError` for a state that ends nothing.
    """
    _refuse_closed(report)
    if report.triaged_at is None:
        raise NotTriaged
    if state not in CLOSED_STATES:
        raise ValueError(f"{state} does not end a report.")
    report.state, report.closing_words, report.closed_at = state, closing_words, now
    if said_words and did_words:
        report.said_words, report.did_words, report.published_at = said_words, did_words, now
    _give_news(report, f"report-closed:{report.id}", now)
    _record("closed_report", report, by=by, now=now, detail=state.value)


def mark_answer_read(report: ProblemReport, *, by: Actor, now: datetime) -> None:
    """Notes that the person who reported has read what there is, and withdraws what was still owed about it."""
    if not report.has_news:
        return
    report.news_read_at = now
    withdraw_reminders(
        now=now,
        reason=Reason.ALREADY_DONE,
        subject=f"report:{report.id}",
        kinds=[ReminderKind.REPORT_ANSWERED],
    )
    db.session.flush()
    _record("read_report_answer", report, by=by, now=now)


def _refuse_closed(report: ProblemReport) -> None:
    if report.is_closed:
        raise ReportClosed


def _give_news(report: ProblemReport, key: str, now: datetime) -> None:
    report.first_answered_at = report.first_answered_at or now
    report.news_at = now
    db.session.flush()
    if report.reported_by is None:
        return
    owe_reminder(
        key=key,
        kind=ReminderKind.REPORT_ANSWERED,
        recipient_id=report.reported_by,
        service_id=report.service_id,
        subject=f"report:{report.id}",
        context=f"service:{report.service_id}",
        due_at=now,
        now=now,
    )


def _tell_colleague(
    report: ProblemReport, account_id: int, subject: str, now: datetime, *, key: str = ""
) -> None:
    """Says to an owner or a vendor representative that something waits for them, without a word of it."""
    owe_reminder(
        key=key or f"{subject}:{account_id}",
        kind=ReminderKind.STAFF_REPORT,
        recipient_id=account_id,
        service_id=report.service_id,
        subject=subject,
        context=f"service:{report.service_id}",
        due_at=now,
        now=now,
    )


def _record(action: str, report: ProblemReport, *, by: Actor, now: datetime, detail: str = "") -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="problem_report",
        object_id=report.id,
        service_id=report.service_id,
        detail=detail,
    )
