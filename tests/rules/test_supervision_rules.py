"""The list of supervision: every reason at its line, in its order; and letters drawn at random, but checkably."""

from dataclasses import replace
from typing import Any

import pytest

from icbt_support.enrolments.models import EnrolmentState
from icbt_support.measures.rules import MeasureRule
from icbt_support.reviews.behaviours import BEHAVIOUR_NAMES, TherapistBehaviour
from icbt_support.supervision.rules import MeasureCourse, PersonFacts, Reason, draw_letters, reasons_for

IN_RHYTHM = PersonFacts(EnrolmentState.ACTIVE, days_since_start=20, planned_weeks=7)
INVITED = PersonFacts(EnrolmentState.INVITED)


def phq9(first: int, newest: int) -> MeasureCourse:
    return MeasureCourse("PHQ-9", MeasureRule(10, 6), 20, first, newest, high_from=20)


def gad7(first: int, newest: int) -> MeasureCourse:
    return MeasureCourse("GAD-7", MeasureRule(8, 4), 15, first, newest)


def why(facts: PersonFacts = IN_RHYTHM, **changes: Any) -> list[tuple[Reason, str]]:
    return [(one.reason, one.words) for one in reasons_for(replace(facts, **changes))]


def test_somebody_in_rhythm_is_not_on_the_list():
    assert why(measures=(phq9(15, 12), gad7(9, 8)), reviews_sent=3) == []


@pytest.mark.parametrize(
    ("facts", "changes", "expected"),
    [
        (IN_RHYTHM, {"alert_words": "Item 9: several days"}, (Reason.RISK_OPEN, "Item 9: several days")),
        (
            IN_RHYTHM,
            {"measures": (phq9(8, 14),)},
            (Reason.RELIABLY_WORSE, "PHQ-9 8 at the start, 14 now"),
        ),
        (IN_RHYTHM, {"overdue_days": 0}, (Reason.REVIEW_OVERDUE, "due today")),
        (IN_RHYTHM, {"overdue_days": 1}, (Reason.REVIEW_OVERDUE, "1 day late")),
        (IN_RHYTHM, {"days_without_contact": 14}, (Reason.NO_CONTACT, "no visit and no talk for 14 days")),
        (INVITED, {"days_since_invited": 15}, (Reason.NO_CONTACT, "invited 15 days ago, not begun")),
        (
            IN_RHYTHM,
            {"measures": (phq9(15, 14),), "reviews_sent": 4},
            (Reason.NOT_IMPROVING, "4 reviews sent; PHQ-9 15 at the start, 14 now"),
        ),
        (
            IN_RHYTHM,
            {"measures": (phq9(20, 15),)},
            (Reason.HIGH_AT_START, "PHQ-9 20 at the start, 15 now"),
        ),
        (IN_RHYTHM, {"early_words": "Not signed in"}, (Reason.EARLY_WARNING, "Not signed in")),
        (
            IN_RHYTHM,
            {"end_words": "week 7 is on the last module"},
            (Reason.PLANNED_END, "week 7 is on the last module"),
        ),
        (
            IN_RHYTHM,
            {"days_since_start": 77},
            (Reason.LONG_IN_TREATMENT, "began 11 weeks ago, planned for 7 weeks"),
        ),
        (IN_RHYTHM, {"days_since_start": 0}, (Reason.NEW, "began today")),
        (INVITED, {"days_since_invited": 1}, (Reason.NEW, "invited 1 day ago")),
    ],
    ids=lambda value: value[0].name if isinstance(value, tuple) else "",
)
def test_each_reason_at_its_line(facts, changes, expected):
    assert why(facts, **changes) == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"days_without_contact": 13},
        {"measures": (phq9(15, 14),), "reviews_sent": 3},
        {"measures": (phq9(15, 14), gad7(12, 8)), "reviews_sent": 6},
        {"measures": (phq9(9, 9),), "reviews_sent": 6},
        {"measures": (phq9(22, 16),)},
        {"days_since_start": 76},
        {"days_since_start": 14},
    ],
)
def test_nothing_is_said_short_of_the_line(changes):
    assert why(**changes) == []


def test_a_step_up_is_to_be_considered_when_it_is_severe_or_worse_after_four_reviews():
    severe = why(measures=(phq9(18, 21), gad7(9, 9)), reviews_sent=5)
    assert severe[0] == (Reason.STEP_UP, "5 reviews sent; PHQ-9 18 at the start, 21 now")
    worse = why(measures=(phq9(11, 17),), reviews_sent=4)
    assert [reason for reason, _ in worse] == [Reason.RELIABLY_WORSE, Reason.STEP_UP, Reason.NOT_IMPROVING]


def test_a_score_that_was_answered_once_is_said_so():
    once = replace(phq9(22, 22), is_answered_again=False)
    assert why(measures=(once,)) == [(Reason.HIGH_AT_START, "PHQ-9 22 at the start, not answered since")]


def test_away_is_not_no_contact_and_before_the_start_there_are_no_scores_to_speak_of():
    assert why(state=EnrolmentState.AWAY, days_without_contact=30) == []
    assert why(INVITED, measures=(phq9(24, 24),), days_since_invited=14, not_begun_from_days=21) == []


def test_letters_are_drawn_at_random_and_the_same_whenever_they_are_drawn_again():
    ids = list(range(1, 41))
    drawn = {seed: draw_letters(ids, seed=seed, drawn_this_month=0) for seed in range(1, 60)}
    assert drawn == {seed: draw_letters(ids[::-1], seed=seed, drawn_this_month=0) for seed in drawn}
    assert len({one for letters in drawn.values() for one in letters}) > 20
    assert draw_letters(ids, seed=1, drawn_this_month=1) == drawn[1]
    assert draw_letters(ids, seed=1, drawn_this_month=2) == ()
    assert draw_letters([], seed=1, drawn_this_month=0) == ()


def test_the_nine_behaviours_have_their_names():
    assert len(BEHAVIOUR_NAMES) == len(TherapistBehaviour) == 9
