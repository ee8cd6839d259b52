"""The rota with its gaps, and how long alerts waited in minutes of duty."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from icbt_support.hours.rules import DaysAway, DutyWindow, WeeklyBlock
from icbt_support.risk.models import Grade
from icbt_support.risk.response_times import AlertInstants, duty_minutes_between, response_times
from icbt_support.risk.rota import RotaBlock, RotaDay, rota_days

ZONE = "Europe/London"
JO, MAX, KIT = 1, 2, 3
MONDAY = date(2026, 11, 23)


def on_duty(weekday: int, starts: int, ends: int, clinician: int, position: int = 1) -> RotaBlock:
    return RotaBlock(WeeklyBlock(weekday, time(starts), time(ends)), clinician, position)


def week(
    *duty: RotaBlock, away: tuple[DaysAway, ...] = (), closed: frozenset[date] = frozenset()
) -> list[RotaDay]:
    return rota_days(
        duty, from_on=MONDAY, until_on=date(2026, 11, 29), zone=ZONE, closed_days=closed, days_away=away
    )


def hours_of(windows: tuple[DutyWindow, ...]) -> list[tuple[int, int]]:
    local = ZoneInfo(ZONE)
    return [(w.starts_at.astimezone(local).hour, w.ends_at.astimezone(local).hour) for w in windows]


def test_days_without_duty_are_working_days_only() -> None:
    days = week(on_duty(0, 9, 17, JO), closed=frozenset({date(2026, 11, 24)}))
    assert [day.on.day for day in days if day.is_without_duty] == [25, 26, 27]
    assert days[1].is_closed
    assert (days[0].turns[0].is_away, days[0].uncovered) == (False, ())


def test_the_next_place_stands_in_and_what_nobody_holds_is_a_gap() -> None:
    away = (DaysAway(JO, MONDAY, MONDAY),)
    duty = (on_duty(0, 9, 17, JO, 1), on_duty(0, 9, 13, KIT, 3), on_duty(0, 11, 13, MAX, 2))
    monday = week(*duty, away=away)[0]
    assert [(turn.clinician_id, turn.is_away, turn.stands_in) for turn in monday.turns] == [
        (JO, True, MAX),
        (KIT, False, None),
        (MAX, False, None),
    ]
    assert hours_of(monday.uncovered) == [(13, 17)]
    assert not monday.is_without_duty


def test_a_hole_in_the_middle_and_a_night_that_ends_on_the_next_day() -> None:
    away = (DaysAway(JO, MONDAY, MONDAY),)
    duty = (on_duty(0, 9, 17, JO), on_duty(0, 9, 11, MAX, 2), on_duty(0, 15, 17, KIT, 2))
    assert hours_of(week(*duty, away=away)[0].uncovered) == [(11, 15)]
    night = week(on_duty(0, 20, 8, JO), on_duty(0, 20, 22, MAX, 2), away=away)[0]
    assert hours_of(night.uncovered) == [(22, 8)]


def test_when_all_are_away_nobody_stands_in() -> None:
    away = (DaysAway(JO, MONDAY, MONDAY), DaysAway(MAX, MONDAY, MONDAY))
    monday = week(on_duty(0, 9, 17, JO), on_duty(0, 9, 17, MAX, 2), away=away)[0]
    assert [turn.stands_in for turn in monday.turns] == [None, None]
    assert monday.is_without_duty
    assert hours_of(monday.uncovered) == [(9, 17)]


DUTY = [
    DutyWindow(datetime(2026, 11, 19, 9, tzinfo=UTC), datetime(2026, 11, 19, 17, tzinfo=UTC)),
    DutyWindow(datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 20, 17, tzinfo=UTC)),
]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_minutes_run_in_duty_only() -> None:
    assert duty_minutes_between(at(19, 10), at(19, 10, 20), DUTY) == 20
    assert duty_minutes_between(at(19, 16, 50), at(20, 9, 5), DUTY) == 15
    assert duty_minutes_between(at(19, 20), at(19, 23), DUTY) == 0
    assert duty_minutes_between(at(18, 12), at(21, 12), DUTY) == 960
    assert duty_minutes_between(at(19, 10), at(19, 10, 20), []) == 0


def test_a_median_says_how_many_it_rests_on_and_those_that_wait_are_in_no_figure() -> None:
    alerts = [
        AlertInstants(Grade.URGENT, at(19, 10), at(19, 10, 5), at(19, 12)),
        AlertInstants(Grade.URGENT, at(19, 10), at(19, 10, 45), None),
        AlertInstants(Grade.URGENT, at(19, 16, 50), at(20, 9, 5), at(20, 10)),
        AlertInstants(Grade.URGENT, at(20, 10), None, None),
        AlertInstants(Grade.KNOWN, at(20, 10), at(20, 11), at(20, 12)),
    ]
    urgent, same_day = response_times(alerts, DUTY)
    taken, resolved = urgent.to_acknowledge, urgent.to_resolve
    assert (taken.count, taken.waiting, taken.median_minutes, taken.slowest_minutes) == (3, 1, 15, 45)
    assert (resolved.count, resolved.waiting, resolved.median_minutes, resolved.slowest_minutes) == (
        2,
        2,
        95,
        120,
    )
    assert (same_day.to_acknowledge.count, same_day.to_acknowledge.median_minutes) == (0, None)
