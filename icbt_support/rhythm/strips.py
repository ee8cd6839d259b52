"""Rhythm strips of people: everything they need is loaded in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import SelectBase, String, cast, null, select, union_all
from sqlalchemy.orm import joinedload

from icbt_support.cadence import local_day, to_local
from icbt_support.db import UtcDateTime, db
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.plan.owed import OwedReminder
from icbt_support.plan.queries import check_ins_finished
from icbt_support.plan.rules import PlannedItem, check_in_opens_on
from icbt_support.plan.strip import (
    MOST_COLUMNS,
    BellOnStrip,
    CheckInOnStrip,
    ItemOnStrip,
    StripEnd,
    StripModel,
    build_strip,
    state_on_strip,
)
from icbt_support.plan.words import clock_words
from icbt_support.read_once import read_once
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.rules import NextWeekChoice
from icbt_support.rhythm.prompts import WEEK_KINDS
from icbt_support.rhythm.proposing import ProposedWeek, propose_next_week

TITLE = "The week, day by day"
BELL_STATES = {
    ReminderState.OWED: "planned",
    ReminderState.CLAIMED: "planned",
    ReminderState.HANDED_OVER: "sent",
    ReminderState.BOUNCED: "sent",
    ReminderState.HELD_BACK: "held_back",
}
BELL_WORDS = {
    ReminderKind.SESSION: "planned session",
    ReminderKind.AGREED_STEP: "agreed step",
    ReminderKind.CHECK_IN: "check-in",
    ReminderKind.NUDGE: "note about the week",
}
REASON_WORDS: dict[str, str] = {
    Reason.PERSON_WROTE: "because {supporter} had written",
    Reason.PATIENT_WROTE: "because {patient} had written",
    Reason.ONE_A_DAY: "because one email had gone out that day",
    Reason.ENOUGH_THIS_WEEK: "because three emails had gone out that week",
    Reason.PROMPTS_OFF: "because these emails are switched off",
    Reason.FEWER_PROMPTS: "because fewer emails were wished for",
    Reason.QUIET_HOURS: "because it was a quiet hour",
    Reason.QUIET_WEEK: "because emails stop after some quiet days",
    Reason.ALREADY_DONE: "because it was done already",
    Reason.ADDRESS_BOUNCED: "because the email address did not work",
}


@dataclass(frozen=True)
class WeekToDraw:
    """A week and the reviews around it by number: at least those from the one before it on."""

    enrolment: Enrolment
    week: Week
    reviews: Sequence[Review]
    check_in_finished_at: datetime | None

    @property
    def zone(self) -> str:
        return self.enrolment.patient.zone

    @property
    def review(self) -> Review | None:
        """The one that closes this week."""
        return next((review for review in self.reviews if review.number == self.week.number), None)

    @property
    def review_before(self) -> Review | None:
        """The review before this week (the welcome before week 1), if it was sent when the week opened."""
        before = [review for review in self.reviews if review.number < self.week.number]
        if not before or before[-1].sent_at is None or before[-1].sent_at > self.week.opened_at:
            is_first = bool(before) and before[0].kind is ReviewKind.WELCOME and self.week.number == 1
            return before[0] if is_first else None
        return before[-1]


def strips_of_weeks(weeks: Sequence[WeekToDraw], *, now: datetime) -> dict[int, StripModel]:
    """Enrolment id to the strip of its week: one statement, however many weeks."""
    items, bells = _plans_of([one.week for one in weeks])
    return {
        one.enrolment.id: _strip_of(one, items[one.week.id], bells[one.enrolment.id], now) for one in weeks
    }


def strip_of_week(enrolment: Enrolment, week: Week, *, now: datetime) -> StripModel:
    """The strip of one week, open or closed."""
    reviews = reviews_around([enrolment.id]).get(enrolment.id, [])
    finished_at = check_ins_finished([enrolment.id]).get((enrolment.id, week.number))
    return strips_of_weeks([WeekToDraw(enrolment, week, reviews, finished_at)], now=now)[enrolment.id]


def strip_until_review(enrolment: Enrolment, review: Review, *, now: datetime) -> StripModel | None:
    """The stretch from the last letter to the next review while no week is open: paused, or not begun.

    None where the next review lies further ahead than a strip can show with today in it.
    """
    zone = enrolment.patient.zone
    today, promised = local_day(now, zone), to_local(review.promised_at, zone)
    if (promised.date() - today).days >= MOST_COLUMNS or promised.date() <= today:
        return None
    letters = [one for one in reviews_around([enrolment.id])[enrolment.id] if one.sent_at is not None]
    before = letters[-1] if letters else None
    sent = to_local(before.sent_at, zone) if before is not None and before.sent_at is not None else None
    earliest_on = promised.date() - timedelta(days=MOST_COLUMNS - 1)
    starts_on = max(sent.date() if sent else today, earliest_on)
    left = StripEnd("none", "", "")
    if before is not None and sent is not None:
        state = "welcome" if before.kind is ReviewKind.WELCOME else "sent"
        left = StripEnd(state, f"{before.owner.called} wrote", _day_or_clock(sent, starts_on))
    return build_strip(
        title=f"Until {'a colleague' if review.pooled_at else review.owner.called} writes, day by day",
        starts_on=starts_on,
        ends_on=promised.date(),
        today=today,
        left=left,
        right=StripEnd("planned", f"{review.writer_called} writes", f"by {clock_words(promised)}"),
        items=[],
    )


def strip_of_proposal(review: Review, choice: NextWeekChoice, *, now: datetime) -> StripModel:
    """The next week as it would open if `review` were sent now with `choice`: for the redraw of the
    workspace.
    """
    enrolment = review.enrolment
    zone = enrolment.patient.zone
    proposed = propose_next_week(review, choice, now=now)
    check_in = next((item for item in proposed.items if item.kind is ItemKind.CHECK_IN), None)
    return build_strip(
        title=f"{enrolment.patient.called}'s next week, day by day",
        starts_on=proposed.opens_on,
        ends_on=proposed.review_on,
        today=local_day(now, zone),
        left=_proposed_left(proposed),
        right=StripEnd(
            "planned",
            f"{proposed.writer_called} writes",
            f"by {clock_words(to_local(proposed.promised_at, zone))}",
        ),
        items=[_proposed_on_strip(item) for item in proposed.items],
        bells=[_proposed_bell(reminder, zone) for reminder in proposed.reminders],
        check_in=_proposed_check_in(enrolment, check_in, proposed.opens_on, proposed.review_on),
    )


# Loading --------------------------------------------------------------------------------------------------


@read_once
def reviews_around(ids: Collection[int]) -> dict[int, list[Review]]:
    """Enrolment id to its reviews by number."""
    found: dict[int, list[Review]] = {}
    rows = db.session.scalars(
        select(Review)
        .where(Review.enrolment_id.in_(ids))
        .options(joinedload(Review.owner))
        .order_by(Review.number)
    )
    for review in rows:
        found.setdefault(review.enrolment_id, []).append(review)
    return found


@dataclass(frozen=True)
class _Item:
    kind: ItemKind
    title: str
    planned_on: date
    planned_time: time | None
    state: ItemState
    settled_at: datetime | None


@dataclass(frozen=True)
class _Bell:
    kind: ReminderKind
    state: ReminderState
    due_at: datetime
    settled_at: datetime | None
    reason: str


def _plans_of(weeks: Sequence[Week]) -> tuple[dict[int, list[_Item]], dict[int, list[_Bell]]]:
    """Items by week, and emails of the weeks' plans by course; `_bells` leaves out what lies outside a week."""
    items: dict[int, list[_Item]] = defaultdict(list)
    bells: dict[int, list[_Bell]] = defaultdict(list)
    if not weeks:
        return items, bells
    plans = union_all(_items_of(weeks), _reminders_of(weeks)).subquery()
    by_day_and_time = (plans.c.planned_on, plans.c.planned_time, plans.c.due_at, plans.c.id)
    for row in db.session.execute(select(plans).order_by(*by_day_and_time)):
        if row.context is None:
            kind, state = ItemKind(row.kind), ItemState(row.state)
            item = _Item(kind, row.title, row.planned_on, row.planned_time, state, row.settled_at)
            items[row.week_id].append(item)
        else:
            bell = _Bell(
                ReminderKind(row.kind), ReminderState(row.state), row.due_at, row.settled_at, row.reason
            )
            bells[int(row.context.removeprefix("enrolment:"))].append(bell)
    return items, bells


