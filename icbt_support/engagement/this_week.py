"""What a patient's home page says: one model for every state, with the five questions answered in each.

What do I do this week? When? How long? Who reads it, and when? What happens if I don't? The finding behind it:
patients wanted more information "to structure how they use" the programme (Duffy et al. 2023).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep
from icbt_support.enrolments.queries import local_today
from icbt_support.plan.models import ItemKind, ItemState, Week
from icbt_support.plan.queries import ItemNow, items_with_state, open_week_of
from icbt_support.plan.rules import check_in_opens_on
from icbt_support.plan.strip import StripModel
from icbt_support.plan.words import clock_words, day_words
from icbt_support.programme.library import find_programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.rhythm.lateness import lateness_of
from icbt_support.rhythm.strips import strip_of_week

QUESTIONS = (
    "What do I do this week?",
    "When?",
    "How long?",
    "Who reads it, and when?",
    "What happens if I don't?",
)
SHORT_EXCERPT = 90
LEDGER_DAYS = 7


class HomeState(StrEnum):
    ONBOARDING = "onboarding"
    BEFORE_START = "before_start"
    OPEN = "open"
    ALL_DONE = "all_done"
    AWAY = "away"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True)
class UnreadReview:
    review_id: int
    author: str
    initials: str
    sent_at: datetime
    excerpt: str


@dataclass(frozen=True)
class RemindersLine:
    """The last seven days: emails sent and held back, why, and when the next one comes (local)."""

    sent: int
    held_back: int
    reason: str
    next_at: datetime | None

    @property
    def words(self) -> str:
        if not self.sent and not self.held_back:
            return "Reminders: none in the last 7 days"
        held = f", {self.held_back} held back" if self.held_back else ""
        return f"Reminders: {self.sent} sent{held}{f' {self.reason}' if self.held_back and self.reason else ''}"


@dataclass(frozen=True)
class ThisWeek:
    state: HomeState
    kicker: str
    title: str
    lede: str
    strip: StripModel | None
    week: Week | None
    items: tuple[ItemNow, ...]
    next_item: ItemNow | None
    unread: UnreadReview | None
    next_review: Review | None
    next_review_at: datetime | None
    late: tuple[str, ...]
    reminders: RemindersLine
    check_in_opens_on: date | None
    answers: tuple[tuple[str, str], ...]
    today: date


def this_week(enrolment: Enrolment, *, now: datetime) -> ThisWeek:
    """Everything that the home page of this patient shows at `now`, in the patient's zone."""
    today = local_today(enrolment, now)
    week = open_week_of(enrolment)
    items = tuple(items_with_state(week)) if week else ()
    state = _state(enrolment, week, items)
    next_review = reviews.next_review(enrolment) or reviews.review_owed(enrolment)
    next_item = _next_item(items, today)
    kicker, title, lede = _heading(enrolment, state, week)
    return ThisWeek(
        state=state,
        kicker=kicker,
        title=title,
        lede=lede,
        strip=strip_of_week(enrolment, week, now=now) if week else None,
        week=week,
        items=items,
        next_item=next_item if state is HomeState.OPEN else None,
        unread=_unread_review(enrolment),
        next_review=next_review,
        next_review_at=to_local(next_review.promised_at, enrolment.patient.zone) if next_review else None,
        late=_late(enrolment, now),
        reminders=_reminders_line(enrolment, now),
        check_in_opens_on=_check_in_opens_on(enrolment, week),
        answers=tuple(zip(QUESTIONS, _answers(enrolment, state, week, items, next_item, next_review, now), strict=True)),
        today=today,
    )


def _state(enrolment: Enrolment, week: Week | None, items: tuple[ItemNow, ...]) -> HomeState:
    by_enrolment = {
        EnrolmentState.INVITED: HomeState.ONBOARDING,
        EnrolmentState.ONBOARDING: HomeState.ONBOARDING,
        EnrolmentState.AWAY: HomeState.AWAY,
        EnrolmentState.PAUSED: HomeState.PAUSED,
        EnrolmentState.ENDED: HomeState.ENDED,
    }
    if enrolment.state in by_enrolment:
        return by_enrolment[enrolment.state]
    if week is None:
        return HomeState.BEFORE_START
    is_all_done = bool(items) and all(item.state is not ItemState.PLANNED for item in items)
    return HomeState.ALL_DONE if is_all_done else HomeState.OPEN


