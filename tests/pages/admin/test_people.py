"""Staff of a service, as its administrator manages them."""

from datetime import datetime

import pytest
from sqlalchemy import select

from icbt_support.accounts import operations, queries
from icbt_support.accounts.models import AccountLink, Role
from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import commit_with_retry, db
from icbt_support.feedback.models import ProblemReport
from icbt_support.feedback.operations import report_problem, triage_report
from tests.browsing import PageClient
from tests.cast import Cast, make_person

OPERATOR = Actor.operator("tests")
NEW = {"full_name": "Robin Vale", "called": "Robin", "email": "Robin.Vale@example.net", "role": "clinician"}


@pytest.fixture
def admin(client: PageClient, cast: Cast) -> PageClient:
    client.sign_in(cast.administrator).get("/admin/people")
    return client


def fresh(account: object) -> object:
    db.session.rollback()
    db.session.refresh(account)
    return account


def test_staff_are_listed_and_patients_and_strangers_are_not(admin: PageClient, cast: Cast) -> None:
    text = admin.get("/admin/people").text
    assert "Pat Lane" in text
    assert "Dr Jo Field" in text
    assert "Alex Reed" not in text
    assert "Lee Brook" not in text


@pytest.mark.parametrize("who", ["patient", "supporter", "clinician"])
@pytest.mark.parametrize(
    "path", ["/admin", "/admin/people", "/admin/people/2", "/admin/service", "/admin/audit"]
)
def test_nobody_else_finds_the_pages(client: PageClient, cast: Cast, who: str, path: str) -> None:
    client.sign_in(getattr(cast, who))
    assert client.get(path).status_code == 404


def test_people_elsewhere_patients_and_odd_numbers_are_not_found(admin: PageClient, cast: Cast) -> None:
    for number in (cast.other_supporter.id, cast.patient.id, 0, 999, 2**63, 2**70, -1):
        assert admin.get(f"/admin/people/{number}").status_code == 404
        assert admin.post(f"/admin/people/{number}/disable").status_code == 404


def test_somebody_is_invited_with_a_role_and_a_mail(admin: PageClient, cast: Cast) -> None:
    admin.get("/admin/people/invite")
    assert "Robin Vale is invited by email." in admin.post("/admin/people/invite", NEW).text
    account = queries.find_account_by_email("robin.vale@example.net")
    assert queries.roles_of(account, cast.service.id) == {Role.CLINICIAN}
    assert db.session.scalars(select(AccountLink.account_id)).all() == [account.id]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "robin", "Enter an email address like"),
        ("email", "", "Enter an email address"),
        ("full_name", "  ", "Enter the person"),
        ("role", "patient", "Not a valid choice"),
        ("role", "", "Select a role"),
    ],
)
def test_a_form_with_a_mistake_says_so_and_keeps_the_rest(
    admin: PageClient, cast: Cast, field: str, value: str, words: str
) -> None:
    admin.get("/admin/people/invite")
    text = admin.post("/admin/people/invite", {**NEW, field: value}).text
    assert "There is a problem" in text
    if words != "Not a valid choice":
        assert words in text
    assert queries.find_account_by_email("robin.vale@example.net") is None


def test_an_invitation_is_sent_again(admin: PageClient, cast: Cast) -> None:
    admin.get(f"/admin/people/{cast.colleague.id}")
    for _ in range(2):
        admin.post(f"/admin/people/{cast.colleague.id}/invite-again")
    db.session.rollback()
    links = db.session.scalars(select(AccountLink).order_by(AccountLink.id)).all()
    assert [link.withdrawn_at is None for link in links] == [False, True]


def test_a_role_is_given_and_ended(admin: PageClient, cast: Cast) -> None:
    path = f"/admin/people/{cast.colleague.id}"
    admin.get(path)
    admin.post(f"{path}/give-role", {"role": "administrator"})
    assert queries.roles_of(fresh(cast.colleague), cast.service.id) == {Role.SUPPORTER, Role.ADMINISTRATOR}
    admin.post(f"{path}/end-role", {"role": "administrator"})
    assert queries.roles_of(fresh(cast.colleague), cast.service.id) == {Role.SUPPORTER}


def test_a_supporter_with_people_keeps_role_and_account_until_they_are_handed_over(
    admin: PageClient, cast: Cast
) -> None:
    path = f"/admin/people/{cast.supporter.id}"
    admin.get(path)
    for act in ("end-role", "disable"):
        text = admin.post(f"{path}/{act}", {"role": "supporter"}).text
        assert "A clinician hands it over first." in text
        assert "Pat still has 1 person" in text
        assert "Alex" not in text
    assert fresh(cast.supporter).disabled_at is None


