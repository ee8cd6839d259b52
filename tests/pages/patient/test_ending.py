"""*I have what I need*: a good ending by the patient's own hand."""

import pytest

from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from tests.concepts.beginnings import open_week_1


@pytest.fixture
def visitor(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return client.sign_in(cast.patient)


def again(cast):
    db.session.rollback()
    return db.session.get_one(Enrolment, cast.enrolment.id)


def test_what_happens_is_said_before_it_happens(visitor, cast):
    page = visitor.get("/finish").get_data(as_text=True)
    assert "the review on Thursday 26 November is not written" in page
    assert "you can still read the pages" in page
    assert again(cast).state is EnrolmentState.ACTIVE


def test_finishing_is_a_good_ending_with_the_patients_words(visitor, cast):
    visitor.get("/finish")
    visitor.post("/finish", {"words": "Thank you"}, follow=False)
    enrolment = again(cast)
    assert (enrolment.end_code, enrolment.end_reason) == (EndCode.HAD_WHAT_I_NEEDED, "Thank you")


def test_words_are_optional_but_not_endless(visitor, cast):
    visitor.get("/finish")
    page = visitor.post("/finish", {"words": "x" * 5001}).get_data(as_text=True)
    assert "5,000 characters or fewer" in page
    assert again(cast).state is EnrolmentState.ACTIVE


def test_finishing_twice_is_finishing_once(visitor, cast):
    visitor.get("/finish")
    visitor.post("/finish", {"words": "First"}, follow=False)
    response = visitor.post("/finish", {"words": "Second"}, follow=False)
    assert response.status_code == 302
    assert again(cast).end_reason == "First"


def test_staff_have_no_course_to_finish(client, cast):
    client.sign_in(cast.supporter)
    assert client.http.get("/finish").status_code == 404


def test_after_an_end_before_the_first_review_no_page_promises_more(visitor, cast):
    visitor.get("/finish")
    visitor.post("/finish", {"words": ""})
    for page, words in (
        ("/reviews", "Your course ended before the first one."),
        ("/messages", "Nobody wrote here while your course ran."),
        ("/reminders", "Your course has ended, so no reminders come."),
    ):
        assert words in visitor.get(page).get_data(as_text=True), page
    record = visitor.sign_in(cast.supporter).get(f"/supporting/patients/{cast.enrolment.id}")
    assert "Had what they needed" in record.get_data(as_text=True)
