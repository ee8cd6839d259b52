"""What happened with one person: since the last review, and in the whole course. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityEvent
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.journal.models import Entry, ExerciseAnswer, PageRead
from icbt_support.measures.models import Answer, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.risk.models import CallLog, ReadFirst, RiskAlert

FOLLOWED_WITHIN = timedelta(hours=48)
TIMELINE_LENGTH = 120


@dataclass(frozen=True)
class RiskAnswer:
    """The newest answer to a measure's risk item and the one before it, as numbers; None before any answer."""

    value: int | None
    before: int | None


@dataclass(frozen=True)
class SessionsKept:
    """Sessions done, of those whose day has come."""

    kept: int
    planned: int


@dataclass(frozen=True)
class RemindersSince:
    """Prompts by email: how many were sent and held back, and after how many the person came within 48 hours."""

    sent: int
    held_back: int
    followed: int


@dataclass(frozen=True)
class SharedSince:
    """What the person wrote and did since a moment; private entries are a number and nothing else."""

    messages: tuple[Message, ...]
    entries: tuple[Entry, ...]
    private_count: int
    exercises: tuple[ExerciseAnswer, ...]
    pages: tuple[PageRead, ...]
    marked: frozenset[tuple[str, int]]

    def is_marked(self, subject: str, subject_id: int) -> bool:
        """Whether the text holds one of the service's phrases and nobody has read it yet."""
        return (subject, subject_id) in self.marked


@dataclass(frozen=True)
class WhatSendingChanged:
    """What one sent review did to the person's reminders."""

    planned: int
    withdrawn: int


# Scores -------------------------------------------------------------------------------------------------------


def totals_of(enrolment: Enrolment) -> dict[str, tuple[int, ...]]:
    """Measure to its totals, first to last; only finished questionnaires have one."""
    found: dict[str, list[int]] = {}
    for measure, total in db.session.execute(
        select(Questionnaire.measure, Questionnaire.total)
        .where(Questionnaire.enrolment_id == enrolment.id, Questionnaire.total.is_not(None))
        .order_by(Questionnaire.measure, Questionnaire.week_number)
    ):
        found.setdefault(measure, []).append(total)
    return {measure: tuple(totals) for measure, totals in found.items()}


def risk_answer_of(enrolment: Enrolment, measure: str, item: int) -> RiskAnswer:
    """The newest two questionnaires in which the item was answered, finished or not."""
    rows = db.session.execute(
        select(Answer.questionnaire_id, Answer.value)
        .join(Questionnaire, Questionnaire.id == Answer.questionnaire_id)
        .where(Questionnaire.enrolment_id == enrolment.id, Questionnaire.measure == measure, Answer.item == item)
        .order_by(Questionnaire.week_number.desc(), Answer.version.desc())
    )
    newest: dict[int, int] = {}
    for questionnaire_id, value in rows:
        newest.setdefault(questionnaire_id, value)
    values = list(newest.values())[:2]
    return RiskAnswer(*values, *(None,) * (2 - len(values)))


# Since the last review ----------------------------------------------------------------------------------------


def began_waiting_at(review: Review) -> datetime:
    """The moment since which this review looks back: the last letter, or else the start of the course."""
    sent_at = db.session.scalar(
        select(func.max(Review.sent_at)).where(
            Review.enrolment_id == review.enrolment_id,
            Review.state == ReviewState.SENT,
            Review.kind != ReviewKind.WELCOME,
            Review.id != review.id,
        )
    )
    return sent_at or review.enrolment.invited_at


