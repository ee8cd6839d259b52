"""Grades of item 9, read-first phrases, and who is told next."""

from datetime import UTC, datetime, timedelta

import pytest

from icbt_support.risk.models import Grade, SafetyAnswer
from icbt_support.risk.rules import (
    AssessedAnswer,
    GradeThresholds,
    grade,
    holds_read_first_phrase,
    minutes_to_acknowledge,
    next_to_tell,
)
from icbt_support.service.models import RhythmSettings

NOW = datetime(2026, 11, 18, 20, 20, tzinfo=UTC)
THRESHOLDS = GradeThresholds()


def graded(
    answer: int,
    before: int | None = None,
    safe: SafetyAnswer | None = None,
    assessed: int | None = None,
    days_ago: float = 7,
) -> Grade:
    assessment = AssessedAnswer(assessed, NOW - timedelta(days=days_ago)) if assessed is not None else None
    return grade(answer, before, safe, assessment, NOW, THRESHOLDS)


@pytest.mark.parametrize("before", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("assessed", [None, 1, 2, 3])
def test_nearly_every_day_is_always_urgent(before: int | None, assessed: int | None) -> None:
    assert graded(3, before, SafetyAnswer.YES, assessed) is Grade.URGENT


@pytest.mark.parametrize("safe", [SafetyAnswer.NO, SafetyAnswer.NOT_SURE])
@pytest.mark.parametrize(("answer", "before", "assessed"), [(1, 1, 3), (1, None, None), (2, 2, 2)])
def test_not_safe_or_not_sure_is_always_urgent(
    safe: SafetyAnswer, answer: int, before: int | None, assessed: int | None
) -> None:
    assert graded(answer, before, safe, assessed) is Grade.URGENT


@pytest.mark.parametrize(
    ("answer", "before", "assessed"),
    [
        (1, None, None),  # the first time
        (1, None, 1),  # the first time here, whatever was assessed before
        (1, 0, 1),  # a rise
        (2, 1, 3),  # a rise below what was assessed
        (2, 2, 2),  # a 2
        (2, 3, 3),  # a 2, although lower than before
        (1, 1, None),  # the same, but no clinician has assessed it
        (1, 2, None),  # lower, but no clinician has assessed it
        (1, 1, 0),  # assessed at a lower answer
    ],
)
def test_same_day(answer: int, before: int | None, assessed: int | None) -> None:
    assert graded(answer, before, SafetyAnswer.YES, assessed) is Grade.SAME_DAY


@pytest.mark.parametrize(("before", "assessed"), [(1, 1), (2, 2), (3, 1), (1, 3)])
def test_the_same_or_lower_since_an_assessment_is_known(before: int, assessed: int) -> None:
    assert graded(1, before, None, assessed) is Grade.KNOWN
    assert graded(1, before, SafetyAnswer.YES, assessed) is Grade.KNOWN


def test_known_lapses_after_four_weeks() -> None:
    assert graded(1, 1, None, 1, days_ago=27.9) is Grade.KNOWN
    assert graded(1, 1, None, 1, days_ago=28) is Grade.SAME_DAY


def test_the_services_own_number_of_days_counts() -> None:
    thresholds = GradeThresholds.of(RhythmSettings(known_lapses_days=7))
    assessment = AssessedAnswer(1, NOW - timedelta(days=8))
    assert grade(1, 1, None, assessment, NOW, thresholds) is Grade.SAME_DAY


def test_an_answer_of_0_has_no_grade() -> None:
    with pytest.raises(ValueError, match="above 0"):
        graded(0)


def test_only_urgent_and_same_day_have_a_clock() -> None:
    settings = RhythmSettings()
    assert minutes_to_acknowledge(Grade.URGENT, settings) == settings.acknowledge_urgent_minutes
    assert minutes_to_acknowledge(Grade.SAME_DAY, settings) == settings.acknowledge_same_day_minutes
    assert minutes_to_acknowledge(Grade.KNOWN, settings) is None


def test_the_next_on_duty_is_told_then_everybody_again_and_again() -> None:
    assert next_to_tell([1, 2], [1, 2, 3], told=[1]) == [2]
    assert next_to_tell([1, 2], [1, 2, 3], told=[1, 2]) == [1, 2, 3]
    assert next_to_tell([1, 2], [1, 2, 3], told=[1, 2, 3, 1, 2, 3]) == [1, 2, 3]
    assert next_to_tell([], [4, 5], told=[]) == [4, 5]


@pytest.mark.parametrize(
    ("words", "is_held"),
    [
        ("Some days I want to die.", True),
        ("some days I  WANT\nto Die", True),
        ("I can’t go on like this", True),
        ("I cant go on", True),
        ("I can`t go on", True),
        ("“Want to die,” I thought", True),
        ("Thoughts of self harm again", True),
        ("I want to dive", False),
        ("I want. To die-hard fans, hello", True),
        ("The deadline is near", False),
        ("", False),
    ],
)
def test_read_first_phrases_are_whole_words_in_any_case(words: str, is_held: bool) -> None:
    assert holds_read_first_phrase(words, ["want to die", "can't go on", "Self-harm", " ", "…"]) is is_held
