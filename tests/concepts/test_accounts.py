"""Accounts, roles, links and preferences, on both engines."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support.accounts import operations, queries
from icbt_support.accounts.links import LinkAlreadyUsed, find_open_link, make_link_token, use_link
from icbt_support.accounts.models import AccountLink, LinkPurpose, Membership, PromptLevel, Role, Wording
from icbt_support.accounts.passwords import hash_password, is_right_password
from icbt_support.accounts.rules import NotAnAddress, PreferenceChoices
from icbt_support.accounts.sign_ins import open_sign_in
from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import db
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.service.models import Service
from tests.cast import Cast

OPERATOR = Actor.operator("tests")
KEY = b"a link key"


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def invitation(cast: Cast, now: datetime) -> AccountLink:
    return operations.owe_invitation(cast.supporter, service_id=cast.service.id, by=OPERATOR, now=now)


def owed(kind: ReminderKind) -> int:
    waiting = select(func.count(func.distinct(Reminder.subject))).where(
        Reminder.kind == kind, Reminder.state == ReminderState.OWED
    )
    return db.session.scalar(waiting) or 0


def test_a_known_address_gives_the_account_that_has_it(cast: Cast, now: datetime) -> None:
    again = operations.create_account(
        email="ALEX.REED@example.net ", full_name="X", called="X", zone="UTC", by=OPERATOR, now=now
    )
    assert again.id == cast.patient.id
    assert again.full_name == "Alex Reed"


def test_an_account_begins_discreet_and_with_preferences(cast: Cast, now: datetime) -> None:
    assert cast.patient.preferences.wording is Wording.DISCREET
    with pytest.raises(NotAnAddress):
        operations.create_account(email="nobody", full_name="N", called="N", zone="UTC", by=OPERATOR, now=now)


def test_a_role_is_given_once_and_ended_for_good(cast: Cast, now: datetime) -> None:
    service_id = cast.service.id
    first = operations.give_role(cast.colleague, Role.CLINICIAN, service_id=service_id, by=OPERATOR, now=now)
    again = operations.give_role(cast.colleague, Role.CLINICIAN, service_id=service_id, by=OPERATOR, now=now)
    assert first.id == again.id
    assert queries.roles_of(cast.colleague, service_id) == {Role.SUPPORTER, Role.CLINICIAN}
    operations.end_role(cast.colleague, Role.CLINICIAN, service_id=service_id, by=OPERATOR, now=now)
    assert queries.roles_of(cast.colleague, service_id) == {Role.SUPPORTER}
    assert db.session.get(Membership, first.id).ended_at == now
    with pytest.raises(operations.NoSuchRole):
        operations.end_role(cast.colleague, Role.CLINICIAN, service_id=service_id, by=OPERATOR, now=now)


def test_staff_are_listed_by_name_without_the_disabled(cast: Cast, now: datetime) -> None:
    assert queries.staff_with_role(cast.service.id, Role.SUPPORTER) == [cast.colleague, cast.supporter]
    operations.disable_account(cast.colleague, by=OPERATOR, now=now)
    assert queries.staff_with_role(cast.service.id, Role.SUPPORTER) == [cast.supporter]
    assert queries.staff_member_of(cast.service.id, cast.other_supporter.id) is None
    assert queries.staff_member_of(cast.service.id, cast.patient.id) is None


def test_a_service_keeps_an_administrator(cast: Cast, now: datetime) -> None:
    with pytest.raises(operations.LastAdministrator):
        operations.end_role(
            cast.administrator, Role.ADMINISTRATOR, service_id=cast.service.id, by=OPERATOR, now=now
        )
    with pytest.raises(operations.LastAdministrator):
        operations.disable_account(cast.administrator, by=OPERATOR, now=now)


@pytest.mark.parametrize("change", ["password", "role given", "role ended", "disabled"])
def test_a_change_of_what_a_person_may_do_ends_every_sign_in(cast: Cast, now: datetime, change: str) -> None:
    person, service_id = cast.colleague, cast.service.id
    token = open_sign_in(person, address="", real_now=now, by=OPERATOR, now=now)
    assert queries.find_sign_in(token, real_now=now) is not None
    if change == "password":
        operations.set_password(person, hash_password("a new long password"), by=OPERATOR, now=now)
    elif change == "role given":
        operations.give_role(person, Role.CLINICIAN, service_id=service_id, by=OPERATOR, now=now)
    elif change == "role ended":
        operations.end_role(person, Role.SUPPORTER, service_id=service_id, by=OPERATOR, now=now)
    else:
        operations.disable_account(person, by=OPERATOR, now=now)
    assert queries.find_sign_in(token, real_now=now) is None
    assert "revoked_sign_ins" in actions()


def test_an_invitation_is_owed_once_and_used_once(cast: Cast, now: datetime) -> None:
    link = invitation(cast, now)
    token = make_link_token(link, link_key=KEY)
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=KEY, now=now) is link
    assert owed(ReminderKind.INVITATION) == 1
    operations.accept_invitation(link, hash_password("three calm words"), by=OPERATOR, now=now)
    assert is_right_password("three calm words", cast.supporter.password_hash)
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=KEY, now=now) is None
    with pytest.raises(LinkAlreadyUsed):
        use_link(link, now=now)


def test_a_link_is_bound_to_its_purpose_its_key_and_its_time(cast: Cast, now: datetime) -> None:
    link = invitation(cast, now)
    token = make_link_token(link, link_key=KEY)
    assert find_open_link(token, LinkPurpose.PASSWORD_RESET, link_key=KEY, now=now) is None
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=b"another", now=now) is None
    almost, end = now + timedelta(days=14, seconds=-1), now + timedelta(days=14)
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=KEY, now=almost) is not None
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=KEY, now=end) is None
    with pytest.raises(LinkAlreadyUsed):
        use_link(link, now=end)


@pytest.mark.parametrize(
    "token", ["", "1", "1-", "0-" + "a" * 32, "9" * 19 + "-" + "a" * 32, "1-" + "A" * 32, "\x00"]
)
def test_odd_tokens_find_nothing(cast: Cast, now: datetime, token: str) -> None:
    invitation(cast, now)
    assert find_open_link(token, LinkPurpose.INVITATION, link_key=KEY, now=now) is None


def test_a_new_link_withdraws_the_old_one_and_its_mail(cast: Cast, now: datetime) -> None:
    old, new = invitation(cast, now), invitation(cast, now)
    assert old.withdrawn_at == now
    assert new.withdrawn_at is None
    assert owed(ReminderKind.INVITATION) == 1
    with pytest.raises(LinkAlreadyUsed):
        use_link(old, now=now)


def test_the_token_is_not_kept(cast: Cast, now: datetime) -> None:
    link = invitation(cast, now)
    mac = make_link_token(link, link_key=KEY).split("-")[1]
    assert len(link.nonce) * 4 >= 128
    assert mac not in (link.nonce, str(link.id))


def test_a_new_password_closes_every_open_link_and_tells_the_person(cast: Cast, now: datetime) -> None:
    reset = operations.owe_password_reset(cast.patient, by=OPERATOR, now=now)
    waiting = operations.owe_invitation(cast.patient, service_id=cast.service.id, by=OPERATOR, now=now)
    assert reset is not None
    assert reset.expires_at == now + timedelta(hours=1)
    operations.reset_password(reset, hash_password("three calm words"), by=OPERATOR, now=now)
    assert waiting.withdrawn_at == now
    assert owed(ReminderKind.SECURITY_NOTICE) == 1
    assert owed(ReminderKind.INVITATION) == 0


def test_nobody_without_a_role_or_with_a_closed_account_gets_a_reset(cast: Cast, now: datetime) -> None:
    operations.disable_account(cast.colleague, by=OPERATOR, now=now)
    assert operations.owe_password_reset(cast.colleague, by=OPERATOR, now=now) is None
    stranger = operations.create_account(
        email="new@example.net", full_name="New", called="New", zone="UTC", by=OPERATOR, now=now
    )
    assert operations.owe_password_reset(stranger, by=OPERATOR, now=now) is None


def test_an_invitation_that_ran_out_is_renewed_for_somebody_without_a_password_only(
    cast: Cast, now: datetime
) -> None:
    link = invitation(cast, now)
    later = now + timedelta(days=20)
    renewed = operations.renew_invitation(link, by=OPERATOR, now=later)
    assert renewed is not None
    assert renewed.account_id == link.account_id
    assert renewed.expires_at == later + timedelta(days=14)
    operations.accept_invitation(renewed, hash_password("three calm words"), by=OPERATOR, now=later)
    assert operations.renew_invitation(link, by=OPERATOR, now=later) is None


def test_the_first_person_of_an_installation_gets_a_service_and_an_invitation(
    app: object, now: datetime
) -> None:
    words = operations.invite_first_person(
        "First@example.net", Role.ADMINISTRATOR, "Westfield", by=OPERATOR, now=now
    )
    assert words.startswith("first@example.net is invited to Westfield as administrator")
    account = queries.find_account_by_email("first@example.net")
    service = db.session.scalar(select(Service).where(Service.name == "Westfield"))
    assert queries.roles_of(account, service.id) == {Role.ADMINISTRATOR}
    assert account.password_hash is None
    assert owed(ReminderKind.INVITATION) == 1
    operations.invite_first_person("two@example.net", Role.CLINICIAN, "Westfield", by=OPERATOR, now=now)
    second = queries.find_account_by_email("two@example.net")
    assert queries.roles_of(second, service.id) == {Role.CLINICIAN}
    assert db.session.scalar(select(func.count(Service.id))) == 1


def test_preferences_are_kept_and_audited_without_their_content(cast: Cast, now: datetime) -> None:
    choices = PreferenceChoices(
        wording=Wording.WITH_DETAIL, prompts=PromptLevel.FEWER, quiet_from=time(22), quiet_until=time(7)
    )
    operations.change_preferences(cast.patient, choices, by=OPERATOR, now=now)
    db.session.flush()
    db.session.expire_all()
    kept = cast.patient.preferences
    assert (kept.wording, kept.prompts, kept.quiet_from) == (Wording.WITH_DETAIL, PromptLevel.FEWER, time(22))
    assert actions()[-1] == "changed_preferences"


def test_no_password_or_hash_stands_in_the_audit(cast: Cast, now: datetime) -> None:
    hashed = hash_password("three calm words")
    operations.change_password(cast.patient, hashed, by=OPERATOR, now=now)
    lines = db.session.scalars(select(AuditLine)).all()
    assert not [line for line in lines if "calm" in line.detail or "argon2" in line.detail]


def test_somebody_who_works_nowhere_any_more_gets_no_mail_about_anybody(cast: Cast, now: datetime) -> None:
    for kind in (ReminderKind.RISK_ALERT, ReminderKind.SECURITY_NOTICE):
        owe_reminder(
            key=f"{kind}:1",
            kind=kind,
            recipient_id=cast.clinician.id,
            service_id=cast.service.id,
            subject="alert:1",
            context=f"enrolment:{cast.enrolment.id}",
            due_at=now,
            now=now,
        )
    operations.end_role(cast.clinician, Role.CLINICIAN, service_id=cast.service.id, by=OPERATOR, now=now)
    assert owed(ReminderKind.RISK_ALERT) == 0
    assert owed(ReminderKind.SECURITY_NOTICE) == 1
