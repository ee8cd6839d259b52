"""Counting the days of a service: the last few again and again, earlier ones once.

A day's prompts and reviews go on changing for some days (a late letter, a visit after a reminder); then they stand.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import String, cast, delete, func, insert, literal, select

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
LOOK_BACK = timedelta(weeks=10)
AT_ONCE = timedelta(weeks=1)
_MIDNIGHT = datetime.min.time()
_SENT = (ReminderState.HANDED_OVER, ReminderState.BOUNCED)
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
    first = max(tomorrow - LOOK_BACK, newest - STANDS_AFTER if newest else date.min)
    counted = 0
    while first < tomorrow:
        end = min(first + AT_ONCE, tomorrow)
        counted += commit_with_retry(partial(_keep_stretch, service_id, first, end, now))
        first = end
    return counted


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
    """Found through the people of the service: a person's reminders stand together."""
    next_act = (
        select(func.min(ActivityEvent.at))
        .where(ActivityEvent.enrolment_id == Enrolment.id, ActivityEvent.at > Reminder.settled_at)
        .correlate(Enrolment, Reminder)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Reminder.due_at, Reminder.state, Reminder.settled_at, next_act)
        .join(Enrolment, Enrolment.patient_id == Reminder.recipient_id)
        .where(
            *_is_of_care(stretch.service),
            Reminder.service_id == stretch.service.id,
            Reminder.channel == Channel.EMAIL,
            Reminder.reminder_class == ReminderClass.PROMPT,
            Reminder.due_at >= stretch.from_at,
            Reminder.due_at < stretch.until_at,
            Reminder.context == literal("enrolment:") + cast(Enrolment.id, String),
        )
    )
    for due_at, state, settled_at, acted_at in rows:
        count = counts[stretch.day_of(due_at)]
        if state in _SENT:
            count["prompts_sent"] += 1
            if settled_at and acted_at and acted_at - settled_at <= FOLLOWED_WITHIN:
                count["prompts_followed"] += 1
        elif state is ReminderState.HELD_BACK:
            count["prompts_held_back"] += 1
        elif state is ReminderState.WITHDRAWN:
            count["prompts_withdrawn"] += 1


def _count_reviews(stretch: _Stretch, counts: Counts, now: datetime) -> None:
    """A review that was told of as late counts on that day, whatever it was promised for afterwards; one that
    never came is late, one that was closed before its promise is neither.
    """
    promised_at = func.coalesce(Review.told_late_at, Review.promised_at)
    rows = db.session.execute(
        select(promised_at, Review.told_late_at, Review.sent_at, Review.state, Review.closed_at)
        .join(Enrolment, Enrolment.id == Review.enrolment_id)
        .where(
            *_is_of_care(stretch.service),
            Review.kind != ReviewKind.WELCOME,
            Review.state != ReviewState.CANCELLED,
            promised_at >= stretch.from_at,
            promised_at < stretch.until_at,
            promised_at <= now,
        )
    )
    for promised, told_late_at, sent_at, state, closed_at in rows:
        if state is ReviewState.MISSED and closed_at is not None and closed_at < promised:
            continue
        is_on_time = told_late_at is None and sent_at is not None and sent_at <= promised
        counts[stretch.day_of(promised)]["reviews_on_time" if is_on_time else "reviews_late"] += 1


def _count_sessions(stretch: _Stretch, counts: Counts) -> None:
    """What was carried over to another week was planned and not kept."""
    rows = db.session.execute(
        select(PlanItem.planned_on, PlanItem.state, func.count())
        .join(Enrolment, Enrolment.id == PlanItem.enrolment_id)
        .where(
            *_is_of_care(stretch.service),
            PlanItem.kind == ItemKind.SESSION,
            PlanItem.planned_on >= stretch.first,
            PlanItem.planned_on < stretch.end,
        )
        .group_by(PlanItem.planned_on, PlanItem.state)
    )
    for day, state, number in rows:
        counts[day]["sessions_planned"] += number
        if state is ItemState.DONE:
            counts[day]["sessions_done"] += number


def _is_of_care(service: Service) -> tuple:
    return Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE
