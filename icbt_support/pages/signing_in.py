"""Who is signed in: Flask-Login over sign-ins that the server holds, and the one way in."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, after_this_request, current_app, g, request, session
from flask.testing import FlaskClient
from flask_login import LoginManager, current_user, logout_user
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.exc import OperationalError

from icbt_support import clock
from icbt_support.accounts.models import Account, Membership, Role, SignIn
from icbt_support.accounts.passwords import HashedPassword
from icbt_support.accounts.queries import find_account, find_account_by_email, find_sign_in, open_memberships
from icbt_support.accounts.sign_ins import (
    CannotSignIn,
    Recognised,
    note_seen,
    open_sign_in,
    recognise,
    sign_out,
)
from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.audit import Actor, ActorKind
from icbt_support.cadence import local_day
from icbt_support.db import commit_with_retry
from icbt_support.enrolments import queries as enrolments
from icbt_support.settings import Environment, Settings

View = TypeVar("View", bound=Callable[..., Any])
log = logging.getLogger(__name__)
BROWSER_COOKIE = "known_browser"
BROWSER_COOKIE_LIVES_SECONDS = 400 * 86_400
_TOKEN = "_user_id"  # noqa: S105 (where Flask-Login keeps a user's id, which here is the token)


@dataclass(frozen=True)
class SignedIn:
    """The person behind a live sign-in, as `flask_login.current_user`."""

    token: str
    sign_in: SignIn

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return self.token

    @property
    def account(self) -> Account:
        return self.sign_in.account

    @property
    def memberships(self) -> list[Membership]:
        """The roles that the person holds now."""
        return open_memberships(self.sign_in.account)

    def roles_in(self, service_id: int) -> set[Role]:
        return {membership.role for membership in self.memberships if membership.service_id == service_id}


def install_login(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(_load)
    app.before_request(_keep_alive)


def _load(token: str) -> SignedIn | None:
    sign_in = find_sign_in(token, real_now=clock.real_now())
    return SignedIn(token, sign_in) if sign_in is not None else None


def without_database(view: View) -> View:
    """Marks a view that answers even when the database is gone: nobody is recognised before it."""
    view.is_without_database = True  # type: ignore[attr-defined]
    return view


def _keep_alive() -> None:
    """Writes last-seen, at most once a minute; a database that cannot write it does not stop the page."""
    view = current_app.view_functions.get(request.endpoint or "static")
    if request.endpoint in (None, "static") or getattr(view, "is_without_database", False):
        return
    if _TOKEN not in session or not current_user.is_authenticated:
        return
    try:
        note_seen(current_user.sign_in, real_now=clock.real_now())
    except OperationalError:
        log.warning("the sign-in's last-seen was not written")


def recognise_here(email: str, password: str) -> Recognised:
    """Checks what was typed in this browser. Raises `TooManyTries`, `WrongCredentials`."""
    return recognise(
        email,
        password,
        address=request.remote_addr or "",
        browser=known_browser(email),
        real_now=clock.real_now(),
        by=anonymous_actor(),
        now=clock.now(),
    )


def sign_in_as(account_id: int, *, new_hash: HashedPassword | None = None) -> None:
    """Opens a sign-in, commits it, and gives this browser its token in place of any older one.

    Raises `CannotSignIn`.
    """
    now, real_now = clock.now(), clock.real_now()
    address = request.remote_addr or ""

    def work() -> tuple[str, int | None]:
        account = find_account(account_id)
        if account is None:
            raise CannotSignIn
        by = Actor(ActorKind.PERSON, account.id, request_id=g.get("request_id", ""), address=address)
        _end_older_sign_in(by)
        token = open_sign_in(account, address=address, real_now=real_now, by=by, now=now, new_hash=new_hash)
        _note_visit(account)
        services = open_memberships(account)
        return token, services[0].service_id if services else None

    token, service_id = commit_with_retry(work)
    _give_token(token, service_id)
    _remember_browser(account_id)


def _end_older_sign_in(by: Actor) -> None:
    older = find_sign_in(session.get(_TOKEN, ""), real_now=clock.real_now())
    if older is not None:
        sign_out(older, by=by, now=clock.now())


def _give_token(token: str, service_id: int | None) -> None:
    """A new session altogether: nothing that stood in the old cookie counts any more."""
    session.clear()
    session[_TOKEN] = token
    session["help_service"] = service_id
    g.pop("_login_user", None)
    g.pop("csrf_token", None)


def _note_visit(account: Account) -> None:
    """A patient's sign-in is activity, never treatment contact."""
    enrolment = enrolments.for_patient(account)
    if enrolment is None:
        return
    record_activity(
        Act.SIGNED_IN,
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        on=local_day(clock.now(), account.zone),
        now=clock.now(),
    )


def forget_session() -> None:
    """Leaves nothing of the sign-in in this browser's cookie."""
    logout_user()
    session.clear()


# A browser in which an account has signed in before has its own limit of tries, so that somebody who guesses
# elsewhere cannot keep the person out.


def known_browser(email: str) -> str | None:
    """The name of this browser if the account of this address has signed in here before."""
    cookie = request.cookies.get(BROWSER_COOKIE)
    account = find_account_by_email(email)
    if cookie is None or account is None:
        return None
    try:
        account_id, name = _browser_serializer().loads(cookie)
    except (BadSignature, ValueError, TypeError):
        return None
    return f"{account_id}:{name}" if account_id == account.id else None


def _remember_browser(account_id: int) -> None:
    cookie = _browser_serializer().dumps([account_id, secrets.token_hex(12)])

    @after_this_request
    def keep_name(response: Response) -> Response:
        response.set_cookie(
            BROWSER_COOKIE,
            cookie,
            max_age=BROWSER_COOKIE_LIVES_SECONDS,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def _browser_serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=BROWSER_COOKIE)


def anonymous_actor() -> Actor:
    """Somebody who is not signed in, known by address alone."""
    return Actor(ActorKind.PERSON, request_id=g.get("request_id", ""), address=request.remote_addr or "")


def local_path(target: str | None) -> str | None:
    """The path to return to if it stays on this site; None for anything else."""
    if not target or not target.startswith("/") or len(target) > 500:
        return None
    if target.startswith("//") or "\\" in target or any(ord(character) < 33 for character in target):
        return None
    return target


def sign_in_for_tests(client: FlaskClient, account: Account) -> None:
    """Gives a test's browser a live sign-in without a password; refused outside the test environment."""
    settings: Settings = client.application.config["SETTINGS"]
    if settings.environment is not Environment.TEST:
        raise RuntimeError("Only tests sign in without a password.")
    account_id = account.id

    def work() -> str:
        found = find_account(account_id)
        if found is None:
            raise CannotSignIn
        by = Actor(ActorKind.PERSON, account_id)
        return open_sign_in(found, address="127.0.0.1", real_now=clock.real_now(), by=by, now=clock.now())

    token = commit_with_retry(work)
    with client.session_transaction() as browser:
        browser.clear()
        browser[_TOKEN] = token
