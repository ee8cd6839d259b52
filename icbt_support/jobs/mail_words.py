"""Small pieces of what emails say."""

from datetime import timedelta


def initials_of(full_name: str) -> str:
    """One letter for a name of one word: two may be all of it."""
    words = [word for word in full_name.split() if word[0].isalpha() and word not in ("Dr", "Prof")]
    first_and_last = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in first_and_last).upper() or "Somebody"


def minutes_words(minutes: int) -> str:
    return f"about {minutes} minute{'' if minutes == 1 else 's'}"


def waited_words(waited: timedelta) -> str:
    """In minutes up to two hours, then in whole hours."""
    minutes = max(1, int(waited.total_seconds() // 60))
    return minutes_words(minutes) if minutes < 120 else f"about {minutes // 60} hours"
