"""Rhythm strips of people: everything they need is loaded in a fixed number of statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day, to_local
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.plan.owed import OwedReminder
from icbt_support.plan.queries import check_ins_finished, item_now
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
from icbt_support.rhythm.sending import ProposedWeek, propose_next_week

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
class LoadedWeek:
    """A week with all that its strip shows."""

    enrolment: Enrolment
    week: Week
    review: Review | None
    review_before: Review | None
    check_in_finished_at: datetime | None
    reminders: Sequence[Reminder]

    @property
    def zone(self) -> str:
        return self.enrolment.patient.zone


def strips_for(enrolments: Sequence[Enrolment], *, now: datetime) -> dict[int, StripModel]:
    """Enrolment id to the strip of its newest week; people without a week have none. A fixed number of
    statements.
    """
    ids = [enrolment.id for enrolment in enrolments]
    if not ids:
        return {}
    newest = (
        select(Week.enrolment_id, func.max(Week.number))
        .where(Week.enrolment_id.in_(ids))
        .group_by(Week.enrolment_id)
    )
    weeks = db.session.scalars(
        select(Week)
        .where(tuple_(Week.enrolment_id, Week.number).in_(newest))
        .options(selectinload(Week.items))
    ).all()
    return {one.enrolment.id: _strip_of(one, now) for one in _load(_enrolments(ids), weeks)}


def strip_of_week(enrolment: Enrolment, week: Week, *, now: datetime) -> StripModel:
    """The strip of one week, open or closed."""
    return _strip_of(_load({enrolment.id: enrolment}, [week])[0], now)


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


def _enrolments(ids: Collection[int]) -> dict[int, Enrolment]:
    return {
        enrolment.id: enrolment
        for enrolment in db.session.scalars(
            select(Enrolment)
            .where(Enrolment.id.in_(ids))
            .options(
                joinedload(Enrolment.patient).joinedload(Account.preferences),
                joinedload(Enrolment.supporter),
                joinedload(Enrolment.service),
            )
        )
    }


def _load(enrolments: Mapping[int, Enrolment], weeks: Sequence[Week]) -> list[LoadedWeek]:
    ids = list(enrolments)
    reviews = reviews_around(ids)
    finished = check_ins_finished(ids)
    reminders = _reminders_of(weeks)
    return [
        LoadedWeek(
            enrolment=enrolments[week.enrolment_id],
            week=week,
            review=_closing(week, reviews.get(week.enrolment_id, [])),
            review_before=_opening(week, reviews.get(week.enrolment_id, [])),
            check_in_finished_at=finished.get((week.enrolment_id, week.number)),
            reminders=reminders.get(week.enrolment_id, []),
        )
        for week in weeks
    ]


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


def _reminders_of(weeks: Sequence[Week]) -> dict[int, list[Reminder]]:
    """Emails of the weeks' plans by course; `_bells` leaves out what lies outside a week."""
    if not weeks:
        return {}
    found: dict[int, list[Reminder]] = {}
    rows = db.session.scalars(
        select(Reminder)
        .where(
            Reminder.context.in_([f"enrolment:{week.enrolment_id}" for week in weeks]),
            Reminder.kind.in_(WEEK_KINDS),
            Reminder.channel == Channel.EMAIL,
            Reminder.state.in_(list(BELL_STATES)),
            Reminder.due_at >= min(week.opened_at for week in weeks) - timedelta(days=1),
        )
        .order_by(Reminder.due_at, Reminder.id)
    )
    for reminder in rows:
        found.setdefault(int(reminder.context.removeprefix("enrolment:")), []).append(reminder)
    return found


def _closing(week: Week, reviews: Iterable[Review]) -> Review | None:
    return next((review for review in reviews if review.number == week.number), None)


def _opening(week: Week, reviews: Sequence[Review]) -> Review | None:
    """The review before this week (the welcome before week 1), if it was sent when the week opened."""
    before = [review for review in reviews if review.number < week.number]
    if not before or before[-1].sent_at is None or before[-1].sent_at > week.opened_at:
        return before[0] if before and before[0].kind is ReviewKind.WELCOME and week.number == 1 else None
    return before[-1]


# Drawing --------------------------------------------------------------------------------------------------


