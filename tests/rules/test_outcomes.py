"""Course outcomes by NHS definitions, worked by hand; Wilson's interval against scipy."""

import pytest
from scipy.stats import binomtest

from icbt_support.measures.outcomes import (
    DEFINITIONS,
    NHS_RULES,
    CourseOutcome,
    CourseScores,
    Outcome,
    OutcomeRates,
    Rate,
    outcome_of,
    rates_of,
)
from icbt_support.measures.small_numbers import without_small_counts, without_small_rates
from icbt_support.programme.library import load_library, programmes


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
        ((10, 9), (7, 7), True, True, False, False),  # at caseness on one only; not reliably improved
        ((9, 9), (8, 7), True, True, False, False),  # at caseness on the other only
        ((9, 12), (7, 9), False, False, False, False),  # a case at the end alone
        ((17, 11), (8, 12), True, False, False, False),  # one better, one worse: neither
        ((11, 17), (8, 8), True, False, False, True),
        ((16, 10), (8, 8), True, False, True, False),  # exactly 6 is reliable
        ((15, 10), (8, 8), True, False, False, False),  # 5 is not
        ((9, 9), (7, 11), False, False, False, True),  # exactly 4 on the GAD-7 is reliable
        ((9, 9), (7, 10), False, False, False, False),
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
    outcome = outcome_of(course(phq9, gad7))
    assert (outcome.was_case, outcome.recovered) == (was_case, recovered)
    assert (outcome.reliably_improved, outcome.reliably_deteriorated) == (improved, deteriorated)
    assert outcome.reliably_recovered is (recovered and improved)


def test_the_numbers_of_the_measures_files_are_those_of_the_definitions() -> None:
    load_library()
    for programme in programmes().values():
        for slug, rule in NHS_RULES.items():
            measure = programme.measures[slug]
            assert (measure.caseness, measure.reliable_change) == (rule.caseness, rule.reliable_change)


def test_completed_needs_an_end_and_two_confirmed_contacts() -> None:
    assert outcome_of(course((17, 8), (12, 6))).completed
    assert not outcome_of(course((17, 8), (12, 6), contacts=1)).completed
    assert not outcome_of(course((17, 8), (12, 6), has_ended=False)).completed


@pytest.mark.parametrize(
    ("first", "last", "was_case"),
    [
        ({"phq-9": 17, "gad-7": 12}, {"phq-9": 8}, True),  # a score missing at the end
        ({"phq-9": 17, "gad-7": 12}, {}, True),  # baseline only
        ({"phq-9": 17}, {"phq-9": 8, "gad-7": 3}, True),  # at caseness on the one that is there
        ({"phq-9": 9}, {"phq-9": 8, "gad-7": 3}, None),  # cannot be said not to be at caseness
        ({"phq-9": 9, "gad-7": 7}, {"phq-9": 8}, False),
        ({}, {}, None),
    ],
)
def test_with_a_score_missing_only_caseness_may_still_be_said(
    first: dict[str, int], last: dict[str, int], was_case: bool | None
) -> None:
    outcome = outcome_of(CourseScores(first, last, True, 2))
    assert outcome.was_case is was_case
    assert (outcome.recovered, outcome.reliably_improved, outcome.reliably_deteriorated) == (None, None, None)
    assert outcome.completed
    assert not outcome.has_every_score


def test_recovery_divides_by_completed_without_those_not_at_caseness() -> None:
    rates = rates_of(
        [
            outcome_of(course((17, 8), (12, 6))),
            outcome_of(course((17, 16), (12, 12))),
            outcome_of(course((9, 3), (7, 3))),  # not at caseness: in improvement only
            outcome_of(CourseScores({"phq-9": 17, "gad-7": 12}, {}, True, 2)),  # missing: stays in both
            outcome_of(CourseScores({"phq-9": 3, "gad-7": 2}, {}, True, 2)),  # not at caseness, missing
            outcome_of(CourseScores({}, {"phq-9": 3, "gad-7": 2}, True, 2)),  # unknown at the start
            outcome_of(course((17, 8), (12, 6), contacts=1)),  # in none
        ]
    )
    by = {outcome: (rate.count, rate.total) for outcome, rate in rates.by_outcome.items()}
    assert by == {
        Outcome.AT_CASENESS: (3, 6),
        Outcome.RECOVERY: (1, 4),
        Outcome.RELIABLE_IMPROVEMENT: (2, 6),
        Outcome.RELIABLE_RECOVERY: (1, 4),
        Outcome.RELIABLE_DETERIORATION: (0, 6),
    }
    assert (rates.completed, rates.with_missing_scores) == (6, 3)
    assert set(DEFINITIONS) == set(Outcome)


def test_wilson_is_scipys_wilson() -> None:
    for total in (1, 2, 3, 4, 5, 19, 20, 40, 333, 50_000):
        for count in {0, 1, total // 3, total // 2, total - 1, total}:
            low, high = Rate(count, total).interval or (0.0, 0.0)
            theirs = binomtest(count, total).proportion_ci(0.95, method="wilson")
            assert (low, high) == (pytest.approx(theirs.low, abs=1e-6), pytest.approx(theirs.high, abs=1e-6))
            assert 0 <= low <= count / total <= high <= 1


def test_nobody_has_no_rate() -> None:
    assert (Rate(0, 0).share, Rate(0, 0).interval) == (None, None)
    assert rates_of([]).recovery == Rate(0, 0)


def rates(count: int, total: int, completed: int) -> OutcomeRates:
    return OutcomeRates(completed, completed, dict.fromkeys(Outcome, Rate(count, total)))


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([12, 30, 8], [12, 30, 8]),
        ([12, 30, 4], [None, 30, None]),  # the total less 42 is 4
        ([3, 30, 4], [None, 30, None]),
        ([1, 30, 0, 9], [None, 30, None, None]),  # together they would be 1
        ([0, 30, 0], [None, None, None]),  # together they would be nobody
        ([4, 30, 4, 20], [None, 30, None, None]),  # eight in two groups under 5 are two fours
        ([4, 1], [None, None]),
        ([5], [5]),
        ([4], [None]),
        ([], []),
    ],
)
def test_small_numbers_are_hidden_and_cannot_be_worked_out(
    counts: list[int], shown: list[int | None]
) -> None:
    assert without_small_counts(counts) == shown


