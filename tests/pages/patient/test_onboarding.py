"""Three short screens to a first plan; half-way is kept."""

from datetime import UTC, date, datetime, time

import pytest

from icbt_support import clock
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep
from icbt_support.enrolments.queries import current_consent, for_patient
from icbt_support.hours.operations import end_review_slot
from icbt_support.hours.queries import next_free_times, review_slots_of
from icbt_support.hours.transitions import book_slot
from icbt_support.plan.queries import open_week_of
from icbt_support.reviews.queries import review_of_week
from icbt_support.rhythm.onboarding import CONSENT_VERSION, accept_consent
from tests.concepts.beginnings import acting, answer_baseline, as_clinician, invite_robin, open_week_1

CHOICES = {
    "first_day": "0",
    "first_time": "19:00",
    "second_day": "4",
    "second_time": "08:30",
    "starts_on": "2026-11-19",
    "review_on": "2026-11-26",
    "session_email": "first",
    "wording": "with_detail",
}


@pytest.fixture
def robin(cast, now):
    enrolment = invite_robin(cast, now)
    db.session.commit()
    return enrolment


@pytest.fixture
def visitor(client, robin):
    return client.sign_in(robin.patient)


def consent(enrolment, now):
    by = acting(enrolment.patient, "patient", enrolment.service_id)
    accept_consent(enrolment, CONSENT_VERSION, by=by, now=now)
    db.session.commit()


def go_to_times(enrolment, now):
    consent(enrolment, now)
    answer_baseline(enrolment, now)
    db.session.commit()


def again(enrolment):
    db.session.rollback()
    return db.session.get_one(Enrolment, enrolment.id)


def test_the_start_leads_to_consent_and_says_what_it_is_and_is_not(visitor):
    page = visitor.get("/start").get_data(as_text=True)
    assert visitor.page.headings == ["Step 1 of 3 Before you start"]
    for words in (
        "What this is not",
        "not an emergency service",
        "What is recorded",
        "Who reads it, and when",
    ):
        assert words in page


def test_agreeing_keeps_the_version_and_leads_to_the_questions(visitor, robin):
    visitor.get("/start/consent")
    response = visitor.post("/start/consent", {"agrees": "y"}, follow=False)
    assert response.status_code == 302
    assert current_consent(again(robin)).version == CONSENT_VERSION
    assert visitor.http.get("/start").headers["Location"].endswith("/check-in")


def test_without_the_tick_nothing_is_kept(visitor, robin):
    visitor.get("/start/consent")
    page = visitor.post("/start/consent", {}).get_data(as_text=True)
    assert "Tick the box if you want to take part" in page
    assert visitor.page.title.startswith("Error: ")
    assert again(robin).state is EnrolmentState.INVITED


def test_half_way_is_kept(visitor, robin, now):
    go_to_times(robin, now)
    assert visitor.http.get("/start").headers["Location"].endswith("/start/times")
    assert visitor.http.get("/start/consent").status_code == 302


def test_the_times_make_a_plan(visitor, robin, now):
    go_to_times(robin, now)
    page = visitor.get("/start/times").get_data(as_text=True)
    assert "Thursday 26 November" in page
    ready = visitor.post("/start/times", CHOICES).get_data(as_text=True)
    assert visitor.page.headings == ["You have finished setting up Your plan is ready"]
    for words in (
        "What you do this week",
        "When",
        "How long",
        "Who reads it, and when",
        "What if I don&#39;t?",
    ):
        assert words in ready
    assert "Pat, who writes to you by 5pm on Thursday 26 November" in ready
    enrolment = again(robin)
    assert enrolment.onboarding_step is OnboardingStep.DONE
    assert open_week_of(enrolment).number == 1


def test_a_later_start_says_when_the_week_opens(visitor, robin, now):
    go_to_times(robin, now)
    visitor.get("/start/times")
    ready = visitor.post("/start/times", {**CHOICES, "starts_on": "2026-11-20"}).get_data(as_text=True)
    assert "Your first week opens on Friday 20 November" in ready
    assert open_week_of(again(robin)) is None


