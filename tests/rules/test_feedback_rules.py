"""Working time, medians, and what of a page's address the vendor reads."""

from datetime import UTC, date, datetime, timedelta

import pytest

from icbt_support.feedback.rules import page_for_vendor, wait_of, working_time, working_words

LONDON = "Europe/London"


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (at(19, 10), at(19, 12, 30), 2.5),
        (at(19, 16), at(20, 10), 2),
        (at(20, 16), at(23, 10), 2),  # over a weekend
        (at(21, 12), at(22, 12), 0),  # inside a weekend
        (at(19, 18), at(20, 7), 0),  # over a night
        (at(24, 9), at(27, 9), 16),  # the 25th is closed
        (at(19, 12), at(19, 12), 0),
    ],
)
def test_working_time_runs_from_9_to_5_on_open_days(start: datetime, end: datetime, hours: float) -> None:
    closed = {date(2026, 11, 25)}
    assert working_time(start, end, zone=LONDON, closed=closed) == timedelta(hours=hours)


def test_a_day_on_which_the_clocks_change_is_a_working_day_like_any_other() -> None:
    friday_noon, monday_noon = at(27, 12, month=3), datetime(2026, 3, 30, 11, tzinfo=UTC)
    assert working_time(friday_noon, monday_noon, zone=LONDON, closed=()) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.2, "under a working hour"),
        (1, "1 working hour"),
        (8, "1 working day"),
        (19, "2 working days 3 hours"),
    ],
)
def test_waiting_in_words(hours: float, words: str) -> None:
    assert working_words(timedelta(hours=hours)) == words


def test_a_median_says_over_how_many_and_none_is_no_figure() -> None:
    assert wait_of([timedelta(hours=n) for n in (1, 2, 30, 40)]).middle == timedelta(hours=16)
    assert (wait_of([]).count, wait_of([]).words) == (0, "No figure yet")


def test_a_print_gives_no_median_of_few_reports() -> None:
    hours = [timedelta(hours=1)] * 5
    assert wait_of(hours[1:]).words_outside == "not shown: fewer than 5 reports"
    assert wait_of(hours).words_outside == f"{wait_of(hours).words} (median, n = 5)"


def test_numbers_and_tokens_in_a_page_stand_for_people_and_go() -> None:
    assert page_for_vendor("/supporting/patients/12/messages") == "/supporting/patients/…/messages"
    assert page_for_vendor("/r/12-abc") == "/r/…"
    assert page_for_vendor("/week") == "/week"
