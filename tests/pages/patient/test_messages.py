"""The patient's thread."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.risk.models import Grade, RiskAlert
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of, words_for


@pytest.fixture
def patient(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.patient)


def from_supporter(cast: Cast, now: datetime, words: str) -> None:
    by = Actor(ActorKind.PERSON, cast.supporter.id, Role.SUPPORTER)
    post_message(cast.enrolment, words, kind=MessageKind.MESSAGE, posted_key=words, by=by, now=now)
    db.session.commit()


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_it_says_when_messages_are_read(patient: PageClient) -> None:
    html = patient.get("/messages").get_data(as_text=True)
    assert "Pat reads messages on Thursdays." in html
    assert "If this is about staying safe, use" in html


def test_a_message_is_sent_once(patient: PageClient) -> None:
    for _ in range(2):
        response = patient.post("/messages", {"words": "Hello <b>Pat</b>", "posted_key": "k"})
    assert response.request.path == "/messages"
    html = response.get_data(as_text=True)
    assert "Hello &lt;b&gt;Pat&lt;/b&gt;" in html
    assert "Your message is sent. Pat reads messages on Thursdays." in html
    assert count(Message) == 1


def test_a_question_for_the_review(patient: PageClient) -> None:
    patient.post("/messages", {"words": "Why?", "posted_key": "k", "is_question": "y"})
    assert db.session.scalars(select(Message)).one().kind is MessageKind.QUESTION


@pytest.mark.parametrize(
    ("words", "error"),
    [("", "Write your message"), (" \n ", "Write your message"), ("x" * 5001, "5,000 characters or fewer")],
)
def test_what_cannot_be_sent_is_said_and_kept(patient: PageClient, words: str, error: str) -> None:
    response = patient.post("/messages", {"words": words, "posted_key": "k"})
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert error in html
    assert words.strip() in html
    assert count(Message) == 0


@pytest.mark.parametrize("words", ["", "Please call me", "x" * 6000])
def test_not_safe_is_never_refused(patient: PageClient, words: str) -> None:
    response = patient.post("/messages", {"words": words, "posted_key": "k", "not_safe": "yes"})
    alert = db.session.scalars(select(RiskAlert)).one()
    assert response.request.path == f"/safety/{alert.id}"
    assert alert.grade is Grade.URGENT
    assert "Dr Jo Field, the duty clinician, is told now." in response.get_data(as_text=True)
    assert "/messages" in patient.page.links
    assert count(Message) == 1


def test_a_phrase_of_the_service_shows_help_after_saving(patient: PageClient) -> None:
    response = patient.post("/messages", {"words": "I want to die", "posted_key": "k"})
    assert response.request.path == "/safety"
    assert count(Message) == 1
    assert count(RiskAlert) == 0


def test_reading_is_posted_never_a_look(patient: PageClient, cast: Cast, now: datetime) -> None:
    from_supporter(cast, now, "Well done this week")
    html = patient.get("/messages").get_data(as_text=True)
    assert "Well done this week" in html
    assert db.session.scalars(select(Message)).one().read_at is None
    patient.post("/messages/read")
    db.session.expire_all()
    assert db.session.scalars(select(Message)).one().read_at == now


def test_after_the_end_nobody_is_promised_to_read(patient: PageClient, cast: Cast, now: datetime) -> None:
    cast.enrolment.state = "ended"
    cast.enrolment.ended_at = now
    db.session.commit()
    assert "Your course has ended" in patient.get("/messages").get_data(as_text=True)
    late = patient.post("/messages", {"words": "Hello?", "posted_key": "k"})
    assert late.status_code == 409
    assert "<p>Hello?</p>" in late.get_data(as_text=True), "the words stay to be copied"
    assert count(Message) == 0


def test_nobody_elses_thread(client: PageClient, cast: Cast, now: datetime) -> None:
    from_supporter(cast, now, "canary-7731")
    assert "canary-7731" in words_for(client.app, cast.patient, "/messages")
    assert "canary-7731" not in words_for(client.app, cast.other_patient, "/messages")
    for account in (cast.supporter, cast.clinician, cast.administrator):
        assert status_of(client.app, account, "/messages") == 404
        assert status_of(client.app, account, "/messages", {"words": "x", "posted_key": "k"}) == 404
