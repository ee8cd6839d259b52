"""Times of a protected block, windows of duty, and a clock that runs in duty hours. Pure."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from icbt_support.cadence import to_utc
from icbt_support.hours.models import AbsenceReason

ONE_DAY = timedelta(days=1)
SHORTEST_REVIEW_MINUTES = 5
LONGEST_REVIEW_MINUTES = 60


AWAY_WORDS = {
    AbsenceReason.LEAVE: "is on leave",
    AbsenceReason.COURSE: "is on a course",
    AbsenceReason.AWAY: "is away",
}


@dataclass(frozen=True)
class WeeklyBlock:
    """A weekly stretch of wall time; Monday is 0. An end at or before its start lies on the next day."""

    weekday: int
    starts: time
    ends: time

    @property
    def crosses_midnight(self) -> bool:
        return self.ends <= self.starts


@dataclass(frozen=True)
class DaysAway:
    """Days on which one person does not work, both ends included."""

    account_id: int
    from_on: date
    until_on: date

    def holds(self, on: date) -> bool:
        return self.from_on <= on <= self.until_on


@dataclass(frozen=True)
class DutyBlock:
    """One clinician's weekly duty."""

    block: WeeklyBlock
    clinician_id: int


@dataclass(frozen=True)
class DutyWindow:
    """A stretch of time in which somebody is on duty; `ends_at` is not part of it."""

    starts_at: datetime
    ends_at: datetime


def times_of_block(starts: time, ends: time, minutes_per_review: int) -> list[time]:
    """The wall times at which a review can be booked in a block; a review that would not fit is left out."""
    first = starts.hour * 60 + starts.minute
    last = ends.hour * 60 + ends.minute - minutes_per_review
    return [time(minute // 60, minute % 60) for minute in range(first, last + 1, minutes_per_review)]


def instants_of_block(
    starts: time, ends: time, minutes_per_review: int, *, on: date, zone: str
) -> list[datetime]:
    """The same times as instants on one date; two wall times that a skipped hour makes one are one."""
    instants = {to_utc(on, at, zone) for at in times_of_block(starts, ends, minutes_per_review)}
    return sorted(instants)


@dataclass(frozen=True)
class BusyTime:
    """A stretch that a booked review takes; `ends_at` is not part of it."""

    starts_at: datetime
    ends_at: datetime


def busy_time(starts_at: datetime, minutes: int) -> BusyTime:
    return BusyTime(starts_at, starts_at + timedelta(minutes=minutes))


def is_busy(starts_at: datetime, minutes: int, busy: Iterable[BusyTime]) -> bool:
    """Whether a review of so many minutes would overlap one that is booked."""
    wanted = busy_time(starts_at, minutes)
    return any(one.starts_at < wanted.ends_at and wanted.starts_at < one.ends_at for one in busy)


def blocks_overlap(one: WeeklyBlock, other: WeeklyBlock) -> bool:
    """Whether two blocks of the same weekday, within the day, share a minute."""
    return one.weekday == other.weekday and one.starts < other.ends and other.starts < one.ends


def away_because(called: str, reason: AbsenceReason | None) -> str:
    """What a patient reads of why a date moved: never more than the person chose to say."""
    return f"{called} {AWAY_WORDS[reason or AbsenceReason.AWAY]}"


def is_away(account_id: int, on: date, days_away: Iterable[DaysAway]) -> bool:
    return any(away.account_id == account_id and away.holds(on) for away in days_away)


def window_of(block: WeeklyBlock, on: date, zone: str) -> DutyWindow:
    """The instants of a block that starts on `on`."""
    ends_on = on + ONE_DAY if block.crosses_midnight else on
    return DutyWindow(to_utc(on, block.starts, zone), to_utc(ends_on, block.ends, zone))


def duty_windows(
    duty: Sequence[DutyBlock],
    *,
    from_on: date,
    until_on: date,
    zone: str,
    closed_days: Container[date],
    days_away: Sequence[DaysAway],
) -> list[DutyWindow]:
    """When at least one person is on duty, in order and joined where they touch.

    A night's duty belongs to the day on which it starts. Nobody is on duty on a closed day.
    """
    windows: list[DutyWindow] = []
    on = from_on
    while on <= until_on:
        if on not in closed_days:
            windows.extend(
                window_of(item.block, on, zone)
                for item in duty
                if item.block.weekday == on.weekday() and not is_away(item.clinician_id, on, days_away)
            )
        on += ONE_DAY
    return join_windows(windows)


def join_windows(windows: Iterable[DutyWindow]) -> list[DutyWindow]:
    joined: list[DutyWindow] = []
    for window in sorted(windows, key=lambda window: window.starts_at):
        if joined and window.starts_at <= joined[-1].ends_at:
            joined[-1] = DutyWindow(joined[-1].starts_at, max(joined[-1].ends_at, window.ends_at))
        else:
            joined.append(window)
    return joined


def is_in_windows(instant: datetime, windows: Iterable[DutyWindow]) -> bool:
    return any(window.starts_at <= instant < window.ends_at for window in windows)


def next_window_start(instant: datetime, windows: Iterable[DutyWindow]) -> datetime | None:
    """When duty next begins after `instant`; a window that is running does not count."""
    return min((window.starts_at for window in windows if window.starts_at > instant), default=None)


def add_minutes_in_windows(start: datetime, minutes: int, windows: Iterable[DutyWindow]) -> datetime | None:
    """The instant by which `minutes` of duty have passed since `start`; None if the windows hold fewer.

    The minutes are real ones: a clock change inside a window neither adds nor loses any.
    """
    left = timedelta(minutes=minutes)
    for window in windows:
        begins = max(start, window.starts_at)
        if begins >= window.ends_at:
            continue
        here = window.ends_at - begins
        if left <= here:
            return begins + left
        left -= here
    return None


def days_without_duty(
    duty: Sequence[DutyBlock],
    *,
    from_on: date,
    until_on: date,
    closed_days: Container[date],
    days_away: Sequence[DaysAway],
) -> list[date]:
    """The working days (Monday to Friday, not closed) on which nobody is on duty."""
    gaps: list[date] = []
    on = from_on
    while on <= until_on:
        if on.weekday() < 5 and on not in closed_days and not _someone_works(duty, on, days_away):
            gaps.append(on)
        on += ONE_DAY
    return gaps


def _someone_works(duty: Sequence[DutyBlock], on: date, days_away: Sequence[DaysAway]) -> bool:
    return any(
        item.block.weekday == on.weekday() and not is_away(item.clinician_id, on, days_away) for item in duty
    )
