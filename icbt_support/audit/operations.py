"""Writing the audit: with the act, or apart from it when the act is refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert

from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import apart, db

_INSERT_LINE = insert(AuditLine.__table__)


def record(
    action: str,
    *,
    by: Actor,
    now: datetime,
    object_kind: str = "",
    object_id: int | None = None,
    enrolment_id: int | None = None,
    service_id: int | None = None,
    detail: str = "",
) -> None:
    """One audit line in the session's own transaction: it lands with the act or not at all."""
    line = _line(action, by, now, object_kind, object_id, enrolment_id, service_id, detail)
    db.session.connection().execute(_INSERT_LINE, line)


def record_apart(
    action: str,
    *,
    by: Actor,
    now: datetime,
    object_kind: str = "",
    object_id: int | None = None,
    enrolment_id: int | None = None,
    service_id: int | None = None,
    detail: str = "",
) -> None:
    """One audit line in a transaction of its own, after the session has rolled back: refusals and failed sign-ins."""
    line = _line(action, by, now, object_kind, object_id, enrolment_id, service_id, detail)
    with apart() as connection:
        connection.execute(_INSERT_LINE, line)


def _line(
    action: str,
    by: Actor,
    now: datetime,
    object_kind: str,
    object_id: int | None,
    enrolment_id: int | None,
    service_id: int | None,
    detail: str,
) -> dict[str, Any]:
    return {
        "at": now,
        "actor_kind": by.kind,
        "actor_account_id": by.account_id,
        "actor_role": by.role[:60],
        "service_id": service_id if service_id is not None else by.service_id,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "enrolment_id": enrolment_id,
        "detail": detail[:300],
        "address": by.address[:60],
        "request_id": by.request_id[:40],
    }
