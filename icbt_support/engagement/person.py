"""What happened with one person: since the last review, and in the whole course. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from icbt_support.activity.models import ActivityEvent
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, PageRead
from icbt_support.measures.models import Answer, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.risk.models import ReadFirst

FOLLOWED_WITHIN = timedelta(hours=48)


@dataclass(frozen=True)
class RiskAnswer:
    """The newest answer to a measure's risk item and the one before it; None before any answer."""

    value: int | None
    before: int | None


@dataclass(frozen=True)
class SessionsKept:
    """Sessions done, of those whose day has come."""

    kept: int
    planned: int


@dataclass(frozen=True)
class RemindersSince:
    """Prompts by email: sent, held back, and after how many of them the person came within 48 hours."""

    sent: int
    held_back: int
    followed: int


@dataclass(frozen=True)
class SharedSince:
    """What the person wrote and did since a moment; private entries are a number and nothing else."""

    messages: tuple[Message, ...]
    entries: tuple[Entry, ...]
    private_count: int
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


# Scores -------------------------------------------------------------------------------------------


def totals_of(enrolment: Enrolment) -> dict[str, tuple[int, ...]]:
    """Measure to its totals, first to last; only finished questionnaires have one."""
    found: dict[str, list[int]] = {}
    for measure, total in db.session.execute(
        select(Questionnaire.measure, Questionnaire.total)
        .where(Questionnaire.enrolment_id == enrolment.id, Questionnaire.total.is_not(None))
        .order_by(Questionnaire.measure, Questionnaire.week_number)
    ):
        found.setdefault(measure, []).append(total or 0)
    return {measure: tuple(totals) for measure, totals in found.items()}


def risk_answer_of(enrolment: Enrolment, measure: str, item: int) -> RiskAnswer:
    """The newest two questionnaires in which the item was answered, finished or not."""
    rows = db.session.execute(
        select(Answer.questionnaire_id, Answer.value)
        .join(Questionnaire, Questionnaire.id == Answer.questionnaire_id)
        .where(
            Questionnaire.enrolment_id == enrolment.id, Questionnaire.measure == measure, Answer.item == item
        )
        .order_by(Questionnaire.week_number.desc(), Answer.version.desc())
    )
    newest: dict[int, int] = {}
    for questionnaire_id, value in rows:
        newest.setdefault(questionnaire_id, value)
    values = list(newest.values())[:2]
    return RiskAnswer(*values, *(None,) * (2 - len(values)))


# Since the last review ----------------------------------------------------------------------------


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
        pages=tuple(pages),
        marked=frozenset((subject, subject_id) for subject, subject_id in marked),
    )


def _finished_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Entry.finished_at.is_not(None), Entry.changed_at > since)


def reminders_since(enrolment: Enrolment, since: datetime) -> RemindersSince:
    reminders = db.session.execute(
        select(Reminder.state, Reminder.settled_at).where(
            *prompts_by_email(enrolment),
            Reminder.settled_at > since,
            Reminder.state.in_([ReminderState.HANDED_OVER, ReminderState.HELD_BACK]),
        )
    ).all()
    came_at = list(
        db.session.scalars(
            select(ActivityEvent.at).where(
                ActivityEvent.enrolment_id == enrolment.id, ActivityEvent.at > since
            )
        )
    )
    sent_at = [settled_at for state, settled_at in reminders if state is ReminderState.HANDED_OVER]
    return RemindersSince(
        sent=len(sent_at),
        held_back=len(reminders) - len(sent_at),
        followed=sum(1 for moment in sent_at if moment is not None and _came_after(moment, came_at)),
    )


def _came_after(moment: datetime, came_at: Iterable[datetime]) -> bool:
    return any(moment <= visit <= moment + FOLLOWED_WITHIN for visit in came_at)


def prompts_owed(enrolment: Enrolment) -> int:
    """Prompts by email that are still to come; sending a review withdraws them and plans the next week's."""
    return (
        db.session.scalar(
            select(func.count(Reminder.id)).where(
                *prompts_by_email(enrolment), Reminder.state == ReminderState.OWED
            )
        )
        or 0
    )


def what_sending_changed(review: Review) -> WhatSendingChanged:
    """The prompts that this send owed and withdrew: both happened at the very instant of the send."""
    planned = select(func.count(Reminder.id)).where(
        *prompts_by_email(review.enrolment), Reminder.owed_at == review.sent_at
    )
    withdrawn = select(func.count(Reminder.id)).where(
        *prompts_by_email(review.enrolment),
        Reminder.state == ReminderState.WITHDRAWN,
        Reminder.settled_at == review.sent_at,
    )
    return WhatSendingChanged(db.session.scalar(planned) or 0, db.session.scalar(withdrawn) or 0)


def prompts_by_email(enrolment: Enrolment) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a person's prompts by email."""
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


# Words to be read first ---------------------------------------------------------------------------


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
    }
    return [
        (mark.marked_at, texts[mark.subject, mark.subject_id])
        for mark in marks
        if (mark.subject, mark.subject_id) in texts
    ]


def _texts(subject: str, rows: Select[Any]) -> dict[tuple[str, int], str]:
    return {(subject, row.id): _text_of(row) for row in db.session.scalars(rows)}


def _text_of(row: Message | Entry) -> str:
    if isinstance(row, Entry):
        return "\n".join(str(value) for value in row.fields.values() if isinstance(value, str))
    return row.words
