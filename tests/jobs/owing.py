"""Reminders that are owed, and a channel that listens."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import select

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.delivery.channel import ChannelAway, IsStillWanted, Mail, Outcome, Result
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel, ReminderKind
from tests.cast import Cast

K = ReminderKind


class ListeningServer:
    """A channel that writes down what it is given, and can be told how to answer."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.answers: dict[str, Result] = {}
        self.is_away = False
        self.before_each = lambda mail: None

    def open(self) -> None:
        if self.is_away:
            raise ChannelAway("The mail server does not answer.")

    def close(self) -> None:
        pass

    def deliver(self, mails: Iterable[Mail], is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        for mail in mails:
            self.before_each(mail)
            if self.is_away:
                raise ChannelAway("421 later")
            self.mails.append(mail)
            yield Outcome(mail.reference, self.answers.get(mail.address, Result.ACCEPTED), "250 OK")


def plan_a_session(cast: Cast, now: datetime, *, minutes: int = 12) -> PlanItem:
    week = Week(
        enrolment_id=cast.enrolment.id,
        number=1,
        module="doing-more",
        opened_on=now.date(),
        review_on=now.date() + timedelta(days=7),
        opened_at=now,
        opened_because=OpenedBecause.START,
    )
    item = PlanItem(
        week=week,
        enrolment_id=cast.enrolment.id,
        kind=ItemKind.SESSION,
        title="Planning for low days",
        why="",
        planned_on=now.date() + timedelta(days=5),
        planned_time=time(19),
        minutes=minutes,
        patient_words="",
        is_emailed=True,
    )
    db.session.add(item)
    db.session.commit()
    return item


def owe_session(cast: Cast, item: PlanItem, due_at: datetime) -> None:
    owe(cast, f"session:{item.id}", K.SESSION, f"plan_item:{item.id}", due_at)


def owe(cast: Cast, key: str, kind: ReminderKind, subject: str, due_at: datetime, **more: object) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=cast.patient.id,
        service_id=cast.service.id,
        subject=subject,
        context=f"enrolment:{cast.enrolment.id}",
        due_at=due_at,
        now=due_at,
        **more,  # type: ignore[arg-type]
    )
    db.session.commit()


def write_message(cast: Cast, author: Account, at: datetime) -> Message:
    message = Message(
        enrolment_id=cast.enrolment.id,
        author_id=author.id,
        kind=MessageKind.MESSAGE,
        words="The words that never stand in an email",
        posted_key=f"{author.id}-{at.timestamp()}",
        sent_at=at,
    )
    db.session.add(message)
    db.session.commit()
    return message


def row(key: str, channel: Channel = Channel.EMAIL) -> Reminder:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Reminder).where(Reminder.key == key, Reminder.channel == channel)).one()


def opened(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.data, policy=policy.default)  # type: ignore[return-value]


def said(mail: Mail) -> str:
    message = opened(mail)
    parts = [message.get_body(("plain",)), message.get_body(("html",))]
    return "\n".join(part.get_content() for part in parts if part is not None)
