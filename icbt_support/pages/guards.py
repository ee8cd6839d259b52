"""Who may use a page, and the only ways in which a page loads anybody's data.

Every view says who may use it; a view that does not say so stops the start of the application. What a person may
not see is not found (404), so that its existence stays a secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_login import current_user
from sqlalchemy import Select
from werkzeug import Response
from werkzeug.routing import BaseConverter, ValidationError

from icbt_support import audit, clock
from icbt_support.accounts.models import Account, Role
from icbt_support.audit.models import Actor, ActorKind
from icbt_support.audit.queries import READ_RECORD
from icbt_support.db import LARGEST_ID, db
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.reads import note_read
from icbt_support.service.models import Service

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """Who may use a view: anyone, anyone signed in, or people who hold one of the roles."""

    roles: frozenset[Role] = frozenset()
    is_for_anyone: bool = False


ANYONE = Access(is_for_anyone=True)
SIGNED_IN = Access()


def allow(*roles: Role) -> Callable[[View], View]:
    return _marks(Access(frozenset(roles)))


def allow_signed_in(view: View) -> View:
    return _marks(SIGNED_IN)(view)


def allow_anyone(view: View) -> View:
    return _marks(ANYONE)(view)


def _marks(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


class IdConverter(BaseConverter):
    """A row's number as it may stand in an address: 1 to 2^63 - 1, written one way; anything else is not found."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValidationError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


def install_guards(app: Flask) -> None:
    app.before_request(_refuse_strangers)


def check_every_view_says_who(app: Flask) -> None:
    """Raises at start if a view does not declare its access."""
    silent = sorted(name for name, view in app.view_functions.items() if access_of(view) is None)
    if silent:
        raise RuntimeError(f"These views do not say who may use them: {', '.join(silent)}.")


def access_of(view: Callable[..., Any]) -> Access | None:
    return getattr(view, "access", None)


def _refuse_strangers() -> Response | None:
    if request.endpoint is None:
        return None
    access = access_of(current_app.view_functions[request.endpoint])
    if access is None:
        abort(404)
    if access.is_for_anyone:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    if access.roles and not access.roles & held_roles():
        db.session.rollback()
        audit.record_apart("refused", by=current_actor(), now=clock.real_now(), detail=request.endpoint)
        abort(404)
    return None


def _to_sign_in() -> Response:
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("public_sign_in.show", next=back))


def request_time() -> datetime:
    """The time at which this request happens: read once."""
    if "request_time" not in g:
        g.request_time = clock.now()
    return g.request_time


def current_account() -> Account:
    return current_user.account


def held_roles() -> set[Role]:
    """All roles that the signed-in person holds now, in any service."""
    return {membership.role for membership in current_user.memberships}


def services_with_role(*roles: Role) -> list[int]:
    """The services in which the signed-in person holds one of the roles."""
    return sorted({m.service_id for m in current_user.memberships if m.role in roles})


def current_service(role: Role) -> Service:
    """The service for which the person works now in `role`; 404 if there is none."""
    held = [membership for membership in current_user.memberships if membership.role is role]
    if not held:
        abort(404)
    return held[0].service


def current_actor(role: Role | None = None, service_id: int | None = None) -> Actor:
    account_id = current_user.account.id if current_user.is_authenticated else None
    return Actor(
        kind=ActorKind.PERSON,
        account_id=account_id,
        role=role or "",
        service_id=service_id,
        request_id=g.get("request_id", ""),
        address=request.remote_addr or "",
    )


def my_enrolment() -> Enrolment:
    """The signed-in patient's own course; 404 for anyone else."""
    enrolment = enrolments.for_patient(current_account())
    if enrolment is None:
        abort(404)
    return enrolment


def patient_actor(enrolment: Enrolment) -> Actor:
    return current_actor(Role.PATIENT, enrolment.service_id)


def supporter_actor(enrolment: Enrolment) -> Actor:
    return current_actor(Role.SUPPORTER, enrolment.service_id)


def clinician_actor(enrolment: Enrolment) -> Actor:
    return current_actor(Role.CLINICIAN, enrolment.service_id)


def caseload_enrolment(enrolment_id: int) -> Enrolment:
    """A course in the signed-in supporter's caseload or cover; 404 otherwise. The read is audited."""
    scope = enrolments.for_supporter(current_account(), now=request_time())
    return _scoped(scope, enrolment_id, Role.SUPPORTER)


def clinical_enrolment(enrolment_id: int) -> Enrolment:
    """A course in a service where the signed-in person is a clinician; 404 otherwise. The read is audited."""
    return _scoped(enrolments.for_clinician(current_account()), enrolment_id, Role.CLINICIAN)


def _scoped(scope: Select[Enrolment], enrolment_id: int, role: Role) -> Enrolment:
    load = enrolments.scoped_enrolment if request.method == "GET" else enrolments.held_in_scope
    enrolment = load(scope, enrolment_id)
    if enrolment is None:
        refuse_record("enrolment", enrolment_id, role)
    note_staff_read(enrolment, role)
    return enrolment


def refuse_record(object_kind: str, object_id: int, role: Role) -> NoReturn:
    """Notes that somebody asked for a record that is not theirs, apart from the request, and finds nothing (404)."""
    by = current_actor(role)
    db.session.rollback()
    audit.record_apart(
        "refused_record",
        by=by,
        now=clock.real_now(),
        object_kind=object_kind,
        object_id=object_id,
        detail=request.endpoint or "",
    )
    abort(404)


def note_staff_read(enrolment: Enrolment, role: Role) -> None:
    """A staff member's look at a patient's record: never without a trace."""
    note_read(
        READ_RECORD,
        by=current_actor(role, enrolment.service_id),
        now=request_time(),
        object_kind="enrolment",
        object_id=enrolment.id,
        enrolment_id=enrolment.id,
        detail=request.endpoint or "",
    )
