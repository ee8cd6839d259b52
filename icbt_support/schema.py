"""The state of the database's schema: migrated under one lock, and checked before anything is served."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_POSTGRESQL_LOCK = 7_140_911


class SchemaState(StrEnum):
    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"


SENTENCES = {
    SchemaState.EMPTY: "The database has no tables yet: run `flask db upgrade`.",
    SchemaState.BEHIND: "The database is older than this version: run `flask db upgrade`.",
    SchemaState.AHEAD: "The database was migrated by a newer version: run that version, or restore a backup.",
}


class WrongSchema(Exception):
    """The database does not fit this version. The message says what to do."""


def migrate(database_url: str) -> None:
    """Brings the database to the newest revision; safe to run from many processes at once."""
    engine = create_engine(database_url)
    try:
        with migration_lock(database_url, engine):
            with engine.connect() as connection:
                refuse_newer(connection)
            command.upgrade(alembic_config(database_url), "head")
    finally:
        engine.dispose()


def refuse_newer(connection: Connection) -> None:
    """Raises `WrongSchema` if a newer version has migrated the database."""
    if schema_state(connection) is SchemaState.AHEAD:
        raise WrongSchema(SENTENCES[SchemaState.AHEAD])


def check_schema(connection: Connection) -> None:
    """Raises `WrongSchema` unless the database is at this version's newest revision."""
    state = schema_state(connection)
    if state is not SchemaState.CURRENT:
        raise WrongSchema(SENTENCES[state])


def schema_state(connection: Connection) -> SchemaState:
    script = ScriptDirectory(str(MIGRATIONS))
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return SchemaState.EMPTY
    if current == script.get_current_head():
        return SchemaState.CURRENT
    known = {revision.revision for revision in script.walk_revisions()}
    return SchemaState.BEHIND if current in known else SchemaState.AHEAD


def alembic_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config


@contextmanager
def migration_lock(database_url: str, engine: Engine) -> Iterator[None]:
    """Held by one process at a time, over migrating and first data; released when the process ends, however it ends."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with _file_lock(Path(f"{url.database}.lock")):
            yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _POSTGRESQL_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _POSTGRESQL_LOCK})


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
