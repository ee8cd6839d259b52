"""Reads of the thread, by course."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.queries import called_of
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import away_until, is_absent, review_slots_of
from icbt_support.messages import rules
from icbt_support.messages.models import Message, MessageKind

LONGEST_LOOK_BACK = timedelta(days=60)


def thread(enrolment: Enrolment) -> list[Message]:
    """The whole thread, oldest first, with its authors."""
    return list(
        db.session.scalars(
            select(Message)
            .options(joinedload(Message.author))
            .where(Message.enrolment_id == enrolment.id)
            .order_by(Message.sent_at, Message.id)
        )
    )


def message_by_key(enrolment: Enrolment, posted_key: str) -> Message | None:
    return db.session.scalars(
        select(Message).where(Message.enrolment_id == enrolment.id, Message.posted_key == posted_key)
    ).one_or_none()


def unread_for_patient(enrolment: Enrolment) -> int:
    """How many messages from staff the patient has not read."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Message)
            .where(
                Message.enrolment_id == enrolment.id,
                Message.author_id != enrolment.patient_id,
                Message.read_at.is_(None),
            )
        )
        or 0
    )


def unread_for_staff(enrolment_ids: Collection[int]) -> dict[int, list[Message]]:
    """Messages from patients that nobody has read, by course, oldest first."""
    found: dict[int, list[Message]] = {}
    for message in db.session.scalars(
        _from_patients()
        .where(Message.enrolment_id.in_(enrolment_ids), Message.read_at.is_(None))
        .order_by(Message.sent_at, Message.id)
    ):
        found.setdefault(message.enrolment_id, []).append(message)
    return found


def open_questions(enrolment: Enrolment) -> list[Message]:
    """The patient's questions for the review that were not answered yet, oldest first."""
    return list(
        db.session.scalars(
            _from_patients()
            .where(
                Message.enrolment_id == enrolment.id,
                Message.kind == MessageKind.QUESTION,
                Message.answered_at.is_(None),
            )
            .order_by(Message.sent_at, Message.id)
        )
    )


def open_question_counts(enrolment_ids: Collection[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Message.enrolment_id, func.count())
        .where(
            Message.enrolment_id.in_(enrolment_ids),
            Message.kind == MessageKind.QUESTION,
            Message.answered_at.is_(None),
        )
        .group_by(Message.enrolment_id)
    )
    return dict(rows.all())


def last_message_at(enrolment: Enrolment) -> datetime | None:
    """When somebody last wrote, either way."""
    return db.session.scalar(select(func.max(Message.sent_at)).where(Message.enrolment_id == enrolment.id))


def messages_unread_too_long(now: datetime) -> list[Message]:
    """Messages of open courses that nobody has read for the service's working days and that nobody was told of
    yet, oldest first.
    """
    waiting = db.session.scalars(
        _from_patients()
        .options(joinedload(Message.enrolment).joinedload(Enrolment.service))
        .where(
            Message.read_at.is_(None),
            Message.told_late_at.is_(None),
            Message.sent_at > now - LONGEST_LOOK_BACK,
            Enrolment.state != EnrolmentState.ENDED,
        )
        .order_by(Message.sent_at, Message.id)
    )
    return [message for message in waiting if _has_waited_too_long(message, now)]


def has_told_late(enrolment: Enrolment) -> bool:
    """Whether people were told that a message is late which still nobody has read."""
    return enrolment.id in late_since([enrolment.id])


def late_since(enrolment_ids: Collection[int]) -> dict[int, datetime]:
    """When the oldest message was sent that is late and still unread, by course."""
    rows = db.session.execute(
        _from_patients()
        .where(
            Message.enrolment_id.in_(enrolment_ids),
            Message.read_at.is_(None),
            Message.told_late_at.is_not(None),
        )
        .with_only_columns(Message.enrolment_id, func.min(Message.sent_at))
        .group_by(Message.enrolment_id)
    )
    return {row[0]: row[1] for row in rows}


def late_message_sentences(enrolment: Enrolment) -> tuple[str, ...]:
    """What the patient's page says while a message of theirs is late; nothing when none is."""
    if not has_told_late(enrolment):
        return ()
    return rules.late_message_sentences(enrolment.supporter.called)


def reading_days_words(enrolment: Enrolment, *, now: datetime) -> str:
    """ "Priya reads messages on Thursdays", or who reads them while Priya is away; without a full stop."""
    called = enrolment.supporter.called
    today = local_day(now, enrolment.service.zone)
    absence = is_absent(enrolment.supporter_id, today)
    if absence is not None:
        return rules.reading_while_away_words(called, away_until(absence), _cover_called(absence, today))
    slots = review_slots_of(enrolment.supporter_id, enrolment.service_id)
    return rules.reading_days_words(called, [slot.weekday for slot in slots])


def _cover_called(absence: Absence, today: date) -> str:
    """Who is named as cover; empty where the team reads, as it does while the one named is away too."""
    if absence.cover_id is None or is_absent(absence.cover_id, today) is not None:
        return ""
    return called_of(absence.cover_id)


def _has_waited_too_long(message: Message, now: datetime) -> bool:
    service = message.enrolment.service
    sent_on, today = local_day(message.sent_at, service.zone), local_day(now, service.zone)
    closed = closed_days(service, sent_on, today)
    return rules.is_unread_too_long(sent_on, today, service.rhythm.message_unread_working_days, closed)


def _from_patients() -> Select[Message]:
    return (
        select(Message)
        .join(Enrolment, Enrolment.id == Message.enrolment_id)
        .where(Message.author_id == Enrolment.patient_id)
    )
