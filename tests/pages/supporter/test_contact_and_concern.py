"""Contact sheet, concern and messages, for supporters."""

from datetime import datetime

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.risk.models import AlertSource, CallLog, Grade, RiskAlert
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of

PAGES = ("contact", "concern", "messages")


@pytest.fixture
def supporter(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.supporter)


def path_of(cast: Cast, page: str) -> str:
    return f"/supporting/patients/{cast.enrolment.id}/{page}"


def from_patient(cast: Cast, now: datetime, words: str) -> Message:
    by = Actor(ActorKind.PERSON, cast.patient.id, Role.PATIENT)
    message = post_message(cast.enrolment, words, kind=MessageKind.MESSAGE, posted_key=words, by=by, now=now)
    db.session.commit()
    return message


@pytest.mark.parametrize("page", PAGES)
def test_only_the_caseload(client: PageClient, cast: Cast, page: str) -> None:
    path = path_of(cast, page)
    for account in (cast.other_supporter, cast.colleague, cast.clinician, cast.patient, cast.administrator):
        assert status_of(client.app, account, path) == 404
        data = {"words": "x", "outcome": "spoke", "grade": "urgent"}
        assert status_of(client.app, account, path, data) == 404
    assert db.session.scalars(select(RiskAlert)).all() == []
    assert db.session.scalars(select(Message)).all() == []


def test_a_concern_is_raised_once_and_says_who_was_told(supporter: PageClient, cast: Cast) -> None:
    path = path_of(cast, "concern")
    assert "Dr Jo Field, the duty clinician, is told now." in supporter.get(path).get_data(as_text=True)
    data = {"words": "Did not sound like themselves", "grade": "same_day", "posted_key": "k"}
    supporter.post(path, data)
    html = supporter.post(path, data).get_data(as_text=True)
    assert "Told now: Dr Jo Field." in html
    alert = db.session.scalars(select(RiskAlert)).one()
    assert (alert.source, alert.grade) == (AlertSource.CONCERN, Grade.SAME_DAY)


@pytest.mark.parametrize("grade", ["", "known", "later"])
def test_a_concern_needs_words_and_when(supporter: PageClient, cast: Cast, grade: str) -> None:
    path = path_of(cast, "concern")
    supporter.get(path)
    response = supporter.post(path, {"words": "", "grade": grade, "posted_key": "k"})
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert "Write what worries you" in html
    assert "Select how soon a clinician needs to look" in html
    assert db.session.scalars(select(RiskAlert)).all() == []


def test_a_call_is_logged(supporter: PageClient, cast: Cast) -> None:
    path = path_of(cast, "contact")
    supporter.get(path)
    response = supporter.post(path, {"outcome": "no_answer", "note": "Try again tomorrow"})
    assert "The call is logged." in response.get_data(as_text=True)
    assert db.session.scalars(select(CallLog)).one().called_by == cast.supporter.id


def test_a_reply_reads_the_thread_and_is_sent_once(supporter: PageClient, cast: Cast, now: datetime) -> None:
    asked = from_patient(cast, now, "Is it normal to be tired?")
    path = path_of(cast, "messages")
    assert "Is it normal to be tired?" in supporter.get(path).get_data(as_text=True)
    db.session.expire_all()
    assert asked.read_at is None
    for _ in range(2):
        supporter.post(path, {"words": "Yes, very.", "posted_key": "k"})
    db.session.expire_all()
    assert asked.read_by == cast.supporter.id
    assert len(db.session.scalars(select(Message)).all()) == 2


def test_reading_without_a_reply(supporter: PageClient, cast: Cast, now: datetime) -> None:
    asked = from_patient(cast, now, "Just so you know")
    path = path_of(cast, "messages")
    supporter.get(path)
    supporter.post(f"{path}/read")
    db.session.expire_all()
    assert asked.read_at == now


def test_an_empty_reply_is_refused(supporter: PageClient, cast: Cast) -> None:
    path = path_of(cast, "messages")
    supporter.get(path)
    response = supporter.post(path, {"words": "  ", "posted_key": "k"})
    assert response.status_code == 400
    assert "Write your message" in response.get_data(as_text=True)


def test_a_phrase_is_shown_first_and_not_called_a_finding(
    supporter: PageClient, cast: Cast, now: datetime
) -> None:
    from_patient(cast, now, "Some days I want to die")
    html = supporter.get(path_of(cast, "messages")).get_data(as_text=True)
    assert "It is not a detector" in html
    assert db.session.scalars(select(RiskAlert)).all() == []
