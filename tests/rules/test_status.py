"""One status for each person: every rule, its words and its action, and the order of the rules."""

from typing import Any

import pytest

from icbt_support.engagement.status import (
    NEEDS_A_LOOK,
    NextAction,
    PersonFacts,
    Status,
    score_change_words,
    status_of,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.rhythm.quiet import QuietTask

ACTIVE, INVITED = EnrolmentState.ACTIVE, EnrolmentState.INVITED
CALL, DECIDE = QuietTask.CALL, QuietTask.DECIDE


def facts(state: EnrolmentState = ACTIVE, **changes: Any) -> PersonFacts:
    return PersonFacts(state=state, **changes)


@pytest.mark.parametrize(
    ("person", "status", "reason", "action"),
    [
        (
            facts(alert_words="Item 9: several days"),
            Status.READ_FIRST,
            "Item 9: several days",
            NextAction.OPEN_ALERT,
        ),
        (facts(scores=(12, 18)), Status.SCORES_UP, "PHQ-9 up 6 since the start", NextAction.LOG_CALL),
        (
            facts(quiet_days=14, quiet_task=CALL),
            Status.QUIET,
            "not here for 14 days, no call yet",
            NextAction.LOG_CALL,
        ),
        (
            facts(quiet_days=15, quiet_task=CALL, calls_tried=1),
            Status.QUIET,
            "not here for 15 days, 1 call tried",
            NextAction.LOG_CALL,
        ),
        (
            facts(quiet_days=21, quiet_task=DECIDE, calls_tried=2),
            Status.QUIET,
            "not here for 21 days, 2 calls tried",
            NextAction.DECIDE_COURSE,
        ),
        (
            facts(INVITED, quiet_days=8, quiet_task=CALL),
            Status.NOT_STARTED,
            "invited 8 days ago, no call yet",
            NextAction.LOG_CALL,
        ),
        (
            facts(EnrolmentState.ONBOARDING, quiet_days=21, quiet_task=DECIDE),
            Status.NOT_STARTED,
            "invited 21 days ago",
            NextAction.DECIDE_INVITATION,
        ),
        (
            facts(review_late_words="since Wednesday 5pm"),
            Status.REVIEW_LATE,
            "since Wednesday 5pm",
            NextAction.HAND_OVER,
        ),
        (
            facts(message_late_words="a message unread since Monday 9am"),
            Status.MESSAGE_LATE,
            "a message unread since Monday 9am",
            NextAction.HAND_OVER,
        ),
        (facts(quiet_days=7), Status.SLIPPING, "not here for 7 days", NextAction.LOOK),
        (
            facts(quiet_days=15, was_reached=True, calls_tried=1),
            Status.CALLED,
            "not here for 15 days, spoken to since",
            NextAction.LOOK,
        ),
        (
            facts(INVITED, quiet_days=9, calls_tried=2),
            Status.CALLED,
            "invited 9 days ago, 2 calls tried",
            NextAction.LOOK,
        ),
        (facts(EnrolmentState.AWAY, quiet_days=30), Status.AWAY, "the patient said so", NextAction.LOOK),
        (
            facts(EnrolmentState.PAUSED, quiet_days=30),
            Status.PAUSED,
            "agreed with the supporter",
            NextAction.LOOK,
        ),
        (facts(INVITED), Status.STARTING, "invited today", NextAction.LOOK),
        (facts(INVITED, quiet_days=1), Status.STARTING, "invited 1 day ago", NextAction.LOOK),
        (
            facts(week_opened_words="week 4 opened without a review", scores=(9, 8)),
            Status.ON_PLAN,
            "week 4 opened without a review",
            NextAction.LOOK,
        ),
        (facts(scores=(9, 8), quiet_days=6), Status.ON_PLAN, "PHQ-9 down 1 since the start", NextAction.LOOK),
    ],
)
def test_every_rule_gives_a_reason_and_one_action(
    person: PersonFacts, status: Status, reason: str, action: NextAction
) -> None:
    found = status_of(person)
    assert (found.status, found.reason, found.action) == (status, reason, action)


def test_the_first_rule_that_holds_wins_in_the_order_of_the_statuses() -> None:
    everything: dict[str, Any] = {
        "alert_words": "Item 9: several days",
        "scores": (12, 20),
        "quiet_days": 22,
        "quiet_task": DECIDE,
        "review_late_words": "since Wednesday 5pm",
        "message_late_words": "a message unread since Monday 9am",
    }
    nothing = {
        "alert_words": "",
        "scores": (),
        "quiet_task": None,
        "review_late_words": "",
        "message_late_words": "",
    }
    found = [status_of(facts(**everything)).status]
    for name in ("alert_words", "scores", "quiet_task", "review_late_words", "message_late_words"):
        everything[name] = nothing[name]
        found.append(status_of(facts(**everything)).status)
    assert found == [
        Status.READ_FIRST,
        Status.SCORES_UP,
        Status.QUIET,
        Status.REVIEW_LATE,
        Status.MESSAGE_LATE,
        Status.SLIPPING,
    ]
    assert found == [status for status in Status if status in found]


@pytest.mark.parametrize("state", [EnrolmentState.AWAY, EnrolmentState.PAUSED, INVITED])
def test_a_late_review_is_seen_whatever_the_state(state: EnrolmentState) -> None:
    assert status_of(facts(state, review_late_words="welcome owed since Tuesday 5pm")).needs_a_look


def test_a_late_review_is_said_beside_what_comes_first() -> None:
    found = status_of(facts(alert_words="Item 9: several days", review_late_words="since Wednesday 5pm"))
    assert found.reason == "Item 9: several days. Also late: since Wednesday 5pm"


def test_away_people_are_not_slipping_and_their_old_scores_raise_nobody() -> None:
    assert not status_of(facts(EnrolmentState.AWAY, quiet_days=20, scores=(4, 14))).needs_a_look


def test_the_service_sets_from_which_day_somebody_is_slipping() -> None:
    assert status_of(facts(quiet_days=9, slipping_days=10)).status is Status.ON_PLAN
    assert status_of(facts(quiet_days=10, slipping_days=10)).status is Status.SLIPPING


def test_only_those_with_something_to_do_need_a_look() -> None:
    assert {status for status in Status if status not in NEEDS_A_LOOK} == {
        Status.CALLED,
        Status.AWAY,
        Status.PAUSED,
        Status.STARTING,
        Status.ON_PLAN,
    }


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((), "no PHQ-9 yet"),
        ((12,), "PHQ-9 answered once"),
        ((12, 14, 12), "PHQ-9 the same as at the start"),
        ((17, 12), "PHQ-9 down 5 since the start"),
        ((17, 11), "PHQ-9 down 6 since the start (a change of 6 or more)"),
        ((5, 8), "PHQ-9 up 3 since the start"),
    ],
)
def test_during_treatment_only_the_change_is_said(scores: tuple[int, ...], words: str) -> None:
    assert score_change_words(scores) == words
