"""Who beside the supporter may open a course, for how long, and because of what.

The cover pool is told of a review or message that nobody sees to, and whoever is told can open the person. It
ends in the transaction in which the work is done. Opening and ending are audited, and so is each look.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import ColleagueAccess, Enrolment

POOL = None
LOOK_BACK = timedelta(hours=1)


def keep_access(
    enrolment: Enrolment, subject: str, allowed: Collection[int | None], *, by: Actor, now: datetime
) -> None:
    """Leaves exactly `allowed` (accounts, or `POOL`) with access because of `subject`.

    A colleague who has just done what was owed may look at it for one more hour.
    """
    held = _held(enrolment.id, [subject])
    for row in held:
        if row.account_id not in allowed:
            _end(row, enrolment, by=by, now=now)
    holders = {row.account_id for row in held}
    for account_id in allowed:
        if account_id not in holders:
            _open(enrolment, subject, account_id, by=by, now=now)
    db.session.flush()


def end_access(enrolment: Enrolment, subjects: Collection[str], *, by: Actor, now: datetime) -> None:
    """These things are done."""
    for row in _held(enrolment.id, subjects):
        _end(row, enrolment, by=by, now=now)
    db.session.flush()


def _held(enrolment_id: int, subjects: Collection[str]) -> list[ColleagueAccess]:
    if not subjects:
        return []
    return list(
        db.session.scalars(
            select(ColleagueAccess)
            .where(
                ColleagueAccess.enrolment_id == enrolment_id,
                ColleagueAccess.subject.in_(subjects),
                ColleagueAccess.ended_at.is_(None),
            )
            .order_by(ColleagueAccess.id)
        )
    )


def _open(enrolment: Enrolment, subject: str, account_id: int | None, *, by: Actor, now: datetime) -> None:
    db.session.add(
        ColleagueAccess(
            service_id=enrolment.service_id,
            enrolment_id=enrolment.id,
            account_id=account_id,
            subject=subject,
            opened_at=now,
        )
    )
    _record("opened_course_to", enrolment, subject, account_id, by, now)


def _end(row: ColleagueAccess, enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    is_by_colleague = by.account_id not in (None, enrolment.supporter_id, enrolment.patient_id)
    row.ended_at = now
    if is_by_colleague and row.account_id in (POOL, by.account_id):
        db.session.add(
            ColleagueAccess(
                service_id=row.service_id,
                enrolment_id=row.enrolment_id,
                account_id=by.account_id,
                subject=row.subject,
                opened_at=now,
                ended_at=now + LOOK_BACK,
            )
        )
    _record("closed_course_to", enrolment, row.subject, row.account_id, by, now)


def _record(
    action: str, enrolment: Enrolment, subject: str, account_id: int | None, by: Actor, now: datetime
) -> None:
    who = "the pool" if account_id is POOL else f"account {account_id}"
    record(
        action,
        by=by,
        now=now,
        object_kind="enrolment",
        object_id=enrolment.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=f"{who}, {subject}",
    )
