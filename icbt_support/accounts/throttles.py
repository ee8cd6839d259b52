"""Attempts counted in the database, so that a restart forgives nothing; each count is its own transaction."""

import hashlib
from datetime import datetime

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from icbt_support.accounts.models import Throttle
from icbt_support.accounts.rules import AttemptLimit
from icbt_support.db import apart, db


class TooManyTries(Exception):
    """The limit of a window is used up; it ends by itself after `minutes` at the latest."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Too many tries; wait {minutes} minutes.")
        self.minutes = minutes


def throttle_key(kind: str, value: str) -> str:
    """The same length for every value, and no address of a person in the table."""
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:40]}"


def count_attempt(key: str, limit: AttemptLimit, *, real_now: datetime) -> None:
    """Counts one attempt before it is made, so that racing guesses are all counted. Raises `TooManyTries`."""
    window_is_over = Throttle.window_started_at <= real_now - limit.window
    with apart() as connection:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        attempts = connection.scalar(
            insert(Throttle)
            .values(key=key, window_started_at=real_now, attempts=1)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "attempts": case((window_is_over, 1), else_=Throttle.attempts + 1),
                    "window_started_at": case((window_is_over, real_now), else_=Throttle.window_started_at),
                },
            )
            .returning(Throttle.attempts)
        )
    if attempts is not None and attempts > limit.attempts:
        raise TooManyTries(limit.minutes)


def forget_attempts(key: str) -> None:
    """After a success: the person has shown that it is them."""
    with apart() as connection:
        connection.execute(delete(Throttle).where(Throttle.key == key))


def give_back_attempt(key: str) -> None:
    """A success does not use up what an address shared by many people may try."""
    with apart() as connection:
        connection.execute(
            update(Throttle)
            .where(Throttle.key == key, Throttle.attempts > 0)
            .values(attempts=Throttle.attempts - 1)
        )


def attempts_of(key: str) -> int:
    return db.session.scalar(select(Throttle.attempts).where(Throttle.key == key)) or 0
