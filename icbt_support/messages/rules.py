"""When messages are read, in words, and when one has waited too long. Pure."""

from collections.abc import Container, Sequence
from datetime import date

from icbt_support.cadence import add_working_days

NOT_SAFE_WORDS = "I need someone to know I am not safe."
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def reading_days_words(called: str, weekdays: Sequence[int]) -> str:
    """ "Priya reads messages on Thursdays", from the days of the supporter's protected time."""
    days = [WEEKDAYS[weekday] for weekday in sorted(set(weekdays))]
    if not days:
        return f"{called} reads messages on working days, not straight away"
    listed = days[0] if len(days) == 1 else f"{', '.join(days[:-1])} and {days[-1]}"
    return f"{called} reads messages on {listed}"


def reading_while_away_words(called: str, until_on: date, cover: str) -> str:
    """Who reads messages while the supporter is away: the person named as cover, or else the team."""
    until = f"{until_on:%A} {until_on.day} {until_on:%B}"
    return f"{called} is away until {until}. {cover or 'The team'} reads messages meanwhile"


def is_unread_too_long(sent_on: date, today: date, working_days: int, closed_days: Container[date]) -> bool:
    """Whether `working_days` working days have passed since the day of sending without anybody reading."""
    return today > add_working_days(sent_on, working_days, closed_days)


def late_message_sentences(supporter: str) -> tuple[str, ...]:
    """To the patient, while a message of theirs is late."""
    return (
        "Nobody here has read your message yet. That is on us, not you.",
        f"It is safe. We have asked {supporter} and the team to read it. This page shows when somebody has.",
    )
