"""Totals, change and the words for them."""

import pytest

from icbt_support.measures.rules import (
    Change,
    IncompleteForm,
    MeasureRule,
    change_words,
    is_case,
    reliable_change,
    score_words,
    total_of,
)

PHQ9 = MeasureRule(caseness=10, reliable_change=6)
GAD7 = MeasureRule(caseness=8, reliable_change=4)


def test_a_total_is_the_sum_of_exactly_the_known_items() -> None:
    assert total_of(dict.fromkeys(range(1, 10), 3), 9) == 27
    assert total_of({**dict.fromkeys(range(1, 10), 1), 10: 3}, 9) == 9


def test_an_incomplete_form_has_no_total() -> None:
    with pytest.raises(IncompleteForm) as refusal:
        total_of({1: 0, 3: 2}, 4)
    assert refusal.value.missing == (2, 4)


@pytest.mark.parametrize(
    ("total", "rule", "expected"), [(9, PHQ9, False), (10, PHQ9, True), (7, GAD7, False), (8, GAD7, True)]
)
def test_caseness(total: int, rule: MeasureRule, expected: bool) -> None:
    assert is_case(total, rule) is expected


@pytest.mark.parametrize(
    ("first", "last", "rule", "expected"),
    [
        (17, 11, PHQ9, Change.BETTER),
        (17, 12, PHQ9, Change.NOT_RELIABLE),
        (11, 17, PHQ9, Change.WORSE),
        (11, 16, PHQ9, Change.NOT_RELIABLE),
        (12, 8, GAD7, Change.BETTER),
        (12, 9, GAD7, Change.NOT_RELIABLE),
        (8, 12, GAD7, Change.WORSE),
    ],
)
def test_reliable_change(first: int, last: int, rule: MeasureRule, expected: Change) -> None:
    assert reliable_change(first, last, rule) is expected


def test_words_about_the_score_never_about_the_person() -> None:
    assert score_words(11, 27, "moderate") == "11 out of 27. This is in the moderate range"


def test_words_about_change_during_treatment() -> None:
    assert change_words("PHQ-9", 17, 11, PHQ9) == "PHQ-9 down 6 since the start (a change of 6 or more)"
    assert change_words("PHQ-9", 11, 18, PHQ9) == "PHQ-9 up 7 since the start (a change of 6 or more)"
    assert change_words("PHQ-9", 17, 14, PHQ9) == "PHQ-9 down 3 since the start"
    assert change_words("GAD-7", 9, 9, GAD7) == "GAD-7 the same as at the start"
