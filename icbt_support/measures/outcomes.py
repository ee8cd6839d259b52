"""Course outcomes by NHS definitions. Pure; said only after a course has ended.

Source: NHS Talking Therapies for anxiety and depression manual, *Outcomes and data collection* (recovery,
reliable improvement, reliable deterioration, reliable recovery, completed treatment), for the PHQ-9 and GAD-7
recorded here; denominators as in NHS Digital's official statistics (*Psychological therapies: reports on the use
of IAPT services*, "Calculating recovery rates"). Not the service's national figures: those use its care record,
anxiety-specific measures and attended appointments. Intervals: Wilson (1927) score interval, 95%.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import sqrt
from typing import Any

from icbt_support.measures.rules import Change, MeasureRule, is_case, reliable_change

CONTACTS_OF_COMPLETED_TREATMENT = 2
SMALLEST_SHOWN = 5
PHQ_9, GAD_7 = "phq-9", "gad-7"
NHS_RULES: Mapping[str, MeasureRule] = {PHQ_9: MeasureRule(10, 6), GAD_7: MeasureRule(8, 4)}
_Z = 1.959964


class Outcome(StrEnum):
    """What a rate counts; in the order in which a page shows them."""

    AT_CASENESS = "at_caseness"
    RECOVERY = "recovery"
    RELIABLE_IMPROVEMENT = "reliable_improvement"
    RELIABLE_RECOVERY = "reliable_recovery"
    RELIABLE_DETERIORATION = "reliable_deterioration"


@dataclass(frozen=True)
class Definition:
    """A rate in words: what is counted, out of whom, and what becomes of people with a missing score."""

    title: str
    counts: str
    out_of: str
    missing: str


_COMPLETED = (
    "People whose course has ended, with two or more treatment contacts that a clinician confirmed. "
    "Signing in never counts."
)
_COMPLETED_AND_CASES = (
    "People who completed treatment, without those known not to be at caseness on either measure "
    "at the start."
)
_RECOVERY_IS_A_CASE = (
    "At caseness (PHQ-9 of 10 or more, or GAD-7 of 8 or more) on either measure at the start"
)
_STAYS_AND_IS_NOT_COUNTED = "A person with a score missing stays in the group and is not counted as {}."

DEFINITIONS: Mapping[Outcome, Definition] = {
    Outcome.AT_CASENESS: Definition(
        "At caseness at the start",
        "PHQ-9 of 10 or more, or GAD-7 of 8 or more, at the start. One score at caseness is enough.",
        _COMPLETED,
        _STAYS_AND_IS_NOT_COUNTED.format("at caseness, unless the score that is there is at caseness"),
    ),
    Outcome.RECOVERY: Definition(
        "Recovery",
        f"{_RECOVERY_IS_A_CASE}, and on neither at the end.",
        _COMPLETED_AND_CASES,
        _STAYS_AND_IS_NOT_COUNTED.format("recovered"),
    ),
    Outcome.RELIABLE_IMPROVEMENT: Definition(
        "Reliable improvement",
        "At least one measure is reliably lower at the end (PHQ-9 by 6 or more, GAD-7 by 4 or more), "
        "and neither is reliably higher.",
        _COMPLETED,
        _STAYS_AND_IS_NOT_COUNTED.format("improved"),
    ),
    Outcome.RELIABLE_RECOVERY: Definition(
        "Reliable recovery",
        "Recovery and reliable improvement, both.",
        _COMPLETED_AND_CASES,
        _STAYS_AND_IS_NOT_COUNTED.format("reliably recovered"),
    ),
    Outcome.RELIABLE_DETERIORATION: Definition(
        "Reliable deterioration",
        "At least one measure is reliably higher at the end (PHQ-9 by 6 or more, GAD-7 by 4 or more), "
        "and neither is reliably lower.",
        _COMPLETED,
        _STAYS_AND_IS_NOT_COUNTED.format("worse") + " So the true share may be higher.",
    ),
}


@dataclass(frozen=True)
class CourseScores:
    """First and last totals of each measure, and what decides whether the course counts as completed.

    First: the baseline, or else the first questionnaire finished no later than the first treatment contact. Last: the
    last one finished after that contact; the baseline is never the last.
    """

    first: Mapping[str, int]
    last: Mapping[str, int]
    has_ended: bool
    treatment_contacts: int


@dataclass(frozen=True, eq=False)
class CourseOutcome:
    """What one ended course was; None where the scores that are there cannot say it.

    There are few of them, and courses share them (`outcome_of`): 50,000 courses are counted in no time.
    """

    was_case: bool | None
    recovered: bool | None
    reliably_improved: bool | None
    reliably_deteriorated: bool | None
    reliably_recovered: bool | None
    completed: bool

    @property
    def has_every_score(self) -> bool:
        return self.reliably_improved is not None

    def counts_in(self, outcome: Outcome) -> bool:
        """Whether this course stands in the denominator of a rate."""
        if outcome in (Outcome.RECOVERY, Outcome.RELIABLE_RECOVERY):
            return self.completed and self.was_case is not False
        return self.completed

    def is_counted_as(self, outcome: Outcome) -> bool:
        """Whether this course stands in the numerator of a rate."""
        return self.completed and bool(_SAID_BY[outcome](self))


_SAID_BY: Mapping[Outcome, Callable[[CourseOutcome], bool | None]] = {
    Outcome.AT_CASENESS: lambda one: one.was_case,
    Outcome.RECOVERY: lambda one: one.recovered,
    Outcome.RELIABLE_IMPROVEMENT: lambda one: one.reliably_improved,
    Outcome.RELIABLE_RECOVERY: lambda one: one.reliably_recovered,
    Outcome.RELIABLE_DETERIORATION: lambda one: one.reliably_deteriorated,
}


@dataclass(frozen=True)
class Rate:
    """A numerator over a denominator with its 95% interval; a denominator of 0 has no rate."""

    count: int
    total: int

    @property
    def share(self) -> float | None:
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval."""
        if not self.total:
            return None
        share, n = self.count / self.total, self.total
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low = 0.0 if self.count == 0 else middle - half
        high = 1.0 if self.count == n else middle + half
        return low, high

    @property
    def is_small(self) -> bool:
        """Whether the count, or those who are left when it is taken away, are under 5."""
        return min(self.count, self.total - self.count) < SMALLEST_SHOWN


