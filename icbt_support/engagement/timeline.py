"""Everything that happened in one person's course, joined: eight statements whatever the data. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.engagement.person import prompts_by_email
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.measures.models import Questionnaire
from icbt_support.messages.models import Message
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.risk.models import CallLog, RiskAlert

TIMELINE_LENGTH = 120


class Happened(StrEnum):
    """What a line of the timeline is about."""

    WEEK_OPENED = "week_opened"
    REVIEW_SENT = "review_sent"
    REVIEW_MISSED = "review_missed"
    MESSAGE = "message"
    SCORE = "score"
    REMINDER_SENT = "reminder_sent"
    REMINDER_HELD_BACK = "reminder_held_back"
    CALL = "call"
    CHANGE = "change"
    ALERT = "alert"
    STEP = "step"


@dataclass(frozen=True)
class Moment:
    """One line of the timeline: what happened, when, about which row, and who did it where somebody did."""

    what: Happened
    at: datetime
    row: Week | Review | Message | Questionnaire | Reminder | CallLog | EnrolmentChange | RiskAlert | PlanItem
    by: str = ""


def timeline_of(enrolment: Enrolment, *, limit: int = TIMELINE_LENGTH) -> tuple[Moment, ...]:
    """Plan, reviews, messages, scores, reminders, calls, changes and alerts joined, newest first."""
    moments = [
        *_weeks_and_steps(enrolment),
        *_reviews(enrolment),
        *_messages(enrolment),
        *_scores(enrolment),
        *_reminders(enrolment),
        *_calls_changes_alerts(enrolment),
    ]
    return tuple(sorted(moments, key=lambda moment: (moment.at, moment.row.id), reverse=True)[:limit])


def _weeks_and_steps(enrolment: Enrolment) -> list[Moment]:
    weeks = db.session.scalars(select(Week).where(Week.enrolment_id == enrolment.id))
    steps = db.session.scalars(
        select(PlanItem).where(
            PlanItem.enrolment_id == enrolment.id,
            PlanItem.kind == ItemKind.AGREED_STEP,
            PlanItem.settled_at.is_not(None),
            PlanItem.state != ItemState.CARRIED_OVER,
        )
    )
    return [
        *(Moment(Happened.WEEK_OPENED, week.opened_at, week) for week in weeks),
        *(Moment(Happened.STEP, step.settled_at, step) for step in steps if step.settled_at),
    ]


def _reviews(enrolment: Enrolment) -> list[Moment]:
    rows = db.session.execute(
        select(Review, Account.full_name)
        .outerjoin(Account, Account.id == Review.sent_by)
        .options(joinedload(Review.letter))
        .where(Review.enrolment_id == enrolment.id, Review.state.in_([ReviewState.SENT, ReviewState.MISSED]))
    )
    found = []
    for review, name in rows:
        if review.sent_at is not None:
            found.append(Moment(Happened.REVIEW_SENT, review.sent_at, review, name or ""))
        elif review.closed_at is not None:
            found.append(Moment(Happened.REVIEW_MISSED, review.closed_at, review))
    return found


def _messages(enrolment: Enrolment) -> list[Moment]:
    messages = db.session.scalars(
        select(Message).options(joinedload(Message.author)).where(Message.enrolment_id == enrolment.id)
    )
    return [Moment(Happened.MESSAGE, one.sent_at, one, one.author.full_name) for one in messages]


def _scores(enrolment: Enrolment) -> list[Moment]:
    finished = db.session.scalars(
        select(Questionnaire).where(
            Questionnaire.enrolment_id == enrolment.id, Questionnaire.finished_at.is_not(None)
        )
    )
    return [Moment(Happened.SCORE, one.finished_at, one) for one in finished if one.finished_at]


def _reminders(enrolment: Enrolment) -> list[Moment]:
    said = {
        ReminderState.HANDED_OVER: Happened.REMINDER_SENT,
        ReminderState.HELD_BACK: Happened.REMINDER_HELD_BACK,
    }
    reminders = db.session.scalars(
        select(Reminder).where(
            *prompts_by_email(enrolment), Reminder.state.in_(said), Reminder.settled_at.is_not(None)
        )
    )
    return [Moment(said[one.state], one.settled_at, one) for one in reminders if one.settled_at]


def _calls_changes_alerts(enrolment: Enrolment) -> list[Moment]:
    calls = db.session.execute(
        select(CallLog, Account.full_name)
        .join(Account, Account.id == CallLog.called_by)
        .where(CallLog.enrolment_id == enrolment.id)
    ).all()
    changes = db.session.execute(
        select(EnrolmentChange, Account.full_name)
        .outerjoin(Account, Account.id == EnrolmentChange.changed_by)
        .where(EnrolmentChange.enrolment_id == enrolment.id)
    ).all()
    alerts = db.session.scalars(select(RiskAlert).where(RiskAlert.enrolment_id == enrolment.id))
    return [
        *(Moment(Happened.CALL, call.called_at, call, name) for call, name in calls),
        *(Moment(Happened.CHANGE, change.changed_at, change, name or "") for change, name in changes),
        *(Moment(Happened.ALERT, alert.raised_at, alert) for alert in alerts),
    ]