def _strip_of(loaded: LoadedWeek, now: datetime) -> StripModel:
    week = loaded.week
    today = local_day(now, loaded.zone)
    starts_on, ends_on = week.opened_on, _ends_on(loaded)
    return build_strip(
        title=f"Week {week.number}, day by day",
        starts_on=starts_on,
        ends_on=ends_on,
        today=today,
        left=_left_end(loaded),
        right=_right_end(loaded, now),
        items=[_on_strip(item, loaded, today) for item in week.items],
        bells=_bells(loaded, starts_on, ends_on),
        check_in=_check_in(loaded, today),
    )


def _ends_on(loaded: LoadedWeek) -> date:
    """A closed week ends on the day on which it closed, an open one on the day of its review."""
    week = loaded.week
    ends_on = local_day(week.closed_at, loaded.zone) if week.closed_at else week.review_on
    return max(ends_on, week.opened_on + timedelta(days=1))


def _left_end(loaded: LoadedWeek) -> StripEnd:
    before = loaded.review_before
    if before is None or before.sent_at is None:
        return StripEnd("none", "Start" if loaded.week.number == 1 else "", "")
    sent = to_local(before.sent_at, loaded.zone)
    state = "welcome" if before.kind is ReviewKind.WELCOME else "sent"
    return StripEnd(state, f"{before.owner.called} wrote", _day_or_clock(sent, loaded.week.opened_on))


def _right_end(loaded: LoadedWeek, now: datetime) -> StripEnd:
    review = loaded.review
    if review is None or review.state is ReviewState.CANCELLED:
        return StripEnd("none", "", "")
    promised = to_local(review.promised_at, loaded.zone)
    called = review.writer_called if review.is_owed else review.owner.called
    if review.sent_at is not None:
        return StripEnd(
            "sent", f"{called} wrote", _day_or_clock(to_local(review.sent_at, loaded.zone), _ends_on(loaded))
        )
    if review.state is ReviewState.MISSED:
        return StripEnd("none", "No review", "")
    if review.is_late(now):
        return StripEnd("late", "Review late", f"since {promised:%a} {clock_words(promised)}")
    state = "due" if promised.date() == local_day(now, loaded.zone) else "planned"
    by = f"by {clock_words(promised)}"
    return StripEnd(
        state, f"{called} writes", by if promised.date() == _ends_on(loaded) else f"{promised:%a} {by}"
    )


def _day_or_clock(moment: datetime, day: date) -> str:
    """The time alone where the column already says the day."""
    return clock_words(moment) if moment.date() == day else f"{moment:%a} {moment.day} {moment:%b}"


def _on_strip(item: PlanItem, loaded: LoadedWeek, today: date) -> ItemOnStrip:
    now = item_now(item, loaded.check_in_finished_at)
    return ItemOnStrip(
        kind=item.kind,
        title=item.title,
        planned_on=item.planned_on,
        planned_time=item.planned_time,
        state=state_on_strip(
            now.state, planned_on=item.planned_on, today=today, is_week_closed=not loaded.week.is_open
        ),
        settled_at=to_local(now.settled_at, loaded.zone) if now.settled_at else None,
    )


def _bells(loaded: LoadedWeek, starts_on: date, ends_on: date) -> list[BellOnStrip]:
    bells = []
    for reminder in loaded.reminders:
        state = BELL_STATES[reminder.state]
        at = reminder.settled_at if state == "sent" and reminder.settled_at else reminder.due_at
        local = to_local(at, loaded.zone)
        if at >= loaded.week.opened_at and starts_on <= local.date() <= ends_on:
            bells.append(BellOnStrip(state, local, BELL_WORDS[reminder.kind], _reason(reminder, loaded)))
    return bells


def _reason(reminder: Reminder, loaded: LoadedWeek) -> str:
    if reminder.state is not ReminderState.HELD_BACK:
        return ""
    words = REASON_WORDS.get(reminder.reason, "")
    return words.format(supporter=loaded.enrolment.supporter.called, patient=loaded.enrolment.patient.called)


def _check_in(loaded: LoadedWeek, today: date) -> CheckInOnStrip | None:
    item = next((one for one in loaded.week.items if one.kind is ItemKind.CHECK_IN), None)
    if item is None:
        return None
    week, rhythm = loaded.week, loaded.enrolment.service.rhythm
    opens_on = check_in_opens_on(week.review_on, rhythm.check_in_opens_days, week.opened_on)
    done_at = loaded.check_in_finished_at
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
        to_local(done_at, loaded.zone) if done_at else None,
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
