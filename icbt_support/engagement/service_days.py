"""Counting the days of a service: the last few every hour, all that a page shows once a day.

A day goes on changing for some days (a late letter, a visit after a reminder) and now and then for weeks (a session
ticked afterwards or moved, a course that ends with a review owed): a figure and the people behind it have to agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import String, cast, delete, func, insert, literal, or_, select

from icbt_support.activity.models import ActivityEvent
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import commit_with_retry, db
from icbt_support.engagement.models import ServiceDay
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.service.models import Service

FOLLOWED_WITHIN = timedelta(hours=48)
STANDS_AFTER = timedelta(days=4)
"""A prompt goes out on its day or, after quiet hours, on the next; two days later it is known who came."""
LOOK_BACK = timedelta(weeks=9)
"""The eight weeks that pages show, whatever the day of the week."""
AT_ONCE = timedelta(weeks=1)
_MIDNIGHT = datetime.min.time()
CLOSED_UNSENT = (ReviewState.MISSED, ReviewState.CANCELLED)
SENT = (ReminderState.HANDED_OVER, ReminderState.BOUNCED)
Counts = dict[date, Counter[str]]


@dataclass(frozen=True)
class _Stretch:
    """The days from `first` up to but not with `end`, of one service."""

    service: Service
    first: date
    end: date

    @property
    def from_at(self) -> datetime:
        return to_utc(self.first, _MIDNIGHT, self.service.zone)

    @property
    def until_at(self) -> datetime:
        return to_utc(self.end, _MIDNIGHT, self.service.zone)

    def day_of(self, at: datetime) -> date:
        return local_day(at, self.service.zone)

    @property
    def days(self) -> Sequence[date]:
        return [self.first + timedelta(days=n) for n in range((self.end - self.first).days)]


def keep_service_days(*, now: datetime) -> int:
    """Counts what is not counted yet and what may have changed; returns how many days. Commits each stretch."""
    service_ids = db.session.scalars(select(Service.id).order_by(Service.id)).all()
    return sum(_keep_service(service_id, now) for service_id in service_ids)


def forget_service_days() -> None:
    """All of them, so that they are counted again."""
    db.session.execute(delete(ServiceDay))


def _keep_service(service_id: int, now: datetime) -> int:
    service = db.session.get_one(Service, service_id)
    tomorrow = local_day(now, service.zone) + timedelta(days=1)
    newest = db.session.scalar(select(func.max(ServiceDay.day)).where(ServiceDay.service_id == service_id))
    first, counted = _first_to_count(newest, tomorrow), 0
    while first < tomorrow:
        end = min(first + AT_ONCE, tomorrow)
        counted += commit_with_retry(partial(_keep_stretch, service_id, first, end, now))
        first = end
    return counted


def _first_to_count(newest: date | None, tomorrow: date) -> date:
    """With the first count of a day everything is counted again, then only what changes often."""
    is_counted_today = newest is not None and newest + timedelta(days=1) >= tomorrow
    return tomorrow - (STANDS_AFTER + timedelta(days=1) if is_counted_today else LOOK_BACK)


def _keep_stretch(service_id: int, first: date, end: date, now: datetime) -> int:
    stretch = _Stretch(db.session.get_one(Service, service_id), first, end)
    counts: Counts = defaultdict(Counter)
    _count_prompts(stretch, counts)
    _count_reviews(stretch, counts, now)
    _count_sessions(stretch, counts)
    db.session.execute(
        delete(ServiceDay).where(
            ServiceDay.service_id == service_id, ServiceDay.day >= first, ServiceDay.day < end
        )
    )
    names = [column.name for column in ServiceDay.__table__.c if column.name not in ("service_id", "day")]
    db.session.execute(
        insert(ServiceDay),
        [
            {"service_id": service_id, "day": day, **{name: counts[day][name] for name in names}}
            for day in stretch.days
        ],
    )
    return len(stretch.days)


def _count_prompts(stretch: _Stretch, counts: Counts) -> None:
    for prompt in prompts_of(stretch.service, stretch.first, stretch.end):
        count = counts[prompt.due_on]
        if prompt.state in SENT:
            count["prompts_sent"] += 1
            count["prompts_followed"] += prompt.was_followed
        elif prompt.state is ReminderState.HELD_BACK:
            count["prompts_held_back"] += 1
        elif prompt.state is ReminderState.WITHDRAWN:
            count["prompts_withdrawn"] += 1


def _count_reviews(stretch: _Stretch, counts: Counts, now: datetime) -> None:
    for review in reviews_of(stretch.service, stretch.first, stretch.end, now=now):
        counts[review.promised_on]["reviews_on_time" if review.is_on_time else "reviews_late"] += 1


def _count_sessions(stretch: _Stretch, counts: Counts) -> None:
    for session in sessions_of(stretch.service, stretch.first, stretch.end):
        counts[session.planned_on]["sessions_planned"] += 1
        counts[session.planned_on]["sessions_done"] += session.was_kept


# One by one: what is counted, and whose it is --------------------------------------------------------------------


@dataclass(frozen=True)
class Prompt:
    """One prompt by email; followed if the person was here within 48 hours of it."""

    enrolment_id: int
    due_on: date
    state: ReminderState
    was_followed: bool


@dataclass(frozen=True)
class PromisedReview:
    enrolment_id: int
    promised_on: date
    is_on_time: bool


@dataclass(frozen=True)
class PlannedSession:
    """What was carried over to another week was planned and not kept."""

    enrolment_id: int
    planned_on: date
    was_kept: bool


def prompts_of(service: Service, first: date, end: date) -> Iterator[Prompt]:
    """Of the days from `first` up to but not with `end`; found through the people of the service: a person's
    reminders stand together.
    """
    stretch = _Stretch(service, first, end)
    next_act = (
        select(func.min(ActivityEvent.at))
        .where(ActivityEvent.enrolment_id == Enrolment.id, ActivityEvent.at > Reminder.settled_at)
        .correlate(Enrolment, Reminder)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Enrolment.id, Reminder.due_at, Reminder.state, Reminder.settled_at, next_act)
        .join(Enrolment, Enrolment.patient_id == Reminder.recipient_id)
        .where(
            *_is_of_care(service),
            Reminder.service_id == service.id,
            Reminder.channel == Channel.EMAIL,
            Reminder.reminder_class == ReminderClass.PROMPT,
            Reminder.due_at >= stretch.from_at,
            Reminder.due_at < stretch.until_at,
            Reminder.context == literal("enrolment:") + cast(Enrolment.id, String),
        )
    )
    for enrolment_id, due_at, state, settled_at, acted_at in rows:
        was_followed = bool(settled_at and acted_at and acted_at - settled_at <= FOLLOWED_WITHIN)
        yield Prompt(enrolment_id, stretch.day_of(due_at), state, state in SENT and was_followed)


def reviews_of(service: Service, first: date, end: date, *, now: datetime) -> Iterator[PromisedReview]:
    """A review that was told of as late counts on that day, whatever it was promised for afterwards; one that
    never came is late, also where the course ended since; one that was closed or called off before its promise is
    neither.
    """
    stretch = _Stretch(service, first, end)
    promised_at = func.coalesce(Review.told_late_at, Review.promised_at)
    rows = db.session.execute(
        select(Enrolment.id, promised_at, Review.told_late_at, Review.sent_at)
        .join(Enrolment, Enrolment.id == Review.enrolment_id)
        .where(
            *_is_of_care(service),
            Review.kind != ReviewKind.WELCOME,
            or_(Review.state.not_in(CLOSED_UNSENT), Review.closed_at >= promised_at),
            promised_at >= stretch.from_at,
            promised_at < stretch.until_at,
            promised_at <= now,
        )
    )
    for enrolment_id, promised, told_late_at, sent_at in rows:
        is_on_time = told_late_at is None and sent_at is not None and sent_at <= promised
        yield PromisedReview(enrolment_id, stretch.day_of(promised), is_on_time)


def sessions_of(service: Service, first: date, end: date) -> Iterator[PlannedSession]:
    rows = db.session.execute(
        select(Enrolment.id, PlanItem.planned_on, PlanItem.state)
        .join(Enrolment, Enrolment.id == PlanItem.enrolment_id)
        .where(
            *_is_of_care(service),
            PlanItem.kind == ItemKind.SESSION,
            PlanItem.planned_on >= first,
            PlanItem.planned_on < end,
        )
    )
    for enrolment_id, planned_on, state in rows:
        yield PlannedSession(enrolment_id, planned_on, state is ItemState.DONE)


def _is_of_care(service: Service) -> tuple:
    return Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE
