"""What a patient's home page says: one model for every state, with the five questions answered in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from icbt_support.boosters.models import Booster
from icbt_support.boosters.queries import booster_of
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.engagement.changes import days_since_last_visit, recent_changes
from icbt_support.engagement.five_answers import HomeFacts, HomeState, answer_questions
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.queries import current_goals, is_contact_sheet_due, local_today
from icbt_support.journal.models import PageRead
from icbt_support.messages.queries import late_message_sentences
from icbt_support.plan.models import ItemKind, Week
from icbt_support.plan.queries import ItemNow, items_with_state, latest_week_of, open_week_of
from icbt_support.plan.rules import check_in_opens_on
from icbt_support.plan.strip import StripModel
from icbt_support.plan.words import day_words
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.course import weeks_in_all
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import PAUSE
from icbt_support.rhythm.booster import is_booster_open, reader_words, reading_is_late
from icbt_support.rhythm.lateness import lateness_of
from icbt_support.rhythm.new_days import items_behind
from icbt_support.rhythm.strips import strip_of_week, strip_until_review

SHORT_EXCERPT = 90
LEDGER_DAYS = 7
GOALS_ASKED_IN_WEEK = 1
Heading = tuple[str, str, str]
AN_ENDING: Heading = (
    "Your course has ended",
    "What you have is yours",
    "Everything you wrote and read is still here.",
)
CLOSED_FOR_NOW: Heading = (
    "Your course is closed for now",
    "It is fine to come back",
    "Nothing is lost. Everything you wrote and read is still here.",
)
ENDINGS: dict[EndCode, Heading] = {
    EndCode.HAD_WHAT_I_NEEDED: (
        "Your course has ended",
        "You have what you need",
        "That is a good ending. Everything you wrote and read is still here.",
    ),
    EndCode.STEPPED_UP: (
        "Your course has ended",
        "You go on with other help",
        "The service tells you what comes next. Everything you wrote and read is still here.",
    ),
    EndCode.PATIENT_STOPPED_EARLIER: CLOSED_FOR_NOW,
    EndCode.ENDED_EARLIER_THAN_PATIENT_WANTED: CLOSED_FOR_NOW,
    EndCode.NEVER_STARTED: CLOSED_FOR_NOW,
    EndCode.LOST: CLOSED_FOR_NOW,
}


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
            return "Reminders: none"
        held = f", {self.held_back} held back" if self.held_back else ""
        return (
            f"Reminders: {self.sent} sent{held}{f' {self.reason}' if self.held_back and self.reason else ''}"
        )


@dataclass(frozen=True)
class ThisWeek:
    """`is_back` on the first day after a quiet time; `behind` counts planned things whose day has passed;
    `read_early` sessions of the week that were read before it opened.
    """

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
    is_next_review_late: bool
    late: tuple[str, ...]
    reminders: RemindersLine
    check_in_opens_on: date | None
    asks_for_contact: bool
    asks_for_goals: bool
    answers: tuple[tuple[str, str], ...]
    today: date
    news: tuple[str, ...]
    is_back: bool
    behind: int
    has_told_ready: bool
    read_early: int


def this_week(enrolment: Enrolment, *, now: datetime) -> ThisWeek:
    """Everything that the home page of this patient shows at `now`, in the patient's zone."""
    today = local_today(enrolment, now)
    week = open_week_of(enrolment)
    items = tuple(items_with_state(week)) if week else ()
    opens_on = _check_in_opens_on(enrolment, week)
    next_item = _next_item(items, today, opens_on)
    state = _state(enrolment, week, next_item)
    next_review = reviews.next_review(enrolment)
    unread, late = _unread_review(enrolment), _late(enrolment, now)
    writer = next_review.named_writer if next_review is not None else enrolment.supporter.called
    kicker, title, lede = _heading(enrolment, state, week, writer)
    booster = booster_of(enrolment) if state is HomeState.ENDED else None
    is_in_a_week = state in (HomeState.OPEN, HomeState.ALL_DONE)
    behind = len(items_behind(week, today)) if week and state is HomeState.OPEN else 0
    facts = HomeFacts(
        enrolment=enrolment,
        state=state,
        items=items,
        next_item=next_item,
        check_in_opens_on=opens_on,
        next_review=next_review,
        welcome=reviews.welcome_of(enrolment),
        late=late,
        unread_author=unread.author if unread else "",
        agreed_step=_step_to_go_on_with(enrolment, state),
        is_booster_open=booster is not None and is_booster_open(enrolment, booster, now=now),
        booster_words=_booster_words(enrolment, booster, now),
        today=today,
        now=now,
    )
    return ThisWeek(
        state=state,
        kicker=kicker,
        title=title,
        lede=lede,
        strip=_strip(enrolment, state, week, next_review, now),
        week=week,
        items=items,
        next_item=next_item if state is HomeState.OPEN else None,
        unread=unread,
        next_review=next_review,
        next_review_at=to_local(next_review.promised_at, enrolment.patient.zone) if next_review else None,
        is_next_review_late=next_review is not None and next_review.is_late(now),
        late=late,
        reminders=_reminders_line(enrolment, now),
        check_in_opens_on=opens_on,
        asks_for_contact=is_in_a_week and is_contact_sheet_due(enrolment, now=now),
        asks_for_goals=is_in_a_week and _is_time_for_goals(enrolment, week),
        answers=answer_questions(facts),
        today=today,
        news=recent_changes(enrolment, now=now) if enrolment.is_open else (),
        is_back=is_in_a_week and _is_back(enrolment, now),
        behind=behind,
        has_told_ready=week is not None and week.told_ready_at is not None,
        read_early=_read_early(enrolment, week) if week and is_in_a_week else 0,
    )


