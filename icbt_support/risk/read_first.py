"""What is to be read first: shared texts that hold one of the service's phrases. Never a detector."""

from datetime import datetime

from sqlalchemy import select, update

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.risk import rules
from icbt_support.risk.models import ReadFirst


def mark_read_first(
    enrolment: Enrolment, subject: str, subject_id: int, words: str, *, by: Actor, now: datetime
) -> bool:
    """Moves a shared text that holds one of the service's phrases to the top of *Today*; says whether it did.

    `subject` is `message` or `entry`. It is not a detector: what it does not find means nothing.
    """
    if not rules.holds_read_first_phrase(words, rules.phrases_of(enrolment.service)):
        return False
    mark = db.session.scalars(
        select(ReadFirst).where(ReadFirst.subject == subject, ReadFirst.subject_id == subject_id)
    ).one_or_none()
    if mark is None:
        mark = ReadFirst(enrolment_id=enrolment.id, subject=subject, subject_id=subject_id)
        db.session.add(mark)
    mark.marked_at = now
    mark.read_at = None
    mark.read_by = None
    db.session.flush()
    record(
        "marked_read_first",
        by=by,
        now=now,
        object_kind=subject,
        object_id=subject_id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
    )
    return True


def mark_read(enrolment: Enrolment, *, by: Actor, now: datetime) -> int:
    """A member of staff has read what was to be read first in this course."""
    read = db.session.scalars(
        update(ReadFirst)
        .where(ReadFirst.enrolment_id == enrolment.id, ReadFirst.read_at.is_(None))
        .values(read_at=now, read_by=by.account_id)
        .returning(ReadFirst.id)
    )
    return len(read.all())
