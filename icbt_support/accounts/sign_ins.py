"""Signing in and out: recognising a password, outside any write transaction, and the verbs after it."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from icbt_support import audit
from icbt_support.accounts.models import Account, SignIn
from icbt_support.accounts.passwords import HashedPassword, hash_password, is_right_password, needs_new_hash
from icbt_support.accounts.queries import find_account_by_email, hash_of_token
from icbt_support.accounts.rules import ACCOUNT_LIMIT, ADDRESS_LIMIT, BROWSER_LIMIT, SEEN_AT_MOST_EVERY
from icbt_support.accounts.throttles import (
    TooManyTries,
    count_attempt,
    forget_attempts,
    give_back_attempt,
    throttle_key,
)
from icbt_support.audit import Actor
from icbt_support.db import apart_without_waiting, db


class WrongCredentials(Exception):
    """No account has this address with this password; which of the two is wrong is not said."""


class CannotSignIn(Exception):
    """The account was disabled a moment ago."""


@dataclass(frozen=True)
class Recognised:
    """The account whose password was right; `new_hash` where the kept one was made with older parameters."""

    account_id: int
    new_hash: HashedPassword | None


def recognise(
    email: str,
    password: str,
    *,
    address: str,
    browser: str | None,
    real_now: datetime,
    by: Actor,
    now: datetime,
) -> Recognised:
    """Checks a password under the limits. Call it outside `db.writing()`: it hashes.

    `browser` names a browser in which this very account has signed in before: it has its own limit, so that
    somebody who guesses elsewhere cannot keep the person out. Raises `TooManyTries`, `WrongCredentials`; both
    are in the audit.
    """
    email_key = email.strip().lower()
    address_key = throttle_key("address", address)
    own_key = throttle_key("browser", browser) if browser else throttle_key("account", email_key)
    try:
        count_attempt(address_key, ADDRESS_LIMIT, real_now=real_now)
        count_attempt(own_key, BROWSER_LIMIT if browser else ACCOUNT_LIMIT, real_now=real_now)
    except TooManyTries:
        audit.record_apart("throttled_sign_in", by=by, now=now)
        raise
    account = find_account_by_email(email)
    encoded = account.password_hash if account is not None and account.disabled_at is None else None
    account_id = account.id if account is not None else None
    db.session.rollback()
    if not is_right_password(password, encoded) or encoded is None or account_id is None:
        audit.record_apart("failed_sign_in", by=by, now=now, object_kind="account", object_id=account_id)
        raise WrongCredentials
    forget_attempts(own_key)
    give_back_attempt(address_key)
    return Recognised(account_id, hash_password(password) if needs_new_hash(encoded) else None)


def open_sign_in(
    account: Account,
    *,
    address: str,
    real_now: datetime,
    by: Actor,
    now: datetime,
    new_hash: HashedPassword | None = None,
) -> str:
    """A new sign-in; returns its token, of which only a digest is kept. Raises `CannotSignIn`."""
    if account.disabled_at is not None:
        raise CannotSignIn
    token = secrets.token_urlsafe(32)
    db.session.add(
        SignIn(
            account=account,
            token_hash=hash_of_token(token),
            created_at=real_now,
            last_seen_at=real_now,
            address=address[:60],
        )
    )
    account.last_signed_in_at = now
    if new_hash is not None:
        account.password_hash = new_hash.encoded
    db.session.flush()
    audit.record("signed_in", by=by, now=now, object_kind="account", object_id=account.id)
    return token


def sign_out(sign_in: SignIn, *, by: Actor, now: datetime) -> None:
    if sign_in.revoked_at is not None:
        return
    sign_in.revoked_at = now
    db.session.flush()
    audit.record("signed_out", by=by, now=now, object_kind="account", object_id=sign_in.account_id)


def note_seen(sign_in: SignIn, *, real_now: datetime) -> bool:
    """Keeps an idle sign-in alive; writes at most once a minute, in a short transaction of its own.

    Raises `OperationalError` soon where the database is locked: the page does not wait, the next one tries again.
    """
    if real_now < sign_in.last_seen_at + SEEN_AT_MOST_EVERY:
        return False
    with apart_without_waiting() as connection:
        connection.execute(
            update(SignIn)
            .where(SignIn.id == sign_in.id, SignIn.last_seen_at < real_now)
            .values(last_seen_at=real_now)
        )
    return True
