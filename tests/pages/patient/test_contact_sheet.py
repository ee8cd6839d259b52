"""How to reach the person: seen, confirmed, changed."""

import pytest
from flask import Flask

from icbt_support.db import db
from icbt_support.enrolments.models import ContactSheet, Enrolment
from icbt_support.enrolments.operations import ContactDetails, save_contact_sheet
from icbt_support.enrolments.queries import contact_sheet_of
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.patient.home_states import NOW, patient
from tests.pages.visits import status_of

SHEET = {
    "phone": "01632 960999",
    "voicemail": "yes",
    "safe_times": "After 4pm",
    "gp": "Dr Gray, Mill Lane",
    "emergency_contact": "Mo, 01632 960111",
    "usually_at": "3 Hill Street",
}


@pytest.fixture
def visitor(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.patient)


def sheet(cast: Cast) -> ContactSheet:
    db.session.rollback()
    return contact_sheet_of(db.session.get_one(Enrolment, cast.enrolment.id))


def test_it_is_seen_and_confirmed(visitor: PageClient, cast: Cast) -> None:
    words = visitor.get("/contact-sheet").get_data(as_text=True)
    assert visitor.page.headings == ["Is this still how to reach you?"]
    assert "01632 960123" in words
    visitor.post("/contact-sheet/confirm")
    assert sheet(cast).confirmed_at == NOW
    words = visitor.get("/contact-sheet").get_data(as_text=True)
    assert visitor.page.headings == ["How to reach you"]
    assert "You said that this was right on Thursday 19 November 2026." in words
    assert "Yes, this is right" not in words


def test_a_change_by_the_person_is_a_confirmation(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/contact-sheet/change")
    assert visitor.page.fields["phone"] == "01632 960123"
    assert visitor.page.fields["voicemail"] == "no"
    response = visitor.post("/contact-sheet/change", SHEET)
    assert response.request.path == "/week"
    kept = sheet(cast)
    assert (kept.phone, kept.voicemail_ok, kept.safe_times, kept.gp) == (
        "01632 960999",
        True,
        "After 4pm",
        "Dr Gray, Mill Lane",
    )
    assert (kept.emergency_contact, kept.usually_at) == ("Mo, 01632 960111", "3 Hill Street")
    assert (kept.changed_at, kept.confirmed_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone": ""}, "Enter a phone number, so that we can reach you"),
        ({"voicemail": ""}, "Select whether we may leave a voicemail"),
        ({"phone": "1" * 61}, "60 characters or fewer"),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_kept_in_the_boxes(
    visitor: PageClient, cast: Cast, changes: dict[str, str], error: str
) -> None:
    visitor.get("/contact-sheet/change")
    response = visitor.post("/contact-sheet/change", SHEET | changes)
    assert response.status_code == 400
    assert error in response.get_data(as_text=True)
    assert visitor.page.fields["gp"] == "Dr Gray, Mill Lane"
    assert "3 Hill Street" in response.get_data(as_text=True)
    assert sheet(cast).phone == "01632 960123"


def test_a_sheet_without_a_number_is_filled_in_first(visitor: PageClient, cast: Cast) -> None:
    save_contact_sheet(cast.enrolment, ContactDetails(), by=patient(cast.enrolment), now=NOW)
    db.session.commit()
    assert "Yes, this is right" not in visitor.get("/contact-sheet").get_data(as_text=True)
    assert visitor.post("/contact-sheet/confirm").request.path == "/contact-sheet/change"
    assert sheet(cast).confirmed_at is None


def test_staff_and_other_patients_do_not_see_it(app: Flask, cast: Cast) -> None:
    for account in (cast.supporter, cast.clinician):
        for path in ("/contact-sheet", "/contact-sheet/change"):
            assert status_of(app, account, path) == 404
        assert status_of(app, account, "/contact-sheet/confirm", {}) == 404
    other = PageClient(app).sign_in(cast.other_patient)
    save_contact_sheet(cast.enrolment, ContactDetails(phone="0777"), by=patient(cast.enrolment), now=NOW)
    assert "0777" not in other.get("/contact-sheet").get_data(as_text=True)


def test_looking_changes_nothing(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/contact-sheet")
    visitor.get("/contact-sheet/change")
    assert sheet(cast).confirmed_at is None
    assert visitor.http.get("/contact-sheet/confirm").status_code == 405


def test_a_phone_number_has_digits(client, cast):
    visitor = client.sign_in(cast.patient)
    visitor.get("/contact-sheet/change")
    page = visitor.post("/contact-sheet/change", {"phone": "ask my sister", "voicemail": "yes"}).text
    assert "Enter a phone number with its digits, such as 01632 960001" in page
