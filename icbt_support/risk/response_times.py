"""How long alerts waited for a person, in minutes of duty: the time in which somebody was there to take them.
Pure.

A median and the slowest, with how many they rest on, and how many still wait: those are in neither figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from icbt_support.hours.rules import DutyWindow
from icbt_support.risk.models import Grade

MINUTE = timedelta(minutes=1)
GRADES_WITH_A_CLOCK = (Grade.URGENT, Grade.SAME_DAY)


@dataclass(frozen=True)
class AlertInstants:
    """When one alert was raised, taken by a person, and resolved by a person."""

    grade: Grade
    raised_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True)
class Waited:
    """`count` alerts are done and `waiting` are not; without one that is done there is no figure."""

    count: int
    waiting: int
    median_minutes: int | None
    slowest_minutes: int | None


@dataclass(frozen=True)
class ResponseTimes:
    grade: Grade
    to_acknowledge: Waited
    to_resolve: Waited


def response_times(alerts: Sequence[AlertInstants], windows: Sequence[DutyWindow]) -> list[ResponseTimes]:
    """By grade, urgent first. *Known* has no clock and is left out."""
    return [
        ResponseTimes(
            grade,
            _waited(((one.raised_at, one.acknowledged_at) for one in alerts if one.grade is grade), windows),
            _waited(((one.raised_at, one.resolved_at) for one in alerts if one.grade is grade), windows),
        )
        for grade in GRADES_WITH_A_CLOCK
    ]


def duty_minutes_between(start: datetime, end: datetime, windows: Iterable[DutyWindow]) -> int:
    """Whole minutes of duty from one instant to another; the windows do not overlap."""
    shared = (min(end, window.ends_at) - max(start, window.starts_at) for window in windows)
    return sum((one for one in shared if one > timedelta()), timedelta()) // MINUTE


def _waited(pairs: Iterable[tuple[datetime, datetime | None]], windows: Sequence[DutyWindow]) -> Waited:
    ends = list(pairs)
    minutes = [duty_minutes_between(start, end, windows) for start, end in ends if end is not None]
    if not minutes:
        return Waited(0, len(ends), None, None)
    return Waited(len(minutes), len(ends) - len(minutes), round(median(minutes)), max(minutes))
