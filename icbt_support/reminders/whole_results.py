"""All rows of a statement in one piece, for batches of thousands that one thread reads beside another.

SQLite hands rows over one by one, and Python lets go of its lock for each: two threads then pass the lock to
and fro thousands of times. So SQLite is asked for one JSON text of each column instead.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Select, func, select


class WholeResult:
    """A statement that is read whole. None of its columns may hold bytes."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._columns = list(statement.subquery().c)
        self._as_texts = select(*(func.json_group_array(column) for column in self._columns))

    def rows(
        self, connection: Connection, values: Mapping[str, Any] | None = None
    ) -> Iterable[tuple[Any, ...]]:
        """The rows in the statement's order, each value as its column's type gives it."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        texts = connection.execute(self._as_texts, values).one()
        columns = zip(self._columns, texts, strict=True)
        return zip(*(_read(column, text, connection.dialect) for column, text in columns), strict=True)


def _read(column: ColumnElement[Any], text: str, dialect: Dialect) -> Iterable[Any]:
    values: list[Any] = json.loads(text)
    convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return values if convert is None else map(convert, values)
