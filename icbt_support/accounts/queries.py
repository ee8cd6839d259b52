"""People, their roles and their sign-ins."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from icbt_support.accounts.models import (
    STAFF_ROLES,
    Account,
    Membership,
    Role,
    SignIn,
    SupporterProfile,
)
from icbt_support.accounts.rules import NotAnAddress, has_run_out, sign_in_limits, tidy_email
from icbt_support.db import db
from icbt_support.service.models import Service


def find_account(account_id: int) -> Account | None:
    return db.session.get(Account, account_id)


def find_account_by_email(email: str) -> Account | None:
    try:
        tidied = tidy_email(email)
    except NotAnAddress:
        return None
    return db.session.scalar(select(Account).where(Account.email == tidied))


def open_memberships(account: Account) -> list[Membership]:
    return [membership for membership in account.memberships if membership.ended_at is None]


def roles_of(account: Account, service_id: int) -> set[Role]:
    """The roles that the person holds now in this service."""
    return {
        membership.role for membership in open_memberships(account) if membership.service_id == service_id
    }


def services_of(account: Account) -> list[Service]:
    """The services in which the person holds any role now, by name."""
    services = {membership.service for membership in open_memberships(account)}
    return sorted(services, key=lambda service: (service.name, service.id))


def staff_with_role(service_id: int, role: Role) -> list[Account]:
    """Who holds the role in the service and can sign in, by name."""
    return list(
        db.session.scalars(
            select(Account)
            .join(Account.memberships)
            .where(
                Membership.service_id == service_id,
                Membership.role == role,
                Membership.ended_at.is_(None),
                Account.disabled_at.is_(None),
            )
            .order_by(Account.full_name, Account.id)
        )
    )


def holds_role(account_id: int, service_id: int, role: Role) -> bool:
    """Whether the person holds the role in the service now."""
    held = select(Membership.id).where(
        Membership.account_id == account_id,
        Membership.service_id == service_id,
        Membership.role == role,
        Membership.ended_at.is_(None),
    )
    return db.session.scalar(held.limit(1)) is not None


def staff_of(service_id: int) -> Sequence[Account]:
    """Everybody who holds or held a staff role in the service, by name; memberships are loaded with them."""
    held = select(Membership.account_id).where(
        Membership.service_id == service_id, Membership.role.in_([*STAFF_ROLES, Role.VENDOR])
    )
    return db.session.scalars(
        select(Account)
        .where(Account.id.in_(held))
        .options(selectinload(Account.memberships))
        .order_by(Account.full_name, Account.id)
    ).all()


def staff_member_of(service_id: int, account_id: int) -> Account | None:
    """One person who holds or held a staff role in the service."""
    return db.session.scalar(
        select(Account)
        .join(Account.memberships)
        .where(
            Account.id == account_id,
            Membership.service_id == service_id,
            Membership.role.in_([*STAFF_ROLES, Role.VENDOR]),
        )
        .limit(1)
    )


def names_of(account_ids: set[int]) -> dict[int, str]:
    """Full names by id, in one statement."""
    if not account_ids:
        return {}
    rows = db.session.execute(
        select(Account.id, Account.full_name).where(Account.id.in_(sorted(account_ids)))
    )
    return {row.id: row.full_name for row in rows}


def called_of(account_id: int) -> str:
    """What this person is called."""
    return db.session.get_one(Account, account_id).called


def supporter_profile(account_id: int) -> SupporterProfile:
    """What patients are told about the person; the plain defaults if nothing was written yet."""
    stored = db.session.get(SupporterProfile, account_id)
    return stored or SupporterProfile(account_id=account_id, job_title="Supporter", about="")


def hash_of_token(token: str) -> str:
    """Tokens hold 256 random bits: a plain digest is enough, and can be looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_sign_in(token: str, *, real_now: datetime) -> SignIn | None:
    """The live sign-in behind a cookie: not revoked, not run out, of an account that is not disabled.

    One statement, because every request begins with it.
    """
    memberships = joinedload(SignIn.account).joinedload(Account.memberships)
    sign_in = (
        db.session.scalars(
            select(SignIn)
            .where(SignIn.token_hash == hash_of_token(token), SignIn.revoked_at.is_(None))
            .options(memberships.joinedload(Membership.service).joinedload(Service.help_lines))
        )
        .unique()
        .one_or_none()
    )
    return sign_in if sign_in is not None and is_live(sign_in, real_now) else None


def is_live(sign_in: SignIn, real_now: datetime) -> bool:
    if sign_in.revoked_at is not None or sign_in.account.disabled_at is not None:
        return False
    limits = sign_in_limits(membership.role for membership in open_memberships(sign_in.account))
    return not has_run_out(sign_in.created_at, sign_in.last_seen_at, limits, real_now)


def live_sign_ins(account: Account, *, real_now: datetime) -> list[SignIn]:
    """Where the person is signed in, newest first."""
    rows = db.session.scalars(
        select(SignIn)
        .where(SignIn.account_id == account.id, SignIn.revoked_at.is_(None))
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
    )
    return [sign_in for sign_in in rows if is_live(sign_in, real_now)]


def everyone(*, limit: int) -> Sequence[Account]:
    """All accounts, by number; for the development sign-in alone."""
    return db.session.scalars(
        select(Account).options(selectinload(Account.memberships)).order_by(Account.id).limit(limit)
    ).all()