@dataclass(frozen=True)
class OutcomeRates:
    """The rates of one group of ended courses; `completed` is the group, `with_every_score` those of it without a
    missing score.
    """

    completed: int
    with_every_score: int
    by_outcome: Mapping[Outcome, Rate]

    @property
    def with_missing_scores(self) -> int:
        return self.completed - self.with_every_score

    @property
    def recovery(self) -> Rate:
        return self.by_outcome[Outcome.RECOVERY]

    @property
    def reliable_improvement(self) -> Rate:
        return self.by_outcome[Outcome.RELIABLE_IMPROVEMENT]

    @property
    def reliable_recovery(self) -> Rate:
        return self.by_outcome[Outcome.RELIABLE_RECOVERY]

    @property
    def reliable_deterioration(self) -> Rate:
        return self.by_outcome[Outcome.RELIABLE_DETERIORATION]


def is_completed(scores: CourseScores) -> bool:
    """Ended, with two or more treatment contacts that a clinician confirmed; sign-ins never count."""
    return scores.has_ended and scores.treatment_contacts >= CONTACTS_OF_COMPLETED_TREATMENT


def outcome_of(scores: CourseScores, rules: Mapping[str, MeasureRule] = NHS_RULES) -> CourseOutcome:
    """Recovery: at caseness on either measure at the start and on neither at the end.

    Reliable improvement: at least one measure reliably better and none reliably worse; deterioration is the
    mirror. Reliable recovery: both. With a score missing none of them can be said.
    """
    completed, was_case = is_completed(scores), _was_case(scores.first, rules)
    if any(measure not in scores.first or measure not in scores.last for measure in rules):
        return _shared(was_case, None, None, None, None, completed)
    is_case_now = any(is_case(scores.last[measure], rule) for measure, rule in rules.items())
    changes = {
        reliable_change(scores.first[measure], scores.last[measure], rule) for measure, rule in rules.items()
    }
    recovered = bool(was_case) and not is_case_now
    improved = Change.BETTER in changes and Change.WORSE not in changes
    deteriorated = Change.WORSE in changes and Change.BETTER not in changes
    return _shared(was_case, recovered, improved, deteriorated, recovered and improved, completed)


def rates_of(outcomes: Iterable[CourseOutcome] | Mapping[CourseOutcome, int]) -> OutcomeRates:
    """Recovery is divided by completed minus not at caseness; improvement and deterioration by completed.

    Courses come one by one, or counted by what became of them.
    """
    counted = Counter(outcomes)

    def total(is_one: Callable[[CourseOutcome], bool]) -> int:
        return sum(number for one, number in counted.items() if is_one(one))

    return OutcomeRates(
        completed=total(lambda one: one.completed),
        with_every_score=total(lambda one: one.completed and one.has_every_score),
        by_outcome={
            outcome: Rate(
                total(lambda one, what=outcome: one.is_counted_as(what)),  # type: ignore[misc]
                total(lambda one, what=outcome: one.counts_in(what)),  # type: ignore[misc]
            )
            for outcome in Outcome
        },
    )


@cache
def _shared(*values: Any) -> CourseOutcome:
    return CourseOutcome(*values)


def _was_case(first: Mapping[str, int], rules: Mapping[str, MeasureRule]) -> bool | None:
    """True as soon as one score is at caseness; False only when every score is there and none is."""
    if any(measure in first and is_case(first[measure], rule) for measure, rule in rules.items()):
        return True
    return None if any(measure not in first for measure in rules) else False
