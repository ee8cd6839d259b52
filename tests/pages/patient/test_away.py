"""*I'm away*: dates first, then one button; help stays."""

from datetime import date

import pytest

from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.plan.queries import open_week_of
from icbt_support.rhythm.away import go_away
from icbt_support.rhythm.ending import end_course
from tests.concepts.beginnings import as_clinician, open_week_1


@pytest.fixture
def visitor(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return client.sign_in(cast.patient)


def again(cast):
    db.session.rollback()
    return db.session.get_one(Enrolment, cast.enrolment.id)


def until(day, month="11", year="2026"):
    return {"until_on-day": day, "until_on-month": month, "until_on-year": year}


def test_the_dates_come_before_the_button(visitor, cast):
    visitor.get("/away")
    page = visitor.post("/away", until("24")).get_data(as_text=True)
    assert "If you are away until Tuesday 24 November" in page
    assert "Nothing has changed yet." in page
    assert "Moves to Thursday 3 December" in page
    assert again(cast).state is EnrolmentState.ACTIVE
    visitor.post("/away/until/2026-11-24")
    enrolment = again(cast)
    assert (enrolment.state, enrolment.away_until_on) == (EnrolmentState.AWAY, date(2026, 11, 24))
    assert open_week_of(enrolment).review_on == date(2026, 12, 3)


def test_away_until_is_shown_with_the_way_back(visitor, cast, now):
    go_away(cast.enrolment, date(2026, 11, 24), by=as_clinician(cast), now=now)
    db.session.commit()
    page = visitor.get("/away").get_data(as_text=True)
    assert "You are away until Tuesday 24 November" in page
    assert "Get help now is always there" in page
    visitor.post("/away/back")
    assert again(cast).state is EnrolmentState.ACTIVE


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (until("", "", ""), "Enter the last day you are away"),
        (until("31", "11"), "Enter a real date"),
        (until("18"), "Enter today or a day to come"),
        (until("10", "12"), "Enter a day up to Wednesday 9 December"),
    ],
)
def test_a_day_that_does_not_fit_is_said_at_its_field(visitor, day, words):
    visitor.get("/away")
    assert words in visitor.post("/away", day).get_data(as_text=True)
    assert visitor.page.title.startswith("Error: ")


@pytest.mark.parametrize("path", ["/away/until/2026-11-31", "/away/until/soon"])
def test_a_day_that_does_not_exist_is_not_found(visitor, path):
    assert visitor.http.get(path).status_code == 404


def test_a_day_out_of_range_in_the_address_leads_back(visitor, cast):
    assert visitor.http.get("/away/until/2027-11-24").status_code == 302
    visitor.get("/away")
    visitor.post("/away/until/2027-11-24")
    assert again(cast).state is EnrolmentState.ACTIVE


def test_an_ended_course_has_nobody_to_send_away(visitor, cast, now):
    end_course(cast.enrolment, EndCode.AGREED, reason="Done", by=as_clinician(cast), now=now)
    db.session.commit()
    assert "There is nothing planned now" in visitor.get("/away").get_data(as_text=True)
    visitor.post("/away/until/2026-11-24")
    assert again(cast).state is EnrolmentState.ENDED


def test_staff_are_not_sent_away_here(client, cast):
    client.sign_in(cast.clinician)
    assert client.http.get("/away").status_code == 404


def test_looking_changes_nothing(visitor, cast):
    visitor.get("/away")
    visitor.get("/away/until/2026-11-24")
    assert again(cast).state is EnrolmentState.ACTIVE
