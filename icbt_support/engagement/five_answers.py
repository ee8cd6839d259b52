"""The five questions of a patient's home page, answered in every state.

What do I do this week? When? How long? Who reads it, and when? What happens if I don't? The finding behind
it: patients wanted more information "to structure how they use" the programme (Duffy et al. 2023).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment, OnboardingStep
from icbt_support.plan.models import ItemKind, PlanItem
from icbt_support.plan.queries import ItemNow
from icbt_support.plan.words import clock_words, day_words
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import Review
from icbt_support.rhythm.onboarding import step_now
from icbt_support.rhythm.week_items import check_in_choice

QUESTIONS = (
    "What do I do this week?",
    "When?",
    "How long?",
    "Who reads it, and when?",
    "What happens if I don't?",
)
TIMES_MINUTES = 5
ONBOARDING_MINUTES = 15
Answers = tuple[str, str, str, str, str]


class HomeState(StrEnum):
    ONBOARDING = "onboarding"
    BEFORE_START = "before_start"
    OPEN = "open"
    ALL_DONE = "all_done"
    BETWEEN_WEEKS = "between_weeks"
    AWAY = "away"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True)
class HomeFacts:
    """What the answers rest on, at `now`; `late` are the sentences that say that a review is late, and
    `booster_words` say who reads the check-in after the course.
    """

    enrolment: Enrolment
    state: HomeState
    items: tuple[ItemNow, ...]
    next_item: ItemNow | None
    check_in_opens_on: date | None
    next_review: Review | None
    welcome: Review | None
    late: tuple[str, ...]
    unread_author: str
    agreed_step: str
    is_booster_open: bool
    booster_words: str
    today: date
    now: datetime

    @property
    def supporter(self) -> str:
        return self.enrolment.supporter.called

    @property
    def named_writer(self) -> str:
        """Who writes next; empty while nobody has taken it by name."""
        return self.next_review.named_writer if self.next_review is not None else self.supporter

    @property
    def zone(self) -> str:
        return self.enrolment.patient.zone

    @property
    def programme(self) -> Programme:
        return find_programme(self.enrolment.programme_slug, self.enrolment.programme_version)


def answer_questions(facts: HomeFacts) -> tuple[tuple[str, str], ...]:
    """The five questions with the answers that are true now."""
    answers = {
        HomeState.ONBOARDING: _while_onboarding,
        HomeState.BEFORE_START: _before_the_start,
        HomeState.OPEN: _in_a_week,
        HomeState.ALL_DONE: _when_all_is_done,
        HomeState.BETWEEN_WEEKS: _between_weeks,
        HomeState.AWAY: _while_away,
        HomeState.PAUSED: _while_paused,
        HomeState.ENDED: _after_the_end,
    }[facts.state](facts)
    return tuple(zip(QUESTIONS, answers, strict=True))


# Each state -----------------------------------------------------------------------------------------------


def _while_onboarding(facts: HomeFacts) -> Answers:
    step = step_now(facts.enrolment)
    what = {
        OnboardingStep.CONSENT: "Say yes to the course, answer two questionnaires, and choose your times.",
        OnboardingStep.BASELINE: "Answer two short questionnaires, and choose your times.",
    }.get(step, "Choose the days and times that suit you.")
    minutes = TIMES_MINUTES if step is OnboardingStep.TIMES else ONBOARDING_MINUTES
    return (
        what,
        "Any time that suits you. Your place is kept.",
        f"About {minutes} minutes in all.",
        f"{facts.supporter} reads your answers before your first review. {_welcome(facts)}",
        f"{facts.supporter} gets in touch to ask how we can help. You can start when you are ready.",
    )


def _before_the_start(facts: HomeFacts) -> Answers:
    starts_on = facts.enrolment.starts_on
    if starts_on is None:
        when = f"{facts.supporter} will tell you here."
    elif starts_on <= facts.today:
        when = "It opens today."
    else:
        when = f"It opens {_on_day(starts_on, facts.today)}."
    first = facts.programme.modules[0]
    minutes = first.minutes + sum(practice.minutes for practice in first.practice)
    return (
        "Nothing yet. Your first week opens by itself.",
        when,
        f"About {minutes} minutes in the first week, in a few short sittings.",
        _who_and_when(facts),
        "Nothing is lost. Your plan waits for you.",
    )


def _in_a_week(facts: HomeFacts) -> Answers:
    left = [now.item for now in facts.items if now.is_planned]
    if facts.next_item is None:
        return _when_all_is_done(facts)
    item = facts.next_item.item
    more = f" {len(left)} things are left this week." if len(left) > 1 else ""
    total = f" {sum(one.minutes for one in left)} minutes for all that is left." if len(left) > 1 else ""
    first = f"Read what {facts.unread_author} wrote. Then: " if facts.unread_author else "Next: "
    return (
        f"{first}{item.title.rstrip('.')}.{more}",
        _when_to_do(item, facts.today),
        f"About {item.minutes} minutes.{total}",
        _who_and_when(facts),
        _if_not_done(facts),
    )


def _when_all_is_done(facts: HomeFacts) -> Answers:
    check_in = next((now.item for now in facts.items if now.is_planned), None)
    if check_in is not None and facts.check_in_opens_on is not None:
        return (
            "Everything is done for now. Your check-in comes next.",
            f"It opens {_on_day(facts.check_in_opens_on, facts.today)}. Practising again is welcome.",
            f"About {check_in.minutes} minutes for the check-in.",
            _who_and_when(facts),
            _if_not_done(facts),
        )
    return (
        "Everything in your plan is done. Practising again is welcome.",
        "Any time you like.",
        "As long as you like.",
        _who_and_when(facts),
        "Nothing. You have done what you planned.",
    )


def _between_weeks(facts: HomeFacts) -> Answers:
    writer = facts.named_writer
    return (
        "Nothing now. Your next week is not open yet.",
        f"It opens when {writer} has written to you." if writer else "It opens when your review has come.",
        "No minutes until then. Practising is welcome.",
        _who_and_when(facts),
        "Nothing is lost. Your plan waits for you.",
    )


def _while_away(facts: HomeFacts) -> Answers:
    until_on = facts.enrolment.away_until_on
    return (
        "Nothing. You are away.",
        f"Your plan goes on after {day_words(until_on)}."
        if until_on
        else "Your plan goes on when you are back.",
        "No minutes while you are away.",
        f"{_who_and_when(facts)} Get help now stays open all the time.",
        "Nothing happens. We start where you are.",
    )


def _while_paused(facts: HomeFacts) -> Answers:
    review = facts.next_review
    when = f"When you and {facts.supporter} agree to go on."
    if review is not None and not facts.late:
        on = _day(_local(review, facts).date(), facts.today)
        when = f"{review.writer_called} writes by {on}. Then you plan together how to go on."
    step = (
        f" If you like, there is what you agreed: {facts.agreed_step.rstrip('.')}."
        if facts.agreed_step
        else ""
    )
    return (
        f"Nothing. Your course is paused.{step}",
        when,
        "No minutes while it is paused.",
        _who_and_when(facts),
        "Nothing happens. Your place is kept.",
    )


def _after_the_end(facts: HomeFacts) -> Answers:
    if facts.is_booster_open:
        return (
            "Nothing is planned for you. If you like, answer a few questions about how you are.",
            "In the next days, whenever it suits you.",
            f"About {check_in_choice(facts.enrolment).minutes} minutes.",
            facts.booster_words,
            "Nothing happens. We ask only this once.",
        )
    last = f"Read what {facts.unread_author} wrote last. " if facts.unread_author else ""
    step = f"You agreed to go on with: {facts.agreed_step.rstrip('.')}." if facts.agreed_step else ""
    return (
        f"{last}Nothing is planned for you now. {step or 'Your tools and pages are yours to use.'}",
        "Whenever you like.",
        "As long as you like.",
        f"{facts.booster_words} For anything else, contact the service.".strip()
        if facts.booster_words
        else "Nobody reads this now that the course has ended. To get in touch, contact the service.",
        "Nothing happens. What you wrote stays here for you.",
    )


# Parts of answers -----------------------------------------------------------------------------------------


def _who_and_when(facts: HomeFacts) -> str:
    review = facts.next_review
    if facts.late:
        return f"{_reader(facts)} reads what you share. {' '.join(facts.late)}"
    if review is None:
        return f"{facts.supporter} reads what you share. The date of your next review comes here."
    local = _local(review, facts)
    on = _day(local.date(), facts.today)
    return f"{review.writer_called} reads what you share and writes by {on}, {clock_words(local)}."


def _reader(facts: HomeFacts) -> str:
    return facts.next_review.writer_called if facts.next_review is not None else facts.supporter


def _welcome(facts: HomeFacts) -> str:
    welcome = facts.welcome
    if welcome is None:
        return ""
    if not welcome.is_owed:
        return "A welcome waits for you in your messages."
    if welcome.is_late(facts.now):
        return "A welcome is not here yet. That is on us, not you."
    local = _local(welcome, facts)
    return f"A welcome comes by {_day(local.date(), facts.today)}, {clock_words(local)}."


def _if_not_done(facts: HomeFacts) -> str:
    is_nameless = bool(facts.late) or not facts.named_writer
    writes = "You still get your review." if is_nameless else f"{facts.named_writer} still writes."
    return f"{writes} Nothing is lost, and we start where you are."


def _when_to_do(item: PlanItem, today: date) -> str:
    at = f" at {clock_words(item.planned_time)}" if item.planned_time else ""
    if item.planned_on < today:
        return f"It was planned for {day_words(item.planned_on)}. Any time is fine, or move it."
    on = _day(item.planned_on, today)
    if item.kind is ItemKind.AGREED_STEP:
        return f"By {on}{at}. You can move it."
    return f"{on[:1].upper()}{on[1:]}{at}. You can move it."


def _on_day(on: date, today: date) -> str:
    words = _day(on, today)
    return words if words[0].islower() else f"on {words}"


def _day(on: date, today: date) -> str:
    """Thursday 26 November, with today and tomorrow said first."""
    if on == today:
        return f"today, {day_words(on)}"
    if on == today + timedelta(days=1):
        return f"tomorrow, {day_words(on)}"
    return day_words(on)


def _local(review: Review, facts: HomeFacts) -> datetime:
    return to_local(review.promised_at, facts.zone)
