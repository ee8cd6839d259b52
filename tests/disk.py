"""Databases that end with the tests need not outlive a power cut: what waits for the disk is the tests alone."""

from typing import Any

from sqlalchemy import Engine, event


def do_not_wait_for_the_disk(engine: Engine) -> None:
    """For SQLite; the tests' PostgreSQL is started so (see `tests/postgresql.py`). Kills are tested without this."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _do_not_wait)


def _do_not_wait(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
