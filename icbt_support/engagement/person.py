"""What happened with one person: since the last review, and in the whole course. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from icbt_support.activity.models import ActivityEvent
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, PageRead
from icbt_support.measures.models import Questionnaire
from icbt_support.messages.models import Message
from icbt_support.plan.models import Week
from icbt_support.read_once import read_once
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


# Since the last review ----------------------------------------------------------------------------


@read_once
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


@read_once
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


@read_once
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


@dataclass(frozen=True)
class LetterSent:
    """One letter of the course, without its words."""

    review_id: int
    number: int
    sent_at: datetime
    is_opened: bool


def letters_sent(enrolment: Enrolment) -> list[LetterSent]:
    """Every letter, newest first."""
    rows = db.session.execute(
        select(Review.id, Review.number, Review.sent_at, Review.read_at)
        .where(
            Review.enrolment_id == enrolment.id,
            Review.state == ReviewState.SENT,
            Review.kind != ReviewKind.WELCOME,
        )
        .order_by(Review.sent_at.desc(), Review.id.desc())
    )
    return [LetterSent(row.id, row.number, row.sent_at, row.read_at is not None) for row in rows]


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
        ("ending", enrolment.id): enrolment.end_reason or "",
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
