"""Writing the welcome."""

import pytest
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.models import Message
from icbt_support.reviews.queries import welcome_of
from tests.concepts.beginnings import invite_robin


@pytest.fixture
def robin(cast, now):
    enrolment = invite_robin(cast, now)
    db.session.commit()
    return enrolment


@pytest.fixture
def visitor(client, cast, robin):
    return client.sign_in(cast.supporter)


def path(enrolment):
    return f"/supporting/patients/{enrolment.id}/welcome"


def messages():
    db.session.rollback()
    return db.session.scalars(select(Message).order_by(Message.id)).all()


def test_the_text_to_start_from_names_both_and_says_what_is_seen(visitor, robin):
    page = visitor.get(path(robin)).get_data(as_text=True)
    assert "Owed by 5pm on Monday 23 November." in page
    for words in (
        "Hello Robin,",
        "I&#39;m Pat",
        "Thursdays",
        "I do not see your private entries",
        "Get help now",
    ):
        assert words in page


def test_sending_keeps_the_promise(visitor, robin):
    visitor.get(path(robin))
    key = visitor.page.fields["posted_key"]
    page = visitor.post(path(robin), {"words": "Hello Robin", "posted_key": key}).get_data(as_text=True)
    assert "Your welcome is sent" in page
    assert [message.words for message in messages()] == ["Hello Robin"]
    assert not welcome_of(db.session.get_one(Enrolment, robin.id)).is_owed


def test_an_empty_welcome_is_refused(visitor, robin):
    visitor.get(path(robin))
    page = visitor.post(path(robin), {"words": "  ", "posted_key": "k"}).get_data(as_text=True)
    assert "Write a few words of welcome" in page
    assert messages() == []


def test_a_second_welcome_is_not_sent_and_its_text_is_not_lost(visitor, robin):
    visitor.get(path(robin))
    visitor.post(path(robin), {"words": "First", "posted_key": "a"})
    response = visitor.post(path(robin), {"words": "My second text", "posted_key": "b"})
    assert response.status_code == 409
    assert "My second text" in response.get_data(as_text=True)
    assert [message.words for message in messages()] == ["First"]


def test_a_person_without_a_welcome_owed_has_no_such_page(visitor, cast):
    assert visitor.http.get(path(cast.enrolment)).status_code == 404


@pytest.mark.parametrize("who", ["colleague", "other_supporter", "clinician", "patient"])
def test_only_the_own_supporter_writes_it(client, cast, robin, who):
    client.sign_in(getattr(cast, who))
    assert client.http.get(path(robin)).status_code == 404


def test_looking_changes_nothing(visitor, robin):
    visitor.get(path(robin))
    db.session.rollback()
    assert welcome_of(db.session.get_one(Enrolment, robin.id)).is_owed
