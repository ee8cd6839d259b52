"""One status for each person, always with its reason and one action: rules in the open, never a prediction. Pure.

The first rule that holds gives the status, so the list below is the order in which staff are asked to look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from icbt_support.enrolments.models import EnrolmentState

DAYS_SLIPPING = 7
DAYS_QUIET = 14
PHQ9_CHANGE = 6
"""Reliable change of the PHQ-9 in the NHS Talking Therapies manual."""


class Status(StrEnum):
    READ_FIRST = "Read first"
    SCORES_UP = "Scores up"
    QUIET = "Quiet"
    REVIEW_LATE = "Review late"
    SLIPPING = "Slipping"
    NOT_STARTED = "Not started"
    AWAY = "Away"
    PAUSED = "Paused"
    STARTING = "Starting"
    ON_PLAN = "On plan"


NEEDS_A_LOOK = (
    Status.READ_FIRST,
    Status.SCORES_UP,
    Status.QUIET,
    Status.REVIEW_LATE,
    Status.SLIPPING,
    Status.NOT_STARTED,
)
COLOURS = {
    Status.READ_FIRST: "red",
    Status.SCORES_UP: "red",
    Status.QUIET: "orange",
    Status.SLIPPING: "orange",
    Status.REVIEW_LATE: "yellow",
    Status.NOT_STARTED: "yellow",
}


class NextAction(StrEnum):
    """The one action that goes with a status; the page knows where it leads."""

    OPEN_ALERT = "Open the alert"
    BOOK_CALL = "Book a call"
    ASK_TO_CALL = "Ask {supporter} to call"
    MOVE_TO_COVER = "Move to cover"
    DECIDE = "Decide what next"
    LOOK = "Look at the week"


@dataclass(frozen=True)
class PersonFacts:
    """What the rules look at. `last_visit_days` is None for somebody who never signed in."""

    state: EnrolmentState
    alert_words: str
    scores: Sequence[int]
    last_visit_days: int | None
    days_since_invited: int
    late_since: datetime | None
    late_words: str


@dataclass(frozen=True)
class PersonStatus:
    status: Status
    reason: str
    action: NextAction

    @property
    def needs_a_look(self) -> bool:
        return self.status in NEEDS_A_LOOK

    @property
    def colour(self) -> str:
        return COLOURS.get(self.status, "white")


def status_of(facts: PersonFacts, *, never_started_call_day: int) -> PersonStatus:
    """The status of one person whose course is open."""
    if facts.alert_words:
        return PersonStatus(Status.READ_FIRST, facts.alert_words, NextAction.OPEN_ALERT)
    if facts.state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING):
        return _before_the_start(facts, never_started_call_day)
    if facts.state is EnrolmentState.AWAY:
        return PersonStatus(Status.AWAY, "the patient said so", NextAction.LOOK)
    if facts.state is EnrolmentState.PAUSED:
        return PersonStatus(Status.PAUSED, "agreed with the supporter", NextAction.LOOK)
    rise = facts.scores[-1] - facts.scores[0] if facts.scores else 0
    if rise >= PHQ9_CHANGE:
        return PersonStatus(Status.SCORES_UP, f"PHQ-9 up {rise} since the start", NextAction.BOOK_CALL)
    days = facts.last_visit_days
    if days is not None and days >= DAYS_QUIET:
        return PersonStatus(Status.QUIET, f"no sign-in for {days} days", NextAction.ASK_TO_CALL)
    if facts.late_since is not None:
        return PersonStatus(Status.REVIEW_LATE, facts.late_words, NextAction.MOVE_TO_COVER)
    if days is not None and days >= DAYS_SLIPPING:
        return PersonStatus(Status.SLIPPING, f"no sign-in for {days} days", NextAction.ASK_TO_CALL)
    return PersonStatus(Status.ON_PLAN, score_change_words(facts.scores), NextAction.LOOK)


def _before_the_start(facts: PersonFacts, never_started_call_day: int) -> PersonStatus:
    days = facts.days_since_invited
    if days >= never_started_call_day:
        return PersonStatus(Status.NOT_STARTED, f"invited {days} days ago", NextAction.DECIDE)
    ago = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    return PersonStatus(Status.STARTING, f"invited {ago}", NextAction.LOOK)


def score_change_words(scores: Sequence[int]) -> str:
    """During treatment only the change is said: "PHQ-9 down 6 since the start (a change of 6 or more)"."""
    if len(scores) < 2:
        return "PHQ-9 answered once" if scores else "no PHQ-9 yet"
    change = scores[-1] - scores[0]
    if change == 0:
        return "PHQ-9 the same as at the start"
    words = f"PHQ-9 {'up' if change > 0 else 'down'} {abs(change)} since the start"
    return f"{words} (a change of {PHQ9_CHANGE} or more)" if abs(change) >= PHQ9_CHANGE else words
