"""Course outcomes by NHS definitions."""

import pytest

from icbt_support.measures.outcomes import CourseScores, Rate, outcome_of, rates_of
from icbt_support.measures.rules import MeasureRule

RULES = {"phq-9": MeasureRule(10, 6), "gad-7": MeasureRule(8, 4)}


def course(
    phq9: tuple[int, int], gad7: tuple[int, int], *, contacts: int = 2, has_ended: bool = True
) -> CourseScores:
    return CourseScores(
        {"phq-9": phq9[0], "gad-7": gad7[0]}, {"phq-9": phq9[1], "gad-7": gad7[1]}, has_ended, contacts
    )


@pytest.mark.parametrize(
    ("phq9", "gad7", "was_case", "recovered", "improved", "deteriorated"),
    [
        ((17, 8), (12, 6), True, True, True, False),
        ((17, 9), (12, 8), True, False, True, False),  # still a case on one
        ((9, 3), (7, 3), False, False, True, False),  # never a case: improves, cannot recover
        ((10, 9), (7, 7), True, True, False, False),  # recovers without reliable improvement
        ((17, 11), (8, 12), True, False, False, False),  # one better, one worse: neither
        ((11, 17), (8, 8), True, False, False, True),
        ((12, 12), (9, 9), True, False, False, False),
    ],
)
def test_outcomes(
    phq9: tuple[int, int],
    gad7: tuple[int, int],
    was_case: bool,
    recovered: bool,
    improved: bool,
    deteriorated: bool,
) -> None:
    outcome = outcome_of(course(phq9, gad7), RULES)
    assert (outcome.was_case, outcome.recovered) == (was_case, recovered)
    assert (outcome.reliably_improved, outcome.reliably_deteriorated) == (improved, deteriorated)
    assert outcome.reliably_recovered is (recovered and improved)


def test_completed_needs_an_end_and_two_confirmed_contacts() -> None:
    assert outcome_of(course((17, 8), (12, 6)), RULES).completed
    assert not outcome_of(course((17, 8), (12, 6), contacts=1), RULES).completed
    assert not outcome_of(course((17, 8), (12, 6), has_ended=False), RULES).completed


def test_a_missing_measure_has_no_outcome() -> None:
    outcome = outcome_of(CourseScores({"phq-9": 17}, {"phq-9": 8, "gad-7": 3}, True, 2), RULES)
    assert outcome.recovered is None
    assert outcome.completed


def test_recovery_divides_by_cases_improvement_by_completed() -> None:
    outcomes = [
        outcome_of(course((17, 8), (12, 6)), RULES),
        outcome_of(course((17, 16), (12, 12)), RULES),
        outcome_of(course((9, 3), (7, 3)), RULES),
        outcome_of(course((17, 8), (12, 6), contacts=1), RULES),
    ]
    rates = rates_of(outcomes)
    assert (rates.recovery.count, rates.recovery.total) == (1, 2)
    assert (rates.reliable_improvement.count, rates.reliable_improvement.total) == (2, 3)
    assert (rates.reliable_deterioration.count, rates.reliable_deterioration.total) == (0, 3)


def test_a_rate_has_its_interval_and_none_of_nothing() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval is None
    low, high = Rate(5, 10).interval or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.237, 0.763)
    low, high = Rate(10, 10).interval or (0, 0)
    assert round(low, 3) == 0.722
    assert high == pytest.approx(1)
