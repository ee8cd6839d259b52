"""Who may not be benefiting yet, by three facts of the record. Pure, advisory, and never a prediction.

Sources, and what was taken from them:

- Forsell et al. 2019, American Journal of Psychiatry 176(4), 315-323 (single-blind RCT of internet CBT for
  insomnia: 251 patients, 102 at risk randomised): those at risk were pointed out early and their support was
  adapted; odds ratio of failure 0.33 against standard support. Hence: point out early, and ask for an adaptation.
- Forsell et al. 2020, Journal of Consulting and Clinical Psychology 88(4), 311-321 (4,310 people in regular care,
  depression and anxiety): weekly scores alone tell something early, and more by each week. Hence: from week 3,
  scores first, and the words "not yet".
- Reliable change as in the NHS Talking Therapies manual. Half of it is our own line, from no study: a smaller
  fall than that is within the noise of the questionnaire.
- Adherence: in internet CBT a plan that is not followed and not signing in go with poorer outcome (correlation
  only). The numbers for both are our own, and a service's clinician may change them here.

None of these studies tested these three rules together. They point a person out to a person, who decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from icbt_support.measures.rules import Change, MeasureRule, is_case, reliable_change

FROM_WEEK = 3
"""Two reviews have been written by then, so there is something to adapt."""
LOOK_BACK_DAYS = 14
"""Plan items of the last two weeks count, and a course that began again is left alone for as long."""
SCORES_ARE_RECENT_DAYS = 21
FEWEST_ITEMS = 4
ONE_IN = 3
QUIET_DAYS = 14
"""After a decision: two weekly reviews, so that what was changed can show in two check-ins."""


class Sign(StrEnum):
    SCORES_NOT_MOVING = "scores_not_moving"
    PLAN_NOT_FOLLOWED = "plan_not_followed"
    NOT_HERE = "not_here"


class WarningChoice(StrEnum):
    """What a person decides: one of four ways to adapt, or to leave things as they are for now."""

    CALL = "call"
    SLOWER_PACE = "slower_pace"
    ANOTHER_MODULE = "another_module"
    SOMETHING_ELSE = "something_else"
    LEAVE = "leave"

    @property
    def is_adapting(self) -> bool:
        return self is not WarningChoice.LEAVE


SUGGESTED = {
    Sign.NOT_HERE: (WarningChoice.CALL,),
    Sign.PLAN_NOT_FOLLOWED: (WarningChoice.SLOWER_PACE, WarningChoice.CALL),
    Sign.SCORES_NOT_MOVING: (WarningChoice.ANOTHER_MODULE, WarningChoice.CALL),
}


@dataclass(frozen=True)
class ScorePair:
    """One measure's first and newest total; the newest is at least two weeks after the first, and recent."""

    title: str
    rule: MeasureRule
    first: int
    newest: int

    @property
    def least_fall(self) -> int:
        """Half of a reliable change, rounded up: 3 of the PHQ-9, 2 of the GAD-7."""
        return (self.rule.reliable_change + 1) // 2

    @property
    def is_falling(self) -> bool:
        return self.first - self.newest >= self.least_fall


@dataclass(frozen=True)
class EarlierDecision:
    """What somebody last decided: on which signs, and how many days ago."""

    signs: frozenset[Sign]
    days_ago: int


@dataclass(frozen=True)
class CourseFacts:
    """What the rules look at; `days_active` counts from the start of the course, or the last return to it."""

    week_number: int
    days_active: int
    scores: Sequence[ScorePair] = ()
    planned: int = 0
    done: int = 0
    days_not_here: int = 0
    not_here_from_days: int = 7
    decided: EarlierDecision | None = None


@dataclass(frozen=True)
class SignSeen:
    sign: Sign
    words: str


@dataclass(frozen=True)
class EarlyWarning:
    """A person who may not be benefiting yet: each sign with its fact, and what could be adapted."""

    seen: tuple[SignSeen, ...]

    @property
    def signs(self) -> frozenset[Sign]:
        return frozenset(one.sign for one in self.seen)

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(one.words for one in self.seen)

    @property
    def suggested(self) -> tuple[WarningChoice, ...]:
        return tuple(dict.fromkeys(choice for one in self.seen for choice in SUGGESTED[one.sign]))


def early_warning_of(facts: CourseFacts) -> EarlyWarning | None:
    """The signs that hold; None before week 3, in the first two weeks after a return, and while it is quiet.

    After a decision it is quiet for two weeks, unless a sign holds that was not there when it was decided.
    """
    if facts.week_number < FROM_WEEK or facts.days_active < LOOK_BACK_DAYS:
        return None
    seen = tuple(found for rule in _RULES if (found := rule(facts)) is not None)
    if not seen:
        return None
    warning = EarlyWarning(seen)
    decided = facts.decided
    if decided is not None and decided.days_ago < QUIET_DAYS and warning.signs <= decided.signs:
        return None
    return warning


def _scores_not_moving(facts: CourseFacts) -> SignSeen | None:
    """No measure that was at caseness at the start has fallen by half of a reliable change, or one is worse."""
    cases = [pair for pair in facts.scores if is_case(pair.first, pair.rule)]
    worse = [
        pair for pair in facts.scores if reliable_change(pair.first, pair.newest, pair.rule) is Change.WORSE
    ]
    is_still = bool(cases) and not any(pair.is_falling for pair in cases)
    if not is_still and not worse:
        return None
    shown = dict.fromkeys([*worse, *(cases if is_still else ())])
    words = "; ".join(f"{pair.title} {pair.first} at the start, {pair.newest} now" for pair in shown)
    return SignSeen(Sign.SCORES_NOT_MOVING, words)


def _plan_not_followed(facts: CourseFacts) -> SignSeen | None:
    """Fewer than one in three plan items done over two weeks, of at least four."""
    if facts.planned < FEWEST_ITEMS or facts.done * ONE_IN >= facts.planned:
        return None
    return SignSeen(
        Sign.PLAN_NOT_FOLLOWED, f"{facts.done} of {facts.planned} plan items done in the last two weeks"
    )


def _not_here(facts: CourseFacts) -> SignSeen | None:
    """No visit for as long as it takes until prompts stop: a number of the service, 7 days by default."""
    if facts.days_not_here < facts.not_here_from_days:
        return None
    return SignSeen(Sign.NOT_HERE, f"Not signed in for {facts.days_not_here} days")


_RULES: tuple[Callable[[CourseFacts], SignSeen | None], ...] = (
    _scores_not_moving,
    _plan_not_followed,
    _not_here,
)
