"""The database: portable types, how a transaction begins, and what every table declares about itself."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

LARGEST_ID = 2**63 - 1
BUSY_TIMEOUT_MS = 10_000
SHORT_WAIT_MS = 200
_RETRIES = 5
_SERIALIZATION_FAILURES = {"40001", "40P01"}
Result = TypeVar("Result")


class Base(DeclarativeBase):
    __table__: ClassVar[Table]
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, engine_options={"pool_pre_ping": True})

RowId = BigInteger().with_variant(Integer(), "sqlite")


class WithId:
    """A table with a number of its own as its key."""

    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware on both sides of the database, kept in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone: instants are aware.")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _instant_of if dialect.name == "sqlite" else _in_utc


@lru_cache(maxsize=4096)
def _in_utc(kept: datetime | None) -> datetime | None:
    return None if kept is None else kept.astimezone(UTC)


@lru_cache(maxsize=4096)
def _instant_of(kept: str | None) -> datetime | None:
    """SQLite keeps instants as text; many rows of a batch hold the same one."""
    return None if kept is None else datetime.fromisoformat(kept).replace(tzinfo=UTC)


class whole_weeks(FunctionElement[int]):  # noqa: N801 (reads as the function that it is in a statement)
    """How many whole weeks lie between two instants, the earlier one first; NULL where one is missing."""

    type = Integer()
    inherit_cache = True


@compiles(whole_weeks, "sqlite")
def _whole_weeks_on_sqlite(element: whole_weeks, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(instant, **options) for instant in element.clauses)
    return f"CAST((julianday({end}) - julianday({start})) / 7 AS INTEGER)"


@compiles(whole_weeks, "postgresql")
def _whole_weeks_on_postgresql(element: whole_weeks, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(instant, **options) for instant in element.clauses)
    return f"CAST(floor(extract(epoch FROM {end} - {start}) / 604800) AS INTEGER)"


_cipher: MultiFernet | None = None


def use_data_keys(keys: tuple[str, ...]) -> None:
    """Sets the keys of encrypted columns, newest first; older ones still read."""
    global _cipher
    _cipher = MultiFernet([Fernet(key) for key in keys])


def _current_cipher() -> MultiFernet:
    if _cipher is None:
        raise RuntimeError("The data keys are not set: call use_data_keys before touching encrypted columns.")
    return _cipher


class UnreadableText(Exception):
    """A stored text cannot be decrypted with the configured DATA_KEYS."""


class EncryptedText(TypeDecorator[str]):
    """What a person typed, encrypted with DATA_KEYS; never searched by SQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _current_cipher().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return _current_cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise UnreadableText(
                "A stored text was written with a key that DATA_KEYS does not hold."
            ) from error


class EncryptedJson(TypeDecorator[Any]):
    """A small document that a person typed (a tool's fields, a letter's sections), encrypted as one text."""

    impl = EncryptedText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class TextEnum(Enum):
    """A `StrEnum`'s members by their text, looked up without a function of Python's for each value."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        members = {member.value: member for member in self.enum_class or ()}
        return {None: None, **members}.__getitem__


def text_enum(kind: type[StrEnum]) -> Enum:
    """A `StrEnum` kept as its text, with a CHECK on both engines."""
    return _text_enum(kind, create_constraint=True)


def often_changed_enum(kind: type[StrEnum]) -> Enum:
    """The same for a column whose table holds `is_one_of`."""
    return _text_enum(kind, create_constraint=False)


def is_one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    """The CHECK of a column that changes often: SQLite makes the list of an IN anew for every row that changes."""
    rule = " OR ".join(f"{column} = '{member.value}'" for member in kind)
    return CheckConstraint(rule, name=kind.__name__.lower())


def _text_enum(kind: type[StrEnum], *, create_constraint: bool) -> Enum:
    return TextEnum(
        kind,
        native_enum=False,
        create_constraint=create_constraint,
        length=40,
        values_callable=lambda members: [member.value for member in members],
        name=kind.__name__.lower(),
    )


class Subject(StrEnum):
    """Whose data a table holds."""

    PATIENT = "patient"
    STAFF = "staff"
    ACCOUNT = "account"
    SERVICE = "service"
    NOBODY = "nobody"


class Keep(StrEnum):
    """How long a row is kept."""

    CLINICAL_RECORD = "20 years after the last treatment"
    WHILE_ACCOUNT_LIVES = "while the account lives"
    WHILE_SERVICE_LIVES = "while the service lives"
    AUDIT = "as long as the record that it is about"
    DAYS_90 = "90 days"
    DAYS_400 = "400 days"


class Erasure(StrEnum):
    """What a granted erasure does to a row."""

    DELETE = "delete"
    BLANK = "blank the text, keep the row"
    KEEP = "keep"


@dataclass(frozen=True)
class TableCare:
    """Whose a table is, how long it is kept and what erasure does to it; a test fails on a table without one."""

    whose: Subject
    keep: Keep
    on_erasure: Erasure


def care(whose: Subject, keep: Keep, on_erasure: Erasure) -> dict[str, Any]:
    """The last element of `__table_args__`: `care(Subject.PATIENT, Keep.CLINICAL_RECORD, Erasure.DELETE)`."""
    return {"info": {"care": TableCare(whose, keep, on_erasure)}}


# How a transaction begins -------------------------------------------------------------------------------------

_will_write: ContextVar[bool] = ContextVar("will_write", default=False)


@contextmanager
def writing() -> Iterator[None]:
    """Transactions that begin in here take SQLite's write lock at once instead of failing half-way."""
    token = _will_write.set(True)
    try:
        yield
    finally:
        _will_write.reset(token)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    if "sqlite" not in type(dbapi_connection).__module__:
        return
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        # A batch of reminders changes a thousand pages: they stay in memory until it is committed, and several
        # batches go back into the database together.
        "cache_size = -32768",
        "wal_autocheckpoint = 4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _will_write.get() else "BEGIN")


