"""What may become of a report, and how long people waited: pure."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median

from icbt_support.cadence import is_working_day, local_day, to_utc

OPENS, CLOSES = time(9), time(17)
WORKING_DAY = timedelta(hours=8)
FEWEST_FOR_A_MEDIAN = 5
"""In print: with fewer, it nearly says how long one of them waited."""
_HOUR = timedelta(hours=1)


class ReportKind(StrEnum):
    PROBLEM = "problem"
    IDEA = "idea"


class ReportState(StrEnum):
    """new → triaged | with the vendor → answered → resolved | not planned (with a reason)."""

    NEW = "new"
    TRIAGED = "triaged"
    WITH_VENDOR = "with_vendor"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    NOT_PLANNED = "not_planned"


class AnswerKind(StrEnum):
    """Who reads it: the person who reported (and the service), or the service and the vendor alone."""

    TO_REPORTER = "to_reporter"
    BETWEEN_US = "between_us"


class AnswerSide(StrEnum):
    SERVICE = "service"
    VENDOR = "vendor"


CLOSED_STATES = (ReportState.RESOLVED, ReportState.NOT_PLANNED)
STATE_WORDS = {
    ReportState.NEW: "New",
    ReportState.TRIAGED: "With the service",
    ReportState.WITH_VENDOR: "With the vendor",
    ReportState.ANSWERED: "Answered",
    ReportState.RESOLVED: "Resolved",
    ReportState.NOT_PLANNED: "Not planned",
}


def working_time(start: datetime, end: datetime, *, zone: str, closed: Container[date]) -> timedelta:
    """How much of the time between two instants lies from 9am to 5pm on working days of the service."""
    total, on = timedelta(), local_day(start, zone)
    while on <= local_day(end, zone):
        if is_working_day(on, closed):
            opens, closes = to_utc(on, OPENS, zone), to_utc(on, CLOSES, zone)
            total += max(min(end, closes) - max(start, opens), timedelta())
        on += timedelta(days=1)
    return total


def working_words(waited: timedelta) -> str:
    """`2 working days 3 hours`: a working day is 8 hours."""
    hours = round(waited / _HOUR)
    if hours == 0:
        return "under a working hour"
    days, rest = divmod(hours, round(WORKING_DAY / _HOUR))
    if not days:
        return f"{rest} working hour{'' if rest == 1 else 's'}"
    words = f"{days} working day{'' if days == 1 else 's'}"
    return f"{words} {rest} hour{'' if rest == 1 else 's'}" if rest else words


@dataclass(frozen=True)
class Wait:
    """The median of how long people waited, over `count` reports; no reports, no median."""

    count: int
    middle: timedelta | None

    @property
    def words(self) -> str:
        return working_words(self.middle) if self.middle is not None else "No figure yet"

    @property
    def words_outside(self) -> str:
        """For print."""
        if self.count < FEWEST_FOR_A_MEDIAN:
            return f"not shown: fewer than {FEWEST_FOR_A_MEDIAN} reports"
        return f"{self.words} (median, n = {self.count})"


def wait_of(times: Sequence[timedelta]) -> Wait:
    middle = timedelta(seconds=median(one.total_seconds() for one in times)) if times else None
    return Wait(len(times), middle)


def page_for_vendor(page: str) -> str:
    """The page without the numbers and tokens in it, which stand for people: /supporting/patients/…"""
    return re.sub(r"[^/]*\d[^/]*", "…", page)
