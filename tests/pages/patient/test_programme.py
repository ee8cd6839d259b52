"""The programme's pages: what is open, what is read, what is kept, and whose it is."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.journal.models import ExerciseAnswer, PageRead
from icbt_support.journal.operations import mark_page_read
from icbt_support.journal.queries import exercise_answers, pages_read
from icbt_support.plan.models import OpenedBecause
from icbt_support.plan.transitions import create_week
from icbt_support.programme.library import programmes
from tests.browsing import PageClient
from tests.cast import Cast

MODULE = "getting-started"
FIRST, LAST_OF_SESSION = "meet-robin", "staying-safe"
LATER = "/programme/doing-more/robins-saturday"


@pytest.fixture
def patient(client: PageClient, cast: Cast, now: datetime) -> PageClient:
    """Alex in week 1 with *Getting started* open."""
    create_week(
        cast.enrolment,
        number=1,
        module=MODULE,
        opened_on=now.date(),
        review_on=now.date() + timedelta(days=7),
        because=OpenedBecause.START,
        items=(),
        by=Actor.system("tests"),
        now=now,
    )
    db.session.commit()
    return client.sign_in(cast.patient)


def text(response: object) -> str:
    return response.get_data(as_text=True)  # type: ignore[attr-defined]


def test_the_modules_say_what_is_open_and_what_opens_later(patient: PageClient) -> None:
    page = text(patient.get("/programme"))
    assert page.count("This week</strong>") == 1
    assert page.count("Opens later") == 7
    assert "Look ahead" in page
    assert "Begin" in page


def test_the_modules_stand_in_the_order_that_was_agreed(patient: PageClient, cast: Cast) -> None:
    cast.enrolment.modules_ahead = ["managing-worry", "doing-more"]
    db.session.commit()
    page = text(patient.get("/programme"))
    order = [
        page.index(f'/programme/{slug}"') for slug in (MODULE, "managing-worry", "doing-more", "keeping-well")
    ]
    assert order == sorted(order)
    assert "1 of 3" in text(patient.get("/week"))


def test_a_read_module_says_so_and_offers_its_summary(patient: PageClient, cast: Cast, now: datetime) -> None:
    module = programmes()["low-mood"].module(MODULE)
    for page in module.pages:
        mark_page_read(cast.enrolment, MODULE, page.slug, by=Actor.system("tests"), now=now)
    db.session.commit()
    assert "Read again" in text(patient.get("/programme"))
    shown = text(patient.get(f"/programme/{MODULE}"))
    assert all(sentence in shown for sentence in module.summary)
    assert 'href="/tools/mood-diary"' in shown


def test_every_page_of_every_module_can_be_opened(patient: PageClient) -> None:
    for module in programmes()["low-mood"].modules:
        assert patient.get(f"/programme/{module.slug}").status_code == 200
        for page in module.pages:
            response = patient.get(f"/programme/{module.slug}/{page.slug}")
            assert response.status_code == 200
            assert patient.page.headings[0].strip().endswith(page.title)


def test_opening_a_page_changes_nothing_and_continue_reads_it(patient: PageClient, cast: Cast) -> None:
    patient.get(f"/programme/{MODULE}/{FIRST}")
    assert pages_read(cast.enrolment) == set()
    response = patient.post(f"/programme/{MODULE}/{FIRST}", {"answer": "Sunday evenings"}, follow=False)
    assert response.location == f"/programme/{MODULE}/a-week-here"
    db.session.rollback()
    assert pages_read(cast.enrolment) == {(MODULE, FIRST)}
    answer = exercise_answers(cast.enrolment)[(MODULE, "what-brought-you")]
    assert answer.words == "Sunday evenings"


def test_the_answer_is_shown_again_and_may_stay_empty(patient: PageClient, cast: Cast) -> None:
    patient.post(f"/programme/{MODULE}/{FIRST}", {"answer": "Sunday evenings"})
    assert "Sunday evenings" in text(patient.get(f"/programme/{MODULE}/{FIRST}"))
    assert "Sunday evenings" in text(patient.get(f"/programme/{MODULE}"))
    assert "Sunday evenings" in text(patient.get("/tools"))
    patient.post(f"/programme/{MODULE}/a-week-here", {})
    db.session.rollback()
    assert (MODULE, "a-week-here") in pages_read(cast.enrolment)
    assert db.session.scalar(select(func.count()).select_from(ExerciseAnswer)) == 1


def test_an_answer_that_is_not_in_the_list_is_not_kept(patient: PageClient) -> None:
    patient.post(f"/programme/{MODULE}/a-week-here", {"answer": "At the full moon"})
    patient.post(f"/programme/{MODULE}/what-cbt-is", {"answer": "11"})
    assert db.session.scalar(select(func.count()).select_from(ExerciseAnswer)) == 0


def test_an_answer_that_is_too_long_is_refused_with_the_text_kept(patient: PageClient) -> None:
    response = patient.post(f"/programme/{MODULE}/{FIRST}", {"answer": "canal " * 1000})
    assert response.status_code == 422
    page = text(response)
    assert "There is a problem" in page
    assert "Write this in 5,000 characters or fewer" in page
    assert "canal canal" in page
    assert db.session.scalar(select(func.count()).select_from(PageRead)) == 0


def test_the_last_page_of_a_session_leads_to_the_module(patient: PageClient) -> None:
    response = patient.post(f"/programme/{MODULE}/{LAST_OF_SESSION}", {}, follow=False)
    assert response.location == f"/programme/{MODULE}"


def test_the_place_is_kept(patient: PageClient) -> None:
    patient.post(f"/programme/{MODULE}/{FIRST}", {})
    assert f"/programme/{MODULE}/a-week-here" in text(patient.get("/programme"))
    assert "Go on" in text(patient.get(f"/programme/{MODULE}"))


def test_reading_ahead_counts_and_its_exercise_waits(patient: PageClient, cast: Cast) -> None:
    page = text(patient.get(LATER))
    assert "You are looking ahead" in page
    assert 'name="answer"' not in page
    patient.post(LATER, {"answer": "too early"})
    db.session.rollback()
    assert pages_read(cast.enrolment) == {("doing-more", "robins-saturday")}
    assert exercise_answers(cast.enrolment) == {}


def test_after_the_end_pages_are_there_to_read_and_nothing_is_recorded(
    patient: PageClient, cast: Cast
) -> None:
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    assert "Continue</button>" not in text(patient.get(f"/programme/{MODULE}/{FIRST}"))
    assert patient.post(f"/programme/{MODULE}/{FIRST}", {}).status_code == 409
    assert db.session.scalar(select(func.count()).select_from(PageRead)) == 0


def test_a_phrase_of_the_service_shows_the_way_to_help(patient: PageClient) -> None:
    page = text(patient.post(f"/programme/{MODULE}/{FIRST}", {"answer": "I want to die"}))
    assert "If you might not be safe, use Get help now" in page
    calm = text(patient.post(f"/programme/{MODULE}/{FIRST}", {"answer": "Sunday evenings"}))
    assert "If you might not be safe" not in calm


@pytest.mark.parametrize(
    "path", ["/programme/nowhere", "/programme/getting-started/nowhere", "/programme/nowhere/meet-robin"]
)
def test_what_the_programme_does_not_have_is_not_found(patient: PageClient, path: str) -> None:
    assert patient.get(path).status_code == 404
    if path.count("/") == 3:
        assert patient.post(path, {}).status_code == 404


@pytest.mark.parametrize("path", ["/programme", f"/programme/{MODULE}", f"/programme/{MODULE}/{FIRST}"])
def test_staff_do_not_find_a_patients_pages(client: PageClient, cast: Cast, path: str) -> None:
    assert client.sign_in(cast.supporter).get(path).status_code == 404


def test_strangers_are_asked_to_sign_in(client: PageClient, app: Flask) -> None:
    assert "/sign-in" in client.http.get("/programme").location
