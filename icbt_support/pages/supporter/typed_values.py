"""Reading what was posted: a day, a time, an instant or a number, and None for anything else."""

from datetime import date, datetime, time


def read_day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        return None


def read_time(value: str | None) -> time | None:
    try:
        return time.fromisoformat(value or "").replace(tzinfo=None)
    except ValueError:
        return None


def read_instant(value: str | None) -> datetime | None:
    """An aware instant; None for anything else."""
    try:
        instant = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def read_number(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
