"""Who is talked about in supervision and why, and which letters are read together. Pure.

Sources: case management supervision in NHS Talking Therapies (the manual, *Supervision*; Turpin & Wheeler 2011,
IAPT Supervision Guidance; Richards & Whyte 2011, Reach Out, 3rd edition) picks people by rules and not by whom
the supporter happens to remember: risk, overdue, no contact, high scores, no improvement, ending, new. Reliable
change and caseness are those of the same manual. Numbers that are constants here are our own lines, within
what those texts ask for.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from icbt_support.enrolments.models import EnrolmentState
from icbt_support.measures.rules import Change, MeasureRule, is_case, reliable_change

REVIEWS_BEFORE_NOT_IMPROVING = 4
"""Four reviews are about a month: the interval at which everybody is looked at in case management."""
WEEKS_BEYOND_THE_PLAN = 4
NEW_DAYS = 14
LETTERS_A_MONTH = 2
LETTERS_A_MEETING = 1
LETTERS_LOOK_BACK_DAYS = 31
IN_TREATMENT = (EnrolmentState.ACTIVE, EnrolmentState.AWAY, EnrolmentState.PAUSED)
BEFORE_THE_START = (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)


class Reason(StrEnum):
    """Why somebody is on the list, in the order in which a meeting goes through it."""

    RISK_OPEN = "Risk open"
    RELIABLY_WORSE = "Reliably worse"
    REVIEW_OVERDUE = "Review overdue"
    NO_CONTACT = "No contact"
    STEP_UP = "Consider step up"
    NOT_IMPROVING = "Not improving"
    HIGH_AT_START = "High score at the start"
    EARLY_WARNING = "May not be benefiting yet"
    PLANNED_END = "Planned end"
    LONG_IN_TREATMENT = "Long in treatment"
    NEW = "New"


class SupervisionDecision(StrEnum):
    CONTINUE = "continue"
    ADAPT = "adapt"
    STEP_UP = "step_up"
    STEP_DOWN = "step_down"
    DISCHARGE = "discharge"
    REFER = "refer"


class FollowUp(StrEnum):
    """Whether what was decided happened, as the next meeting finds it."""

    HAPPENED = "happened"
    NOT_YET = "not_yet"
    DROPPED = "dropped"


class Mark(StrEnum):
    """What a reader of a letter saw of one behaviour: words, never numbers, and never added up."""

    SEEN = "seen"
    PARTLY = "partly"
    NOT_THIS_TIME = "not_this_time"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class MeasureCourse:
    """One measure's first and newest total.

    `severe_from` is where its highest band begins, `high_from` where a first total counts as high (None: nowhere).
    """

    title: str
    rule: MeasureRule
    severe_from: int
    first: int
    newest: int
    is_answered_again: bool = True
    high_from: int | None = None

    @property
    def change(self) -> Change:
        return reliable_change(self.first, self.newest, self.rule)

    @property
    def was_case(self) -> bool:
        return is_case(self.first, self.rule)

    @property
    def words(self) -> str:
        if not self.is_answered_again:
            return f"{self.title} {self.first} at the start, not answered since"
        return f"{self.title} {self.first} at the start, {self.newest} now"


@dataclass(frozen=True)
class PersonFacts:
    """What the rules look at. Texts are empty where there is nothing of the kind; days and weeks are whole."""

    state: EnrolmentState
    alert_words: str = ""
    overdue_days: int | None = None
    measures: Sequence[MeasureCourse] = ()
    reviews_sent: int = 0
    days_without_contact: int = 0
    no_contact_from_days: int = 14
    days_since_invited: int = 0
    not_begun_from_days: int = 8
    days_since_start: int | None = None
    planned_weeks: int = 0
    end_words: str = ""
    early_words: str = ""

    @property
    def is_in_treatment(self) -> bool:
        return self.state in IN_TREATMENT


@dataclass(frozen=True)
class ReasonSeen:
    reason: Reason
    words: str


def reasons_for(facts: PersonFacts) -> tuple[ReasonSeen, ...]:
    """Every reason that holds, in the order of `Reason`; nobody without one is on the list."""
    return tuple(
        ReasonSeen(reason, words) for reason, rule in _RULES.items() if (words := rule(facts)) is not None
    )


# The rules ----------------------------------------------------------------------------------------------------


def _risk_open(facts: PersonFacts) -> str | None:
    return facts.alert_words or None


def _reliably_worse(facts: PersonFacts) -> str | None:
    worse = [one for one in facts.measures if one.change is Change.WORSE]
    return _measure_words(worse) if worse and facts.is_in_treatment else None


def _review_overdue(facts: PersonFacts) -> str | None:
    if facts.overdue_days is None:
        return None
    return "due today" if facts.overdue_days == 0 else f"{_days(facts.overdue_days)} late"


def _no_contact(facts: PersonFacts) -> str | None:
    """Neither a visit nor a talk on the phone, in rhythm; or invited and not begun when a call is due."""
    if facts.state in BEFORE_THE_START and facts.days_since_invited >= facts.not_begun_from_days:
        return f"invited {_days(facts.days_since_invited)} ago, not begun"
    if facts.state is EnrolmentState.ACTIVE and facts.days_without_contact >= facts.no_contact_from_days:
        return f"no visit and no talk for {_days(facts.days_without_contact)}"
    return None


def _step_up(facts: PersonFacts) -> str | None:
    """Not improving after four reviews, and a score in the severe range or reliably worse."""
    if not _is_not_improving(facts):
        return None
    heavy = [one for one in facts.measures if one.newest >= one.severe_from or one.change is Change.WORSE]
    return f"{_reviews(facts)}; {_measure_words(heavy)}" if heavy else None


def _not_improving(facts: PersonFacts) -> str | None:
    if not _is_not_improving(facts):
        return None
    return f"{_reviews(facts)}; {_measure_words([one for one in facts.measures if one.was_case])}"


def _is_not_improving(facts: PersonFacts) -> bool:
    """At caseness at the start on something, and reliably better on nothing, after four reviews."""
    return (
        facts.is_in_treatment
        and facts.reviews_sent >= REVIEWS_BEFORE_NOT_IMPROVING
        and any(one.was_case for one in facts.measures)
        and not any(one.change is Change.BETTER for one in facts.measures)
    )


def _high_at_start(facts: PersonFacts) -> str | None:
    """A first total at or above the service's line for it, until it is reliably better."""
    high = [
        one
        for one in facts.measures
        if one.high_from is not None and one.first >= one.high_from and one.change is not Change.BETTER
    ]
    return _measure_words(high) if high and facts.is_in_treatment else None


