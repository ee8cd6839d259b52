"""Who may not be benefiting yet: each sign at its line, when it is said, and how long it is quiet."""

from dataclasses import replace

import pytest

from icbt_support.early_warning.rules import (
    CourseFacts,
    EarlierDecision,
    ScorePair,
    Sign,
    WarningChoice,
    early_warning_of,
)
from icbt_support.measures.rules import MeasureRule

PHQ9, GAD7 = MeasureRule(10, 6), MeasureRule(8, 4)
WEEK_3 = CourseFacts(week_number=3, days_active=14)


def phq9(first: int, newest: int) -> ScorePair:
    return ScorePair("PHQ-9", PHQ9, first, newest)


def gad7(first: int, newest: int) -> ScorePair:
    return ScorePair("GAD-7", GAD7, first, newest)


def said(facts: CourseFacts) -> tuple[str, ...]:
    warning = early_warning_of(facts)
    return warning.facts if warning is not None else ()


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((phq9(16, 14),), ("PHQ-9 16 at the start, 14 now",)),
        ((phq9(16, 13),), ()),
        ((gad7(12, 11),), ("GAD-7 12 at the start, 11 now",)),
        ((gad7(12, 10),), ()),
        ((phq9(16, 16), gad7(12, 10)), ()),
        ((phq9(9, 9),), ()),
        ((phq9(4, 10), gad7(12, 4)), ("PHQ-9 4 at the start, 10 now",)),
        ((phq9(16, 16), gad7(12, 11)), ("PHQ-9 16 at the start, 16 now; GAD-7 12 at the start, 11 now",)),
        ((), ()),
    ],
)
def test_scores_are_not_moving_below_half_of_a_reliable_change(scores, words):
    assert said(replace(WEEK_3, scores=scores)) == words


@pytest.mark.parametrize(("planned", "done", "is_said"), [(3, 0, False), (4, 1, True), (6, 2, False)])
def test_a_plan_is_not_followed_when_fewer_than_one_in_three_of_four_or_more_is_done(planned, done, is_said):
    words = (f"{done} of {planned} plan items done in the last two weeks",) if is_said else ()
    assert said(replace(WEEK_3, planned=planned, done=done)) == words


def test_not_here_begins_at_the_number_of_the_service():
    assert said(replace(WEEK_3, days_not_here=6)) == ()
    assert said(replace(WEEK_3, days_not_here=7)) == ("Not signed in for 7 days",)
    assert said(replace(WEEK_3, days_not_here=9, not_here_from_days=10)) == ()


def test_nothing_is_said_before_week_3_nor_in_the_first_two_weeks_after_a_return():
    facts = replace(WEEK_3, days_not_here=20)
    assert said(replace(facts, week_number=2)) == ()
    assert said(replace(facts, days_active=13)) == ()


def test_after_a_decision_it_is_quiet_for_two_weeks_and_back_at_once_for_a_new_sign():
    facts = replace(WEEK_3, days_not_here=9, decided=EarlierDecision(frozenset({Sign.NOT_HERE}), 13))
    assert said(facts) == ()
    assert said(replace(facts, scores=(phq9(16, 16),))) == (
        "PHQ-9 16 at the start, 16 now",
        "Not signed in for 9 days",
    )
    assert said(replace(facts, decided=EarlierDecision(frozenset({Sign.NOT_HERE}), 14))) != ()


def test_each_sign_suggests_its_own_way_to_adapt_and_none_twice():
    warning = early_warning_of(replace(WEEK_3, days_not_here=9, planned=9, done=1, scores=(phq9(16, 16),)))
    assert warning is not None
    assert warning.suggested == (
        WarningChoice.ANOTHER_MODULE,
        WarningChoice.CALL,
        WarningChoice.SLOWER_PACE,
    )
