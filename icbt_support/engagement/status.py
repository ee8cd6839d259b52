"""One status for each person, always with its reason and one action: rules in the open, never a prediction.

Pure. The first rule that holds gives the status; `Status` stands in the same order, in which staff look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from icbt_support.enrolments.models import EnrolmentState
from icbt_support.rhythm.quiet import QuietTask

PHQ9_CHANGE = 6
"""Reliable change of the PHQ-9 in the NHS Talking Therapies manual."""
BEFORE_THE_START = (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)


class Status(StrEnum):
    READ_FIRST = "Read first"
    SCORES_UP = "Scores up"
    QUIET = "Quiet"
    NOT_STARTED = "Not started"
    REVIEW_LATE = "Review late"
    MESSAGE_LATE = "Message late"
    SLIPPING = "Slipping"
    CALLED = "Called"
    AWAY = "Away"
    PAUSED = "Paused"
    STARTING = "Starting"
    ON_PLAN = "On plan"


COLOURS = {
    Status.READ_FIRST: "red",
    Status.SCORES_UP: "red",
    Status.QUIET: "orange",
    Status.NOT_STARTED: "orange",
    Status.REVIEW_LATE: "yellow",
    Status.MESSAGE_LATE: "yellow",
    Status.SLIPPING: "orange",
}
NEEDS_A_LOOK = frozenset(COLOURS)


class NextAction(StrEnum):
    """The one action that goes with a status; the page knows where it leads."""

    OPEN_ALERT = "Open the alert"
    LOG_CALL = "Log a call"
    DECIDE_INVITATION = "Decide: close or invite again"
    DECIDE_COURSE = "Decide: close, pause or go on"
    HAND_OVER = "Hand over to a colleague"
    LOOK = "Look at the week"


@dataclass(frozen=True)
class PersonFacts:
    """What the rules look at.

    `quiet_days` counts from the invitation until the course begins, then from the last visit. Texts are empty
    where there is nothing of the kind.
    """

    state: EnrolmentState
    alert_words: str = ""
    scores: Sequence[int] = ()
    quiet_days: int = 0
    quiet_task: QuietTask | None = None
    calls_tried: int = 0
    was_reached: bool = False
    slipping_days: int = 7
    review_late_words: str = ""
    message_late_words: str = ""
    week_opened_words: str = ""

    @property
    def has_not_begun(self) -> bool:
        return self.state in BEFORE_THE_START

    @property
    def is_quiet(self) -> bool:
        return self.state is EnrolmentState.ACTIVE and self.quiet_days >= self.slipping_days


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


def status_of(facts: PersonFacts) -> PersonStatus:
    """The status of one person whose course is open; a late review is said beside whatever comes first."""
    found = next(found for rule in _RULES if (found := rule(facts)) is not None)
    if not facts.review_late_words or found.status is Status.REVIEW_LATE:
        return found
    return replace(found, reason=f"{found.reason}. Also late: {facts.review_late_words}")


# The rules, in their order --------------------------------------------------------------------------------


def _read_first(facts: PersonFacts) -> PersonStatus | None:
    if not facts.alert_words:
        return None
    return PersonStatus(Status.READ_FIRST, facts.alert_words, NextAction.OPEN_ALERT)


def _scores_up(facts: PersonFacts) -> PersonStatus | None:
    rise = facts.scores[-1] - facts.scores[0] if facts.scores else 0
    if rise < PHQ9_CHANGE or facts.state is not EnrolmentState.ACTIVE:
        return None
    return PersonStatus(Status.SCORES_UP, f"PHQ-9 up {rise} since the start", NextAction.LOG_CALL)


def _quiet(facts: PersonFacts) -> PersonStatus | None:
    if facts.quiet_task is None or facts.has_not_begun:
        return None
    is_decision = facts.quiet_task is QuietTask.DECIDE
    action = NextAction.DECIDE_COURSE if is_decision else NextAction.LOG_CALL
    return PersonStatus(Status.QUIET, _with_calls(_not_seen_words(facts), facts), action)


def _not_started(facts: PersonFacts) -> PersonStatus | None:
    if facts.quiet_task is None:
        return None
    is_decision = facts.quiet_task is QuietTask.DECIDE
    action = NextAction.DECIDE_INVITATION if is_decision else NextAction.LOG_CALL
    return PersonStatus(Status.NOT_STARTED, _with_calls(_invited_words(facts), facts), action)


def _review_late(facts: PersonFacts) -> PersonStatus | None:
    if not facts.review_late_words:
        return None
    return PersonStatus(Status.REVIEW_LATE, facts.review_late_words, NextAction.HAND_OVER)


def _message_late(facts: PersonFacts) -> PersonStatus | None:
    if not facts.message_late_words:
        return None
    return PersonStatus(Status.MESSAGE_LATE, facts.message_late_words, NextAction.HAND_OVER)


def _slipping(facts: PersonFacts) -> PersonStatus | None:
    if not facts.is_quiet or _was_called(facts):
        return None
    return PersonStatus(Status.SLIPPING, _not_seen_words(facts), NextAction.LOOK)


def _called(facts: PersonFacts) -> PersonStatus | None:
    if not _was_called(facts) or not (facts.is_quiet or facts.has_not_begun):
        return None
    words = _invited_words(facts) if facts.has_not_begun else _not_seen_words(facts)
    return PersonStatus(Status.CALLED, _with_calls(words, facts), NextAction.LOOK)


def _where_the_course_stands(facts: PersonFacts) -> PersonStatus | None:
    if facts.has_not_begun:
        return PersonStatus(Status.STARTING, _invited_words(facts), NextAction.LOOK)
    if facts.state is EnrolmentState.AWAY:
        return PersonStatus(Status.AWAY, "the patient said so", NextAction.LOOK)
    if facts.state is EnrolmentState.PAUSED:
        return PersonStatus(Status.PAUSED, "agreed with the supporter", NextAction.LOOK)
    words = facts.week_opened_words or score_change_words(facts.scores)
    return PersonStatus(Status.ON_PLAN, words, NextAction.LOOK)


_RULES: tuple[Callable[[PersonFacts], PersonStatus | None], ...] = (
    _read_first,
    _scores_up,
    _quiet,
    _not_started,
    _review_late,
    _message_late,
    _slipping,
    _called,
    _where_the_course_stands,
)


# Words ----------------------------------------------------------------------------------------------------


def _was_called(facts: PersonFacts) -> bool:
    return facts.was_reached or facts.calls_tried > 0


def _not_seen_words(facts: PersonFacts) -> str:
    return f"not here for {_days(facts.quiet_days)}"


def _invited_words(facts: PersonFacts) -> str:
    if facts.quiet_days == 0:
        return "invited today"
    return f"invited {_days(facts.quiet_days)} ago"


def _with_calls(words: str, facts: PersonFacts) -> str:
    if facts.was_reached:
        return f"{words}, spoken to since"
    if facts.calls_tried:
        return f"{words}, {facts.calls_tried} call{'' if facts.calls_tried == 1 else 's'} tried"
    return f"{words}, no call yet" if facts.quiet_task is QuietTask.CALL else words


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def score_change_words(scores: Sequence[int]) -> str:
    """During treatment only the change is said: "PHQ-9 down 6 since the start (a change of 6 or more)"."""
    if len(scores) < 2:
        return "PHQ-9 answered once" if scores else "no PHQ-9 yet"
    change = scores[-1] - scores[0]
    if change == 0:
        return "PHQ-9 the same as at the start"
    words = f"PHQ-9 {'up' if change > 0 else 'down'} {abs(change)} since the start"
    return f"{words} (a change of {PHQ9_CHANGE} or more)" if abs(change) >= PHQ9_CHANGE else words