def _next_item(items: tuple[ItemNow, ...], today: date) -> ItemNow | None:
    """The first thing still planned, the check-in only from the day on which it is asked."""
    planned = [item for item in items if item.state is ItemState.PLANNED]
    ready = [i for i in planned if i.item.kind is not ItemKind.CHECK_IN or i.item.planned_on <= today]
    return next(iter(ready or planned), None)


def _heading(enrolment: Enrolment, state: HomeState, week: Week | None) -> tuple[str, str, str]:
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    supporter = enrolment.supporter.called
    if state is HomeState.ONBOARDING:
        return "Before you start", f"Welcome, {enrolment.patient.called}", "Three short screens lead to your first plan."
    if state is HomeState.BEFORE_START and enrolment.starts_on:
        return "Before the start", f"You start on {day_words(enrolment.starts_on)}", "Nothing to do before then."
    if state is HomeState.AWAY and enrolment.away_until_on:
        back = day_words(enrolment.away_until_on)
        return "You are away", f"See you after {back}", "Nothing is planned while you are away. We start where you are."
    if state is HomeState.PAUSED:
        return "Your course is paused", "A pause", f"{supporter} keeps your place. We start where you are."
    if state is HomeState.ENDED:
        return "Your course has ended", "What you have is yours", "Everything you wrote and read is still here."
    if week is None:
        return "Between weeks", "Your next week opens soon", f"{supporter} will write to you."
    module = programme.module(week.module)
    lede = "Done for now. Practising beats reading on." if state is HomeState.ALL_DONE else ""
    return f"Week {week.number} of {len(programme.modules)}:", module.title, lede


def _unread_review(enrolment: Enrolment) -> UnreadReview | None:
    last = reviews.last_sent(enrolment)
    if last is None or last.read_at is not None or last.letter is None or last.sent_at is None:
        return None
    words = next((section["words"] for section in last.letter.sections), last.letter.step_what)
    author = last.letter.author
    return UnreadReview(
        review_id=last.id,
        author=author.called,
        initials=author.initials,
        sent_at=to_local(last.sent_at, enrolment.patient.zone),
        excerpt=_excerpt(words),
    )


def _excerpt(words: str) -> str:
    if len(words) <= SHORT_EXCERPT:
        return words
    return words[:SHORT_EXCERPT].rsplit(" ", 1)[0].rstrip(".,;:") + "…"


def _late(enrolment: Enrolment, now: datetime) -> tuple[str, ...]:
    """What the page says while a review is late: the promise is to say who writes, and when."""
    owed = reviews.review_owed(enrolment)
    if owed is None or enrolment.state is not EnrolmentState.ACTIVE:
        return ()
    return lateness_of(owed, now=now)


def _check_in_opens_on(enrolment: Enrolment, week: Week | None) -> date | None:
    if week is None:
        return None
    return check_in_opens_on(week.review_on, enrolment.service.rhythm.check_in_opens_days, week.opened_on)


def _reminders_line(enrolment: Enrolment, now: datetime) -> RemindersLine:
    rows = db.session.execute(
        select(Reminder.state, Reminder.reason, Reminder.due_at)
        .where(
            Reminder.context == f"enrolment:{enrolment.id}",
            Reminder.recipient_id == enrolment.patient_id,
            Reminder.channel == Channel.EMAIL,
            Reminder.reminder_class == ReminderClass.PROMPT,
            Reminder.due_at >= now - timedelta(days=LEDGER_DAYS),
        )
        .order_by(Reminder.due_at)
    ).all()
    held = [row for row in rows if row.state is ReminderState.HELD_BACK]
    coming = [row.due_at for row in rows if row.state is ReminderState.OWED and row.due_at >= now]
    return RemindersLine(
        sent=sum(row.state is ReminderState.HANDED_OVER for row in rows),
        held_back=len(held),
        reason=held_back_words(held[-1].reason, enrolment.supporter.called) if held else "",
        next_at=to_local(coming[0], enrolment.patient.zone) if coming else None,
    )


