"""The administrator's first page, and changing the service."""

from datetime import date

import pytest
from sqlalchemy import delete

from icbt_support.db import commit_with_retry, db
from icbt_support.hours.models import DutySession
from icbt_support.service.models import Service
from tests.browsing import PageClient
from tests.cast import Cast

DETAILS = {
    "name": "Northfield",
    "product_name": "Thursday course",
    "sender_name": "Thursday course",
    "brand": "navy",
    "duty_phone": "01632 960014",
    "contact_words": "Weekdays 9am to 5pm.",
    "out_of_hours_words": "Call 111, option 2.",
    "out_of_hours_contact": "",
}
LINE = {
    "line-1-kind": "emergency",
    "line-1-title": "Call 999",
    "line-1-href": "tel:999",
    "line-1-words": "in danger",
    "checked_on-day": "18",
    "checked_on-month": "11",
    "checked_on-year": "2026",
}


@pytest.fixture
def admin(client: PageClient, cast: Cast) -> PageClient:
    client.sign_in(cast.administrator).get("/admin")
    return client


def service(cast: Cast) -> Service:
    db.session.rollback()
    db.session.refresh(cast.service)
    return cast.service


def test_a_ready_service_can_invite(admin: PageClient, cast: Cast) -> None:
    text = admin.get("/admin").text
    assert "clinicians can invite people" in text
    assert "Nobody is on duty today" not in text


def test_what_is_missing_stands_first_with_a_way_to_mend_it(admin: PageClient, cast: Cast) -> None:
    def undo() -> None:
        db.session.execute(delete(DutySession).where(DutySession.service_id == cast.service.id))
        cast.service.out_of_hours_words = ""
        for line in cast.service.help_lines:
            line.checked_on = None

    commit_with_retry(undo)
    text = admin.get("/admin").text
    assert "Before the first person can be invited" in text
    assert "Nobody is on duty today" in text
    assert "Set duty hours, with a clinician" in text
    assert "/admin/duty" in text
    assert "Alex Reed" not in text


def test_names_and_words_are_saved(admin: PageClient, cast: Cast) -> None:
    admin.get("/admin/service")
    assert (
        "The service is changed." in admin.post("/admin/service", {**DETAILS, "id": "2", "zone": "UTC"}).text
    )
    changed = service(cast)
    assert (changed.product_name, changed.brand, changed.zone) == ("Thursday course", "navy", "Europe/London")
    assert cast.elsewhere.product_name == "Online course"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Enter the name of the service"),
        ("name", "Southfield", "Choose another name"),
        ("out_of_hours_words", " ", "Write what people do"),
        ("sender_name", "Course\r\nBcc: x@example.net", "Enter a name without"),
        ("sender_name", "Bad <a@b.example>", "Enter a name without"),
        ("product_name", "x" * 61, "60 characters or fewer"),
    ],
)
def test_a_mistake_in_the_words_is_told(
    admin: PageClient, cast: Cast, field: str, value: str, words: str
) -> None:
    admin.get("/admin/service")
    text = admin.post("/admin/service", {**DETAILS, field: value}).text
    assert "There is a problem" in text
    assert words in text
    assert service(cast).product_name == "Online course"


def test_help_lines_are_saved_with_the_day_on_which_they_were_tried(admin: PageClient, cast: Cast) -> None:
    admin.get("/admin/service/help-lines")
    assert "The service is changed." in admin.post("/admin/service/help-lines", LINE).text
    lines = service(cast).help_lines
    assert [(line.title, line.checked_on) for line in lines] == [("Call 999", date(2026, 11, 18))]
    assert "Call 999" in PageClient(admin.app).get("/help-now").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"line-1-href": "javascript:alert(1)"}, "Line 1: enter where it leads"),
        ({"line-1-title": ""}, "Line 1: enter what the link says"),
        ({"line-1-kind": "talk"}, "Keep at least one line for emergencies"),
        ({"line-1-words": "x" * 201}, "Line 1: say what it is for"),
        ({"checked_on-day": ""}, "Enter"),
        ({"checked_on-day": "20"}, "today or earlier"),
        ({"checked_on-day": "31"}, "Enter a real date"),
    ],
)
def test_a_mistake_in_the_help_lines_is_told(admin: PageClient, cast: Cast, change: dict, words: str) -> None:
    admin.get("/admin/service/help-lines")
    text = admin.post("/admin/service/help-lines", {**LINE, **change}).text
    assert "There is a problem" in text
    assert words in text
    assert service(cast).help_lines[0].title == "Call 116 123"


def test_numbers_of_the_rhythm_are_saved_within_bounds(admin: PageClient, cast: Cast) -> None:
    admin.get("/admin/service/rhythm")
    numbers = {name: value for name, value in admin.page.fields.items() if name != "csrf_token"}
    admin.post(
        "/admin/service/rhythm", {**numbers, "check_in_opens_days": "2", "invitation_prompt_days": "99"}
    )
    rhythm = service(cast).rhythm
    assert rhythm.check_in_opens_days == 2
    assert rhythm.invitation_prompt_days == (2, 6)
    for odd in ("0", "99", "", "two", "-1", "9" * 30):
        text = admin.post("/admin/service/rhythm", {**numbers, "check_in_opens_days": odd}).text
        assert "Enter a number from 1 to 6" in text
    assert service(cast).rhythm.check_in_opens_days == 2


def test_phrases_are_kept_one_on_each_line(admin: PageClient, cast: Cast) -> None:
    assert "kill myself" in admin.get("/admin/service/phrases").text
    admin.post("/admin/service/phrases", {"phrases": "not safe\r\n\r\n  no way out "})
    assert service(cast).read_first_phrases == ["not safe", "no way out"]
