"""How long a letter is and how easily it reads: shown to its author, never stored and never a grade. Pure."""

import re
from dataclasses import dataclass
from math import ceil

from readability import getmeasures

WORDS_A_MINUTE = 200
FEWEST_WORDS = 30
YOUNGEST, OLDEST = 6, 18
# A child is about five years older than the school year that the Flesch-Kincaid grade names (Kincaid 1975).
YEARS_BEFORE_SCHOOL = 5
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’-][A-Za-z0-9]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?:])[\"'”’)]*\s+|\n+")


@dataclass(frozen=True)
class Reading:
    """Words, minutes to read, and the age from which it reads well; None for a text too short to say."""

    words: int
    minutes: int
    age: int | None


def reading_of(text: str) -> Reading | None:
    """None for a text without words. The age follows from the lengths of sentences and words alone."""
    sentences = [words for part in _SENTENCE_END.split(text) if (words := _WORD.findall(part))]
    count = sum(len(words) for words in sentences)
    if not count:
        return None
    return Reading(count, ceil(count / WORDS_A_MINUTE), _age(sentences) if count >= FEWEST_WORDS else None)


def _age(sentences: list[list[str]]) -> int:
    measured = getmeasures("\n".join(" ".join(words) for words in sentences), lang="en")
    age = round(measured["readability grades"]["Kincaid"]) + YEARS_BEFORE_SCHOOL
    return min(max(age, YOUNGEST), OLDEST)


def reading_words(text: str) -> str:
    """About 180 words · reads at about age 11 · a 1-minute read"""
    reading = reading_of(text)
    if reading is None:
        return ""
    length = str(reading.words) if reading.words < FEWEST_WORDS else f"About {round(reading.words, -1)}"
    parts = [f"{length} word{'' if reading.words == 1 else 's'}", f"a {reading.minutes}-minute read"]
    if reading.age is not None:
        parts.insert(1, f"reads at about age {reading.age}{' or older' if reading.age == OLDEST else ''}")
    return " · ".join(parts)