def _early_warning(facts: PersonFacts) -> str | None:
    return facts.early_words or None


def _planned_end(facts: PersonFacts) -> str | None:
    return facts.end_words or None if facts.is_in_treatment else None


def _long_in_treatment(facts: PersonFacts) -> str | None:
    """Four weeks and more beyond what the programme takes at this person's pace."""
    if facts.days_since_start is None or not facts.is_in_treatment:
        return None
    weeks = facts.days_since_start // 7
    if weeks < facts.planned_weeks + WEEKS_BEYOND_THE_PLAN:
        return None
    return f"began {weeks} weeks ago, planned for {facts.planned_weeks} weeks"


def _new(facts: PersonFacts) -> str | None:
    if facts.state in BEFORE_THE_START and facts.days_since_invited < NEW_DAYS:
        return f"invited {_ago(facts.days_since_invited)}"
    if facts.is_in_treatment and facts.days_since_start is not None and facts.days_since_start < NEW_DAYS:
        return f"began {_ago(facts.days_since_start)}"
    return None


_RULES: dict[Reason, Callable[[PersonFacts], str | None]] = {
    Reason.RISK_OPEN: _risk_open,
    Reason.RELIABLY_WORSE: _reliably_worse,
    Reason.REVIEW_OVERDUE: _review_overdue,
    Reason.NO_CONTACT: _no_contact,
    Reason.STEP_UP: _step_up,
    Reason.NOT_IMPROVING: _not_improving,
    Reason.HIGH_AT_START: _high_at_start,
    Reason.EARLY_WARNING: _early_warning,
    Reason.PLANNED_END: _planned_end,
    Reason.LONG_IN_TREATMENT: _long_in_treatment,
    Reason.NEW: _new,
}


def _measure_words(measures: Sequence[MeasureCourse]) -> str:
    return "; ".join(one.words for one in measures)


def _reviews(facts: PersonFacts) -> str:
    return "1 review sent" if facts.reviews_sent == 1 else f"{facts.reviews_sent} reviews sent"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _ago(count: int) -> str:
    return "today" if count == 0 else f"{_days(count)} ago"


# Letters to read together -------------------------------------------------------------------------------------


def draw_letters(review_ids: Collection[int], *, seed: int, drawn_this_month: int) -> tuple[int, ...]:
    """At random, and the same whenever it is drawn again: one letter a meeting, two a month at most.

    The order is by a digest of the meeting's number and the letter's, so nobody can choose, and anybody can check.
    """
    count = min(LETTERS_A_MEETING, max(0, LETTERS_A_MONTH - drawn_this_month))
    ordered = sorted(
        review_ids, key=lambda review_id: hashlib.sha256(f"{seed}:{review_id}".encode()).hexdigest()
    )
    return tuple(ordered[:count])
