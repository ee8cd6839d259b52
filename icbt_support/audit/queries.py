"""Reading the audit: what a service did, and who looked at one person's record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db

READ_RECORD = "read_record"
READ_PART = "read_part_of_record"
"""A part of a page that is open already was drawn again: a look, but not another one."""
SIGN_IN_ACTIONS = ("failed_sign_in", "throttled_sign_in", "asked_for_unknown_address")


@dataclass(frozen=True)
class AuditScope:
    """The service whose lines may be read, and its staff, whose own sign-ins name no service."""

    service_id: int
    staff_ids: frozenset[int]


@dataclass(frozen=True)
class AuditFilter:
    """Which lines are wanted; everything empty means all."""

    actor_account_id: int | None = None
    action: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True)
class RecordReader:
    """One person who looked at a record: in which role, how many times, and when last."""

    account_id: int
    role: str
    times: int
    last_at: datetime


def audit_lines(
    scope: AuditScope, wanted: AuditFilter, *, limit: int, before_id: int | None
) -> Sequence[AuditLine]:
    """Newest first; `before_id` continues after the last line of a page."""
    lines = _in_scope(select(AuditLine), scope)
    if wanted.actor_account_id is not None:
        lines = lines.where(AuditLine.actor_account_id == wanted.actor_account_id)
    if wanted.action:
        lines = lines.where(AuditLine.action == wanted.action)
    if wanted.from_at is not None:
        lines = lines.where(AuditLine.at >= wanted.from_at)
    if wanted.until_at is not None:
        lines = lines.where(AuditLine.at < wanted.until_at)
    if before_id is not None:
        lines = lines.where(AuditLine.id < before_id)
    return db.session.scalars(lines.order_by(AuditLine.id.desc()).limit(limit)).all()


def actions_in_scope(scope: AuditScope) -> list[str]:
    """The actions that can be filtered by: those that are not about one patient's course, and the reads."""
    actions = _in_scope(select(AuditLine.action).distinct(), scope).where(
        or_(AuditLine.enrolment_id.is_(None), AuditLine.action.in_((READ_RECORD, READ_PART)))
    )
    return list(db.session.scalars(actions.order_by(AuditLine.action)))


def readers_of_record(enrolment_ids: Sequence[int], *, not_by: int) -> list[RecordReader]:
    """Everybody else who opened one of these courses, latest first."""
    last_at = func.max(AuditLine.at).label("last_at")
    rows = db.session.execute(
        select(AuditLine.actor_account_id, AuditLine.actor_role, func.count().label("times"), last_at)
        .where(
            AuditLine.enrolment_id.in_(enrolment_ids),
            AuditLine.action == READ_RECORD,
            AuditLine.actor_account_id.is_not(None),
            AuditLine.actor_account_id != not_by,
        )
        .group_by(AuditLine.actor_account_id, AuditLine.actor_role)
        .order_by(last_at.desc(), AuditLine.actor_account_id)
    )
    return [RecordReader(row.actor_account_id, row.actor_role, row.times, row.last_at) for row in rows]


def _in_scope(lines: Select, scope: AuditScope) -> Select:
    is_about_staff = or_(
        AuditLine.actor_account_id.in_(scope.staff_ids),
        and_(AuditLine.object_kind == "account", AuditLine.object_id.in_(scope.staff_ids)),
    )
    is_by_a_stranger = and_(AuditLine.action.in_(SIGN_IN_ACTIONS), AuditLine.object_id.is_(None))
    return lines.where(
        or_(
            AuditLine.service_id == scope.service_id,
            and_(AuditLine.service_id.is_(None), or_(is_about_staff, is_by_a_stranger)),
        )
    )