def commit_with_retry(work: Callable[[], Result]) -> Result:
    """Runs `work` in one write transaction of the session and commits it.

    A serialisation failure or deadlock (PostgreSQL) runs the whole of `work` again, at most five times.
    """
    for attempt in range(1, _RETRIES + 1):
        db.session.rollback()
        try:
            with writing():
                result = work()
                db.session.commit()
            return result
        except DBAPIError as error:
            db.session.rollback()
            if attempt == _RETRIES or not is_worth_retrying(error):
                raise
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 (spreads retries, hides nothing)
        except BaseException:
            db.session.rollback()
            raise
    raise AssertionError("unreachable")


def is_worth_retrying(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _SERIALIZATION_FAILURES


@contextmanager
def apart() -> Iterator[Connection]:
    """A short transaction of its own beside the session, for what must survive the request's rollback."""
    with writing(), db.engine.begin() as connection:
        yield connection


@contextmanager
def apart_without_waiting() -> Iterator[Connection]:
    """As `apart`, for what may be left out: raises `OperationalError` soon where somebody else is writing."""
    with writing(), db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {SHORT_WAIT_MS}")
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {SHORT_WAIT_MS}")
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


# Triggers and other DDL that a batch alteration may drop; declared once, re-asserted after every upgrade. ------


@dataclass(frozen=True)
class Trigger:
    name: str
    table: str
    sqlite: str
    postgresql: tuple[str, ...]


_triggers: dict[str, Trigger] = {}


def declare_trigger(trigger: Trigger) -> None:
    _triggers[trigger.name] = trigger


def declared_triggers() -> tuple[Trigger, ...]:
    return tuple(_triggers[name] for name in sorted(_triggers))


def refuse_changes(table: str, *, frozen_columns: tuple[str, ...] = ()) -> None:
    """Declares that rows of `table` are never deleted nor updated; with `frozen_columns`, only those never change."""
    frozen = " AND ".join(f"OLD.{column} IS NOT DISTINCT FROM NEW.{column}" for column in frozen_columns)
    _refuse(table, "delete", "")
    _refuse(table, "update", f"WHEN (NOT ({frozen}))" if frozen else "")


def _refuse(table: str, verb: str, when: str) -> None:
    name = f"{table}_refuse_{verb}"
    before = f"BEFORE {verb.upper()} ON {table} FOR EACH ROW {when}"
    declare_trigger(
        Trigger(
            name=name,
            table=table,
            sqlite=(
                f"CREATE TRIGGER IF NOT EXISTS {name} {before.replace('IS NOT DISTINCT FROM', 'IS')} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            ),
            postgresql=(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
                f"CREATE OR REPLACE TRIGGER {name} {before} EXECUTE FUNCTION {name}()",
            ),
        )
    )


def assert_triggers(connection: Connection) -> None:
    """Creates every declared trigger that is not there, on the tables that this revision has."""
    present = set(inspect(connection).get_table_names())
    for trigger in declared_triggers():
        if trigger.table not in present:
            continue
        statements = (trigger.sqlite,) if connection.dialect.name == "sqlite" else trigger.postgresql
        for statement in statements:
            connection.execute(text(statement))
