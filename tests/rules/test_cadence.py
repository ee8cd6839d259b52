"""Wall times, zones and working days."""

from datetime import UTC, date, datetime, time

import pytest

from icbt_support.cadence import add_working_days, end_of_quiet, is_quiet, next_weekday, to_local, to_utc

LONDON = "Europe/London"
CHRISTMAS = {date(2026, 12, 25), date(2026, 12, 28)}


def test_nine_stays_nine_across_both_clock_changes() -> None:
    assert to_utc(date(2026, 3, 28), time(9), LONDON).hour == 9
    assert to_utc(date(2026, 3, 29), time(9), LONDON).hour == 8
    assert to_utc(date(2026, 10, 25), time(9), LONDON).hour == 9


def test_the_skipped_hour_comes_after_the_gap_and_the_repeated_hour_once() -> None:
    skipped = to_utc(date(2026, 3, 29), time(1, 30), LONDON)
    assert to_local(skipped, LONDON).time() == time(2, 30)
    assert to_utc(date(2026, 10, 25), time(1, 30), LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (date(2026, 11, 19), 2, date(2026, 11, 23)),
        (date(2026, 12, 24), 2, date(2026, 12, 30)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
    ],
)
def test_working_days_pass_over_weekends_and_bank_holidays(start: date, days: int, expected: date) -> None:
    assert add_working_days(start, days, CHRISTMAS) == expected


def test_next_weekday_is_never_today() -> None:
    thursday = date(2026, 11, 19)
    assert next_weekday(thursday, 3) == date(2026, 11, 26)
    assert next_weekday(thursday, 4) == date(2026, 11, 20)


def test_quiet_hours_cross_midnight_and_end_in_the_morning() -> None:
    late, early = datetime(2026, 11, 19, 22, tzinfo=UTC), datetime(2026, 11, 20, 6, tzinfo=UTC)
    morning = datetime(2026, 11, 20, 8, tzinfo=UTC)
    for instant in (late, early):
        assert is_quiet(instant, LONDON, time(21), time(8))
        assert end_of_quiet(instant, LONDON, time(21), time(8)) == morning
    assert not is_quiet(morning, LONDON, time(21), time(8))
    assert end_of_quiet(morning, LONDON, time(21), time(8)) == morning
