"""After the course, as the patient meets it: what comes, a way to say no, the questions, and who reads them."""

from datetime import date

import pytest
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.boosters.models import BoosterState
from icbt_support.boosters.queries import booster_of
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode
from icbt_support.jobs import runner
from icbt_support.programme.library import find_programme
from icbt_support.rhythm.ending import end_course
from icbt_support.risk.models import RiskAlert
from tests.concepts.rhythm_steps import acting, at, start_course
from tests.pages.visits import status_of, words_for

DUE = at(date(2026, 12, 17), 10)


@pytest.fixture
def ended(app, cast, now):
    start_course(cast.enrolment, review_at=at(26, 9), now=now)
    by = acting(cast.clinician, Role.CLINICIAN)
    end_course(cast.enrolment, EndCode.AGREED, reason="All done", by=by, now=now)
    db.session.commit()
    return cast


@pytest.fixture
def visitor(client, ended):
    return client.sign_in(ended.patient)


def state(cast):
    db.session.rollback()
    return booster_of(cast.enrolment).state


def on_the_day(app):
    db.session.commit()
    clock.stop_clock_at(DUE)
    runner.tick(app, names=["boosters"])
    db.session.rollback()


def answer_everything(visitor, cast, *, item_9):
    programme = find_programme(cast.enrolment.programme_slug, cast.enrolment.programme_version)
    for slug in programme.check_in:
        measure = programme.measures[slug]
        for item in range(1, len(measure.items) + 1):
            value = item_9 if item == measure.risk_item else 1
            visitor.post(f"/check-in/{slug}/{item}", {"answer": str(value)})


def test_the_end_says_what_comes_and_takes_no_for_an_answer(visitor, ended):
    page = visitor.get("/week").text
    assert "On Thursday 17 December we ask you once how you are." in page
    assert "You can say no, and nothing happens." in page
    visitor.post("/after-course/no")
    assert state(ended) is BoosterState.DECLINED
    assert "17 December" not in visitor.get("/week").text
    visitor.post("/after-course/no")
    assert state(ended) is BoosterState.DECLINED


def test_the_questions_are_answered_item_9_raises_its_alert_and_a_person_reads_them(app, visitor, ended):
    assert "There is no check-in just now." in visitor.get("/check-in").text
    on_the_day(app)
    home = visitor.get("/week").text
    assert "How are you, some weeks on?" in home
    assert "Pat reads your answers by Monday 21 December, 5pm" in home
    assert "We ask only this once." in visitor.get("/check-in").text

    # Item 9 above 0: the calm page comes first, and the alert stands, though the course has ended.
    answer_everything(visitor, ended, item_9=1)
    db.session.rollback()
    alert = db.session.scalars(select(RiskAlert)).one()
    page = visitor.get(f"/check-in/safety/{alert.id}").text
    assert "Can you keep yourself safe right now?" in page
    assert f"/clinical/risk/{alert.id}" in words_for(app, ended.clinician, "/clinical/risk")
    assert "01632 960123" in words_for(
        app, ended.supporter, f"/supporting/patients/{ended.enrolment.id}/contact"
    )
    assert ended.patient.full_name in words_for(app, ended.supporter, "/supporting/today")

    visitor.get("/check-in/answers")
    result = visitor.post("/check-in/answers", {"question": "The walks still help.", "posted_key": "q"}).text
    assert "Pat reads your answers by Monday 21 December, 5pm" in result
    assert state(ended) is BoosterState.ANSWERED

    # The supporter finds it in Today, reads the risk item first, and writes a few words back.
    place = f"/after-course/{ended.enrolment.id}"
    assert place in words_for(app, ended.supporter, "/supporting/today")
    shown = words_for(app, ended.supporter, place)
    assert shown.index("Item 9") < shown.index("PHQ-9")
    assert "The walks still help." in shown
    assert (
        status_of(app, ended.supporter, place, {"words": "Good to hear from you.", "posted_key": "r"}) == 200
    )
    assert state(ended) is BoosterState.READ
    assert place not in words_for(app, ended.supporter, "/supporting/today")
    assert "Pat has read your answers." in words_for(app, ended.patient, "/week")
    assert "Good to hear from you." in words_for(app, ended.patient, "/messages")


def test_only_the_people_who_were_there_see_how_it_ended(app, ended):
    place = f"/after-course/{ended.enrolment.id}"
    for account in (ended.supporter, ended.clinician):
        assert status_of(app, account, place) == 200
    for account in (
        ended.patient,
        ended.colleague,
        ended.other_supporter,
        ended.other_clinician,
        ended.administrator,
    ):
        assert status_of(app, account, place) == 404
        assert status_of(app, account, place, {"words": "x", "posted_key": "x"}) == 404
    assert status_of(app, ended.supporter, "/after-course/999") == 404
    assert state(ended) is BoosterState.PLANNED


def test_looking_changes_nothing_and_reading_needs_an_answer(app, ended):
    place = f"/after-course/{ended.enrolment.id}"
    words_for(app, ended.clinician, place)
    status_of(app, ended.clinician, place, {"words": "x" * 6000, "posted_key": "x"})
    status_of(app, ended.clinician, place, {"words": "", "posted_key": "x"})
    assert state(ended) is BoosterState.PLANNED


def test_only_a_patient_says_no(app, ended):
    assert status_of(app, ended.supporter, "/after-course/no", {}) == 404
    assert state(ended) is BoosterState.PLANNED
