"""A course in the middle, made by the verbs that people use: week 1 is open and its review is owed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icbt_support import clock
from icbt_support.accounts.models import Account, Role
from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.rhythm.weeks import book_review, open_first_week

STARTED = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
REVIEW_SLOT = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)
NEXT_THURSDAY = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Course:
    enrolment: Enrolment
    review: Review


def actor(account: Account, role: Role, service_id: int) -> Actor:
    return Actor(ActorKind.PERSON, account.id, role=role, service_id=service_id)


def start_course(enrolment: Enrolment, *, slot: datetime = REVIEW_SLOT, at: datetime = STARTED) -> Course:
    """Week 1 opened a week ago; its review is due today at 11am, promised by 5pm."""
    by = actor(enrolment.patient, Role.PATIENT, enrolment.service_id)
    clock.stop_clock_at(at)
    enrolment.invited_at = at - timedelta(days=4)
    review = book_review(enrolment, slot, number=1, by=by, now=at)
    open_first_week(enrolment, by=by, now=at)
    db.session.commit()
    return Course(enrolment, review)


def write_as_patient(
    enrolment: Enrolment,
    words: str,
    *,
    at: datetime,
    kind: MessageKind = MessageKind.MESSAGE,
    key: str = "key-1",
) -> Message:
    by = actor(enrolment.patient, Role.PATIENT, enrolment.service_id)
    message = post_message(enrolment, words, kind=kind, posted_key=key, by=by, now=at)
    visit(enrolment, at=at)
    db.session.commit()
    return message


def visit(enrolment: Enrolment, *, at: datetime) -> None:
    record_activity(
        Act.SIGNED_IN, service_id=enrolment.service_id, enrolment_id=enrolment.id, on=at.date(), now=at
    )
    db.session.commit()


def letter_values(page_fields: dict[str, str], **changes: str) -> dict[str, str]:
    """What a supporter posts: the form as it stands, with a whole letter in it."""
    values = {
        "noticed": "You went for the walk on Sunday, even though the day began low.",
        "question": "",
        "scores": "",
        "kind_line": page_fields.get("kind_line", ""),
        "obstacle": page_fields.get("obstacle", ""),
        "step_what": "One walk with Mo",
        "step_why": "doing comes before feeling like it",
        "step_by_on": "2026-11-22",
        "step_by_time": "18:00",
        "opens": "module:understanding-low-mood",
        "other_module": "",
        "next_review_at": NEXT_THURSDAY.isoformat(),
        "minutes": "12",
        "shape": "letter",
        "left_out": "",
        "version": page_fields.get("version", ""),
        "opened_at": page_fields.get("opened_at", ""),
    }
    return values | changes


def reload(review: Review) -> Review:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Review, review.id)


def draft_text(review: Review, section: str = "noticed") -> str:
    db.session.rollback()
    draft = reviews.draft_of(review)
    return draft.content["words"][section] if draft is not None else ""


def later(minutes: int) -> datetime:
    moment = clock.now() + timedelta(minutes=minutes)
    clock.stop_clock_at(moment)
    return moment