def held_back_words(reason: str, supporter: str) -> str:
    """Why a reminder was held back, as the end of a sentence."""
    words = {
        "person_wrote": f"because {supporter} had written",
        "patient_wrote": "because you had just written",
        "one_a_day": "because one a day is enough",
        "enough_this_week": "because three a week are enough",
        "prompts_off": "because you turned reminders off",
        "fewer_prompts": "because you asked for fewer",
        "quiet_week": "because it was a quiet week",
        "already_done": "because it was done",
    }
    return words.get(reason, "")


def _answers(
    enrolment: Enrolment,
    state: HomeState,
    week: Week | None,
    items: tuple[ItemNow, ...],
    next_item: ItemNow | None,
    review: Review | None,
    now: datetime,
) -> tuple[str, str, str, str, str]:
    supporter = enrolment.supporter.called
    who = _who_and_when(enrolment, review, now)
    if state is HomeState.ONBOARDING:
        step = "Say yes to the course, answer two short questionnaires, and choose your times."
        if enrolment.onboarding_step is OnboardingStep.TIMES:
            step = "Choose the days and times that suit you."
        return (step, "Any time. Your place is kept.", "About 15 minutes in all.", who, _if_not_started(supporter))
    if state is HomeState.BEFORE_START:
        on = day_words(enrolment.starts_on) if enrolment.starts_on else "soon"
        return (
            "Nothing yet. Your first week opens by itself.",
            f"It opens on {on}.",
            "About 30 minutes a week, in two or three sittings.",
            who,
            "Nothing is lost. Your plan waits for you.",
        )
    if state is HomeState.AWAY:
        back = day_words(enrolment.away_until_on) if enrolment.away_until_on else "your return"
        return (
            "Nothing. You are away.",
            f"Your plan opens again after {back}.",
            "No minutes while you are away.",
            f"{supporter} writes when you are back. Get help now stays open all the time.",
            "Nothing happens. It is fine to come back later.",
        )
    if state is HomeState.PAUSED:
        return (
            "Nothing. Your course is paused.",
            f"When you and {supporter} agree to go on.",
            "No minutes while it is paused.",
            f"{supporter} reads your messages and answers within two working days.",
            "Nothing happens. Your place is kept.",
        )
    if state is HomeState.ENDED:
        return (
            "Nothing is planned. Your staying-well plan is yours to use.",
            "Whenever you like.",
            "As long as you like.",
            "Nobody reads this now that the course has ended. To get in touch, contact the service.",
            "Nothing happens. What you wrote stays here for you.",
        )
    return _answers_in_week(enrolment, week, items, next_item, who)


def _answers_in_week(
    enrolment: Enrolment,
    week: Week | None,
    items: tuple[ItemNow, ...],
    next_item: ItemNow | None,
    who: str,
) -> tuple[str, str, str, str, str]:
    left = [item for item in items if item.state is ItemState.PLANNED]
    minutes = sum(item.item.minutes for item in left)
    supporter = enrolment.supporter.called
    if week is None or not left or next_item is None:
        what, when = "Everything in your plan is done. Practising again is welcome.", "Any time you like."
        length = "As long as you like."
    else:
        what = f"Next: {next_item.item.title}. {len(left)} left this week." if len(left) > 1 else f"Next: {next_item.item.title}."
        at = f", {clock_words(next_item.item.planned_time)}" if next_item.item.planned_time else ""
        when = f"{day_words(next_item.item.planned_on)}{at}. You can move it."
        length = f"About {next_item.item.minutes} minutes, {minutes} minutes in all." if len(left) > 1 else f"About {next_item.item.minutes} minutes."
    return what, when, length, who, f"{supporter} still writes. Nothing is lost, and we start where you are."


def _who_and_when(enrolment: Enrolment, review: Review | None, now: datetime) -> str:
    supporter = enrolment.supporter.called
    if review is None:
        return f"{supporter} reads what you share, and writes to you within two working days."
    if review.is_late(now):
        return f"{supporter} reads what you share. The review is not here yet. That is on us, not you."
    local = to_local(review.promised_at, enrolment.patient.zone)
    return f"{review.owner.called} reads what you share and writes by {day_words(local.date())}, {clock_words(local)}."


def _if_not_started(supporter: str) -> str:
    return f"{supporter} gets in touch to ask how we can help. You can start when you are ready."
