"""One course along one axis of time: days here, plan, scores, reviews, messages and reminders, each by its day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Date, Select, Text, case, cast, func, literal, null, select, union_all

from icbt_support.activity.models import USED_A_TOOL, ActivityDay
from icbt_support.cadence import local_day
from icbt_support.db import UtcDateTime, db
from icbt_support.engagement.person import prompts_by_email
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.queries import Score
from icbt_support.messages.models import Message
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.models import Review, ReviewState

_SENT = (ReminderState.HANDED_OVER, ReminderState.BOUNCED)
_ON_AXIS = (ItemKind.SESSION, ItemKind.PRACTICE, ItemKind.AGREED_STEP)


@dataclass
class CourseAxis:
    """From `first_on` to `last_on`. Each list holds days with what kind they are of; `scores` hold totals."""

    first_on: date
    last_on: date
    weeks: list[date] = field(default_factory=list)
    here: list[tuple[date, bool]] = field(default_factory=list)
    """With a tool used, or only a visit."""
    plan: list[tuple[date, bool]] = field(default_factory=list)
    """Done, or not."""
    scores: list[tuple[date, int]] = field(default_factory=list)
    reviews: list[tuple[date, bool]] = field(default_factory=list)
    """Sent by the time that was promised, or late (on the day of the promise)."""
    messages: list[tuple[date, bool]] = field(default_factory=list)
    """From the person, or from the service."""
    reminders: list[date] = field(default_factory=list)


def axis_of(
    enrolment: Enrolment, weeks: Sequence[Week], scores: Sequence[Score], *, zone: str, now: datetime
) -> CourseAxis:
    """The whole course until today, or until it ended; one statement beside what the page has loaded."""
    first_on = local_day(enrolment.invited_at, zone)
    last_on = local_day(enrolment.ended_at or now, zone)
    axis = CourseAxis(first_on, max(last_on, first_on), weeks=[week.opened_on for week in weeks])
    axis.plan = [
        (item.planned_on, item.state is ItemState.DONE)
        for week in weeks
        for item in week.items
        if _is_on_axis(item) and item.planned_on <= last_on
    ]
    axis.scores = [(local_day(score.at, zone), score.total) for score in scores]
    for what, day, at, flag in db.session.execute(_moments(enrolment)):
        on = day if day is not None else local_day(at, zone)
        if what == "here":
            axis.here.append((on, bool(flag)))
        elif what == "review":
            axis.reviews.append((on, bool(flag)))
        elif what == "message":
            axis.messages.append((on, bool(flag)))
        else:
            axis.reminders.append(on)
    return axis


def _is_on_axis(item: PlanItem) -> bool:
    return item.kind in _ON_AXIS and item.state is not ItemState.CARRIED_OVER


def _moments(enrolment: Enrolment) -> Select:
    """Four small reads that travel as one statement."""
    no_day = cast(null(), Date)
    no_time = cast(null(), UtcDateTime)
    is_tool = case((ActivityDay.act.in_(USED_A_TOOL), 1), else_=0)
    here = (
        select(
            cast(literal("here"), Text).label("what"),
            ActivityDay.acted_on.label("day"),
            no_time.label("at"),
            func.max(is_tool).label("flag"),
        )
        .where(ActivityDay.enrolment_id == enrolment.id)
        .group_by(ActivityDay.acted_on)
    )
    was_on_time = case((Review.told_late_at.is_(None), 1), else_=0)
    reviews = select(
        literal("review"), no_day, func.coalesce(Review.told_late_at, Review.sent_at), was_on_time
    ).where(
        Review.enrolment_id == enrolment.id,
        Review.state != ReviewState.CANCELLED,
        func.coalesce(Review.told_late_at, Review.sent_at).is_not(None),
    )
    is_theirs = case((Message.author_id == enrolment.patient_id, 1), else_=0)
    messages = select(literal("message"), no_day, Message.sent_at, is_theirs).where(
        Message.enrolment_id == enrolment.id
    )
    reminders = select(literal("reminder"), no_day, Reminder.settled_at, literal(1)).where(
        *prompts_by_email(enrolment), Reminder.state.in_(_SENT), Reminder.settled_at.is_not(None)
    )
    moments = union_all(here, reviews, messages, reminders).subquery()
    return select(moments).order_by(moments.c.what, moments.c.day, moments.c.at)