def shared_since(enrolment: Enrolment, since: datetime) -> SharedSince:
    """Messages and questions (open questions however old), shared entries and pages read."""
    messages = db.session.scalars(
        select(Message)
        .where(
            Message.enrolment_id == enrolment.id,
            Message.author_id == enrolment.patient_id,
            or_(
                Message.sent_at > since,
                Message.read_at.is_(None),
                (Message.kind == MessageKind.QUESTION) & Message.answered_at.is_(None),
            ),
        )
        .order_by(Message.sent_at, Message.id)
    )
    entries = db.session.scalars(
        select(Entry)
        .where(Entry.enrolment_id == enrolment.id, Entry.is_shared, *_finished_since(since))
        .order_by(Entry.created_at, Entry.id)
    )
    private = db.session.scalar(
        select(func.count()).where(
            Entry.enrolment_id == enrolment.id, Entry.is_shared.is_(False), *_finished_since(since)
        )
    )
    exercises = {
        (answer.module, answer.exercise): answer
        for answer in db.session.scalars(
            select(ExerciseAnswer)
            .where(ExerciseAnswer.enrolment_id == enrolment.id, ExerciseAnswer.answered_at > since)
            .order_by(ExerciseAnswer.version, ExerciseAnswer.id)
        )
    }
    pages = db.session.scalars(
        select(PageRead)
        .where(PageRead.enrolment_id == enrolment.id, PageRead.last_read_at > since)
        .order_by(PageRead.last_read_at, PageRead.id)
    )
    marked = db.session.execute(
        select(ReadFirst.subject, ReadFirst.subject_id).where(
            ReadFirst.enrolment_id == enrolment.id, ReadFirst.read_at.is_(None)
        )
    )
    return SharedSince(
        messages=tuple(messages),
        entries=tuple(entries),
        private_count=private or 0,
        exercises=tuple(sorted(exercises.values(), key=lambda answer: (answer.answered_at, answer.id))),
        pages=tuple(pages),
        marked=frozenset((subject, subject_id) for subject, subject_id in marked),
    )


def _finished_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Entry.finished_at.is_not(None), Entry.changed_at > since)


def reminders_since(enrolment: Enrolment, since: datetime) -> RemindersSince:
    reminders = db.session.execute(
        select(Reminder.state, Reminder.settled_at).where(
            *_prompts_by_email(enrolment),
            Reminder.settled_at > since,
            Reminder.state.in_([ReminderState.HANDED_OVER, ReminderState.HELD_BACK]),
        )
    ).all()
    came_at = list(
        db.session.scalars(
            select(ActivityEvent.at).where(ActivityEvent.enrolment_id == enrolment.id, ActivityEvent.at > since)
        )
    )
    sent_at = [settled_at for state, settled_at in reminders if state is ReminderState.HANDED_OVER]
    return RemindersSince(
        sent=len(sent_at),
        held_back=len(reminders) - len(sent_at),
        followed=sum(1 for moment in sent_at if _came_after(moment, came_at)),
    )


def _came_after(moment: datetime, came_at: Iterable[datetime]) -> bool:
    return any(moment <= visit <= moment + FOLLOWED_WITHIN for visit in came_at)


def prompts_owed(enrolment: Enrolment) -> int:
    """Prompts by email that are still to come; sending a review withdraws them and plans the next week's."""
    return (
        db.session.scalar(
            select(func.count(Reminder.id)).where(
                *_prompts_by_email(enrolment), Reminder.state == ReminderState.OWED
            )
        )
        or 0
    )


def what_sending_changed(review: Review) -> WhatSendingChanged:
    """The prompts that this send owed and withdrew: both happened at the very instant of the send."""
    planned = select(func.count(Reminder.id)).where(
        *_prompts_by_email(review.enrolment), Reminder.owed_at == review.sent_at
    )
    withdrawn = select(func.count(Reminder.id)).where(
        *_prompts_by_email(review.enrolment),
        Reminder.state == ReminderState.WITHDRAWN,
        Reminder.settled_at == review.sent_at,
    )
    return WhatSendingChanged(db.session.scalar(planned) or 0, db.session.scalar(withdrawn) or 0)


