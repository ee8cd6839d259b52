"""Passwords, addresses, and limits of a sign-in, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from icbt_support.accounts import passwords
from icbt_support.accounts.models import Role
from icbt_support.accounts.rules import (
    NotAnAddress,
    has_run_out,
    password_problem,
    sign_in_limits,
    tidy_email,
)
from icbt_support.pages.signing_in import local_path

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "password",
    ["longpass", "correct horse battery staple", "a" + "b" * 63, "x9" * 100, "        8x", "пароль-длинный"],
)
def test_long_enough_passwords_of_any_characters_are_taken(password: str) -> None:
    assert password_problem(password, common=passwords.common_passwords(), email="sam@example.org") is None


@pytest.mark.parametrize(
    ("password", "begins"),
    [
        ("", "Choose a password of 8"),
        ("sevenxx", "Choose a password of 8"),
        ("y" * 201, "Choose a password of 200"),
        ("password1", "Choose another password: this one is on a list"),
        ("PassWord1", "Choose another password: this one is on a list"),
        ("aaaaaaaaaaaa", "Choose another password: this one is easy"),
        ("Sam@example.org", "Choose another password: this one is easy"),
    ],
)
def test_other_passwords_are_refused_with_what_to_do(password: str, begins: str) -> None:
    problem = password_problem(password, common=passwords.common_passwords(), email="sam@example.org")
    assert problem is not None
    assert problem.startswith(begins)


def test_the_common_list_holds_thousands() -> None:
    assert len(passwords.common_passwords()) >= 3_000
    assert all(len(password) >= 8 for password in passwords.common_passwords())


def test_the_same_password_typed_on_another_keyboard_is_right() -> None:
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert passwords.is_right_password(decomposed, passwords.hash_password(composed).encoded)


def test_nothing_is_the_right_password_of_an_account_without_one() -> None:
    assert not passwords.is_right_password("nobody has this password", None)


def test_addresses_are_kept_in_one_way() -> None:
    assert tidy_email(" Sam.Taylor@Example.ORG ") == "sam.taylor@example.org"
    assert tidy_email("sam@bücher.example.com") == "sam@xn--bcher-kva.example.com"
    for text in (
        "",
        "sam",
        "sam@",
        "a b@example.org",
        "sam@example.org\r\nBcc: x@example.org",
        "sam\x00@example.org",
        "zoë@example.org",
    ):
        with pytest.raises(NotAnAddress):
            tidy_email(text)


@pytest.mark.parametrize(
    ("role", "idle", "absolute"),
    [
        (Role.PATIENT, 60, 12),
        (Role.SUPPORTER, 30, 8),
        (Role.CLINICIAN, 30, 8),
        (Role.ADMINISTRATOR, 30, 8),
        (Role.VENDOR, 30, 8),
    ],
)
def test_a_sign_in_runs_out_by_idleness_and_by_age(role: Role, idle: int, absolute: int) -> None:
    limits = sign_in_limits([role])
    just_before, at = timedelta(minutes=idle) - timedelta(seconds=1), timedelta(minutes=idle)
    assert not has_run_out(NOON, NOON, limits, NOON + just_before)
    assert has_run_out(NOON, NOON, limits, NOON + at)
    end = NOON + timedelta(hours=absolute)
    assert not has_run_out(NOON, end - timedelta(seconds=2), limits, end - timedelta(seconds=1))
    assert has_run_out(NOON, end - timedelta(seconds=2), limits, end)


def test_somebody_who_is_also_staff_has_the_shorter_sign_in() -> None:
    assert sign_in_limits([Role.PATIENT, Role.SUPPORTER]) == sign_in_limits([Role.SUPPORTER])


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "javascript:alert(1)",
        "week",
        "/week\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "/" + "x" * 600,
    ],
)
def test_nobody_is_sent_off_the_site(target: str | None) -> None:
    assert local_path(target) is None


def test_a_path_of_this_site_is_kept() -> None:
    assert local_path("/supporting/reviews/7?from=today") == "/supporting/reviews/7?from=today"
