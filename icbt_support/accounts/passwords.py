"""Hashing with Argon2id at the library's own parameters, at most two at once in a process.

Hashing takes a tenth of a second and 64 MiB: it never happens inside a write transaction, so verbs take a
`HashedPassword`.
"""

import threading
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from icbt_support.accounts.rules import password_problem, tidy_password

_two_at_once = threading.BoundedSemaphore(2)
_hasher = PasswordHasher()


@dataclass(frozen=True)
class HashedPassword:
    """What is kept of a password."""

    encoded: str


def use_password_settings(*, is_cheap: bool) -> None:
    """The library's own parameters, or for tests only such as cost next to nothing."""
    global _hasher
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if is_cheap else PasswordHasher()
    _hash_of_nobody.cache_clear()


def hash_password(password: str) -> HashedPassword:
    with _two_at_once:
        return HashedPassword(_hasher.hash(tidy_password(password)))


def is_right_password(password: str, encoded: str | None) -> bool:
    """Takes as long for an account without a password, or none at all, as for a wrong password."""
    with _two_at_once:
        try:
            is_right = _hasher.verify(encoded or _hash_of_nobody(), tidy_password(password))
        except (VerificationError, InvalidHashError):
            return False
    return is_right and encoded is not None


def needs_new_hash(encoded: str) -> bool:
    """Whether a kept hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(encoded)


def find_password_problem(password: str, *, email: str) -> str | None:
    return password_problem(password, common=common_passwords(), email=email)


@cache
def common_passwords() -> frozenset[str]:
    """Some 5,000 of the most used passwords (Royce Williams' list, as Django ships it, BSD)."""
    text = files("icbt_support.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split("\n")) - {""}


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("nobody has this password")
