"""Recognising a password under its limits, and sign-ins held on the server."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask import Flask
from sqlalchemy import select

from icbt_support.accounts import passwords, queries
from icbt_support.accounts.models import SignIn, Throttle
from icbt_support.accounts.operations import disable_account, set_password
from icbt_support.accounts.rules import AttemptLimit
from icbt_support.accounts.sign_ins import (
    CannotSignIn,
    Recognised,
    WrongCredentials,
    note_seen,
    open_sign_in,
    recognise,
    sign_out,
)
from icbt_support.accounts.throttles import TooManyTries, attempts_of, count_attempt, throttle_key
from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import db
from tests.cast import Cast

OPERATOR = Actor.operator("tests")
SOMEBODY = Actor.system("nobody")
PASSWORD = "three calm words"
START = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)


@pytest.fixture
def person(cast: Cast) -> Cast:
    set_password(cast.patient, passwords.hash_password(PASSWORD), by=OPERATOR, now=START)
    db.session.commit()
    return cast


def try_password(
    password: str,
    *,
    email: str = "alex.reed@example.net",
    at: datetime = START,
    address: str = "192.0.2.1",
    browser: str | None = None,
) -> Recognised:
    return recognise(email, password, address=address, browser=browser, real_now=at, by=SOMEBODY, now=START)


def guess(times: int, **where: object) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            try_password("a wrong guess", **where)


def test_the_right_password_is_recognised_in_any_spelling_of_the_address(person: Cast) -> None:
    assert try_password(PASSWORD, email=" Alex.Reed@EXAMPLE.net").account_id == person.patient.id


def test_a_failed_sign_in_is_audited_with_the_account_and_without_the_address_typed(person: Cast) -> None:
    guess(1)
    with pytest.raises(WrongCredentials):
        try_password(PASSWORD, email="nobody@example.net")
    db.session.rollback()
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "failed_sign_in")).all()
    assert [line.object_id for line in lines] == [person.patient.id, None]


def test_a_disabled_account_looks_like_a_wrong_password(person: Cast) -> None:
    disable_account(person.patient, by=OPERATOR, now=START)
    db.session.commit()
    with pytest.raises(WrongCredentials):
        try_password(PASSWORD)
    with pytest.raises(CannotSignIn):
        open_sign_in(person.patient, address="", real_now=START, by=OPERATOR, now=START)


def test_ten_tries_for_an_account_then_a_wait_that_ends_by_itself(person: Cast) -> None:
    for number in range(10):
        guess(1, address=f"192.0.2.{number}")
    with pytest.raises(TooManyTries):
        try_password(PASSWORD, address="192.0.2.99")
    still = START + timedelta(minutes=14, seconds=59)
    with pytest.raises(TooManyTries):
        try_password(PASSWORD, at=still, address="192.0.2.99")
    assert try_password(PASSWORD, at=START + timedelta(minutes=15)).account_id == person.patient.id


def test_an_unknown_address_is_limited_in_the_same_way(person: Cast) -> None:
    guess(10, email="nobody@example.net")
    with pytest.raises(TooManyTries):
        try_password("a wrong guess", email="nobody@example.net")


def test_somebody_who_guesses_elsewhere_cannot_keep_a_known_browser_out(person: Cast) -> None:
    guess(10)
    with pytest.raises(TooManyTries):
        try_password(PASSWORD)
    assert try_password(PASSWORD, browser="1:abc").account_id == person.patient.id
    guess(10, browser="1:def")
    with pytest.raises(TooManyTries):
        try_password(PASSWORD, browser="1:def")


def test_a_success_forgets_the_tries(person: Cast) -> None:
    guess(9)
    try_password(PASSWORD)
    guess(9)
    assert try_password(PASSWORD).account_id == person.patient.id


def test_an_address_that_sprays_is_limited_and_successes_do_not_count(person: Cast) -> None:
    for _ in range(20):
        try_password(PASSWORD)
    for number in range(100):
        guess(1, email=f"person{number}@example.net")
    with pytest.raises(TooManyTries):
        try_password(PASSWORD)
    assert try_password(PASSWORD, address="192.0.2.2").account_id == person.patient.id


def test_attempts_are_rows_without_addresses(person: Cast) -> None:
    guess(3)
    db.session.rollback()
    assert attempts_of(throttle_key("account", "alex.reed@example.net")) == 3
    assert not [key for key in db.session.scalars(select(Throttle.key)) if "alex" in key or "192" in key]


def test_racing_attempts_are_all_counted(app: Flask) -> None:
    limit, refused = AttemptLimit(5, timedelta(minutes=15)), []

    def attempt() -> None:
        with app.app_context():
            try:
                count_attempt("race", limit, real_now=START)
            except TooManyTries:
                refused.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7


def test_only_a_digest_of_the_token_is_kept(person: Cast) -> None:
    token = open_sign_in(person.patient, address="192.0.2.1", real_now=START, by=OPERATOR, now=START)
    stored = db.session.scalars(select(SignIn)).one()
    assert len(token) >= 43
    assert stored.token_hash == queries.hash_of_token(token)
    assert token not in stored.token_hash
    assert queries.find_sign_in(stored.token_hash, real_now=START) is None


def test_a_sign_out_is_final_on_the_server(person: Cast) -> None:
    token = open_sign_in(person.patient, address="", real_now=START, by=OPERATOR, now=START)
    sign_out(queries.find_sign_in(token, real_now=START), by=OPERATOR, now=START)
    assert queries.find_sign_in(token, real_now=START) is None


def test_a_patient_stays_signed_in_by_visits_but_not_past_twelve_hours(person: Cast) -> None:
    token = open_sign_in(person.patient, address="", real_now=START, by=OPERATOR, now=START)
    db.session.commit()
    at = START
    while at < START + timedelta(hours=11, minutes=30):
        at += timedelta(minutes=30)
        found = queries.find_sign_in(token, real_now=at)
        assert found is not None
        assert note_seen(found, real_now=at)
        db.session.rollback()
    assert queries.find_sign_in(token, real_now=START + timedelta(hours=12)) is None


def test_staff_are_signed_out_after_thirty_idle_minutes(person: Cast) -> None:
    token = open_sign_in(person.supporter, address="", real_now=START, by=OPERATOR, now=START)
    assert queries.find_sign_in(token, real_now=START + timedelta(minutes=29)) is not None
    assert queries.find_sign_in(token, real_now=START + timedelta(minutes=30)) is None


def test_last_seen_is_written_at_most_once_a_minute(person: Cast) -> None:
    token = open_sign_in(person.patient, address="", real_now=START, by=OPERATOR, now=START)
    db.session.commit()
    found = queries.find_sign_in(token, real_now=START)
    assert not note_seen(found, real_now=START + timedelta(seconds=59))
    assert note_seen(found, real_now=START + timedelta(seconds=60))


def test_hash_parameters_of_the_product_are_the_librarys_and_strong_enough() -> None:
    passwords.use_password_settings(is_cheap=False)
    try:
        parameters = extract_parameters(passwords.hash_password(PASSWORD).encoded)
    finally:
        passwords.use_password_settings(is_cheap=True)
    assert parameters.type.name == "ID"
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2
    assert parameters == extract_parameters(PasswordHasher().hash(PASSWORD))


def test_an_old_hash_is_renewed_at_the_next_sign_in(person: Cast) -> None:
    person.patient.password_hash = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    db.session.commit()
    recognised = try_password(PASSWORD)
    assert recognised.new_hash is not None
    open_sign_in(
        person.patient, address="", real_now=START, by=OPERATOR, now=START, new_hash=recognised.new_hash
    )
    assert not passwords.needs_new_hash(person.patient.password_hash)


def test_at_most_two_hashings_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = [0], [0], threading.Lock()

    class SlowHasher:
        def hash(self, _password: str) -> str:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.02)
            with lock:
                running[0] -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", SlowHasher())
    threads = [threading.Thread(target=passwords.hash_password, args=("x" * 9,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