def _prompts_by_email(enrolment: Enrolment) -> tuple[ColumnElement[bool], ...]:
    return (
        Reminder.context == f"enrolment:{enrolment.id}",
        Reminder.recipient_id == enrolment.patient_id,
        Reminder.reminder_class == ReminderClass.PROMPT,
        Reminder.channel == Channel.EMAIL,
    )


def sessions_kept(enrolment: Enrolment, today: date) -> SessionsKept:
    states = db.session.scalars(
        select(PlanItem.state).where(
            PlanItem.enrolment_id == enrolment.id,
            PlanItem.kind == ItemKind.SESSION,
            PlanItem.state != ItemState.CARRIED_OVER,
            or_(PlanItem.planned_on <= today, PlanItem.state == ItemState.DONE),
        )
    ).all()
    return SessionsKept(kept=sum(1 for state in states if state is ItemState.DONE), planned=len(states))


def module_was_opened(week: Week, enrolment: Enrolment) -> bool:
    """Whether a page of the week's module was read since the week opened."""
    return (
        db.session.scalar(
            select(PageRead.id)
            .where(
                PageRead.enrolment_id == enrolment.id,
                PageRead.module == week.module,
                PageRead.last_read_at >= week.opened_at,
            )
            .limit(1)
        )
        is not None
    )


def did_anything_since(enrolment: Enrolment, since: datetime) -> bool:
    """Whether the person has been here since `since`."""
    return (
        db.session.scalar(
            select(ActivityEvent.id)
            .where(ActivityEvent.enrolment_id == enrolment.id, ActivityEvent.at >= since)
            .limit(1)
        )
        is not None
    )


# The whole course ---------------------------------------------------------------------------------------------


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
        .where(
            Review.enrolment_id == enrolment.id, Review.state.in_([ReviewState.SENT, ReviewState.MISSED])
        )
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
            *_prompts_by_email(enrolment), Reminder.state.in_(said), Reminder.settled_at.is_not(None)
        )
    )
    return [Moment(said[one.state], one.settled_at, one) for one in reminders if one.settled_at]


def _calls_changes_alerts(enrolment: Enrolment) -> list[Moment]:
    calls: Sequence[tuple[CallLog, str]] = db.session.execute(  # type: ignore[assignment]
        select(CallLog, Account.full_name)
        .join(Account, Account.id == CallLog.called_by)
        .where(CallLog.enrolment_id == enrolment.id)
    ).all()
    changes: Sequence[tuple[EnrolmentChange, str | None]] = db.session.execute(  # type: ignore[assignment]
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


# Words to be read first ---------------------------------------------------------------------------------------


def words_to_read_first(enrolment: Enrolment) -> list[tuple[datetime, str]]:
    """When and what: shared texts that hold one of the service's phrases, until somebody has read them."""
    marks = db.session.scalars(
        select(ReadFirst)
        .where(ReadFirst.enrolment_id == enrolment.id, ReadFirst.read_at.is_(None))
        .order_by(ReadFirst.marked_at, ReadFirst.id)
    ).all()
    ids: dict[str, list[int]] = {}
    for mark in marks:
        ids.setdefault(mark.subject, []).append(mark.subject_id)
    texts = {
        **_texts("message", select(Message).where(Message.id.in_(ids.get("message", [])))),
        **_texts("entry", select(Entry).where(Entry.id.in_(ids.get("entry", [])), Entry.is_shared)),
        **_texts("exercise", select(ExerciseAnswer).where(ExerciseAnswer.id.in_(ids.get("exercise", [])))),
    }
    return [
        (mark.marked_at, texts[mark.subject, mark.subject_id])
        for mark in marks
        if (mark.subject, mark.subject_id) in texts
    ]


def _texts(subject: str, rows: Select[Any]) -> dict[tuple[str, int], str]:
    return {(subject, row.id): _text_of(row) for row in db.session.scalars(rows)}


def _text_of(row: Message | Entry | ExerciseAnswer) -> str:
    if isinstance(row, Entry):
        return "\n".join(str(value) for value in row.fields.values() if isinstance(value, str))
    return row.words
