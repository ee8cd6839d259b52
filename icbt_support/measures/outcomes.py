"""Course outcomes by NHS definitions. Pure; said only after a course has ended.

Source: NHS Talking Therapies for anxiety and depression manual, *Outcomes and data collection* (recovery,
reliable improvement, reliable deterioration, reliable recovery, completed treatment), for the PHQ-9 and GAD-7
recorded here. Not the service's national figures: those use its care record, anxiety-specific measures and
attended appointments. Intervals: Wilson (1927) score interval, 95%.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from icbt_support.measures.rules import Change, MeasureRule, is_case, reliable_change

CONTACTS_OF_COMPLETED_TREATMENT = 2
_Z = 1.959964


@dataclass(frozen=True)
class CourseScores:
    """First and last totals of each measure, and what decides whether the course counts as completed."""

    first: Mapping[str, int]
    last: Mapping[str, int]
    has_ended: bool
    treatment_contacts: int


@dataclass(frozen=True)
class CourseOutcome:
    """What one ended course was; None where a measure is missing at the start or at the end."""

    was_case: bool | None
    recovered: bool | None
    reliably_improved: bool | None
    reliably_deteriorated: bool | None
    reliably_recovered: bool | None
    completed: bool


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
        if not self.total:
            return None
        share, n = self.count / self.total, self.total
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class OutcomeRates:
    recovery: Rate
    reliable_improvement: Rate
    reliable_recovery: Rate
    reliable_deterioration: Rate


def is_completed(scores: CourseScores) -> bool:
    """Ended, with two or more treatment contacts that a clinician confirmed; sign-ins never count."""
    return scores.has_ended and scores.treatment_contacts >= CONTACTS_OF_COMPLETED_TREATMENT


def outcome_of(scores: CourseScores, rules: Mapping[str, MeasureRule]) -> CourseOutcome:
    """Recovery: at caseness on either measure at the start and on neither at the end.

    Reliable improvement: at least one measure reliably better and none reliably worse; deterioration is the
    mirror. Reliable recovery: both.
    """
    completed = is_completed(scores)
    if any(measure not in scores.first or measure not in scores.last for measure in rules):
        return CourseOutcome(None, None, None, None, None, completed)
    was_case = any(is_case(scores.first[measure], rule) for measure, rule in rules.items())
    is_case_now = any(is_case(scores.last[measure], rule) for measure, rule in rules.items())
    changes = {
        reliable_change(scores.first[measure], scores.last[measure], rule) for measure, rule in rules.items()
    }
    recovered = was_case and not is_case_now
    improved = Change.BETTER in changes and Change.WORSE not in changes
    deteriorated = Change.WORSE in changes and Change.BETTER not in changes
    return CourseOutcome(was_case, recovered, improved, deteriorated, recovered and improved, completed)


def rates_of(outcomes: Iterable[CourseOutcome]) -> OutcomeRates:
    """Recovery is divided by completed minus not at caseness; improvement and deterioration by completed."""
    completed = [one for one in outcomes if one.completed and one.was_case is not None]
    cases = [one for one in completed if one.was_case]
    return OutcomeRates(
        recovery=Rate(sum(bool(one.recovered) for one in cases), len(cases)),
        reliable_improvement=Rate(sum(bool(one.reliably_improved) for one in completed), len(completed)),
        reliable_recovery=Rate(sum(bool(one.reliably_recovered) for one in cases), len(cases)),
        reliable_deterioration=Rate(
            sum(bool(one.reliably_deteriorated) for one in completed), len(completed)
        ),
    )