@pytest.mark.parametrize(
    ("count", "total", "completed", "is_shown"),
    [
        (5, 10, 10, True),
        (4, 10, 10, False),
        (6, 10, 10, False),  # four are left
        (0, 0, 0, False),
        (20, 40, 42, False),  # two were left out of the group
        (20, 40, 45, True),
    ],
)
def test_a_small_rate_is_hidden(count: int, total: int, completed: int, is_shown: bool) -> None:
    [shown] = without_small_rates([rates(count, total, completed)])
    assert set(shown.values()) == ({Rate(count, total)} if is_shown else {None})


CASE, WORSE = Outcome.AT_CASENESS, Outcome.RELIABLE_DETERIORATION
RELIABLY = Outcome.RELIABLE_RECOVERY


@pytest.mark.parametrize(
    ("case", "recovered", "improved", "reliably", "worse", "missing", "hidden"),
    [
        (45, 30, 32, 20, 8, 5, set()),
        (45, 23, 32, 20, 8, 5, {RELIABLY}),  # 3 recovered, and not reliably
        (45, 30, 22, 17, 28, 7, {WORSE}),  # of the 10 others 3 have every score
        (45, 30, 48, 20, 9, 0, {WORSE}),  # 3 of 60 did not change reliably
        (45, 41, 46, 35, 7, 0, {CASE}),  # 4 at caseness did not recover
        (48, 30, 32, 20, 8, 5, {CASE}),  # of 2 it is not known whether they were at caseness
        (45, 30, 24, 20, 8, 5, {RELIABLY}),  # 4 improved, and did not recover
    ],
)
def test_the_numbers_of_two_rates_do_not_tell_few_people_apart(
    case: int, recovered: int, improved: int, reliably: int, worse: int, missing: int, hidden: set[Outcome]
) -> None:
    """Of 60 who completed, 10 were not at caseness at the start."""
    numbers = ((case, 60), (recovered, 50), (improved, 60), (reliably, 50), (worse, 60))
    given = {outcome: Rate(*pair) for outcome, pair in zip(Outcome, numbers, strict=True)}
    [shown] = without_small_rates([OutcomeRates(60, 60 - missing, given)])
    assert {outcome for outcome, rate in shown.items() if rate is None} == hidden


def row(case: int, recovered: int, improved: int, reliably: int, worse: int) -> OutcomeRates:
    """Of 60 who completed, 10 were not at caseness at the start, and nobody has a score missing."""
    numbers = ((case, 60), (recovered, 50), (improved, 60), (reliably, 50), (worse, 60))
    return OutcomeRates(
        60, 60, {outcome: Rate(*pair) for outcome, pair in zip(Outcome, numbers, strict=True)}
    )


def test_rows_hidden_together_do_not_tell_few_people_apart() -> None:
    """In each hidden row 4 recovered and 3 reliably: the numbers of everybody would leave 8 and 6."""
    hidden = [row(50, 4, 20, 3, 8), row(50, 4, 20, 3, 8)]
    shown = [row(50, 30, 40, 20, 8), row(50, 35, 45, 20, 8)]
    printed = without_small_rates([*hidden, *shown])
    together = [
        place for place in range(4) if None in (printed[place][Outcome.RECOVERY], printed[place][RELIABLY])
    ]
    rows = [*hidden, *shown]
    between = sum(rows[place].recovery.count - rows[place].reliable_recovery.count for place in together)
    assert between >= 5
    assert printed[3][Outcome.RECOVERY] == Rate(35, 50)


def test_a_single_hidden_row_takes_the_smallest_other_with_it() -> None:
    rows = without_small_rates([rates(2, 30, 30), rates(20, 60, 60), rates(20, 50, 50)])
    assert [row[Outcome.RECOVERY] is None for row in rows] == [True, False, True]


def test_hidden_rows_do_not_make_a_small_number_together() -> None:
    rows = without_small_rates([rates(3, 30, 30), rates(0, 20, 20), rates(25, 50, 50), rates(60, 120, 120)])
    assert [row[Outcome.RECOVERY] is None for row in rows] == [True, True, True, False]


def test_a_rate_does_not_say_again_how_many_completed_where_that_is_hidden() -> None:
    """3 completed, and 40 are hidden with them: "20 of 40" would give both away."""
    small, medium, large = rates(3, 3, 3), rates(20, 40, 40), rates(2, 50, 50)
    assert without_small_counts([3, 40, 50]) == [None, None, 50]
    assert without_small_rates([small, medium, large])[1][Outcome.RECOVERY] is None


def test_an_outcome_is_told_apart_by_what_it_is_not_by_its_numbers() -> None:
    one, other = outcome_of(course((17, 8), (12, 6))), outcome_of(course((17, 8), (12, 6)))
    assert isinstance(one, CourseOutcome)
    assert rates_of([one, one, other]).recovery == Rate(3, 3)
