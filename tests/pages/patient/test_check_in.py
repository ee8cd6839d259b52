"""The check-in: one item a page, saved at once; the calm page; finishing; the baseline."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState, OnboardingStep
from icbt_support.measures.models import Answer, FinishedCheckIn, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import OpenedBecause, Week
from icbt_support.risk.models import AlertNotice, Grade, RiskAlert, SafetyAnswer
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of

ITEMS = [("phq-9", item) for item in range(1, 10)] + [("gad-7", item) for item in range(1, 8)]


@pytest.fixture
def week(cast: Cast, now: datetime) -> Week:
    """Week 1, whose review is promised tomorrow, so that its check-in is open."""
    week = Week(
        enrolment_id=cast.enrolment.id,
        number=1,
        module="getting-started",
        opened_on=date(2026, 11, 13),
        review_on=date(2026, 11, 20),
        opened_at=now - timedelta(days=6),
        opened_because=OpenedBecause.START,
    )
    db.session.add(week)
    db.session.commit()
    return week


@pytest.fixture
def patient(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.patient)


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def answer_all(patient: PageClient, *, value: int = 1, item_9: int = 0) -> None:
    for measure, item in ITEMS:
        chosen = item_9 if (measure, item) == ("phq-9", 9) else value
        patient.post(f"/check-in/{measure}/{item}", {"answer": str(chosen)}, follow=False)


def test_the_start_page_says_why_and_how_long(patient: PageClient, week: Week) -> None:
    html = patient.get("/check-in").get_data(as_text=True)
    assert "16 short questions" in html
    assert "Thursday" in html or "Friday 20 November" in html
    assert "/check-in/phq-9/1" in patient.page.links


def test_before_it_opens_the_day_is_said(patient: PageClient, week: Week) -> None:
    week.review_on = date(2026, 11, 26)
    db.session.commit()
    assert "Your check-in opens on Monday 23 November" in patient.get("/check-in").get_data(as_text=True)
    response = patient.post("/check-in/phq-9/1", {"answer": "1"})
    assert response.request.path == "/check-in"
    assert count(Answer) == 0


def test_without_a_week_there_is_no_check_in(patient: PageClient, cast: Cast) -> None:
    assert "There is no check-in just now" in patient.get("/check-in").get_data(as_text=True)
    assert patient.get("/check-in/phq-9/1").status_code == 404


def test_the_stem_stands_above_the_item_as_printed(patient: PageClient, week: Week) -> None:
    html = patient.get("/check-in/phq-9/1").get_data(as_text=True)
    stem = html.index(
        "Over the last 2 weeks, how often have you been bothered by any of the following problems?"
    )
    assert stem < html.index("Little interest or pleasure in doing things")
    assert html.count("Little interest or pleasure in doing things") == 1


def test_an_answer_is_saved_at_once_and_leads_to_the_next(patient: PageClient, week: Week) -> None:
    response = patient.post("/check-in/phq-9/1", {"answer": "2"}, follow=False)
    assert response.location.endswith("/check-in/phq-9/2")
    assert [(row.item, row.value) for row in db.session.scalars(select(Answer))] == [(1, 2)]
    patient.get("/check-in/phq-9/1")
    assert patient.page.fields["answer"] == "2"
    assert "1 of 16 answered so far" in patient.get("/check-in").get_data(as_text=True)


@pytest.mark.parametrize("data", [{}, {"answer": ""}, {"answer": "4"}, {"answer": "-1"}, {"answer": "one"}])
def test_an_answer_that_is_missing_or_unknown_is_asked_for(
    patient: PageClient, week: Week, data: dict[str, str]
) -> None:
    response = patient.post("/check-in/phq-9/1", data)
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert (
        html.count("Select how often you have been bothered by little interest or pleasure in doing things")
        == 2
    )
    assert patient.page.title.startswith("Error: ")
    assert count(Questionnaire) == 0


@pytest.mark.parametrize(
    "path",
    ["/check-in/phq-9/0", "/check-in/phq-9/10", "/check-in/phq-9/99999999999999999999", "/check-in/wsas/1"],
)
def test_unknown_items_are_not_found(patient: PageClient, week: Week, path: str) -> None:
    assert patient.get(path).status_code == 404
    assert patient.post(path, {"answer": "1"}).status_code == 404


def test_looking_changes_nothing(patient: PageClient, week: Week) -> None:
    for path in ("/check-in", "/check-in/phq-9/9", "/check-in/answers", "/check-in/result"):
        patient.get(path)
    assert count(Questionnaire) == count(Answer) == count(FinishedCheckIn) == 0


# Item 9 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1", "2", "3"])
def test_item_9_above_0_leads_to_the_calm_page_with_help(patient: PageClient, week: Week, value: str) -> None:
    response = patient.post("/check-in/phq-9/9", {"answer": value})
    alert = db.session.scalars(select(RiskAlert)).one()
    assert response.request.path == f"/check-in/safety/{alert.id}"
    html = response.get_data(as_text=True)
    assert "Thank you for telling us" in html
    assert "Can you keep yourself safe right now?" in html
    assert "tel:116123" in html
    assert "Dr Jo Field, the duty clinician" in html
    assert "suicid" not in html.lower()
    assert alert.answer == int(value)
    assert count(AlertNotice) == 2


def test_in_the_evening_the_calm_page_says_the_true_time(
    patient: PageClient, week: Week, now: datetime
) -> None:
    clock.stop_clock_at(now.replace(hour=20, minute=20))
    html = patient.post("/check-in/phq-9/9", {"answer": "1"}).get_data(as_text=True)
    assert "Dr Jo Field, the duty clinician: tomorrow, Friday, at 9am." in html
    assert (
        "Nobody here will see this before Friday 9am. If you need someone before then: Call 116 123." in html
    )


def test_yes_goes_on_with_the_questions(patient: PageClient, week: Week) -> None:
    patient.post("/check-in/phq-9/9", {"answer": "1"})
    alert = db.session.scalars(select(RiskAlert)).one()
    response = patient.post(f"/check-in/safety/{alert.id}", {"safe": "yes"}, follow=False)
    assert response.location.endswith("/check-in/phq-9/1")
    db.session.expire_all()
    assert (alert.can_keep_safe, alert.grade) == (SafetyAnswer.YES, Grade.SAME_DAY)


@pytest.mark.parametrize("answer", ["not_sure", "no"])
def test_no_and_not_sure_are_urgent_and_show_more_help(patient: PageClient, week: Week, answer: str) -> None:
    patient.post("/check-in/phq-9/9", {"answer": "1"})
    alert = db.session.scalars(select(RiskAlert)).one()
    response = patient.post(f"/check-in/safety/{alert.id}", {"safe": answer})
    assert response.request.path == f"/safety/{alert.id}"
    assert "Please talk to someone now" in response.get_data(as_text=True)
    assert "/check-in" in patient.page.links
    db.session.expire_all()
    assert alert.grade is Grade.URGENT


def test_the_calm_page_asks_for_an_answer_and_keeps_what_was_given(patient: PageClient, week: Week) -> None:
    patient.post("/check-in/phq-9/9", {"answer": "1"})
    alert = db.session.scalars(select(RiskAlert)).one()
    response = patient.post(f"/check-in/safety/{alert.id}", {"safe": "perhaps"})
    assert response.status_code == 400
    assert "Select yes, I am not sure, or no" in response.get_data(as_text=True)
    assert count(Answer) == 1


def test_other_peoples_calm_pages_are_not_found(client: PageClient, cast: Cast, week: Week) -> None:
    client.sign_in(cast.patient).post("/check-in/phq-9/9", {"answer": "1"})
    alert_id = db.session.scalars(select(RiskAlert.id)).one()
    for path in (f"/check-in/safety/{alert_id}", f"/safety/{alert_id}", "/check-in/safety/999"):
        assert status_of(client.app, cast.other_patient, path) == 404
    path = f"/check-in/safety/{alert_id}"
    assert status_of(client.app, cast.other_patient, path, {"safe": "yes"}) == 404


def test_an_answer_on_its_way_is_kept_when_the_week_has_closed(
    patient: PageClient, cast: Cast, week: Week, now: datetime
) -> None:
    patient.post("/check-in/phq-9/1", {"answer": "1"})
    week.closed_at = now
    db.session.add(
        Week(
            enrolment_id=cast.enrolment.id,
            number=2,
            module="getting-started",
            opened_on=date(2026, 11, 19),
            review_on=date(2026, 11, 26),
            opened_at=now,
            opened_because=OpenedBecause.REVIEW_SENT,
        )
    )
    db.session.commit()
    response = patient.post("/check-in/phq-9/9", {"answer": "3"}, follow=False)
    assert "/check-in/safety/" in response.location
    assert db.session.scalars(select(RiskAlert)).one().grade is Grade.URGENT


def test_an_answer_on_its_way_is_kept_when_the_course_has_just_ended(
    patient: PageClient, cast: Cast, week: Week
) -> None:
    patient.post("/check-in/phq-9/1", {"answer": "1"})
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    patient.post("/check-in/phq-9/9", {"answer": "3"}, follow=False)
    assert count(RiskAlert) == 1


# Finishing --------------------------------------------------------------------------------------------------


def test_finishing_with_a_missing_answer_is_refused_with_answers_kept(
    patient: PageClient, week: Week
) -> None:
    patient.post("/check-in/phq-9/1", {"answer": "1"})
    response = patient.post("/check-in/answers", {"question": "Is this normal?", "posted_key": "k"})
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert "Answer the 15 questions that are left, then send" in html
    assert "Is this normal?" in html
    assert count(Answer) == 1
    assert count(FinishedCheckIn) == count(Message) == 0


def test_a_finished_check_in_shows_its_result_in_words(patient: PageClient, week: Week) -> None:
    answer_all(patient)
    patient.get("/check-in/answers")
    response = patient.post("/check-in/answers", {"question": "Is it normal to be tired?", "posted_key": "k"})
    assert response.request.path == "/check-in/result"
    html = response.get_data(as_text=True)
    assert "8 out of 27.</strong> This is in the mild range" in html
    assert "7 out of 21.</strong> This is in the mild range" in html
    assert "<svg" in html
    question = db.session.scalars(select(Message)).one()
    assert (question.kind, question.words) == (MessageKind.QUESTION, "Is it normal to be tired?")
    assert patient.get("/check-in").request.path == "/check-in/result"
    patient.post("/check-in/answers", {"question": "", "posted_key": "k"})
    assert count(FinishedCheckIn) == 1


def test_a_finished_check_in_keeps_its_answers(patient: PageClient, week: Week) -> None:
    answer_all(patient)
    patient.post("/check-in/answers", {"posted_key": "k"})
    patient.post("/check-in/phq-9/1", {"answer": "3"})
    assert count(Answer) == 16


def test_item_9_above_0_is_heard_after_the_check_in_was_sent(patient: PageClient, week: Week) -> None:
    answer_all(patient)
    patient.post("/check-in/answers", {})
    response = patient.post("/check-in/phq-9/9", {"answer": "2"})
    assert response.request.path.startswith("/check-in/safety/")
    assert "Thank you for telling us" in response.get_data(as_text=True)
    assert db.session.scalar(select(RiskAlert.answer)) == 2
    after = patient.post(response.request.path, {"safe": "yes"})
    assert after.request.path == "/check-in/result"


def test_item_9_above_0_is_heard_before_the_next_check_in_opens(patient: PageClient, week: Week) -> None:
    week.review_on = date(2026, 11, 26)
    db.session.commit()
    response = patient.post("/check-in/phq-9/9", {"answer": "1"})
    assert response.request.path.startswith("/check-in/safety/")
    assert db.session.scalar(select(RiskAlert.answer)) == 1


def test_totals_and_other_fields_from_outside_are_ignored(patient: PageClient, week: Week) -> None:
    answer_all(patient)
    patient.post(
        "/check-in/answers", {"posted_key": "k", "total": "27", "week_number": "9", "enrolment_id": "2"}
    )
    totals = {row.measure: row.total for row in db.session.scalars(select(Questionnaire))}
    assert totals == {"phq-9": 8, "gad-7": 7}


def test_not_safe_beside_send_tells_people_and_keeps_the_answers(patient: PageClient, week: Week) -> None:
    patient.post("/check-in/phq-9/1", {"answer": "1"})
    response = patient.post(
        "/check-in/answers", {"question": "x" * 6000, "posted_key": "k", "not_safe": "yes"}
    )
    assert response.request.path.startswith("/safety/")
    assert "Continue your check-in" in response.get_data(as_text=True)
    assert db.session.scalars(select(RiskAlert)).one().grade is Grade.URGENT
    assert count(Answer) == 1


# Baseline ---------------------------------------------------------------------------------------------------


def test_the_same_pages_ask_the_baseline_and_lead_on_to_times(patient: PageClient, cast: Cast) -> None:
    cast.enrolment.state = EnrolmentState.ONBOARDING
    cast.enrolment.onboarding_step = OnboardingStep.BASELINE
    db.session.commit()
    assert "First questions" in patient.get("/check-in").get_data(as_text=True)
    answer_all(patient)
    response = patient.post("/check-in/answers", {"posted_key": "k"}, follow=False)
    assert "/start" in response.location
    db.session.expire_all()
    assert cast.enrolment.onboarding_step is OnboardingStep.TIMES
    assert {row.week_number for row in db.session.scalars(select(Questionnaire))} == {0}


# Who --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/check-in", "/check-in/phq-9/1", "/check-in/answers", "/check-in/result", "/safety"]
)
def test_only_patients(client: PageClient, cast: Cast, path: str) -> None:
    for account in (cast.supporter, cast.clinician, cast.administrator):
        assert status_of(client.app, account, path) == 404
    assert "/sign-in" in client.http.get(path).location


def test_help_after_a_phrase_needs_no_alert(patient: PageClient, cast: Cast) -> None:
    html = patient.get("/safety").get_data(as_text=True)
    assert "Thank you for writing this" in html
    assert "tel:116123" in html