def _items_of(weeks: Sequence[Week]) -> SelectBase:
    return select(
        PlanItem.id.label("id"),
        PlanItem.week_id.label("week_id"),
        cast(PlanItem.kind, String).label("kind"),
        cast(PlanItem.state, String).label("state"),
        PlanItem.title.label("title"),
        PlanItem.planned_on.label("planned_on"),
        PlanItem.planned_time.label("planned_time"),
        PlanItem.settled_at.label("settled_at"),
        cast(null(), UtcDateTime).label("due_at"),
        cast(null(), String).label("context"),
        cast(null(), String).label("reason"),
    ).where(PlanItem.week_id.in_([week.id for week in weeks]))


def _reminders_of(weeks: Sequence[Week]) -> SelectBase:
    return select(
        Reminder.id,
        null(),
        cast(Reminder.kind, String),
        cast(Reminder.state, String),
        null(),
        null(),
        null(),
        Reminder.settled_at,
        Reminder.due_at,
        Reminder.context,
        Reminder.reason,
    ).where(
        Reminder.context.in_([f"enrolment:{week.enrolment_id}" for week in weeks]),
        Reminder.kind.in_(WEEK_KINDS),
        Reminder.channel == Channel.EMAIL,
        Reminder.state.in_(list(BELL_STATES)),
        Reminder.due_at >= min(week.opened_at for week in weeks) - timedelta(days=1),
    )