def _strip(
    enrolment: Enrolment, state: HomeState, week: Week | None, review: Review | None, now: datetime
) -> StripModel | None:
    """The open week, or the stretch to the next review while none is open."""
    if week is not None:
        return strip_of_week(enrolment, week, now=now)
    waits = state in (HomeState.PAUSED, HomeState.BETWEEN_WEEKS)
    return strip_until_review(enrolment, review, now=now) if waits and review is not None else None


def _is_back(enrolment: Enrolment, now: datetime) -> bool:
    """The first day here after so many days that reminders had stopped."""
    return days_since_last_visit(enrolment, now=now) >= enrolment.service.rhythm.quiet_prompts_stop_days


def _read_early(enrolment: Enrolment, week: Week) -> int:
    """How many sessions of this week's module were read before it opened, and so count already."""
    module = find_programme(enrolment.programme_slug, enrolment.programme_version).module(week.module)
    if module is None:
        return 0
    rows = db.session.execute(
        select(PageRead.page, PageRead.first_read_at).where(
            PageRead.enrolment_id == enrolment.id,
            PageRead.module == week.module,
            PageRead.first_read_at < week.opened_at,
        )
    )
    early = {page for page, _ in rows}
    before = db.session.scalar(
        select(Week.id)
        .where(Week.enrolment_id == week.enrolment_id, Week.module == week.module, Week.number < week.number)
        .limit(1)
    )
    return 0 if before else sum(early.issuperset(session.pages) for session in module.sessions)


def _state(enrolment: Enrolment, week: Week | None, next_item: ItemNow | None) -> HomeState:
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
        return HomeState.BETWEEN_WEEKS if latest_week_of(enrolment) else HomeState.BEFORE_START
    return HomeState.OPEN if next_item else HomeState.ALL_DONE


def _next_item(items: tuple[ItemNow, ...], today: date, check_in_opens_on: date | None) -> ItemNow | None:
    """The first thing still planned; the check-in once it is asked, or open with nothing else left."""
    planned = [item for item in items if item.is_planned]
    ready = [one for one in planned if one.item.kind is not ItemKind.CHECK_IN or one.item.planned_on <= today]
    if ready:
        return ready[0]
    is_check_in_open = check_in_opens_on is not None and check_in_opens_on <= today
    return planned[0] if planned and is_check_in_open else None


def _is_time_for_goals(enrolment: Enrolment, week: Week | None) -> bool:
    return week is not None and week.number == GOALS_ASKED_IN_WEEK and not current_goals(enrolment)


def _step_to_go_on_with(enrolment: Enrolment, state: HomeState) -> str:
    """The step of the last letter, for whoever has no plan: after the course, and in a pause that it began."""
    last = reviews.last_sent(enrolment)
    if last is None or last.letter is None:
        return ""
    is_from_before = state is HomeState.PAUSED and last.letter.opens != PAUSE
    return "" if is_from_before else last.letter.step_what


def _heading(enrolment: Enrolment, state: HomeState, week: Week | None, writer: str) -> tuple[str, str, str]:
    """Kicker, title and lede; `writer` writes next, empty while it is nobody's by name."""
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    supporter = enrolment.supporter.called
    if state is HomeState.ONBOARDING:
        return (
            "Before you start",
            f"Welcome, {enrolment.patient.called}",
            "Three short screens lead to your first plan.",
        )
    if state is HomeState.BEFORE_START and enrolment.starts_on:
        return (
            "Before the start",
            f"You start on {day_words(enrolment.starts_on)}",
            "Nothing to do before then.",
        )
    if state is HomeState.BEFORE_START:
        return "Before the start", "Your first week opens soon", "Nothing to do before then."
    if state is HomeState.AWAY:
        back = (
            f"See you after {day_words(enrolment.away_until_on)}"
            if enrolment.away_until_on
            else "See you soon"
        )
        return "You are away", back, "Nothing is planned while you are away. We start where you are."
    if state is HomeState.PAUSED:
        return "Your course is paused", "A pause", f"{supporter} keeps your place. We start where you are."
    if state is HomeState.ENDED:
        return ENDINGS.get(enrolment.end_code or EndCode.AGREED, AN_ENDING)
    if week is None:
        writes = f"{writer} will write to you." if writer else "Your review is on its way."
        return "Between weeks", "Your next week opens soon", writes
    module = programme.module(week.module)
    lede = "Done for now. Practising beats reading on." if state is HomeState.ALL_DONE else ""
    return (
        f"Week {_place(week, programme, enrolment.modules_ahead)}:",
        module.title if module else "Your week",
        lede,
    )


def _place(week: Week, programme: Programme, ahead: Sequence[str] | None) -> str:
    """ "3 of 6", or "7, an extra week" after as many weeks as the programme has modules."""
    count = weeks_in_all(programme, week.number, ahead)
    return f"{week.number} of {count}" if week.number <= count else f"{week.number}, an extra week"


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
    """What the page says while a review or a message is late: the promise is to say who writes, and when."""
    owed = reviews.review_owed(enrolment)
    of_review = lateness_of(owed, now=now) if owed else ()
    return (*of_review, *late_message_sentences(enrolment))


def _booster_words(enrolment: Enrolment, booster: Booster | None, now: datetime) -> str:
    if booster is None or not (booster.answered_at or is_booster_open(enrolment, booster, now=now)):
        return ""
    return " ".join(reading_is_late(booster, now=now)) or reader_words(enrolment, now=now)


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
