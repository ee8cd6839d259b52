"""Alerts as clinicians work on them."""

from datetime import datetime

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.risk.models import Grade, RiskAlert, RiskAssessment, SafetyAnswer
from icbt_support.risk.operations import acknowledge_alert, answer_safety_question, raise_item_9_alert
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of, words_for


def raised(enrolment: Enrolment, now: datetime, answer: int = 1) -> RiskAlert:
    by = Actor(ActorKind.PERSON, enrolment.patient_id, Role.PATIENT)
    alert = raise_item_9_alert(enrolment, answer=answer, before=0, source_key="k", by=by, now=now)
    db.session.commit()
    return alert


@pytest.fixture
def alert(cast: Cast, now: datetime) -> RiskAlert:
    return raised(cast.enrolment, now)


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def fresh(alert: RiskAlert) -> RiskAlert:
    db.session.expire_all()
    return db.session.get_one(RiskAlert, alert.id)


def test_the_list_shows_the_answer_the_clock_and_who_was_told(
    clinician: PageClient, alert: RiskAlert
) -> None:
    html = clinician.get("/clinical/risk").get_data(as_text=True)
    assert "Item 9: several days (was: not at all)" in html
    assert "Same day" in html
    assert "Goes to the next person 12.05pm on Thu 19 Nov" in html
    assert "Dr Jo Field" in html
    assert "suicid" not in html.lower()
    assert f"/clinical/risk/{alert.id}" in clinician.page.links


def test_an_empty_list(clinician: PageClient) -> None:
    assert "No open alerts" in clinician.get("/clinical/risk").get_data(as_text=True)


def test_one_alert_has_its_contact_sheet_beside_it(
    clinician: PageClient, cast: Cast, alert: RiskAlert
) -> None:
    by = Actor(ActorKind.PERSON, cast.patient.id, Role.PATIENT)
    answer_safety_question(alert, SafetyAnswer.NOT_SURE, posted_key="k", by=by, now=alert.raised_at)
    db.session.commit()
    html = clinician.get(f"/clinical/risk/{alert.id}").get_data(as_text=True)
    assert "01632 960123" in html
    assert "I am not sure" in html
    assert "Urgent" in html
    assert f"/clinical/patients/{cast.enrolment.id}/contact" in clinician.page.links
    reads = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_record")).all()
    assert [(line.actor_account_id, line.enrolment_id) for line in reads] == [
        (cast.clinician.id, cast.enrolment.id)
    ]


def test_taking_it_needs_words(clinician: PageClient, alert: RiskAlert) -> None:
    clinician.get(f"/clinical/risk/{alert.id}")
    response = clinician.post(f"/clinical/risk/{alert.id}", {"note": " "})
    assert response.status_code == 400
    assert "Write what you will do, and when" in response.get_data(as_text=True)
    assert not fresh(alert).is_taken
    response = clinician.post(f"/clinical/risk/{alert.id}", {"note": "Calling at 10.30am"})
    assert "Taken by Dr Jo Field at 10.05am on Thu 19 Nov: Calling at 10.30am" in response.get_data(
        as_text=True
    )
    assert fresh(alert).is_taken


def test_two_who_take_it_both_know(
    clinician: PageClient, cast: Cast, alert: RiskAlert, now: datetime
) -> None:
    clinician.get(f"/clinical/risk/{alert.id}")
    acknowledge_alert(
        alert, "I am on it", by=Actor(ActorKind.PERSON, cast.colleague.id, Role.CLINICIAN), now=now
    )
    db.session.commit()
    response = clinician.post(f"/clinical/risk/{alert.id}", {"note": "Calling at 10.30am"})
    assert response.status_code == 409
    html = response.get_data(as_text=True)
    assert "Taken by Chris Moor" in html
    assert "Your note was not added." in html
    assert fresh(alert).acknowledgement == "I am on it"


def test_resolving_asks_all_three_and_keeps_what_was_typed(clinician: PageClient, alert: RiskAlert) -> None:
    path = f"/clinical/risk/{alert.id}/resolve"
    clinician.get(path)
    response = clinician.post(path, {"spoken_to": "Alex, by phone", "agreed": "", "others_told": ""})
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert "Alex, by phone" in html
    assert "Write what was agreed" in html
    assert fresh(alert).is_open
    done = {"spoken_to": "Alex, by phone", "agreed": "A call on Friday", "others_told": "The GP"}
    response = clinician.post(path, done)
    assert response.request.path == "/clinical/risk"
    assert "No open alerts" in response.get_data(as_text=True)
    assert fresh(alert).agreed == "A call on Friday"
    assert clinician.post(path, done).status_code == 409


def test_an_assessment_is_recorded_and_the_alert_stays(clinician: PageClient, alert: RiskAlert) -> None:
    path = f"/clinical/risk/{alert.id}/assessment"
    clinician.get(path)
    assert clinician.page.fields["answer"] == "1"
    assert clinician.post(path, {"answer": "0", "assessment": "x", "plan": "y"}).status_code == 400
    response = clinician.post(path, {"answer": "1", "assessment": "Passive thoughts", "plan": "Weekly look"})
    assert "Weekly look" in response.get_data(as_text=True)
    assert db.session.scalars(select(RiskAssessment)).one().answer == 1
    assert fresh(alert).is_open


def test_other_services_and_other_roles_find_nothing(
    client: PageClient, cast: Cast, alert: RiskAlert
) -> None:
    paths = [f"/clinical/risk/{alert.id}{end}" for end in ("", "/resolve", "/assessment")]
    for account in (cast.other_clinician, cast.supporter, cast.patient, cast.administrator):
        for path in paths:
            assert status_of(client.app, account, path) == 404
            assert status_of(client.app, account, path, {"note": "x", "spoken_to": "x"}) == 404
    assert "Alex Reed" in words_for(client.app, cast.clinician, "/clinical/risk")
    assert "Alex Reed" not in words_for(client.app, cast.other_clinician, "/clinical/risk")
    for path in ("/clinical/risk/999", "/clinical/risk/99999999999999999999"):
        assert status_of(client.app, cast.clinician, path) == 404


def test_looking_changes_nothing(clinician: PageClient, alert: RiskAlert) -> None:
    for end in ("", "/resolve", "/assessment"):
        clinician.get(f"/clinical/risk/{alert.id}{end}")
    assert not fresh(alert).is_taken
    assert fresh(alert).grade is Grade.SAME_DAY


def test_the_banner_stands_on_every_page_until_it_is_taken(
    clinician: PageClient, cast: Cast, alert: RiskAlert, now: datetime
) -> None:
    for path in ("/clinical/engagement", "/account"):
        page = words_for(clinician.app, cast.clinician, path)
        assert "1 alert waits for someone to take it." in page
    by = Actor(ActorKind.PERSON, cast.clinician.id, Role.CLINICIAN)
    acknowledge_alert(alert, "Calling", by=by, now=now)
    db.session.commit()
    assert "alert waits" not in words_for(clinician.app, cast.clinician, "/clinical/engagement")