# Drawing --------------------------------------------------------------------------------------------------


def _strip_of(drawn: WeekToDraw, items: Sequence[_Item], bells: Sequence[_Bell], now: datetime) -> StripModel:
    week = drawn.week
    today = local_day(now, drawn.zone)
    starts_on, ends_on = week.opened_on, _ends_on(drawn)
    return build_strip(
        title=f"Week {week.number}, day by day",
        starts_on=starts_on,
        ends_on=ends_on,
        today=today,
        left=_left_end(drawn),
        right=_right_end(drawn, now),
        items=[_on_strip(item, drawn, today) for item in items],
        bells=_bells(drawn, bells, starts_on, ends_on),
        check_in=_check_in(drawn, items, today),
    )


def _ends_on(drawn: WeekToDraw) -> date:
    """A closed week ends on the day on which it closed, an open one on the day of its review."""
    week = drawn.week
    ends_on = local_day(week.closed_at, drawn.zone) if week.closed_at else week.review_on
    return max(ends_on, week.opened_on + timedelta(days=1))


def _left_end(drawn: WeekToDraw) -> StripEnd:
    before = drawn.review_before
    if before is None or before.sent_at is None:
        return StripEnd("none", "Start" if drawn.week.number == 1 else "", "")
    sent = to_local(before.sent_at, drawn.zone)
    state = "welcome" if before.kind is ReviewKind.WELCOME else "sent"
    return StripEnd(state, f"{before.owner.called} wrote", _day_or_clock(sent, drawn.week.opened_on))


def _right_end(drawn: WeekToDraw, now: datetime) -> StripEnd:
    review = drawn.review
    if review is None or review.state is ReviewState.CANCELLED:
        return StripEnd("none", "", "")
    promised = to_local(review.promised_at, drawn.zone)
    called = review.writer_called if review.is_owed else review.owner.called
    if review.sent_at is not None:
        return StripEnd(
            "sent", f"{called} wrote", _day_or_clock(to_local(review.sent_at, drawn.zone), _ends_on(drawn))
        )
    if review.state is ReviewState.MISSED:
        return StripEnd("none", "No review", "")
    if review.is_late(now):
        return StripEnd("late", "Review late", f"since {promised:%a} {clock_words(promised)}")
    state = "due" if promised.date() == local_day(now, drawn.zone) else "planned"
    by = f"by {clock_words(promised)}"
    return StripEnd(
        state, f"{called} writes", by if promised.date() == _ends_on(drawn) else f"{promised:%a} {by}"
    )