def test_a_clinician_on_duty_is_not_taken_off_by_accident(
    admin: PageClient, cast: Cast, now: datetime
) -> None:
    path = f"/admin/people/{cast.clinician.id}"
    admin.get(path)
    assert "5 duty sessions" in admin.post(f"{path}/disable").text
    assert fresh(cast.clinician).disabled_at is None


def test_a_closed_account_is_out_and_can_be_opened_again(admin: PageClient, cast: Cast) -> None:
    other = PageClient(admin.app).sign_in(cast.colleague)
    path = f"/admin/people/{cast.colleague.id}"
    admin.get(path)
    admin.post(f"{path}/disable")
    assert other.http.get("/account").status_code == 302
    admin.post(f"{path}/enable")
    assert fresh(cast.colleague).disabled_at is None


@pytest.mark.parametrize("act", ["disable", "end-role"])
def test_reports_of_an_administrator_who_leaves_go_to_who_lets_them_go(
    admin: PageClient, cast: Cast, now: datetime, act: str
) -> None:
    report = commit_with_retry(lambda: _seen_to_by_a_leaver(cast, now))
    leaver_id = report.owner_id
    admin.get(f"/admin/people/{leaver_id}")
    page = admin.post(f"/admin/people/{leaver_id}/{act}", {"role": "administrator"})
    assert "1 open report of theirs: you see to this now." in page.text
    assert fresh(report).owner_id == cast.administrator.id


def _seen_to_by_a_leaver(cast: Cast, now: datetime) -> ProblemReport:
    leaver = make_person("Uma Dale", Role.ADMINISTRATOR, cast.service, now)
    words = {"words": "White page", "page": "/", "product_version": "1"}
    report = report_problem(**words, service_id=cast.service.id, by=OPERATOR, now=now)
    triage_report(report, owner=leaver, vendor_words=None, by=OPERATOR, now=now)
    return report


def test_nobody_changes_what_they_may_do_themselves(admin: PageClient, cast: Cast) -> None:
    path = f"/admin/people/{cast.administrator.id}"
    assert "Another administrator changes your own roles" in admin.get(path).text
    for act in ("give-role", "end-role", "disable", "enable"):
        assert admin.post(f"{path}/{act}", {"role": "clinician"}).status_code == 403
    assert queries.roles_of(fresh(cast.administrator), cast.service.id) == {Role.ADMINISTRATOR}


def test_the_last_administrator_stays(admin: PageClient, cast: Cast, now: datetime) -> None:
    second = commit_with_retry(lambda: make_person("Uma Dale", Role.ADMINISTRATOR, cast.service, now))
    path = f"/admin/people/{second.id}"
    admin.get(path)
    admin.post(f"{path}/end-role", {"role": "administrator"})
    assert queries.roles_of(fresh(second), cast.service.id) == set()


def test_somebody_who_works_elsewhere_too_is_not_closed_here(
    admin: PageClient, cast: Cast, now: datetime
) -> None:
    commit_with_retry(
        lambda: operations.give_role(
            cast.colleague, Role.SUPPORTER, service_id=cast.elsewhere.id, by=OPERATOR, now=now
        )
    )
    path = f"/admin/people/{cast.colleague.id}"
    assert "Close the account" not in admin.get(path).text
    assert "is used elsewhere too" in admin.post(f"{path}/disable").text
    assert fresh(cast.colleague).disabled_at is None


def test_closing_a_colleagues_account_ends_no_course_of_their_own(
    admin: PageClient, cast: Cast, now: datetime
) -> None:
    """They are a patient here too, which the page does not say."""
    commit_with_retry(
        lambda: operations.give_role(
            cast.colleague, Role.PATIENT, service_id=cast.service.id, by=OPERATOR, now=now
        )
    )
    path = f"/admin/people/{cast.colleague.id}"
    assert "atient" not in admin.get(path).text.split("<main")[1].split("Give")[0]
    assert "is used elsewhere too" in admin.post(f"{path}/disable").text
    assert fresh(cast.colleague).disabled_at is None


def test_changes_are_in_the_audit_with_who_made_them(admin: PageClient, cast: Cast) -> None:
    admin.get(f"/admin/people/{cast.colleague.id}")
    admin.post(f"/admin/people/{cast.colleague.id}/give-role", {"role": "clinician"})
    db.session.rollback()
    line = db.session.scalars(
        select(AuditLine).where(AuditLine.action == "gave_role").order_by(AuditLine.id.desc())
    ).first()
    assert (line.actor_account_id, line.actor_role) == (cast.administrator.id, "administrator")
    assert (line.object_id, line.detail, line.service_id) == (cast.colleague.id, "clinician", cast.service.id)
