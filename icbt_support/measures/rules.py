"""Totals, change and caseness, and the words for them. Pure.

Sources: PHQ-9 (Kroenke, Spitzer & Williams 2001), GAD-7 (Spitzer et al. 2006); caseness and reliable change
as in the NHS Talking Therapies manual: PHQ-9 caseness 10 or more, reliable change 6 or more; GAD-7 8 or more
and 4 or more. The numbers themselves stand in the measure's own file. A safety officer checks the manual
before use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    NOT_RELIABLE = "not_reliable"


@dataclass(frozen=True)
class MeasureRule:
    """What a measure's published rules are; higher totals mean worse."""

    caseness: int
    reliable_change: int


class IncompleteForm(Exception):
    """A form with a missing item has no total; `missing` are its numbers, from 1."""

    def __init__(self, missing: Sequence[int]) -> None:
        super().__init__(f"items {', '.join(map(str, missing))} are missing")
        self.missing = tuple(missing)


def missing_items(answers: Mapping[int, int], item_count: int) -> list[int]:
    return [item for item in range(1, item_count + 1) if item not in answers]


def total_of(answers: Mapping[int, int], item_count: int) -> int:
    """The sum of exactly the known items; raises IncompleteForm when one is missing."""
    missing = missing_items(answers, item_count)
    if missing:
        raise IncompleteForm(missing)
    return sum(answers[item] for item in range(1, item_count + 1))


def is_case(total: int, rule: MeasureRule) -> bool:
    return total >= rule.caseness


def reliable_change(first: int, last: int, rule: MeasureRule) -> Change:
    """Whether the change between two totals is as large as the measure's reliable change."""
    if first - last >= rule.reliable_change:
        return Change.BETTER
    if last - first >= rule.reliable_change:
        return Change.WORSE
    return Change.NOT_RELIABLE


def score_words(total: int, maximum: int, band: str) -> str:
    """ "11 out of 27. This is in the moderate range": about the score, never about the person."""
    return f"{total} out of {maximum}. This is in the {band.lower()} range"


def change_words(title: str, first: int, last: int, rule: MeasureRule) -> str:
    """During treatment only the change is said: "PHQ-9 down 6 since the start (a change of 6 or more)"."""
    if first == last:
        return f"{title} the same as at the start"
    direction = "down" if last < first else "up"
    words = f"{title} {direction} {abs(first - last)} since the start"
    if reliable_change(first, last, rule) is Change.NOT_RELIABLE:
        return words
    return f"{words} (a change of {rule.reliable_change} or more)"
