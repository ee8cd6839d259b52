"""The first words that a person gets: "I'm Priya, I write on Thursdays, here is what I can see"."""

from datetime import datetime

from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed
from icbt_support.reviews.transitions import mark_welcome_sent
from icbt_support.rhythm.holding import hold_and_reread


class NotAWelcome(Exception):
    """The review is a weekly or a last one: it is sent as a letter."""


def send_welcome(review: Review, words: str, *, posted_key: str, by: Actor, now: datetime) -> Message:
    """Writes the welcome into the thread, keeps its promise and tells the patient.

    Raises `ReviewAlreadySent` or `ReviewNotOwed`.
    """
    if review.kind is not ReviewKind.WELCOME:
        raise NotAWelcome
    enrolment = review.enrolment
    hold_and_reread(enrolment)
    db.session.refresh(review)
    if review.sent_at is not None:
        raise ReviewAlreadySent(review.sent_by, review.sent_at)
    if not review.is_owed:
        raise ReviewNotOwed(review.merged_into_id)
    message = post_message(enrolment, words, kind=MessageKind.WELCOME, posted_key=posted_key, by=by, now=now)
    mark_welcome_sent(review, by=by, now=now)
    owe_reminder(
        key=f"welcome:{review.id}",
        kind=ReminderKind.WELCOME,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=f"review:{review.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )
    return message
