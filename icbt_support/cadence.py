"""Dates and wall times: pure arithmetic, in a person's zone, never by adding 24 hours."""

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


def to_utc(on: date, at: time, zone: str) -> datetime:
    """The instant at which the wall clock in `zone` shows `at` on `on`.

    A repeated hour means its first pass; a skipped hour means the same distance after the gap.
    """
    return datetime.combine(on, at, tzinfo=ZoneInfo(zone)).replace(fold=0).astimezone(UTC)


def to_local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone))


def local_day(instant: datetime, zone: str) -> date:
    return to_local(instant, zone).date()


def is_working_day(on: date, bank_holidays: Container[date]) -> bool:
    return on.weekday() < SATURDAY and on not in bank_holidays


def add_working_days(start: date, days: int, bank_holidays: Container[date]) -> date:
    """The working day that is `days` working days after `start`; `days` of 0 is `start` or the next working day."""
    on = start
    while not is_working_day(on, bank_holidays):
        on += timedelta(days=1)
    for _ in range(days):
        on += timedelta(days=1)
        while not is_working_day(on, bank_holidays):
            on += timedelta(days=1)
    return on


def next_weekday(after: date, weekday: int) -> date:
    """The first date strictly after `after` that falls on `weekday` (Monday is 0)."""
    return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)


def is_quiet(instant: datetime, zone: str, quiet_from: time, quiet_until: time) -> bool:
    """Whether the wall clock stands inside quiet hours, which may cross midnight; equal ends mean none."""
    at = to_local(instant, zone).time()
    if quiet_from <= quiet_until:
        return quiet_from <= at < quiet_until
    return at >= quiet_from or at < quiet_until


def end_of_quiet(instant: datetime, zone: str, quiet_from: time, quiet_until: time) -> datetime:
    """The instant at which quiet hours end, or `instant` itself when it is not quiet."""
    if not is_quiet(instant, zone, quiet_from, quiet_until):
        return instant
    local = to_local(instant, zone)
    on = local.date() if local.time() < quiet_until else local.date() + timedelta(days=1)
    return to_utc(on, quiet_until, zone)
