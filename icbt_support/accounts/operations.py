"""Accounts, roles, links and preferences: each verb writes its audit line."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select, update

from icbt_support import audit
from icbt_support.accounts.links import LinkAlreadyUsed, use_link
from icbt_support.accounts.models import (
    STAFF_ROLES,
    Account,
    AccountLink,
    ContactPreferences,
    LinkPurpose,
    Membership,
    Role,
    SignIn,
    SupporterProfile,
)
from icbt_support.accounts.passwords import HashedPassword
from icbt_support.accounts.passwords import use_password_settings as use_password_settings
from icbt_support.accounts.queries import (
    find_account_by_email,
    open_memberships,
    services_of,
    staff_with_role,
)
from icbt_support.accounts.rules import (
    INVITATION_LIVES,
    PASSWORD_RESET_LIVES,
    PreferenceChoices,
    tidy_email,
)
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.links import new_nonce
from icbt_support.reminders.operations import owe_reminder, recompute_due_times, withdraw_reminders
from icbt_support.reminders.rules import FOR_STAFF, ReminderKind
from icbt_support.service.models import Service
from icbt_support.service.operations import create_service
from icbt_support.service.queries import find_service_by_name


class LastAdministrator(Exception):
    """A service keeps at least one administrator who can sign in."""


class NoSuchRole(Exception):
    """The person does not hold this role in this service."""


_REMINDER_OF = {
    LinkPurpose.INVITATION: ReminderKind.INVITATION,
    LinkPurpose.PASSWORD_RESET: ReminderKind.PASSWORD_RESET,
}


def create_account(
    *, email: str, full_name: str, called: str, zone: str, by: Actor, now: datetime
) -> Account:
    """A new account with its contact preferences, or the one that has this address already, unchanged.

    Raises `rules.NotAnAddress`.
    """
    known = find_account_by_email(email)
    if known is not None:
        return known
    account = Account(email=tidy_email(email), full_name=full_name, called=called, zone=zone, created_at=now)
    account.preferences = ContactPreferences(**asdict(PreferenceChoices()), changed_at=now)
    db.session.add(account)
    db.session.flush()
    audit.record("created_account", by=by, now=now, object_kind="account", object_id=account.id)
    return account


def give_role(account: Account, role: Role, *, service_id: int, by: Actor, now: datetime) -> Membership:
    """Gives the role, or returns the membership that is open already. A changed role ends every sign-in."""
    held = _open_membership(account, role, service_id)
    if held is not None:
        return held
    membership = Membership(account=account, service_id=service_id, role=role, given_at=now)
    db.session.add(membership)
    db.session.flush()
    _record_role("gave_role", account, role, service_id, by, now)
    revoke_sign_ins(account, by=by, now=now)
    return membership


def end_role(account: Account, role: Role, *, service_id: int, by: Actor, now: datetime) -> None:
    """Ends the role and every sign-in; somebody who works nowhere any more is not told about anybody either.

    Raises `NoSuchRole`, `LastAdministrator`.
    """
    held = _open_membership(account, role, service_id)
    if held is None:
        raise NoSuchRole
    if role is Role.ADMINISTRATOR:
        _refuse_if_last_administrator(account, service_id)
    held.ended_at = now
    db.session.flush()
    _record_role("ended_role", account, role, service_id, by, now)
    revoke_sign_ins(account, by=by, now=now)
    if not any(membership.role in STAFF_ROLES for membership in open_memberships(account)):
        withdraw_reminders(now=now, reason="works here no longer", recipient_id=account.id, kinds=FOR_STAFF)


def disable_account(account: Account, *, by: Actor, now: datetime) -> None:
    """Nobody signs in with this account until it is enabled again. Raises `LastAdministrator`."""
    if account.disabled_at is not None:
        return
    for membership in open_memberships(account):
        if membership.role is Role.ADMINISTRATOR:
            _refuse_if_last_administrator(account, membership.service_id)
    account.disabled_at = now
    _withdraw_links(account, None, now)
    audit.record("disabled_account", by=by, now=now, object_kind="account", object_id=account.id)
    revoke_sign_ins(account, by=by, now=now)


def enable_account(account: Account, *, by: Actor, now: datetime) -> None:
    if account.disabled_at is None:
        return
    account.disabled_at = None
    db.session.flush()
    audit.record("enabled_account", by=by, now=now, object_kind="account", object_id=account.id)


def owe_account_link(
    account: Account,
    purpose: LinkPurpose,
    *,
    service_id: int,
    expires_at: datetime,
    by: Actor,
    now: datetime,
) -> AccountLink:
    """A link that is mailed at once; older open ones of the same purpose stop working."""
    _withdraw_links(account, purpose, now)
    link = AccountLink(
        account=account, purpose=purpose, nonce=new_nonce(), created_at=now, expires_at=expires_at
    )
    db.session.add(link)
    db.session.flush()
    owe_reminder(
        key=f"account-link:{link.id}",
        kind=_REMINDER_OF[purpose],
        recipient_id=account.id,
        service_id=service_id,
        subject=f"account_link:{link.id}",
        context=f"service:{service_id}",
        due_at=now,
        expires_at=expires_at,
        now=now,
    )
    audit.record(
        f"owed_{purpose}_link",
        by=by,
        now=now,
        object_kind="account",
        object_id=account.id,
        service_id=service_id,
    )
    return link


def invite_first_person(email: str, role: Role, service_name: str, *, by: Actor, now: datetime) -> str:
    """Makes the service if none has this name, and invites the person; returns a sentence for the operator.

    Raises `rules.NotAnAddress`.
    """
    service = find_service_by_name(service_name) or create_service(service_name, by=by, now=now)
    name = email.split("@", 1)[0]
    account = invite_person(
        email=email, full_name=name, called=name, role=role, service=service, by=by, now=now
    )
    if account.password_hash is not None:
        return f"{account.email} has a password already, and is now {role} of {service.name}."
    return (
        f"{account.email} is invited to {service.name} as {role}: "
        f"the link in the email works for {INVITATION_LIVES.days} days."
    )


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


def withdraw_invitations(account: Account, *, by: Actor, now: datetime) -> None:
    """What the person was invited for is closed: the link stops working, and its mail is not sent any more."""
    if _withdraw_links(account, LinkPurpose.INVITATION, now, reason="what it was for is closed"):
        audit.record("withdrew_invitation", by=by, now=now, object_kind="account", object_id=account.id)


def renew_invitation(link: AccountLink, *, by: Actor, now: datetime) -> AccountLink | None:
    """A new invitation to the same address in place of one that ran out; None if it is not needed."""
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


def accept_invitation(link: AccountLink, password: HashedPassword, *, by: Actor, now: datetime) -> Account:
    """Uses the invitation and sets the first password. Raises `links.LinkAlreadyUsed`, also where there is a
    password already: an invitation never changes one.
    """
    if link.account.password_hash is not None:
        raise LinkAlreadyUsed
    use_link(link, now=now)
    audit.record("accepted_invitation", by=by, now=now, object_kind="account", object_id=link.account_id)
    set_password(link.account, password, by=by, now=now)
    return link.account


def reset_password(link: AccountLink, password: HashedPassword, *, by: Actor, now: datetime) -> Account:
    """Uses the link, sets the password and tells the person. Raises `links.LinkAlreadyUsed`."""
    use_link(link, now=now)
    change_password(link.account, password, by=by, now=now)
    return link.account


def change_password(account: Account, password: HashedPassword, *, by: Actor, now: datetime) -> None:
    """Sets the password, ends every sign-in and owes a notice, so that a theft does not stay secret."""
    set_password(account, password, by=by, now=now)
    services = services_of(account)
    if not services:
        return
    owe_reminder(
        key=f"password-changed:{account.id}:{int(now.timestamp())}",
        kind=ReminderKind.SECURITY_NOTICE,
        recipient_id=account.id,
        service_id=services[0].id,
        subject=f"account:{account.id}",
        context=f"service:{services[0].id}",
        due_at=now,
        now=now,
    )


def set_password(account: Account, password: HashedPassword, *, by: Actor, now: datetime) -> None:
    """Sets the password; every sign-in and every open link ends with the old one."""
    account.password_hash = password.encoded
    _withdraw_links(account, None, now)
    audit.record("set_password", by=by, now=now, object_kind="account", object_id=account.id)
    revoke_sign_ins(account, by=by, now=now)


def change_name(account: Account, *, full_name: str, called: str, by: Actor, now: datetime) -> None:
    account.full_name, account.called = full_name, called
    db.session.flush()
    audit.record("changed_name", by=by, now=now, object_kind="account", object_id=account.id)


def change_zone(account: Account, zone: str, *, by: Actor, now: datetime) -> None:
    """Moves the person to another zone: what is owed at a wall time keeps its wall time."""
    account.zone = zone
    db.session.flush()
    recompute_due_times(account.id, zone=zone, now=now)
    audit.record("changed_zone", by=by, now=now, object_kind="account", object_id=account.id, detail=zone)


def change_preferences(account: Account, values: PreferenceChoices, *, by: Actor, now: datetime) -> None:
    """Keeps the choices. What was put off until the end of quiet hours is looked at again."""
    for name, value in asdict(values).items():
        setattr(account.preferences, name, value)
    account.preferences.changed_at = now
    db.session.flush()
    recompute_due_times(account.id, zone=account.zone, now=now)
    audit.record("changed_preferences", by=by, now=now, object_kind="account", object_id=account.id)


def describe_supporter(account: Account, *, job_title: str, about: str, by: Actor, now: datetime) -> None:
    """What patients are told about their supporter."""
    profile = db.session.get(SupporterProfile, account.id) or SupporterProfile(account_id=account.id)
    profile.job_title, profile.about = job_title, about
    db.session.add(profile)
    db.session.flush()
    audit.record("described_supporter", by=by, now=now, object_kind="account", object_id=account.id)


def revoke_sign_ins(account: Account, *, by: Actor, now: datetime) -> int:
    """Signs the person out everywhere, in the transaction of what made it necessary; returns how many."""
    db.session.flush()
    revoked = db.session.scalars(
        update(SignIn)
        .where(SignIn.account_id == account.id, SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(SignIn.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    if revoked:
        audit.record("revoked_sign_ins", by=by, now=now, object_kind="account", object_id=account.id)
    return len(revoked)


def _open_membership(account: Account, role: Role, service_id: int) -> Membership | None:
    return db.session.scalar(
        select(Membership).where(
            Membership.account_id == account.id,
            Membership.service_id == service_id,
            Membership.role == role,
            Membership.ended_at.is_(None),
        )
    )


def _refuse_if_last_administrator(account: Account, service_id: int) -> None:
    others = [other for other in staff_with_role(service_id, Role.ADMINISTRATOR) if other.id != account.id]
    if not others:
        raise LastAdministrator


def _withdraw_links(
    account: Account, purpose: LinkPurpose | None, now: datetime, *, reason: str = "a newer link was sent"
) -> int:
    """Open links of the purpose, or of any, stop working, and their mails are not sent any more; how many."""
    is_open = [
        AccountLink.account_id == account.id,
        AccountLink.used_at.is_(None),
        AccountLink.withdrawn_at.is_(None),
    ]
    if purpose is not None:
        is_open.append(AccountLink.purpose == purpose)
    links = db.session.scalars(select(AccountLink).where(*is_open)).all()
    for link in links:
        link.withdrawn_at = now
        withdraw_reminders(now=now, reason=reason, subject=f"account_link:{link.id}")
    db.session.flush()
    return len(links)


def _record_role(
    action: str, account: Account, role: Role, service_id: int, by: Actor, now: datetime
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="account",
        object_id=account.id,
        service_id=service_id,
        detail=role,
    )
