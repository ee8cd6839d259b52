"""Course outcomes by NHS definitions. Pure; said only after a course has ended.

Source: NHS Talking Therapies for anxiety and depression manual, *Outcomes and data collection* (recovery,
reliable improvement, reliable deterioration, reliable recovery, completed treatment), for the PHQ-9 and GAD-7
recorded here; denominators as in NHS Digital's official statistics (*Psychological therapies: reports on the use
of IAPT services*, "Calculating recovery rates"). Not the service's national figures: those use its care record,
anxiety-specific measures and attended appointments. Intervals: Wilson (1927) score interval, 95%.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import sqrt
from typing import Any, TypeVar

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


def without_small_counts(counts: Sequence[int]) -> list[int | None]:
    """Counts that add up to a known total, as an export, a print or a mail may carry them: None is hidden.

    Every count under 5 is hidden, and the smallest of the others with it for as long as the total would give away
    what is hidden: a single count, a sum under 5, or nothing but fours.
    """

    def are_given_away(hidden: Sequence[int]) -> bool:
        return len(hidden) == 1 or sum(hidden) < SMALLEST_SHOWN or set(hidden) == {SMALLEST_SHOWN - 1}

    hidden = _hidden(counts, [count < SMALLEST_SHOWN for count in counts], counts, are_given_away)
    return [None if place in hidden else count for place, count in enumerate(counts)]


def without_small_rates(groups: Sequence[OutcomeRates]) -> list[dict[Outcome, Rate | None]]:
    """The rates of the rows of a breakdown, as an export, a print or a mail may carry them: None is hidden.

    A rate is hidden where its count, the rest of its group, or those who were left out of its group, are under 5, or
    those who are between it and another rate of the row; every rate is where the row's number of completed courses is
    hidden, since a rate says it again. The smallest of the others is hidden with them for as long as the rate of
    everybody would give away what is hidden.
    """
    shown: list[dict[Outcome, Rate | None]] = [{} for _ in groups]
    sizes = without_small_counts([group.completed for group in groups])
    small = [_small_of(group) for group in groups]
    for outcome in Outcome:
        rates = [_LeavingOut(group, group.by_outcome[outcome]) for group in groups]
        is_hidden = [size is None or outcome in hidden for size, hidden in zip(sizes, small, strict=True)]
        hidden = _hidden(rates, is_hidden, [one.rate.total for one in rates], _are_rates_given_away)
        for place, (row, one) in enumerate(zip(shown, rates, strict=True)):
            row[outcome] = None if place in hidden else one.rate
    return shown


@dataclass(frozen=True)
class _LeavingOut:
    """A rate, with the group of which some may have been left out of it."""

    group: OutcomeRates
    rate: Rate

    @property
    def left_out(self) -> int:
        return self.group.completed - self.rate.total

    @property
    def is_small(self) -> bool:
        return self.rate.is_small or 0 < self.left_out < SMALLEST_SHOWN


def _small_of(group: OutcomeRates) -> set[Outcome]:
    """What a row may not say: small rates, and of two rates with few people between them one."""
    hidden = {outcome for outcome, rate in group.by_outcome.items() if _LeavingOut(group, rate).is_small}
    for other, outcome, people in _between(group):
        if 0 < people < SMALLEST_SHOWN and not hidden.intersection((other, outcome)):
            hidden.add(outcome)
    return hidden


def _between(group: OutcomeRates) -> Iterable[tuple[Outcome, Outcome, int]]:
    """How many people the numbers of two rates of a row tell apart: recovered, but not reliably; without a reliable
    change; at caseness and not recovered; of whom it is not known whether they were at caseness.
    """
    rates = group.by_outcome
    was_case, recovered = rates[Outcome.AT_CASENESS].count, rates[Outcome.RECOVERY].count
    improved, reliably = rates[Outcome.RELIABLE_IMPROVEMENT].count, rates[Outcome.RELIABLE_RECOVERY].count
    changed = improved + rates[Outcome.RELIABLE_DETERIORATION].count
    not_known = group.recovery.total - was_case
    return (
        (Outcome.RECOVERY, Outcome.RELIABLE_RECOVERY, recovered - reliably),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_RECOVERY, improved - reliably),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_DETERIORATION, group.completed - changed),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_DETERIORATION, group.with_every_score - changed),
        (Outcome.RECOVERY, Outcome.AT_CASENESS, was_case - recovered),
        (Outcome.RECOVERY, Outcome.AT_CASENESS, not_known),
        (Outcome.RELIABLE_RECOVERY, Outcome.AT_CASENESS, was_case - reliably),
        (Outcome.RELIABLE_RECOVERY, Outcome.AT_CASENESS, not_known),
    )


def _are_rates_given_away(hidden: Sequence[_LeavingOut]) -> bool:
    together = Rate(sum(one.rate.count for one in hidden), sum(one.rate.total for one in hidden))
    left_out = sum(one.left_out for one in hidden)
    return len(hidden) == 1 or together.is_small or 0 < left_out < SMALLEST_SHOWN


Shown = TypeVar("Shown")


def _hidden(
    rows: Sequence[Shown],
    is_hidden: Sequence[bool],
    sizes: Sequence[int],
    are_given_away: Callable[[Sequence[Shown]], bool],
) -> set[int]:
    """The places that stay hidden: those that have to be, and as many of the others as keep them so."""
    hidden = {place for place, is_one in enumerate(is_hidden) if is_one}
    others = sorted(set(range(len(rows))) - hidden, key=lambda place: (sizes[place], place))
    while hidden and others and are_given_away([rows[place] for place in hidden]):
        hidden.add(others.pop(0))
    return hidden


@cache
def _shared(*values: Any) -> CourseOutcome:
    return CourseOutcome(*values)


def _was_case(first: Mapping[str, int], rules: Mapping[str, MeasureRule]) -> bool | None:
    """True as soon as one score is at caseness; False only when every score is there and none is."""
    if any(measure in first and is_case(first[measure], rule) for measure, rule in rules.items()):
        return True
    return None if any(measure not in first for measure in rules) else False