def _day_or_clock(moment: datetime, day: date) -> str:
    """The time alone where the column already says the day."""
    return clock_words(moment) if moment.date() == day else f"{moment:%a} {moment.day} {moment:%b}"


def _on_strip(item: _Item, drawn: WeekToDraw, today: date) -> ItemOnStrip:
    """A check-in is no item of the picture: its bar is drawn by itself."""
    return ItemOnStrip(
        kind=item.kind,
        title=item.title,
        planned_on=item.planned_on,
        planned_time=item.planned_time,
        state=state_on_strip(
            item.state, planned_on=item.planned_on, today=today, is_week_closed=not drawn.week.is_open
        ),
        settled_at=to_local(item.settled_at, drawn.zone) if item.settled_at else None,
    )


def _bells(drawn: WeekToDraw, bells: Sequence[_Bell], starts_on: date, ends_on: date) -> list[BellOnStrip]:
    shown = []
    for bell in bells:
        state = BELL_STATES[bell.state]
        at = bell.settled_at if state == "sent" and bell.settled_at else bell.due_at
        local = to_local(at, drawn.zone)
        if at >= drawn.week.opened_at and starts_on <= local.date() <= ends_on:
            shown.append(BellOnStrip(state, local, BELL_WORDS[bell.kind], _reason(bell, drawn)))
    return shown


def _reason(bell: _Bell, drawn: WeekToDraw) -> str:
    if bell.state is not ReminderState.HELD_BACK:
        return ""
    words = REASON_WORDS.get(bell.reason, "")
    return words.format(supporter=drawn.enrolment.supporter.called, patient=drawn.enrolment.patient.called)


def _check_in(drawn: WeekToDraw, items: Sequence[_Item], today: date) -> CheckInOnStrip | None:
    item = next((one for one in items if one.kind is ItemKind.CHECK_IN), None)
    if item is None:
        return None
    week, rhythm = drawn.week, drawn.enrolment.service.rhythm
    opens_on = check_in_opens_on(week.review_on, rhythm.check_in_opens_days, week.opened_on)
    done_at = drawn.check_in_finished_at
    if done_at is not None:
        state = "done"
    elif not week.is_open:
        state = "not_done"
    else:
        state = "open" if today >= opens_on else "planned"
    return CheckInOnStrip(
        opens_on,
        item.planned_on,
        item.planned_time,
        state,
        to_local(done_at, drawn.zone) if done_at else None,
    )


# A proposal -----------------------------------------------------------------------------------------------


def _proposed_left(proposed: ProposedWeek) -> StripEnd:
    if proposed.is_open_already:
        return StripEnd("none", "Opened without a review", "")
    return StripEnd("due", "Your review", "today")


def _proposed_on_strip(item: PlannedItem) -> ItemOnStrip:
    return ItemOnStrip(item.kind, item.title, item.planned_on, item.planned_time, "planned")


def _proposed_bell(reminder: OwedReminder, zone: str) -> BellOnStrip:
    return BellOnStrip("planned", to_local(reminder.due_at, zone), BELL_WORDS[reminder.kind])


def _proposed_check_in(
    enrolment: Enrolment, item: PlannedItem | None, opens_on: date, review_on: date
) -> CheckInOnStrip | None:
    if item is None:
        return None
    days = enrolment.service.rhythm.check_in_opens_days
    first_on = check_in_opens_on(review_on, days, opens_on)
    asked: time | None = item.planned_time
    return CheckInOnStrip(first_on, item.planned_on, asked, "planned")
