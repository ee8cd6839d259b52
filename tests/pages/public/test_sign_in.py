"""Signing in and out through the pages, with real passwords."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from icbt_support.accounts import operations, passwords
from icbt_support.accounts.models import Account, SignIn
from icbt_support.activity.models import Act, ActivityEvent
from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import _will_write, commit_with_retry, db
from tests.browsing import PageClient
from tests.cast import Cast

OPERATOR = Actor.operator("tests")
PASSWORD = "three calm words"


@pytest.fixture
def people(cast: Cast, now: datetime) -> Cast:
    for account in (cast.patient, cast.supporter, cast.administrator):
        operations.set_password(account, passwords.hash_password(PASSWORD), by=OPERATOR, now=now)
    db.session.commit()
    return cast


def sign_in(client: PageClient, account: Account, password: str = PASSWORD, **more: str) -> object:
    client.get("/sign-in")
    return client.post("/sign-in", {"email": account.email, "password": password, **more}, follow=False)


def is_signed_in(client: PageClient) -> bool:
    return client.http.get("/account").status_code == 200


def cookie(client: PageClient, name: str = "session") -> str:
    found = client.http.get_cookie(name)
    return found.value if found else ""


def lines(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(AuditLine.action == action)) or 0


def test_a_person_signs_in_and_comes_to_their_own_home(client: PageClient, people: Cast) -> None:
    assert sign_in(client, people.patient).location == "/"
    assert client.http.get("/").location == "/week"
    assert lines("signed_in") == 1
    acts = db.session.scalars(select(ActivityEvent.act)).all()
    assert acts == [Act.SIGNED_IN]


@pytest.mark.parametrize(
    ("who", "home"), [("supporter", "/supporting/today"), ("administrator", "/admin/jobs")]
)
def test_every_role_has_its_home(client: PageClient, people: Cast, who: str, home: str) -> None:
    sign_in(client, getattr(people, who))
    assert client.http.get("/").location == home


def test_a_stranger_is_sent_to_sign_in(client: PageClient, app: Flask) -> None:
    assert client.http.get("/").location == "/sign-in"


def test_wrong_and_unknown_are_told_alike(client: PageClient, people: Cast) -> None:
    client.get("/sign-in")
    wrong = client.post("/sign-in", {"email": people.patient.email, "password": "not the one"})
    unknown = client.post("/sign-in", {"email": "zz@example.net", "password": "not the one"})
    for response in (wrong, unknown):
        assert response.status_code == 200
        assert "The email address or the password is not right" in response.text
    assert not is_signed_in(client)
    assert lines("failed_sign_in") == 2


def test_an_empty_form_says_what_to_enter(client: PageClient, app: Flask) -> None:
    client.get("/sign-in")
    text = client.post("/sign-in", {}).text
    assert "Enter your email address" in text
    assert "Enter your password" in text
    assert "Error: " in text


@pytest.mark.parametrize("odd", ["\x00", "x" * 5000, "' OR 1=1 --", "\ud83d", "é@é"])
def test_odd_input_is_a_wrong_password(client: PageClient, people: Cast, odd: str) -> None:
    client.get("/sign-in")
    value = odd.encode("utf-8", "replace")
    response = client.http.post(
        "/sign-in", data={"csrf_token": client.token(), "email": value, "password": value}
    )
    assert response.status_code == 200


def test_the_token_changes_at_every_sign_in_and_the_old_cookie_is_nobody(
    app: Flask, client: PageClient, people: Cast
) -> None:
    client.get("/sign-in")
    before = cookie(client)
    sign_in(client, people.patient)
    first = cookie(client)
    client.get("/account")
    client.post("/sign-out")
    sign_in(client, people.patient)
    assert len({before, first, cookie(client)}) == 3
    for old in (before, first):
        thief = PageClient(app)
        thief.http.set_cookie("session", old)
        assert not is_signed_in(thief)


def test_signing_in_as_somebody_else_ends_the_sign_in_before(
    app: Flask, client: PageClient, people: Cast
) -> None:
    sign_in(client, people.patient)
    first = cookie(client)
    client.http.set_cookie("session", first)
    client.page = None
    token = client.token()
    client.http.post(
        "/sign-in", data={"csrf_token": token, "email": people.supporter.email, "password": PASSWORD}
    )
    thief = PageClient(app)
    thief.http.set_cookie("session", first)
    assert not is_signed_in(thief)
    assert is_signed_in(client)


def test_sign_out_ends_it_on_the_server_and_clears_the_browser(
    app: Flask, client: PageClient, people: Cast
) -> None:
    sign_in(client, people.patient)
    old = cookie(client)
    client.get("/account")
    response = client.post("/sign-out", follow=False)
    assert "storage" in response.headers["Clear-Site-Data"]
    assert response.location == "/sign-in"
    assert "You are signed out" in client.get("/sign-in").text
    thief = PageClient(app)
    thief.http.set_cookie("session", old)
    assert not is_signed_in(thief)
    assert lines("signed_out") == 1


def test_sign_out_needs_a_post_with_the_right_token(app: Flask, client: PageClient, people: Cast) -> None:
    sign_in(client, people.patient)
    attacker = PageClient(app)
    attacker.get("/sign-in")
    assert client.http.get("/sign-out").status_code == 405
    assert client.http.post("/sign-out").status_code == 400
    assert client.http.post("/sign-out", data={"csrf_token": attacker.token()}).status_code == 400
    assert client.http.post("/sign-out", json={"csrf_token": attacker.token()}).status_code == 400
    assert is_signed_in(client)


@pytest.mark.parametrize("who", ["patient", "supporter"])
def test_idle_and_old_sign_ins_end_by_the_real_clock(client: PageClient, people: Cast, who: str) -> None:
    idle, absolute = {"patient": (60, 12), "supporter": (30, 8)}[who]
    begin = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    with time_machine.travel(begin, tick=False) as traveller:
        sign_in(client, getattr(people, who))
        traveller.move_to(begin + timedelta(minutes=idle - 1))
        assert is_signed_in(client)
        traveller.move_to(begin + timedelta(minutes=2 * idle - 2))
        assert is_signed_in(client)
        traveller.move_to(begin + timedelta(minutes=3 * idle))
        assert not is_signed_in(client)
        sign_in(client, getattr(people, who))
        again = begin + timedelta(minutes=3 * idle)
        for minutes in range(0, absolute * 60, 20):
            traveller.move_to(again + timedelta(minutes=minutes))
            assert is_signed_in(client)
        traveller.move_to(again + timedelta(hours=absolute))
        assert not is_signed_in(client)


def test_the_eleventh_try_waits_and_another_day_is_fine(client: PageClient, people: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 19, 8, 0, tzinfo=UTC), tick=False) as traveller:
        for _ in range(10):
            assert sign_in(client, people.patient, "not the one").status_code == 200
        refused = sign_in(client, people.patient)
        assert refused.status_code == 429
        assert "Wait 15 minutes" in refused.text
        traveller.shift(timedelta(minutes=15))
        assert sign_in(client, people.patient).status_code == 302


def test_a_browser_that_signed_in_before_is_not_kept_out_by_a_stranger(
    app: Flask, client: PageClient, people: Cast
) -> None:
    sign_in(client, people.patient)
    client.get("/account")
    client.post("/sign-out")
    stranger = PageClient(app)
    for _ in range(11):
        sign_in(stranger, people.patient, "not the one")
    assert sign_in(stranger, people.patient).status_code == 429
    assert sign_in(client, people.patient).status_code == 302


def test_a_forged_known_browser_is_a_stranger(client: PageClient, people: Cast) -> None:
    client.http.set_cookie("known_browser", '["1","x"].forged')
    for _ in range(10):
        sign_in(client, people.patient, "not the one")
    assert sign_in(client, people.patient).status_code == 429


def test_a_forwarded_address_from_the_client_is_ignored(client: PageClient, people: Cast) -> None:
    client.get("/sign-in")
    data = {"csrf_token": client.token(), "email": people.patient.email, "password": PASSWORD}
    client.http.post("/sign-in", data=data, headers={"X-Forwarded-For": "203.0.113.9"})
    db.session.rollback()
    assert db.session.scalars(select(SignIn.address)).all() == ["127.0.0.1"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_next_stays_on_this_site(client: PageClient, people: Cast, target: str) -> None:
    page = client.http.get("/sign-in", query_string={"next": target}).text
    assert "evil" not in page
    assert sign_in(client, people.patient, next=target).location == "/"


def test_next_leads_back_to_the_page_that_was_wanted(client: PageClient, people: Cast) -> None:
    response = client.http.get("/account?x=1")
    assert response.location == "/sign-in?next=/account?x%3D1" or "next=" in response.location
    client.get(response.location)
    assert client.page.fields["next"] == "/account?x=1"
    assert sign_in(client, people.patient, next="/account?x=1").location == "/account?x=1"


def test_no_hashing_while_a_write_transaction_is_open(
    client: PageClient, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = passwords._hasher, []

    class Watching:
        def hash(self, password: str) -> str:
            seen.append(_will_write.get())
            return real.hash(password)

        def verify(self, encoded: str, password: str) -> bool:
            seen.append(_will_write.get())
            return real.verify(encoded, password)

        def check_needs_rehash(self, encoded: str) -> bool:
            return True

    monkeypatch.setattr(passwords, "_hasher", Watching())
    sign_in(client, people.patient)
    client.get("/account/password")
    client.post("/account/password", {"current": PASSWORD, "password": "another calm phrase"})
    assert len(seen) >= 4
    assert not any(seen)


def test_a_disabled_person_is_out_at_the_next_request(
    client: PageClient, people: Cast, now: datetime
) -> None:
    sign_in(client, people.supporter)
    assert is_signed_in(client)
    commit_with_retry(lambda: operations.disable_account(people.supporter, by=OPERATOR, now=now))
    assert not is_signed_in(client)
    assert "is not right" in sign_in(client, people.supporter).text


def test_looking_at_pages_writes_last_seen_once_a_minute_and_nothing_else(
    client: PageClient, people: Cast
) -> None:
    with time_machine.travel(datetime(2026, 11, 19, 8, 0, tzinfo=UTC), tick=False) as traveller:
        sign_in(client, people.patient)
        begun = _last_seen()
        traveller.shift(timedelta(seconds=50))
        client.http.get("/account")
        assert _last_seen() == begun
        traveller.shift(timedelta(seconds=20))
        client.http.get("/account")
        assert _last_seen() == begun + timedelta(seconds=70)


def _last_seen() -> datetime:
    db.session.rollback()
    return db.session.scalars(select(SignIn.last_seen_at)).one()
