"""Writing and reading messages; news of them is owed in the same transaction."""

from datetime import datetime

from sqlalchemy import update

from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.colleague_access import POOL, end_access, keep_access
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.queries import cover_pool
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.queries import has_told_late, message_by_key, messages_unread_too_long
from icbt_support.messages.rules import NOT_SAFE_WORDS
from icbt_support.posted_once import key_of_post
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import hold_course, raise_stated_risk
from icbt_support.risk.read_first import mark_read, mark_read_first

MESSAGE_NEWS = (
    ReminderKind.MESSAGE,
    ReminderKind.MESSAGE_LATE,
    ReminderKind.STAFF_MESSAGE,
    ReminderKind.STAFF_MESSAGE_LATE,
)


class NothingWritten(Exception):
    """A message has words."""


class NobodyWrites(Exception):
    """A message is written by a person."""


def post_message(
    enrolment: Enrolment, words: str, *, kind: MessageKind, posted_key: str, by: Actor, now: datetime
) -> Message:
    """Adds a message to the thread; the same words under the same `posted_key` are one message, other words
    another.

    Its words never change. A welcome is told of by the verb that sends it; every other message owes its
    reader news.
    """
    if not words.strip():
        raise NothingWritten
    if by.account_id is None:
        raise NobodyWrites
    hold_course(enrolment.id)
    key = key_of_post(posted_key, words)
    known = message_by_key(enrolment, key)
    if known is not None:
        return known
    message = Message(
        enrolment_id=enrolment.id,
        author_id=by.account_id,
        kind=kind,
        words=words,
        posted_key=key,
        sent_at=now,
    )
    db.session.add(message)
    db.session.flush()
    _record("message_sent", message, enrolment, by, now)
    if by.account_id == enrolment.patient_id:
        _note_patient_wrote(enrolment, message, by, now)
    elif kind is not MessageKind.WELCOME:
        _owe_news(ReminderKind.MESSAGE, enrolment.patient_id, enrolment, message, now)
    return message


def post_not_safe(
    enrolment: Enrolment, words: str, *, posted_key: str, by: Actor, now: datetime
) -> RiskAlert:
    """*I need someone to know I am not safe*.

    The message, whatever was typed with it, and an urgent alert, together.
    """
    message = post_message(
        enrolment,
        words.strip() or NOT_SAFE_WORDS,
        kind=MessageKind.MESSAGE,
        posted_key=posted_key,
        by=by,
        now=now,
    )
    return raise_stated_risk(enrolment, message.words, source_key=f"message:{message.id}", by=by, now=now)


def mark_thread_read(enrolment: Enrolment, *, by: Actor, now: datetime) -> int:
    """What the other side wrote is read.

    For staff, what was to be read first is read too. Returns how many were new.
    """
    is_patient = by.account_id == enrolment.patient_id
    wrote = (
        Message.author_id != enrolment.patient_id if is_patient else Message.author_id == enrolment.patient_id
    )
    read = db.session.scalars(
        update(Message)
        .where(Message.enrolment_id == enrolment.id, Message.read_at.is_(None), wrote)
        .values(read_at=now, read_by=by.account_id)
        .returning(Message.id)
    ).all()
    for message_id in read:
        withdraw_reminders(now=now, reason="read", subject=f"message:{message_id}", kinds=MESSAGE_NEWS)
    if not is_patient:
        end_access(enrolment, [f"message:{message_id}" for message_id in read], by=by, now=now)
        mark_read(enrolment, by=by, now=now)
    if read:
        record(
            "messages_read",
            by=by,
            now=now,
            object_kind="enrolment",
            object_id=enrolment.id,
            enrolment_id=enrolment.id,
            service_id=enrolment.service_id,
            detail=f"{len(read)} messages",
        )
    return len(read)


def mark_question_answered(message: Message, *, by: Actor, now: datetime) -> None:
    """The question leaves the review workspace."""
    if message.answered_at is not None:
        return
    message.answered_at = now
    db.session.flush()
    _record("question_answered", message, message.enrolment, by, now)


def tell_of_late_messages(*, by: Actor, now: datetime) -> int:
    """A message that nobody has read for two working days is late like a review: the patient's page and inbox
    say so once until somebody has read the thread, and the supporter and the cover pool are told.

    Returns how many messages became late.
    """
    late = messages_unread_too_long(now)
    told = 0
    for message in late:
        hold_course(message.enrolment_id)
        db.session.refresh(message)
        if message.read_at is not None or message.told_late_at is not None:
            continue
        if not has_told_late(message.enrolment):
            _tell_of_late_message(message, now)
        message.told_late_at = now
        db.session.flush()
        keep_access(message.enrolment, f"message:{message.id}", {POOL}, by=by, now=now)
        _record("told_late_message", message, message.enrolment, by, now)
        told += 1
    return told


def _tell_of_late_message(message: Message, now: datetime) -> None:
    enrolment = message.enrolment
    pool = cover_pool(enrolment.service_id, local_day(now, enrolment.service.zone))
    staff = {enrolment.supporter_id, *(person.id for person in pool)}
    readers = [(ReminderKind.MESSAGE_LATE, enrolment.patient_id)]
    readers += [(ReminderKind.STAFF_MESSAGE_LATE, account_id) for account_id in sorted(staff)]
    for kind, recipient_id in readers:
        owe_reminder(
            key=f"message-late:{message.id}:{recipient_id}",
            kind=kind,
            recipient_id=recipient_id,
            service_id=enrolment.service_id,
            subject=f"message:{message.id}",
            context=f"enrolment:{enrolment.id}",
            due_at=now,
            now=now,
        )


def _note_patient_wrote(enrolment: Enrolment, message: Message, by: Actor, now: datetime) -> None:
    record_activity(
        Act.WROTE_MESSAGE,
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        on=local_today(enrolment, now),
        now=now,
        subject=f"message:{message.id}",
    )
    _owe_news(ReminderKind.STAFF_MESSAGE, enrolment.supporter_id, enrolment, message, now)
    mark_read_first(enrolment, "message", message.id, message.words, by=by, now=now)


def _owe_news(
    kind: ReminderKind, recipient_id: int, enrolment: Enrolment, message: Message, now: datetime
) -> None:
    owe_reminder(
        key=f"message:{message.id}",
        kind=kind,
        recipient_id=recipient_id,
        service_id=enrolment.service_id,
        subject=f"message:{message.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )


def _record(action: str, message: Message, enrolment: Enrolment, by: Actor, now: datetime) -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind="message",
        object_id=message.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=message.kind,
    )
