"""Days and times as the supporter's pages say them."""

from datetime import date, datetime, time

from icbt_support.cadence import local_day, to_local
from icbt_support.pages.kit import clock_time, long_day, short_day

DAYS_NAMED_BY_WEEKDAY = 6


def moment_words(at: datetime, *, now: datetime, zone: str) -> str:
    """Today 7.40am, Yesterday 8.50pm, Tuesday 9.10pm, Thu 12 Nov, 9.10pm"""
    local = to_local(at, zone)
    return f"{_day_words(local.date(), local_day(now, zone))} {clock_time(local)}"


def moment_inside(at: datetime, *, now: datetime, zone: str) -> str:
    """The same within a sentence: today 7.40am, yesterday 8.50pm, Tuesday 9.10pm"""
    words = moment_words(at, now=now, zone=zone)
    return words[0].lower() + words[1:] if words.startswith(("Today", "Yesterday")) else words


def _day_words(day: date, today: date) -> str:
    days = (today - day).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    if 0 < days < DAYS_NAMED_BY_WEEKDAY:
        return f"{day:%A}"
    return f"{short_day(day)},"


def day_ahead(day: date, today: date) -> str:
    """today, tomorrow, Saturday, Thursday 26 November"""
    days = (day - today).days
    if days in (0, 1):
        return ("today", "tomorrow")[days]
    return f"{day:%A}" if 1 < days <= DAYS_NAMED_BY_WEEKDAY else long_day(day)


def visit_words(at: datetime | None, *, now: datetime, zone: str) -> str:
    """Today 7.40am, Yesterday 8.50pm, Tue 9.10pm, 6 days ago, Not yet"""
    if at is None:
        return "Not yet"
    local, today = to_local(at, zone), local_day(now, zone)
    days = (today - local.date()).days
    if days >= DAYS_NAMED_BY_WEEKDAY:
        return f"{days} days ago"
    return f"{local:%a} {clock_time(local)}" if days > 1 else moment_words(at, now=now, zone=zone)


def promise_words(promised_at: datetime, *, now: datetime, zone: str) -> str:
    """today by 5pm, yesterday by 5pm, Thursday 26 November by 5pm"""
    local, today = to_local(promised_at, zone), local_day(now, zone)
    days = (local.date() - today).days
    day = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, long_day(local))
    return f"{day} by {clock_time(local)}"


def wall_words(day: date, at: time | None) -> str:
    """Thu 7pm; Thu where any time will do"""
    return f"{day:%a} {clock_time(at)}" if at is not None else f"{day:%a}"


def count_words(count: int, one: str, many: str = "") -> str:
    """1 question, 2 questions"""
    return f"{count} {one if count == 1 else many or one + 's'}"
