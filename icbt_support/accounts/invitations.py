"""Inviting people: staff by an administrator, and the first person of an installation by an operator."""

from datetime import datetime

from icbt_support.accounts.models import Account, AccountLink, LinkPurpose, Role
from icbt_support.accounts.operations import create_account, give_role, owe_account_link
from icbt_support.accounts.queries import services_of
from icbt_support.accounts.rules import INVITATION_LIVES, PASSWORD_RESET_LIVES
from icbt_support.audit import Actor
from icbt_support.service.models import Service
from icbt_support.service.operations import create_service
from icbt_support.service.queries import find_service_by_name


def invite_first_person(email: str, role: Role, service_name: str, *, by: Actor, now: datetime) -> Account:
    """Makes the service if there is none of this name, and invites the person. Raises `rules.NotAnAddress`."""
    service = find_service_by_name(service_name) or create_service(service_name, by=by, now=now)
    name = email.split("@", 1)[0]
    return invite_person(email=email, full_name=name, called=name, role=role, service=service, by=by, now=now)


def invite_person(
    *, email: str, full_name: str, called: str, role: Role, service: Service, by: Actor, now: datetime
) -> Account:
    """Gives the role to a new or known account; a person who has no password yet gets an invitation."""
    account = create_account(
        email=email, full_name=full_name[:120], called=called[:60], zone=service.zone, by=by, now=now
    )
    give_role(account, role, service_id=service.id, by=by, now=now)
    if account.password_hash is None:
        owe_invitation(account, service_id=service.id, by=by, now=now)
    return account


def owe_invitation(account: Account, *, service_id: int, by: Actor, now: datetime) -> AccountLink:
    return owe_account_link(
        account,
        LinkPurpose.INVITATION,
        service_id=service_id,
        expires_at=now + INVITATION_LIVES,
        by=by,
        now=now,
    )


def renew_invitation(link: AccountLink, *, by: Actor, now: datetime) -> AccountLink | None:
    """A new invitation to the same address in place of one that ran out; None if it is not needed any more."""
    services = services_of(link.account)
    if not services or link.account.password_hash is not None:
        return None
    return owe_invitation(link.account, service_id=services[0].id, by=by, now=now)


def owe_password_reset(account: Account, *, by: Actor, now: datetime) -> AccountLink | None:
    """A link to choose a new password; None for an account that cannot sign in anywhere."""
    services = services_of(account)
    if not services or account.disabled_at is not None:
        return None
    return owe_account_link(
        account,
        LinkPurpose.PASSWORD_RESET,
        service_id=services[0].id,
        expires_at=now + PASSWORD_RESET_LIVES,
        by=by,
        now=now,
    )
