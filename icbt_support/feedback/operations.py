"""Keeping what people report."""

from datetime import datetime

from icbt_support import audit
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport


def report_problem(
    words: str, *, page: str, product_version: str, service_id: int | None, by: Actor, now: datetime
) -> ProblemReport:
    """Keeps a problem or an idea with the page that it is about; the words are never in the audit."""
    report = ProblemReport(
        service_id=service_id,
        reported_by=by.account_id,
        page=page[:200],
        product_version=product_version[:40],
        words=words,
        reported_at=now,
    )
    db.session.add(report)
    db.session.flush()
    audit.record(
        "reported_problem",
        by=by,
        now=now,
        object_kind="problem_report",
        object_id=report.id,
        service_id=service_id,
    )
    return report