def test_a_double_click_makes_one_plan(visitor, robin, now):
    go_to_times(robin, now)
    visitor.get("/start/times")
    visitor.post("/start/times", CHOICES)
    assert visitor.post("/start/times", CHOICES).status_code == 200
    assert review_of_week(again(robin), 1).slot_at == datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"review_on": ""}, "Select the day for your first review"),
        ({"starts_on": ""}, "Select the day you will start"),
        ({"second_day": "0", "second_time": "19:00"}, "Select two different times"),
        ({"starts_on": "2026-11-23"}, "Friday 27 November is the first day that fits your start"),
        ({"first_time": "25:00"}, "Select one of the choices"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_kept(visitor, robin, now, changes, words):
    go_to_times(robin, now)
    visitor.get("/start/times")
    page = visitor.post("/start/times", {**CHOICES, **changes}).get_data(as_text=True)
    assert words in page
    assert again(robin).state is EnrolmentState.ONBOARDING
    assert not again(robin).session_times


def test_a_day_that_filled_up_meanwhile_has_just_gone(visitor, robin, now, cast):
    go_to_times(robin, now)
    visitor.get("/start/times")
    for place in next_free_times(
        cast.supporter.id, date(2026, 11, 26), service=cast.service, now=now, count=16
    ):
        book_slot(
            cast.supporter.id, place.starts_at, enrolment_id=cast.enrolment.id, by=as_clinician(cast), now=now
        )
    db.session.commit()
    response = visitor.post("/start/times", CHOICES)
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "That time has just gone" in page
    assert "Thursday 3 December" in page
    assert again(robin).state is EnrolmentState.ONBOARDING


def test_the_zone_is_asked_for_only_where_it_differs(visitor, robin, now):
    go_to_times(robin, now)
    page = visitor.get("/start/times").get_data(as_text=True)
    assert "All times are for London." in page
    assert "Are you in another time zone?" in page
    visitor.post("/start/times", {**CHOICES, "zone": "America/New_York"})
    enrolment = again(robin)
    assert enrolment.patient.zone == "America/New_York"
    assert enrolment.onboarding_step is OnboardingStep.DONE


def test_a_start_that_has_passed_where_the_person_is_is_asked_again(visitor, robin, now):
    clock.stop_clock_at(datetime(2026, 11, 19, 12, tzinfo=UTC))
    go_to_times(robin, now)
    visitor.get("/start/times")
    choices = {**CHOICES, "zone": "Pacific/Auckland"}
    page = visitor.post("/start/times", choices).get_data(as_text=True)
    assert "Today, Friday 20 November" in page
    assert visitor.page.title.startswith("Error: ")
    assert again(robin).patient.zone == "Europe/London"
    visitor.post("/start/times", {**choices, "starts_on": "2026-11-20", "review_on": "2026-12-03"})
    assert again(robin).starts_on == date(2026, 11, 20)


def test_a_zone_that_does_not_exist_is_refused(visitor, robin, now):
    go_to_times(robin, now)
    visitor.get("/start/times")
    visitor.post("/start/times", {**CHOICES, "zone": "Europe/Atlantis"})
    assert again(robin).state is EnrolmentState.ONBOARDING


def test_no_free_day_is_the_services_fault_and_says_so(visitor, robin, now, cast):
    go_to_times(robin, now)
    (slot,) = review_slots_of(cast.supporter.id, cast.service.id)
    end_review_slot(slot, by=as_clinician(cast), now=now)
    db.session.commit()
    page = visitor.get("/start/times").get_data(as_text=True)
    assert "No review day is free yet" in page
    assert "This is for us to put right, not for you." in page


def test_a_person_in_the_course_is_led_to_this_week(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    client.sign_in(cast.patient)
    assert client.http.get("/start").headers["Location"].endswith("/week")


@pytest.mark.parametrize("path", ["/start", "/start/consent", "/start/times", "/start/ready"])
def test_staff_have_no_onboarding(client, cast, path):
    client.sign_in(cast.supporter)
    assert client.http.get(path).status_code == 404


def test_looking_changes_nothing(visitor, robin):
    for path in ("/start", "/start/consent", "/start/times", "/start/ready"):
        visitor.http.get(path)
    assert again(robin).onboarding_step is OnboardingStep.CONSENT
    assert for_patient(again(robin).patient).state is EnrolmentState.INVITED


def test_each_review_day_says_the_hour_by_which_the_letter_comes_where_the_person_is(
    visitor, robin, cast, now
):
    (slot,) = review_slots_of(cast.supporter.id, cast.service.id)
    slot.starts, slot.ends = time(18), time(20)
    go_to_times(robin, now)
    page = visitor.get("/start/times").get_data(as_text=True)
    assert "Thursday 26 November, by 7pm" in page
    robin.patient.zone = "Pacific/Auckland"
    db.session.commit()
    assert "Friday 27 November, by 8am" in visitor.get("/start/times").get_data(as_text=True)
    ready = visitor.post("/start/times", {**CHOICES, "zone": "Pacific/Auckland"}).get_data(as_text=True)
    assert "Pat, who writes to you by 8am on Friday 27 November" in ready
