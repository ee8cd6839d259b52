"""One's own account."""

from datetime import datetime

import pytest
from sqlalchemy import select

from icbt_support import audit
from icbt_support.accounts import operations, passwords
from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor, ActorKind, AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from tests.browsing import PageClient
from tests.cast import Cast, enrol

OPERATOR = Actor.operator("tests")
OLD, NEW = "three calm words", "another calm phrase"


@pytest.fixture
def people(cast: Cast, now: datetime) -> Cast:
    operations.set_password(cast.patient, passwords.hash_password(OLD), by=OPERATOR, now=now)
    db.session.commit()
    return cast


def fresh(account: Account) -> Account:
    db.session.rollback()
    db.session.refresh(account)
    return account


@pytest.mark.parametrize(
    "path", ["/account", "/account/name", "/account/zone", "/account/password", "/account/who-looked"]
)
def test_pages_are_for_those_signed_in_and_change_nothing(
    client: PageClient, people: Cast, path: str
) -> None:
    assert client.http.get(path).location.startswith("/sign-in")
    client.sign_in(people.patient)
    before = db.session.scalars(select(AuditLine.id)).all()
    assert client.get(path).status_code == 200
    db.session.rollback()
    assert db.session.scalars(select(AuditLine.id)).all() == before


def test_staff_have_settings_but_no_record_of_their_own(client: PageClient, people: Cast) -> None:
    client.sign_in(people.supporter)
    assert "See who opened your record" not in client.get("/account").text
    assert client.get("/account/who-looked").status_code == 404


def test_name_and_zone_are_changed_and_extra_fields_are_ignored(client: PageClient, people: Cast) -> None:
    client.sign_in(people.patient).get("/account/name")
    client.post(
        "/account/name", {"full_name": "Alex Green", "called": "Lex", "email": "x@example.net", "id": "2"}
    )
    client.post("/account/zone", {"zone": "Asia/Kolkata"})
    account = fresh(people.patient)
    assert (account.full_name, account.called, account.zone) == ("Alex Green", "Lex", "Asia/Kolkata")
    assert account.email == "alex.reed@example.net"


def test_an_unknown_zone_or_an_empty_name_is_refused(client: PageClient, people: Cast) -> None:
    client.sign_in(people.patient).get("/account/zone")
    assert "There is a problem" in client.post("/account/zone", {"zone": "Mars/Base"}).text
    assert "Enter your full name" in client.post("/account/name", {"full_name": " ", "called": "A"}).text
    assert "characters or fewer" in client.post("/account/name", {"full_name": "x" * 121, "called": "A"}).text
    assert fresh(people.patient).zone == "Europe/London"


def test_a_new_password_needs_the_old_one_and_ends_other_sign_ins(client: PageClient, people: Cast) -> None:
    elsewhere = PageClient(client.app).sign_in(people.patient)
    client.sign_in(people.patient).get("/account/password")
    refused = client.post("/account/password", {"current": "not the one", "password": NEW})
    assert "Enter the password that you use now" in refused.text
    client.post("/account/password", {"current": OLD, "password": NEW})
    assert client.http.get("/account").status_code == 200
    assert elsewhere.http.get("/account").status_code == 302
    assert passwords.is_right_password(NEW, fresh(people.patient).password_hash)


def test_the_old_password_cannot_be_guessed_from_inside(client: PageClient, people: Cast) -> None:
    client.sign_in(people.patient).get("/account/password")
    for _ in range(10):
        client.post("/account/password", {"current": "not the one", "password": NEW})
    refused = client.post("/account/password", {"current": OLD, "password": NEW})
    assert refused.status_code == 429
    assert "Wait 15 minutes" in refused.text


def test_sign_out_everywhere_means_everywhere(client: PageClient, people: Cast) -> None:
    elsewhere = PageClient(client.app).sign_in(people.patient)
    text = client.sign_in(people.patient).get("/account").text
    assert "This browser" in text
    assert "Another browser" in text
    client.post("/account/sign-out-everywhere")
    assert client.http.get("/account").status_code == elsewhere.http.get("/account").status_code == 302


def test_a_patient_sees_who_opened_the_record_and_nobody_elses(
    client: PageClient, people: Cast, now: datetime
) -> None:
    for reader, enrolment in (
        (people.supporter, people.enrolment),
        (people.other_supporter, people.other_enrolment),
    ):
        by = Actor(ActorKind.PERSON, reader.id, role="supporter")
        for _ in range(2):
            audit.record("read_record", by=by, now=now, enrolment_id=enrolment.id)
    db.session.commit()
    earlier = end_and_enrol_again(people, now)
    by = Actor(ActorKind.PERSON, people.colleague.id, role="supporter")
    audit.record("read_record", by=by, now=now, enrolment_id=earlier)
    db.session.commit()
    text = client.sign_in(people.patient).get("/account/who-looked").text
    assert "Pat Lane" in text
    assert "Chris Moor" in text
    assert "Thursday 19 November, 10.05am" in text
    assert "Lee Brook" not in text


def end_and_enrol_again(people: Cast, now: datetime) -> int:
    """Alex's course has ended and another has begun; returns the number of the one that ended."""
    ended = people.enrolment
    ended.state, ended.ended_at = EnrolmentState.ENDED, now
    db.session.flush()
    enrol(people.patient, people.supporter, people.clinician, people.service, now)
    db.session.flush()
    return ended.id
