"""Inviting a patient."""

import pytest
from sqlalchemy import select

from icbt_support.accounts.queries import find_account_by_email
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.models import DutySession
from tests.cast import PROGRAMME

ROBIN = {
    "full_name": "Robin Dale",
    "called": "Robin",
    "pronouns": "they",
    "email": "robin.dale@example.net",
    "phone": "01632 960555",
    "voicemail": "no",
    "safe_times": "After 5pm",
    "gp": "Dr Ash",
    "emergency_contact": "Sam, sister",
    "usually_at": "4 Mill Lane",
    "programme": PROGRAMME,
}


@pytest.fixture
def visitor(client, cast):
    return client.sign_in(cast.clinician)


@pytest.fixture
def filled(cast):
    return {**ROBIN, "supporter": str(cast.colleague.id)}


def courses():
    db.session.rollback()
    return db.session.scalars(select(Enrolment).order_by(Enrolment.id)).all()


def test_the_form_shows_who_has_room_with_the_most_first(visitor, cast):
    page = visitor.get("/clinical/invite").get_data(as_text=True)
    assert "Suggested: 16 free review times a week, on Thursdays; 0 people" in page
    assert page.index("Chris Moor") < page.index("Pat Lane")
    assert "Lee Brook" not in page
    assert visitor.page.fields["supporter"] == str(cast.colleague.id)


def test_inviting_makes_the_course_with_its_contact_sheet(visitor, cast, filled):
    visitor.get("/clinical/invite")
    page = visitor.post("/clinical/invite", filled).get_data(as_text=True)
    assert "The invitation is on its way. Chris owes a welcome by Monday 23 November." in page
    newest = courses()[-1]
    assert (newest.patient.email, newest.supporter_id) == ("robin.dale@example.net", cast.colleague.id)
    assert (newest.contact_sheet.phone, newest.contact_sheet.voicemail_ok) == ("01632 960555", False)
    assert newest.clinician_id == cast.clinician.id


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("full_name", "", "Enter the person&#39;s full name"),
        ("email", "robin", "Enter an email address like name@example.com"),
        ("phone", "", "Enter a phone number"),
        ("voicemail", "", "Select whether a voicemail is all right"),
        ("supporter", "", "Select a supporter"),
    ],
)
def test_what_is_missing_is_said_and_the_text_stays(visitor, filled, field, value, words):
    visitor.get("/clinical/invite")
    page = visitor.post("/clinical/invite", {**filled, field: value}).get_data(as_text=True)
    assert words in page
    assert visitor.page.fields["gp"] == "Dr Ash"
    assert find_account_by_email("robin.dale@example.net") is None


def test_a_supporter_of_another_service_cannot_be_chosen(visitor, cast, filled):
    visitor.get("/clinical/invite")
    visitor.post("/clinical/invite", {**filled, "supporter": str(cast.other_supporter.id)})
    assert len(courses()) == 2


def test_a_person_with_an_open_course_is_said_so(visitor, cast, filled):
    visitor.get("/clinical/invite")
    response = visitor.post("/clinical/invite", {**filled, "email": cast.patient.email})
    assert response.status_code == 409
    assert "This person has an open course here" in response.get_data(as_text=True)
    assert len(courses()) == 2


def test_a_service_that_is_not_ready_says_what_is_missing(visitor, cast):
    for session in db.session.scalars(select(DutySession)):
        db.session.delete(session)
    db.session.commit()
    page = visitor.get("/clinical/invite").get_data(as_text=True)
    assert "Set duty hours" in page
    assert "full_name" not in visitor.page.fields


def test_a_not_ready_service_refuses_a_posted_form_too(visitor, cast, filled):
    visitor.get("/clinical/invite")
    for session in db.session.scalars(select(DutySession)):
        db.session.delete(session)
    db.session.commit()
    assert visitor.post("/clinical/invite", filled).status_code == 409
    assert len(courses()) == 2


@pytest.mark.parametrize("who", ["patient", "supporter", "administrator"])
def test_only_clinicians_invite(client, cast, who):
    client.sign_in(getattr(cast, who))
    assert client.http.get("/clinical/invite").status_code == 404


def test_looking_changes_nothing(visitor):
    visitor.get("/clinical/invite")
    assert len(courses()) == 2
