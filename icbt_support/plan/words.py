"""Days and times as people read them: pure, written one way everywhere."""

from datetime import date, datetime, time


def clock_words(moment: datetime | time) -> str:
    """6.30pm, 9am, 12pm, midnight; the moment is already in the reader's zone."""
    if (moment.hour, moment.minute) == (0, 0):
        return "midnight"
    minutes = f".{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes}{'am' if moment.hour < 12 else 'pm'}"


def day_words(day: date) -> str:
    """Thursday 26 November"""
    return f"{day:%A} {day.day} {day:%B}"


def day_and_clock_words(moment: datetime) -> str:
    """Thursday 26 November, by 5pm"""
    return f"{day_words(moment)}, by {clock_words(moment)}"
