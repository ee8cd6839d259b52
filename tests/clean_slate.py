"""Empty tables before a test, and rows put back that an earlier test of this process has made by the product's verbs.

Most tests begin with the same people. Making them takes two hundred statements; putting their rows back takes
twenty.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select

from icbt_support.db import db, declared_triggers
from icbt_support.tables import METADATA

Rows = list[tuple[Table, list[dict[str, Any]]]]
World = TypeVar("World")
_made: dict[str, tuple[object, Rows]] = {}


def made_once(name: str, make: Callable[[], World]) -> World:
    """A dataclass of rows as `make` makes it in tables without rows, which it does once in this process."""
    if name not in _made:
        db.session.commit()
        world = make()
        db.session.commit()
        _made[name] = _as_keys(world), all_rows()
        db.session.rollback()
        return world
    keys, rows = _made[name]
    _empty_tables_again()
    put_back(rows)
    db.session.expire_all()
    world = _as_rows(keys)
    db.session.rollback()
    return world


def _empty_tables_again() -> None:
    """The test began with empty tables, and has seldom written anything by now."""
    db.session.rollback()
    with db.engine.connect() as connection:
        has_rows = bool(tables_with_rows(connection))
    if has_rows:
        empty_tables()


def _as_keys(world: Any) -> Any:
    """The dataclass with (model, id) in place of every row."""
    return replace(
        world,
        **{
            field.name: _as_keys(held) if is_dataclass(held) else (type(held), held.id)
            for field in fields(world)
            for held in [getattr(world, field.name)]
        },
    )


def _as_rows(keys: Any) -> Any:
    return replace(
        keys,
        **{
            field.name: _as_rows(held) if is_dataclass(held) else db.session.get_one(*held)
            for field in fields(keys)
            for held in [getattr(keys, field.name)]
        },
    )


def empty_tables() -> None:
    """Leaves no row, and lets every table number its rows from 1."""
    db.session.rollback()
    with db.engine.connect() as connection:
        tables = tables_with_rows(connection)
        if connection.dialect.name == "postgresql":
            _empty_on_postgresql(connection, tables)
        elif tables:
            _empty_on_sqlite(connection, tables)
        connection.commit()


TABLES = METADATA.sorted_tables
# Written out, because SQLAlchemy takes longer to look up so long a statement than a database to answer it.
_WITH_ROWS = " UNION ALL ".join(
    f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {table.name})"  # noqa: S608 (our own names)
    for number, table in enumerate(TABLES)
)


def tables_with_rows(connection: Connection) -> list[Table]:
    """In the order in which rows may be inserted."""
    return [TABLES[number] for number in sorted(connection.exec_driver_sql(_WITH_ROWS).scalars())]


def _empty_on_postgresql(connection: Connection, tables: list[Table]) -> None:
    """Much faster than TRUNCATE, which makes new files for every table and index; all in one round trip."""
    statements = (
        "SET session_replication_role = replica",
        *_deletions(tables),
        "SET session_replication_role = DEFAULT",
        "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'",
    )
    connection.exec_driver_sql("; ".join(statements))


def _empty_on_sqlite(connection: Connection, tables: list[Table]) -> None:
    names = {table.name for table in tables}
    in_the_way = [trigger for trigger in declared_triggers() if trigger.table in names]
    for trigger in in_the_way:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger.name}")
    for deletion in _deletions(reversed(tables)):
        connection.exec_driver_sql(deletion)
    for trigger in in_the_way:
        connection.exec_driver_sql(trigger.sqlite)


def _deletions(tables: Iterable[Table]) -> list[str]:
    return [f"DELETE FROM {table.name}" for table in tables]  # noqa: S608 (our own names)


def all_rows() -> Rows:
    """Every committed row, to be put back by `put_back` into empty tables."""
    with db.engine.connect() as connection:
        return [
            (table, [dict(row._mapping) for row in connection.execute(select(table))])
            for table in tables_with_rows(connection)
        ]


def put_back(rows: Rows) -> None:
    with db.engine.connect() as connection:
        for table, kept in rows:
            connection.execute(insert(table), kept)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "; ".join(_number_on(table, kept) for table, kept in rows if "id" in table.c)
            )
        connection.commit()


def _number_on(table: Table, kept: list[dict[str, Any]]) -> str:
    """The next row of the table is numbered after those that were put back."""
    return f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {max(row['id'] for row in kept)})"  # noqa: S608
