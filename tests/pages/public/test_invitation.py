"""An invitation: opened, used once, run out, and sent again to the same address."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.links import LinkAlreadyUsed, make_link_token
from icbt_support.accounts.models import AccountLink
from icbt_support.accounts.operations import accept_invitation, owe_invitation, set_password
from icbt_support.accounts.passwords import hash_password
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode
from icbt_support.rhythm.ending import end_course
from tests.browsing import PageClient
from tests.cast import PASSWORD, Cast
from tests.concepts.beginnings import as_clinician, invite_robin

OPERATOR = Actor.operator("tests")


@pytest.fixture
def address(app: Flask, cast: Cast, now: datetime) -> str:
    link = owe_invitation(cast.supporter, service_id=cast.service.id, by=OPERATOR, now=now)
    db.session.commit()
    return f"/invitation/{make_link_token(link, link_key=app.config['SETTINGS'].link_key)}"


def all_links() -> list[AccountLink]:
    db.session.rollback()
    return list(db.session.scalars(select(AccountLink).order_by(AccountLink.id)))


def test_looking_changes_nothing_and_shows_whom_it_is_for(client: PageClient, address: str) -> None:
    for _ in range(3):
        response = client.get(address)
    assert "Welcome, Pat" in response.text
    assert "pat.lane@example.net" in response.text
    assert all_links()[0].used_at is None


def test_a_password_is_chosen_and_the_person_is_in(client: PageClient, address: str) -> None:
    client.get(address)
    assert client.post(address, {"password": "three calm words"}, follow=False).location == "/"
    assert client.http.get("/").location == "/supporting/today"
    client.http.delete_cookie("session")
    assert client.get(address).status_code == 410
    assert "Send me a new invitation" not in client.get(address).text


def test_a_second_press_lands_where_the_first_did(app: Flask, address: str) -> None:
    """A double click without JavaScript posts the same form twice, the second time with the old cookie or the new."""
    old = PageClient(app)
    old.get(address)
    form = {"password": "three calm words"}
    kept_cookie, kept_page = old.http.get_cookie("session").value, old.page
    assert old.post(address, form, follow=False).location == "/"
    old.page = kept_page
    assert old.post(address, form, follow=False).location == "/"
    assert old.http.get(address).location == "/"
    old.http.set_cookie("session", kept_cookie)
    old.page = kept_page
    assert old.post(address, form, follow=False).location == "/"
    assert old.http.get("/").location == "/supporting/today"
    assert [link.used_at is not None for link in all_links()] == [True]


def test_nobody_else_is_let_in_by_a_used_invitation(app: Flask, address: str, now: datetime) -> None:
    first = PageClient(app)
    stranger, late = PageClient(app), PageClient(app)
    for one in (first, stranger, late):
        one.get(address)
    first.post(address, {"password": "three calm words"})
    own_page = stranger.page
    for password in ("another calm phrase", ""):
        assert stranger.post(address, {"password": password}, follow=False).status_code == 410
        stranger.page = own_page
    clock.stop_clock_at(now + timedelta(minutes=2))
    assert late.post(address, {"password": "three calm words"}, follow=False).status_code == 410


def test_a_course_that_was_closed_before_it_began_closes_its_invitation(
    app: Flask, client: PageClient, cast: Cast, now: datetime
) -> None:
    robin = invite_robin(cast, now)
    db.session.commit()
    link = all_links()[0]
    path = f"/invitation/{make_link_token(link, link_key=app.config['SETTINGS'].link_key)}"
    client.get(path)
    end_course(robin, EndCode.NEVER_STARTED, reason="No answer", by=as_clinician(cast), now=now)
    db.session.commit()
    for response in (client.post(path, {"password": "three calm words"}), client.get(path)):
        assert response.status_code == 410
        assert "The service has closed the course that this invitation was for" in response.text
        assert "Send me a new invitation" not in response.text
    assert client.post(f"{path}/again").status_code == 410
    assert [link.used_at for link in all_links()] == [None]


def test_a_weak_password_is_refused_with_what_to_do(client: PageClient, address: str) -> None:
    client.get(address)
    assert "Choose a password of 8 or more characters" in client.post(address, {"password": "short"}).text
    assert all_links()[0].used_at is None


def test_one_that_ran_out_offers_a_new_one_to_the_same_address(
    client: PageClient, cast: Cast, address: str, now: datetime
) -> None:
    later = now + timedelta(days=14)
    clock.stop_clock_at(later)
    response = client.get(address)
    assert response.status_code == 410
    assert "Send me a new invitation" in response.text
    sent = client.post(f"{address}/again", {"email": "attacker@example.net"})
    assert "A new invitation is on its way" in sent.text
    links = all_links()
    assert [link.account_id for link in links] == [cast.supporter.id] * 2
    assert links[1].expires_at == later + timedelta(days=14)


def test_somebody_who_presses_often_gets_five(client: PageClient, address: str) -> None:
    client.get(address)
    for _ in range(8):
        client.post(f"{address}/again")
    assert len(all_links()) == 6


def test_somebody_with_a_password_signs_in_and_keeps_it(
    client: PageClient, cast: Cast, address: str, now: datetime
) -> None:
    link = all_links()[0]
    set_password(link.account, hash_password(PASSWORD), by=OPERATOR, now=now)
    again = owe_invitation(link.account, service_id=cast.service.id, by=OPERATOR, now=now)
    db.session.commit()
    before = link.account.password_hash
    path = f"/invitation/{make_link_token(again, link_key=client.app.config['SETTINGS'].link_key)}"
    for response in (client.get(path), client.post(path, {"password": "another long passphrase"})):
        assert response.status_code == 200
        assert "Welcome back" in response.get_data(as_text=True)
        assert "/sign-in" in client.page.links
    assert "password" not in client.page.fields
    assert all_links()[0].account.password_hash == before
    with pytest.raises(LinkAlreadyUsed):
        accept_invitation(again, hash_password("another long passphrase"), by=OPERATOR, now=now)


def test_a_made_up_invitation_offers_nothing(client: PageClient, cast: Cast) -> None:
    for token in ("1-" + "a" * 32, "nonsense"):
        response = client.get(f"/invitation/{token}")
        assert response.status_code == 410
        assert "Send me a new invitation" not in response.text
        assert client.post(f"/invitation/{token}/again").status_code == 410
    assert all_links() == []
