"""The rows of an export, as they come: a server-side cursor on PostgreSQL, a read transaction on both engines."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, Engine, Label, Select, select

from icbt_support.cadence import local_day
from icbt_support.engagement.review_minutes import FEWEST_WRITERS
from icbt_support.exports.columns import ExportTable
from icbt_support.exports.rules import Wanted, cell
from icbt_support.exports.tables import MINUTES
from icbt_support.reviews.models import Review

ROWS_AT_ONCE = 2_000
Line = list[str | int]
SentReview = tuple[datetime, int | None, int | None]


def lines_of(engine: Engine, table: ExportTable, wanted: Wanted) -> Generator[Line, None, None]:
    """Every line of the table, cell by cell; a few thousand rows are in memory at a time.

    The connection is its own and only reads, so that a slow reader keeps nobody from writing.
    """
    kinds = [column.kind for column in table.columns_for(with_names=wanted.with_names)]
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        rows = _weeks_of_minutes(connection, wanted) if table is MINUTES else _read(connection, table, wanted)
        for row in rows:
            yield [cell(value, kind, wanted.zone) for value, kind in zip(row, kinds, strict=True)]


def statement_of(table: ExportTable, wanted: Wanted) -> Select:
    """What an export reads: one service's rows, in a range of days, in a stable order."""
    values: list[Label] = [
        column.value.label(f"column_{place}")
        for place, column in enumerate(table.columns_for(with_names=wanted.with_names))
    ]
    statement = (
        select(*values)
        .select_from(table.rows)
        .where(table.service == wanted.service_id, *table.only)
        .order_by(*table.order)
    )
    if wanted.from_on is not None:
        statement = statement.where(table.dated_by >= wanted.from_at)
    if wanted.until_on is not None:
        statement = statement.where(table.dated_by < wanted.before_at)
    if wanted.programme and table.programme is not None:
        statement = statement.where(table.programme == wanted.programme)
    return statement


def _read(connection: Connection, table: ExportTable, wanted: Wanted) -> Iterable[tuple]:
    return connection.execute(statement_of(table, wanted), execution_options={"yield_per": ROWS_AT_ONCE})


def _weeks_of_minutes(connection: Connection, wanted: Wanted) -> Iterator[tuple]:
    """The team's weeks, oldest first. A range of days is widened to whole weeks."""
    whole_weeks = replace(
        wanted,
        from_on=_monday_of(wanted.from_on) if wanted.from_on else None,
        until_on=_monday_of(wanted.until_on) + timedelta(days=6) if wanted.until_on else None,
    )
    sent = statement_of(MINUTES, whole_weeks).with_only_columns(
        Review.sent_at, Review.sent_by, Review.minutes
    )
    found = connection.execute(sent, execution_options={"yield_per": ROWS_AT_ONCE})
    rows = ((sent_at, writer, minutes) for sent_at, writer, minutes in found if sent_at is not None)

    def week_of(row: SentReview) -> date:
        return _monday_of(local_day(row[0], wanted.zone))

    for monday, reviews in groupby(rows, key=week_of):
        yield (monday, *_minutes_together(reviews))


def _minutes_together(reviews: Iterable[SentReview]) -> tuple[int, int, int | None]:
    count, total, timed = 0, 0, 0
    writers: set[int | None] = set()
    for _, writer, minutes in reviews:
        count += 1
        if minutes is not None:
            timed, total = timed + 1, total + minutes
            writers.add(writer)
    return count, timed, total if len(writers) >= FEWEST_WRITERS else None


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
