"""Databases as released versions left them: the rows of a small demo, one file for each released revision.

A file holds what SQLite stored, table by table; the words in it are encrypted with the key of the tests.
"""

import gzip
import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    MetaData,
    Table,
    Time,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.types import TypeEngine

from icbt_support.db import writing
from icbt_support.schema import alembic_config

FOLDER = Path(__file__).parent / "releases"
REVISIONS = sorted(path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz"))

Rows = dict[str, list[dict[str, Any]]]


def rows_of_release(revision: str) -> Rows:
    tables = json.loads(gzip.decompress((FOLDER / f"{revision}.json.gz").read_bytes()))
    return {
        name: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for name, table in tables.items()
    }


def build_release(database_url: str, revision: str) -> None:
    """Makes the database of `revision`, with its rows."""
    command.upgrade(alembic_config(database_url), revision)
    engine = create_engine(database_url)
    metadata = MetaData()
    metadata.reflect(engine)
    with writing(), engine.connect() as connection:
        _stop_checking_references(connection)
        for name, rows in rows_of_release(revision).items():
            if rows:
                _insert_rows(connection, metadata.tables[name], rows)
        connection.commit()
    engine.dispose()


def stored_rows(engine: Engine, revision: str) -> Rows:
    """What the database holds now of the tables and columns that the release had, in the release's own form."""
    metadata = MetaData()
    metadata.reflect(engine)
    found: Rows = {}
    with engine.connect() as connection:
        for name, rows in rows_of_release(revision).items():
            if rows:
                table = metadata.tables[name]
                columns = [table.c[column] for column in rows[0]]
                found[name] = [
                    dict(row._mapping)
                    for row in connection.execute(table.select().with_only_columns(*columns))
                ]
    return found


def expected_rows(engine: Engine, revision: str) -> Rows:
    metadata = MetaData()
    metadata.reflect(engine)
    return {
        name: [_in_types_of(metadata.tables[name], row) for row in rows]
        for name, rows in rows_of_release(revision).items()
        if rows
    }


def _stop_checking_references(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))


def _insert_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(table.insert(), [_in_types_of(table, row) for row in rows])
    if connection.dialect.name == "postgresql" and "id" in table.c:
        sequence = func.pg_get_serial_sequence(table.name, "id")
        connection.execute(select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery())))


def _in_types_of(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _in_type(table.c[name].type, value) for name, value in row.items()}


def _in_type(kind: TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, Boolean):
        return bool(value)
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if kind.timezone else moment
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Time):
        return time.fromisoformat(value)
    return value
