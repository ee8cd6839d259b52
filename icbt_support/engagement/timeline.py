"""Everything that happened in one person's course, joined, newest first: a page at a time, by kind or altogether.

A fixed number of statements for each kind, whatever the data: every one reads no more than a page. Reads only.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityDay
from icbt_support.db import db
from icbt_support.engagement.person import prompts_by_email
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.measures.models import Questionnaire
from icbt_support.messages.models import Message
from icbt_support.plan.models import ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.risk.models import CallLog, RiskAlert

PAGE_LENGTH = 40


class Kind(StrEnum):
    """What a reader may ask for alone."""

    PLAN = "plan"
    ACTIVITY = "activity"
    REMINDERS = "reminders"
    REVIEWS = "reviews"
    MESSAGES = "messages"
    SCORES = "scores"
    FLAGS = "flags"
    CALLS = "calls"
    DECISIONS = "decisions"


class Happened(StrEnum):
    """What a line of the timeline is about."""

    WEEK_OPENED = "week_opened"
    ITEM_SETTLED = "item_settled"
    WAS_HERE = "was_here"
    REVIEW_SENT = "review_sent"
    REVIEW_LATE = "review_late"
    REVIEW_MISSED = "review_missed"
    MESSAGE = "message"
    SCORE = "score"
    REMINDER_SENT = "reminder_sent"
    REMINDER_HELD_BACK = "reminder_held_back"
    CALL = "call"
    CHANGE = "change"
    ALERT = "alert"
    SUPERVISION = "supervision"
    EARLY_WARNING = "early_warning"


@dataclass(frozen=True)
class DayHere:
    """One day on which the person was here: how often they did what."""

    id: int
    acts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Moment:
    """One line of the timeline: what happened, when, about which row, and who did it where somebody did."""

    what: Happened
    at: datetime
    row: Any
    by: str = ""


@dataclass(frozen=True)
class TimelinePage:
    """Some moments, newest first; `earlier_than` opens the page with those before, None at the beginning."""

    moments: tuple[Moment, ...]
    earlier_than: datetime | None


def timeline_page(
    enrolment: Enrolment,
    *,
    kind: Kind | None = None,
    before: datetime | None = None,
    length: int = PAGE_LENGTH,
    also: Sequence[Moment] = (),
) -> TimelinePage:
    """The newest moments before `before`, of one kind or of all. Moments of one instant stay on one page.

    `also` are moments of rooms above this one; those that fit are joined in.
    """
    wanted = _Wanted(enrolment, before, length + 1)
    sources = [_SOURCES[kind]] if kind is not None else _SOURCES.values()
    found = sorted(
        [
            *(moment for source in sources for moment in source(wanted)),
            *(moment for moment in also if before is None or moment.at < before),
        ],
        key=lambda moment: (moment.at, moment.what, moment.row.id),
        reverse=True,
    )
    if len(found) <= length:
        return TimelinePage(tuple(found), None)
    last_at = found[length - 1].at
    shown = [moment for moment in found if moment.at >= last_at]
    return TimelinePage(tuple(shown), last_at if len(found) > len(shown) else None)


@dataclass(frozen=True)
class _Wanted:
    enrolment: Enrolment
    before: datetime | None
    most: int

    def until(self, column: Any) -> ColumnElement[bool]:
        return column.is_not(None) if self.before is None else column < self.before


def _plan(wanted: _Wanted) -> Iterable[Moment]:
    weeks = db.session.scalars(
        select(Week)
        .where(Week.enrolment_id == wanted.enrolment.id, wanted.until(Week.opened_at))
        .order_by(Week.opened_at.desc())
        .limit(wanted.most)
    )
    items = db.session.scalars(
        select(PlanItem)
        .where(
            PlanItem.enrolment_id == wanted.enrolment.id,
            PlanItem.state.in_([ItemState.DONE, ItemState.SKIPPED]),
            wanted.until(PlanItem.settled_at),
        )
        .order_by(PlanItem.settled_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.WEEK_OPENED, week.opened_at, week) for week in weeks)
    yield from (Moment(Happened.ITEM_SETTLED, item.settled_at, item) for item in items if item.settled_at)


def _activity(wanted: _Wanted) -> Iterable[Moment]:
    """A line a day, at the last act of that day."""
    last_at = func.max(ActivityDay.last_at)
    days = (
        select(ActivityDay.acted_on, last_at.label("last_at"))
        .where(ActivityDay.enrolment_id == wanted.enrolment.id)
        .group_by(ActivityDay.acted_on)
        .having(wanted.until(last_at))
        .order_by(last_at.desc())
        .limit(wanted.most)
        .subquery()
    )
    rows = db.session.execute(
        select(ActivityDay.acted_on, days.c.last_at, ActivityDay.act, ActivityDay.count)
        .join(days, days.c.acted_on == ActivityDay.acted_on)
        .where(ActivityDay.enrolment_id == wanted.enrolment.id)
        .order_by(ActivityDay.acted_on, ActivityDay.act)
    )
    by_day: dict[Any, tuple[datetime, list[tuple[str, int]]]] = {}
    for acted_on, at, act, count in rows:
        by_day.setdefault(acted_on, (at, []))[1].append((act.value, count))
    for acted_on, (at, acts) in by_day.items():
        yield Moment(Happened.WAS_HERE, at, DayHere(acted_on.toordinal(), tuple(acts)))


def _reviews(wanted: _Wanted) -> Iterable[Moment]:
    """Sent, closed without a letter, and late: each is a moment of its own."""
    moments = or_(
        and_(Review.state == ReviewState.SENT, wanted.until(Review.sent_at)),
        and_(Review.state == ReviewState.MISSED, wanted.until(Review.closed_at)),
        and_(Review.told_late_at.is_not(None), wanted.until(Review.told_late_at)),
    )
    newest = func.coalesce(Review.sent_at, Review.closed_at, Review.told_late_at)
    rows = db.session.execute(
        select(Review, Account.full_name)
        .outerjoin(Account, Account.id == Review.sent_by)
        .options(joinedload(Review.letter))
        .where(Review.enrolment_id == wanted.enrolment.id, moments)
        .order_by(newest.desc())
        .limit(wanted.most)
    )
    for review, name in rows:
        for what, at, by in (
            (Happened.REVIEW_LATE, review.told_late_at, ""),
            (Happened.REVIEW_SENT, review.sent_at, name or ""),
            (Happened.REVIEW_MISSED, review.closed_at if review.state is ReviewState.MISSED else None, ""),
        ):
            if at is not None and (wanted.before is None or at < wanted.before):
                yield Moment(what, at, review, by)


def _messages(wanted: _Wanted) -> Iterable[Moment]:
    messages = db.session.scalars(
        select(Message)
        .options(joinedload(Message.author))
        .where(Message.enrolment_id == wanted.enrolment.id, wanted.until(Message.sent_at))
        .order_by(Message.sent_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.MESSAGE, one.sent_at, one, one.author.full_name) for one in messages)


def _scores(wanted: _Wanted) -> Iterable[Moment]:
    finished = db.session.scalars(
        select(Questionnaire)
        .where(Questionnaire.enrolment_id == wanted.enrolment.id, wanted.until(Questionnaire.finished_at))
        .order_by(Questionnaire.finished_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.SCORE, one.finished_at, one) for one in finished if one.finished_at)


def _reminders(wanted: _Wanted) -> Iterable[Moment]:
    said = {
        ReminderState.HANDED_OVER: Happened.REMINDER_SENT,
        ReminderState.HELD_BACK: Happened.REMINDER_HELD_BACK,
    }
    reminders = db.session.scalars(
        select(Reminder)
        .where(
            *prompts_by_email(wanted.enrolment),
            Reminder.state.in_(said),
            wanted.until(Reminder.settled_at),
        )
        .order_by(Reminder.settled_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(said[one.state], one.settled_at, one) for one in reminders if one.settled_at)


def _flags(wanted: _Wanted) -> Iterable[Moment]:
    alerts = db.session.scalars(
        select(RiskAlert)
        .where(RiskAlert.enrolment_id == wanted.enrolment.id, wanted.until(RiskAlert.raised_at))
        .order_by(RiskAlert.raised_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.ALERT, alert.raised_at, alert) for alert in alerts)


def _calls(wanted: _Wanted) -> Iterable[Moment]:
    calls = db.session.execute(
        select(CallLog, Account.full_name)
        .join(Account, Account.id == CallLog.called_by)
        .where(CallLog.enrolment_id == wanted.enrolment.id, wanted.until(CallLog.called_at))
        .order_by(CallLog.called_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.CALL, call.called_at, call, name) for call, name in calls)


def _decisions(wanted: _Wanted) -> Iterable[Moment]:
    changes = db.session.execute(
        select(EnrolmentChange, Account.full_name)
        .outerjoin(Account, Account.id == EnrolmentChange.changed_by)
        .where(EnrolmentChange.enrolment_id == wanted.enrolment.id, wanted.until(EnrolmentChange.changed_at))
        .order_by(EnrolmentChange.changed_at.desc())
        .limit(wanted.most)
    )
    yield from (Moment(Happened.CHANGE, change.changed_at, change, name or "") for change, name in changes)


_SOURCES: dict[Kind, Callable[[_Wanted], Iterable[Moment]]] = {
    Kind.PLAN: _plan,
    Kind.ACTIVITY: _activity,
    Kind.REMINDERS: _reminders,
    Kind.REVIEWS: _reviews,
    Kind.MESSAGES: _messages,
    Kind.SCORES: _scores,
    Kind.FLAGS: _flags,
    Kind.CALLS: _calls,
    Kind.DECISIONS: _decisions,
}


def people_named(moments: Sequence[Moment]) -> set[int]:
    """The accounts that changes of supporter or clinician name, so that they can be read with their names."""
    return {
        int(value)
        for moment in moments
        if moment.what is Happened.CHANGE and moment.row.what in ("supporter", "clinician")
        for value in (moment.row.from_value, moment.row.to_value)
        if value.isdigit()
    }
