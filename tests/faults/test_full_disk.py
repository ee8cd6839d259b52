"""A disk that is full: no form is called saved that is not, help is there, and it works again by itself.

The limit on the size of a file stands in for the disk: a write beyond it fails half-way, as on a full one.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from icbt_support.db import db
from tests.faults.test_database_away import (
    Person,
    alex,
    assert_says_it_was_not_saved,
    database,
    own,
    pat,
    saved,
)

__all__ = ["alex", "database", "own", "pat"]


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def reads(app: Flask) -> int:
    """How many looks at a record the audit holds."""
    with app.app_context(), db.engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM audit_lines WHERE action = 'read_record'")) or 0


@pytest.mark.parametrize("room", [0, 1_000, 6_000, 20_000])
def test_what_was_not_saved_is_never_called_saved(
    own: Flask, database: Path, alex: Person, pat: Person, room: int
) -> None:
    before = saved(own)
    with own.app_context():
        with db.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.engine.dispose()
    assert alex.http.get("/week").status_code == 200
    answers = []
    with no_room_beyond(room):
        for number in range(6):
            answers.append(alex.post_message(f"{number:024x}"))
        assert alex.http.get("/help-now").status_code == 200
        assert own.test_client().get("/help-now").status_code == 200
        assert alex.http.get("/week").status_code == 200
        seen = reads(own)
        is_shown = pat.http.get("/supporting/patients/1").status_code == 200
        assert is_shown == (reads(own) == seen + 1)
    assert is_shown is False or room > 6_000
    kept = [answer for answer in answers if answer.status_code == 302]
    lost = [answer for answer in answers if answer.status_code != 302]
    assert lost
    for answer in lost:
        assert_says_it_was_not_saved(answer)
    assert saved(own) == before + len(kept)

    for number in range(6):
        assert alex.post_message(f"{number:024x}").status_code == 302
    assert saved(own) == before + 6
    assert pat.http.get("/supporting/patients/1").status_code == 200
    with own.app_context(), db.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
