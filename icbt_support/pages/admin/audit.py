"""The audit, as an administrator may read it: who did what, when; never anything about a patient's health."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import staff_of
from icbt_support.audit.models import ActorKind, AuditLine
from icbt_support.audit.queries import (
    READ_PART,
    READ_RECORD,
    AuditFilter,
    AuditScope,
    actions_in_scope,
    audit_lines,
)
from icbt_support.cadence import to_local, to_utc
from icbt_support.db import LARGEST_ID
from icbt_support.pages.guards import allow, current_service
from icbt_support.pages.kit import clock_time, short_day
from icbt_support.service.models import Service

blueprint = Blueprint("admin_audit", __name__)
LINES_A_PAGE = 50


@blueprint.get("/admin/audit")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    service = current_service(Role.ADMINISTRATOR)
    staff = staff_of(service.id)
    scope = AuditScope(service.id, frozenset(account.id for account in staff))
    wanted, chosen = _wanted(service, scope)
    lines = audit_lines(scope, wanted, limit=LINES_A_PAGE + 1, before_id=_number("before"))
    names = {account.id: account.full_name for account in staff}
    shown = lines[:LINES_A_PAGE]
    return render_template(
        "admin/audit.html",
        rows=[_row(line, names, service) for line in shown],
        people=[(str(account.id), account.full_name) for account in staff],
        actions=[(action, _words(action)) for action in actions_in_scope(scope)],
        chosen=chosen,
        next_href=_earlier(shown[-1], chosen) if len(lines) > LINES_A_PAGE else "",
    )


def _earlier(last: AuditLine, chosen: dict[str, str]) -> str:
    return f"{url_for('admin_audit.show')}?{urlencode({**chosen, 'before': last.id})}"


def _wanted(service: Service, scope: AuditScope) -> tuple[AuditFilter, dict[str, str]]:
    """The filter, and what was chosen as the form shows it; anything that makes no sense is left out."""
    person, action, on = _number("person"), request.args.get("action", ""), _day("on")
    wanted = AuditFilter(
        actor_account_id=person if person in scope.staff_ids else None,
        action=action if action in actions_in_scope(scope) else "",
        from_at=_start_of(on, service) if on else None,
        until_at=_start_of(on + timedelta(days=1), service) if on else None,
    )
    chosen = {
        "person": str(wanted.actor_account_id or ""),
        "action": wanted.action,
        "on": on.isoformat() if on else "",
    }
    return wanted, chosen


def _start_of(on: date, service: Service) -> datetime:
    return to_utc(on, time(0), service.zone)


def _number(name: str) -> int | None:
    given = request.args.get(name, "").lstrip("0")
    if not given.isascii() or not given.isdigit() or len(given) > len(str(LARGEST_ID)):
        return None
    return int(given) if int(given) <= LARGEST_ID else None


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if date(2000, 1, 1) < day < date(2200, 1, 1) else None


def _row(line: AuditLine, names: dict[int, str], service: Service) -> tuple[str, str, str, str, str]:
    at = to_local(line.at, service.zone)
    return (
        f"{short_day(at)} {at.year}, {clock_time(at)}",
        _actor_words(line, names),
        _what(line),
        _about(line, names),
        line.address,
    )


def _actor_words(line: AuditLine, names: dict[int, str]) -> str:
    if line.actor_kind is ActorKind.SYSTEM:
        return "The system" if line.enrolment_id is not None else f"The system ({line.actor_role})"
    if line.actor_kind is ActorKind.OPERATOR:
        return f"Operator ({line.actor_role})"
    if line.actor_account_id is None:
        return "Not signed in"
    name = names.get(line.actor_account_id, f"Person {line.actor_account_id}")
    return f"{name} ({line.actor_role})" if line.actor_role else name


def _what(line: AuditLine) -> str:
    """Acts on a course are told apart only as looking and changing: more would be clinical, as would be the job
    that did it.
    """
    if line.enrolment_id is None:
        return _words(line.action)
    return (
        "Opened a patient's record"
        if line.action in (READ_RECORD, READ_PART)
        else "Changed a patient's record"
    )


def _about(line: AuditLine, names: dict[int, str]) -> str:
    if line.enrolment_id is not None:
        return f"Course {line.enrolment_id}"
    if line.object_kind == "account" and line.object_id is not None:
        about = names.get(line.object_id, f"Person {line.object_id}")
        return f"{about}: {line.detail}" if line.detail else about
    if line.object_kind in ("service", ""):
        return line.detail
    number = f" {line.object_id}" if line.object_id is not None else ""
    return f"{_words(line.object_kind)}{number}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
