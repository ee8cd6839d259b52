"""Cells, lines and days of an export. Pure.

A cell is read by a spreadsheet sooner or later. One that begins like a formula is run there (OWASP, *CSV
injection*), so text that does gets an apostrophe in front. Lines follow RFC 4180; the file begins with the mark
by which spreadsheets know UTF-8.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from io import StringIO
from typing import Any

from icbt_support.cadence import to_local, to_utc

FORMULA_STARTS = frozenset("=+-@\t\r\n\v\f＝＋－＠")
# Blanks that some programs skip before they look whether a cell is a formula.
SKIPPED_BLANKS = " \u00a0\u200b\ufeff"
BYTES_AT_ONCE = 64 * 1024
BYTE_ORDER_MARK = "\ufeff"
ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(2300, 1, 1, tzinfo=UTC)


class CellKind(StrEnum):
    NUMBER = "whole number"
    TEXT = "text"
    CHOICE = "one of a list"
    DAY = "date"
    MOMENT = "date and time"
    YES_NO = "yes or no"


@dataclass(frozen=True)
class Wanted:
    """Whose rows and which: one service, days in its own zone (both ends included), and a programme.

    None is no limit. People are numbers unless `with_names`.
    """

    service_id: int
    zone: str
    from_on: date | None = None
    until_on: date | None = None
    programme: str = ""
    with_names: bool = False

    @property
    def from_at(self) -> datetime:
        return to_utc(self.from_on, time(0), self.zone) if self.from_on else ALWAYS

    @property
    def before_at(self) -> datetime:
        return to_utc(self.until_on + timedelta(days=1), time(0), self.zone) if self.until_on else FOR_EVER

    @property
    def words(self) -> str:
        """The filter in one line, as the audit keeps it."""
        days = f"{self.from_on or 'the start'} to {self.until_on or 'now'}"
        return f"{days}, {self.programme or 'every programme'}, {'names' if self.with_names else 'numbers'}"


def safe_text(words: str) -> str:
    """The text as a spreadsheet may open it: never a formula, and without the zero byte that no CSV can hold."""
    kept = words.replace("\x00", "")
    is_dangerous = kept.lstrip(SKIPPED_BLANKS)[:1] in FORMULA_STARTS
    return f"'{kept}" if kept and is_dangerous else kept


def cell(value: Any, kind: CellKind, zone: str) -> str | int:
    """One value as it stands in the file: instants and days in `zone`; a number stays a number; None is empty."""
    if value is None:
        return ""
    if kind is CellKind.YES_NO:
        return "yes" if value else "no"
    if isinstance(value, datetime):
        local = to_local(value, zone)
        return local.date().isoformat() if kind is CellKind.DAY else local.isoformat(" ", "minutes")[:16]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return value
    return safe_text(str(value))


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Iterator[bytes]:
    """The whole file, a piece at a time; never more than one piece in memory."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(heads)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() >= BYTES_AT_ONCE:
            yield buffer.getvalue().encode(errors="replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode(errors="replace")


def file_name(slug: str, on: date) -> str:
    """The table and the day on which it was taken: never a person."""
    return f"{slug}-{on.isoformat()}.csv"
