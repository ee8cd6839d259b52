"""Cells and lines of an export, and what its columns are made of."""

import csv
from datetime import UTC, date, datetime
from io import StringIO

from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.sql import visitors

from icbt_support.accounts.models import Role
from icbt_support.db import EncryptedJson, EncryptedText
from icbt_support.exports.columns import PATIENT_NAME
from icbt_support.exports.rules import CellKind, Wanted, cell, csv_lines, file_name, safe_text
from icbt_support.exports.tables import EXPORT_TABLES, dictionary_rows, tables_for
from icbt_support.reminders.models import Reminder
from icbt_support.reviews.models import Review

LONDON = "Europe/London"
REFUSED = "=+-@\t\r\n\x00"
CELLS = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.text(), st.sampled_from(REFUSED).flatmap(
    lambda start: st.text().map(lambda rest: start + rest)
))  # fmt: skip


def read_back(lines: bytes) -> list[list[str]]:
    assert lines.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(lines.decode("utf-8-sig"), newline=""), strict=True))


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3)))
@example([["=1+1", " =1+1", "a,b"], ['"x"\r\n=2', "\x00=HYPERLINK()", "+44"], [-5, None, "'"]])
def test_any_row_comes_back_and_no_cell_is_a_formula(rows: list[list[str | int | None]]) -> None:
    lines = [[cell(value, CellKind.TEXT, LONDON) for value in row] for row in rows]
    back = read_back(b"".join(csv_lines(["a", "b", "c"], lines)))
    assert back == [["a", "b", "c"], *([str(value) for value in line] for line in lines)]
    for given_row, read_row in zip(rows, back[1:], strict=True):
        for value, words in zip(given_row, read_row, strict=True):
            if isinstance(value, int):
                assert int(words) == value
            else:
                kept = (value or "").replace("\x00", "")
                assert words in (kept, f"'{kept}")
                assert words.lstrip(" ")[:1] not in set(REFUSED)


def test_instants_and_days_are_the_services_own() -> None:
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert cell(summer, CellKind.MOMENT, LONDON) == "2026-07-02 00:30"
    assert cell(summer, CellKind.DAY, LONDON) == "2026-07-02"
    assert cell(date(2026, 7, 1), CellKind.DAY, LONDON) == "2026-07-01"
    assert [cell(value, CellKind.YES_NO, LONDON) for value in (1, 0, None)] == ["yes", "no", ""]


def test_a_range_of_days_is_whole_local_days_also_when_the_clocks_change() -> None:
    wanted = Wanted(1, LONDON, date(2026, 3, 29), date(2026, 3, 29))
    assert wanted.from_at == datetime(2026, 3, 29, tzinfo=UTC)
    assert wanted.before_at == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert wanted.words == "2026-03-29 to 2026-03-29, every programme, numbers"


def test_full_width_signs_are_formulas_too_and_a_file_is_named_by_its_table() -> None:
    assert safe_text("＝1") == "'＝1"
    assert safe_text("\ufeff=1") == "'\ufeff=1"
    assert file_name("reviews", date(2026, 11, 19)) == "reviews-2026-11-19.csv"


def test_no_column_of_any_table_is_made_of_typed_words() -> None:
    for table in EXPORT_TABLES:
        for column in table.columns:
            parts = visitors.iterate(column.value.expression)
            typed = [p for p in parts if isinstance(getattr(p, "type", None), EncryptedText | EncryptedJson)]
            assert typed == [], (table.slug, column.name)


def test_administrators_get_no_row_about_a_person() -> None:
    tables = tables_for(Role.ADMINISTRATOR)
    assert [table.slug for table in tables] == ["minutes", "sending"]
    assert tables_for(Role.SUPPORTER) == tables_for(Role.PATIENT) == tables_for(Role.VENDOR) == ()
    not_about_people = {Reminder.due_at, Reminder.reminder_class, Reminder.channel, Reminder.state}
    for table in tables:
        assert not table.can_name_people
        assert table.rows in (Reminder.__table__, Review.__table__)
        used = {part for column in table.columns for part in visitors.iterate(column.value.expression)}
        assert {part.key for part in used if getattr(part, "table", None) is not None} <= {
            column.key for column in not_about_people
        }


def test_the_dictionary_has_every_column_once_and_says_what_feeds_a_log() -> None:
    rows = dictionary_rows(EXPORT_TABLES)
    assert len({(row[0], row[2]) for row in rows}) == len(rows) == sum(len(t.columns) for t in EXPORT_TABLES)
    assert all(row[4] for row in rows)
    log = {row[2]: row[6] for row in rows if row[0] == "therapy-log"}
    assert {"course", "programme", "module", "reviewed_at", "minutes", "phq9_of_week"} <= {
        name for name, feeds in log.items() if feeds
    }
    states = next(row for row in rows if row[0] == "reviews" and row[2] == "state")
    assert states[5] == "scheduled, open, drafted, sent, missed, cancelled"
    assert sum(column is PATIENT_NAME for table in EXPORT_TABLES for column in table.columns) == 7
