"""`column IN (many numbers)` as one parameter, so that a statement is prepared once however many numbers
there are.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class IdList(TypeDecorator[Collection[int]]):
    """Numbers as an array (PostgreSQL) or as a JSON text (SQLite)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(BigInteger()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        numbers = list(value or ())
        return numbers if dialect.name == "postgresql" else json.dumps(numbers)


# The parameters of statements that are built once: their values are given as "ids" and "mailing_ids".
ID_LIST = bindparam("ids", type_=IdList())
MAILING_ID_LIST = bindparam("mailing_ids", type_=IdList())


class _Among(FunctionElement[bool]):
    inherit_cache = True
    # Else SQLite is asked `(… IN …) = 1`, for which it walks the whole table.
    _is_implicitly_boolean = True
    type = Boolean()
    name = "among"


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, numbers = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 (both are compiled clauses)


@compiles(_Among, "postgresql")
def _among_on_postgresql(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, numbers = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY(CAST({numbers} AS bigint[]))"


def among(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], numbers: Collection[int] | BindParameter[Any]
) -> ColumnElement[bool]:
    """Whether the column's number is one of `numbers` (or of a parameter that will hold them)."""
    if not isinstance(numbers, BindParameter):
        numbers = bindparam(None, list(numbers), IdList(), unique=True)
    return _Among(column, numbers)
