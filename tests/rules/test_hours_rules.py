"""Times of protected blocks, and the duty clock across nights, weekends, closed days and clock changes."""

from datetime import UTC, date, datetime, time

import pytest

from icbt_support.cadence import to_utc
from icbt_support.hours.rules import (
    DaysAway,
    DutyBlock,
    DutyWindow,
    WeeklyBlock,
    add_minutes_in_windows,
    blocks_overlap,
    days_without_duty,
    duty_windows,
    instants_of_block,
    is_in_windows,
    join_windows,
    next_window_start,
    times_of_block,
)

LONDON = "Europe/London"
CLINICIAN, SECOND = 11, 12
FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)


def weekdays(clinician: int = CLINICIAN) -> list[DutyBlock]:
    return [DutyBlock(WeeklyBlock(weekday, time(9), time(17)), clinician) for weekday in range(5)]


def windows(duty, from_on, until_on, *, closed=(), away=()):
    return duty_windows(
        duty, from_on=from_on, until_on=until_on, zone=LONDON, closed_days=set(closed), days_away=list(away)
    )


def london(on: date, hour: int, minute: int = 0) -> datetime:
    return to_utc(on, time(hour, minute), LONDON)


def test_a_morning_of_quarter_hours_holds_twelve_reviews():
    times = times_of_block(time(9), time(12), 15)
    assert len(times) == 12
    assert (times[0], times[-1]) == (time(9), time(11, 45))


def test_a_review_that_would_end_after_the_block_is_left_out():
    assert times_of_block(time(9), time(9, 40), 15) == [time(9), time(9, 15)]
    assert times_of_block(time(9), time(9, 10), 15) == []


def test_a_block_keeps_its_wall_time_on_both_sides_of_the_clock_change():
    before = instants_of_block(time(9), time(9, 15), 15, on=date(2026, 10, 24), zone=LONDON)
    after = instants_of_block(time(9), time(9, 15), 15, on=date(2026, 10, 25), zone=LONDON)
    assert before == [datetime(2026, 10, 24, 8, tzinfo=UTC)]
    assert after == [datetime(2026, 10, 25, 9, tzinfo=UTC)]


def test_a_skipped_hour_makes_no_double_places():
    instants = instants_of_block(time(0, 30), time(3), 30, on=date(2026, 3, 29), zone=LONDON)
    assert len(instants) == len(set(instants)) == 3


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (WeeklyBlock(3, time(11), time(13)), True),
        (WeeklyBlock(3, time(12), time(13)), False),
        (WeeklyBlock(2, time(9), time(12)), False),
    ],
)
def test_blocks_overlap_when_they_share_a_minute(other, overlaps):
    assert blocks_overlap(WeeklyBlock(3, time(9), time(12)), other) is overlaps


def test_fifteen_minutes_from_five_to_five_on_friday_end_on_monday():
    running = windows(weekdays(), FRIDAY, MONDAY)
    assert add_minutes_in_windows(london(FRIDAY, 16, 55), 15, running) == london(MONDAY, 9, 10)


def test_minutes_that_just_fit_end_with_the_window():
    running = windows(weekdays(), FRIDAY, MONDAY)
    assert add_minutes_in_windows(london(FRIDAY, 16, 45), 15, running) == london(FRIDAY, 17)


def test_the_clock_waits_at_night_and_runs_again_in_the_morning():
    thursday = date(2026, 11, 19)
    running = windows(weekdays(), thursday, FRIDAY)
    assert add_minutes_in_windows(london(thursday, 22), 15, running) == london(FRIDAY, 9, 15)


def test_a_closed_day_is_no_duty():
    tuesday = date(2026, 11, 24)
    running = windows(weekdays(), FRIDAY, tuesday, closed=[MONDAY])
    assert add_minutes_in_windows(london(FRIDAY, 16, 55), 15, running) == london(tuesday, 9, 10)


def test_an_absent_clinician_is_no_duty():
    running = windows(weekdays(), MONDAY, MONDAY, away=[DaysAway(CLINICIAN, MONDAY, MONDAY)])
    assert running == []


def test_another_clinician_keeps_the_clock_running():
    duty = weekdays() + weekdays(SECOND)
    running = windows(duty, MONDAY, MONDAY, away=[DaysAway(CLINICIAN, MONDAY, MONDAY)])
    assert is_in_windows(london(MONDAY, 10), running)


def test_no_duty_at_all_gives_no_time():
    assert add_minutes_in_windows(london(MONDAY, 10), 15, []) is None
    assert next_window_start(london(MONDAY, 10), []) is None


def test_night_duty_belongs_to_the_day_on_which_it_starts():
    night = [DutyBlock(WeeklyBlock(4, time(22), time(6)), CLINICIAN)]
    running = windows(night, FRIDAY, SATURDAY)
    assert running == [DutyWindow(london(FRIDAY, 22), london(SATURDAY, 6))]
    assert windows(night, FRIDAY, SATURDAY, closed=[SATURDAY]) == running
    assert windows(night, FRIDAY, SATURDAY, closed=[FRIDAY]) == []


def test_the_night_of_the_autumn_change_has_an_hour_more_of_duty():
    saturday = date(2026, 10, 24)
    night = [DutyBlock(WeeklyBlock(5, time(22), time(6)), CLINICIAN)]
    running = windows(night, saturday, saturday)
    assert add_minutes_in_windows(london(saturday, 22), 9 * 60, running) == london(date(2026, 10, 25), 6)
    assert add_minutes_in_windows(london(saturday, 22), 9 * 60 + 1, running) is None


def test_the_night_of_the_spring_change_has_an_hour_less():
    saturday = date(2026, 3, 28)
    night = [DutyBlock(WeeklyBlock(5, time(22), time(6)), CLINICIAN)]
    running = windows(night, saturday, saturday)
    assert add_minutes_in_windows(london(saturday, 22), 7 * 60, running) == london(date(2026, 3, 29), 6)
    assert add_minutes_in_windows(london(saturday, 22), 7 * 60 + 1, running) is None


def test_windows_that_touch_are_one():
    first = DutyWindow(london(MONDAY, 9), london(MONDAY, 13))
    second = DutyWindow(london(MONDAY, 13), london(MONDAY, 17))
    assert join_windows([second, first]) == [DutyWindow(london(MONDAY, 9), london(MONDAY, 17))]


def test_the_end_of_a_window_is_outside_it():
    running = windows(weekdays(), MONDAY, MONDAY)
    assert is_in_windows(london(MONDAY, 9), running)
    assert not is_in_windows(london(MONDAY, 17), running)


def test_next_start_does_not_count_the_window_that_runs():
    running = windows(weekdays(), FRIDAY, MONDAY)
    assert next_window_start(london(FRIDAY, 10), running) == london(MONDAY, 9)


def test_gaps_are_working_days_without_anybody():
    without_monday = [item for item in weekdays() if item.block.weekday != 0]
    gaps = days_without_duty(
        without_monday,
        from_on=FRIDAY,
        until_on=date(2026, 11, 30),
        closed_days={date(2026, 11, 30)},
        days_away=[DaysAway(CLINICIAN, FRIDAY, FRIDAY)],
    )
    assert gaps == [FRIDAY, MONDAY]
