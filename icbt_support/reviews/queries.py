"""Reads of reviews, scoped to a patient's own course, a supporter's caseload or a clinician's service."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, joinedload

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry
from icbt_support.measures.models import FinishedCheckIn
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.queries import check_ins_finished
from icbt_support.read_once import read_once
from icbt_support.reviews.models import KeptText, Review, ReviewClaim, ReviewDraft, ReviewKind, ReviewState
from icbt_support.reviews.rules import PatientEvent
from icbt_support.risk.models import RiskAlert

OWED = (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)


# One course -----------------------------------------------------------------------------------------------


@read_once
def owed_reviews(enrolment: Enrolment) -> list[Review]:
    """Every review still owed, in their order, without the welcome."""
    return list(
        db.session.scalars(_letters_of(enrolment).where(Review.state.in_(OWED)).order_by(Review.number))
    )


def review_owed(enrolment: Enrolment) -> Review | None:
    """The review that is owed first: a late one before the next one. The welcome is not a review."""
    return next(iter(owed_reviews(enrolment)), None)


def next_review(enrolment: Enrolment) -> Review | None:
    """The review that the patient looks forward to: that of the newest week, even while another is late."""
    return next(reversed(owed_reviews(enrolment)), None)


def reader_called(enrolment: Enrolment) -> str:
    """Who reads what the patient shares next, as the patient is told: whoever writes the next review."""
    review = next_review(enrolment)
    return review.writer_called if review is not None else enrolment.supporter.called


def review_of_week(enrolment: Enrolment, number: int) -> Review | None:
    """The review that closes the week with this number."""
    return db.session.scalars(_letters_of(enrolment).where(Review.number == number)).one_or_none()


def welcome_of(enrolment: Enrolment) -> Review | None:
    """The welcome, owed or sent."""
    return db.session.scalars(
        select(Review).where(Review.enrolment_id == enrolment.id, Review.kind == ReviewKind.WELCOME)
    ).one_or_none()


def last_sent(enrolment: Enrolment) -> Review | None:
    """The newest review that was sent, with its letter; the welcome is not a review."""
    return next(iter(sent_reviews(enrolment)), None)


def sent_reviews(enrolment: Enrolment) -> list[Review]:
    """Letters that were sent, newest first: what a patient or a covering supporter reads back."""
    return list(
        db.session.scalars(
            _letters_of(enrolment)
            .where(Review.state == ReviewState.SENT)
            .options(joinedload(Review.letter), joinedload(Review.owner))
            .order_by(Review.sent_at.desc(), Review.id.desc())
        )
    )


def letters_sent_lately(enrolment: Enrolment, count: int) -> Select[int]:
    """The numbers of the last letters that were sent; to be part of another statement."""
    return (
        _letters_of(enrolment)
        .with_only_columns(Review.id)
        .where(Review.state == ReviewState.SENT)
        .order_by(Review.sent_at.desc(), Review.id.desc())
        .limit(count)
    )


def reviews_of(enrolment: Enrolment) -> list[Review]:
    """Every review and the welcome, newest first, with letters."""
    return list(
        db.session.scalars(
            select(Review)
            .where(Review.enrolment_id == enrolment.id)
            .options(joinedload(Review.letter), joinedload(Review.owner))
            .order_by(Review.number.desc())
        )
    )


@read_once
def highest_number(enrolment: Enrolment) -> int:
    """The highest review number given so far; 0 when there is only the welcome, or nothing."""
    return db.session.scalar(select(func.max(Review.number)).where(Review.enrolment_id == enrolment.id)) or 0


def _letters_of(enrolment: Enrolment) -> Select[Review]:
    return select(Review).where(Review.enrolment_id == enrolment.id, Review.kind != ReviewKind.WELCOME)


# Scopes ---------------------------------------------------------------------------------------------------


def for_patient(account: Account) -> Select[Review]:
    """Letters sent to this person: the only reviews that a patient's page may load."""
    own = select(Enrolment.id).where(Enrolment.patient_id == account.id)
    return select(Review).where(
        Review.enrolment_id.in_(own), Review.state == ReviewState.SENT, Review.kind != ReviewKind.WELCOME
    )


def for_supporter(account: Account, *, now: datetime) -> Select[Review]:
    """Reviews of the caseload and of those whom this person covers now, and those that they owe or took."""
    scope = enrolments.for_supporter(account, now=now).with_only_columns(Enrolment.id)
    return select(Review).where(Review.enrolment_id.in_(scope))


def for_clinician(account: Account) -> Select[Review]:
    """Reviews of the services in which this person is a clinician."""
    scope = enrolments.for_clinician(account).with_only_columns(Enrolment.id)
    return select(Review).where(Review.enrolment_id.in_(scope))


def scoped_review(scope: Select[Review], review_id: int) -> Review | None:
    """One review of a scope; None for an unknown one and for somebody else's alike."""
    claim = joinedload(Review.held_claim).joinedload(ReviewClaim.account)
    return db.session.scalars(scope.where(Review.id == review_id).options(claim)).one_or_none()


def owed_by(account_ids: Collection[int], *, now: datetime) -> list[Review]:
    """Reviews and welcomes that these people owe, late ones first, then by slot and promise."""
    reviews = db.session.scalars(
        select(Review)
        .where(Review.owner_id.in_(account_ids), Review.state.in_(OWED))
        .options(
            joinedload(Review.enrolment).joinedload(Enrolment.patient),
            joinedload(Review.draft),
            joinedload(Review.week),
        )
        .order_by(Review.promised_at, Review.slot_at, Review.id)
    )
    return sorted(
        reviews,
        key=lambda review: (not review.is_late(now), review.due_on, review.slot_at or review.promised_at),
    )


# Drafts and what happened meanwhile -----------------------------------------------------------------------


@read_once
def draft_of(review: Review) -> ReviewDraft | None:
    """The newest state of the draft, past anything that the session has in memory."""
    return db.session.scalars(
        select(ReviewDraft)
        .where(ReviewDraft.review_id == review.id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def review_for_writing(scope: Select[Review]) -> Review | None:
    """The review of a scope with its newest draft, locked: other writers wait until this transaction ends.

    One statement, because a letter is saved every few seconds while it is written.
    """
    return db.session.scalars(
        scope.outerjoin(ReviewDraft, ReviewDraft.review_id == Review.id)
        .options(contains_eager(Review.draft))
        .with_for_update(of=Review)
        .execution_options(populate_existing=True)
    ).one_or_none()


@read_once
def kept_texts_of(review: Review, *, author_id: int) -> list[KeptText]:
    """What this author typed, could not save and has not settled yet, newest first."""
    return list(
        db.session.scalars(
            select(KeptText)
            .where(
                KeptText.review_id == review.id,
                KeptText.author_id == author_id,
                KeptText.settled_at.is_(None),
            )
            .order_by(KeptText.kept_at.desc(), KeptText.id.desc())
        )
    )


def kept_text(review: Review, kept_id: int, *, author_id: int) -> KeptText | None:
    """One text that this author could not save, settled or not."""
    return db.session.scalars(
        select(KeptText).where(
            KeptText.id == kept_id, KeptText.review_id == review.id, KeptText.author_id == author_id
        )
    ).one_or_none()


def patient_events_since(
    enrolment: Enrolment, since: datetime, *, until: datetime
) -> tuple[PatientEvent, ...]:
    """What the patient wrote, shared or answered after `since`, oldest first."""
    events = [
        *_messages_between(enrolment, since, until),
        *_entries_between(enrolment, since, until),
        *_check_ins_between(enrolment, since, until),
        *_alerts_between(enrolment, since, until),
    ]
    return tuple(sorted(events, key=lambda event: event.at))


def _messages_between(enrolment: Enrolment, since: datetime, until: datetime) -> list[PatientEvent]:
    messages = db.session.scalars(
        select(Message).where(
            Message.enrolment_id == enrolment.id,
            Message.author_id == enrolment.patient_id,
            Message.sent_at > since,
            Message.sent_at <= until,
        )
    )
    return [
        PatientEvent("question" if one.kind is MessageKind.QUESTION else "message", one.sent_at, one.words)
        for one in messages
    ]


def _entries_between(enrolment: Enrolment, since: datetime, until: datetime) -> list[PatientEvent]:
    entries = db.session.scalars(
        select(Entry).where(
            Entry.enrolment_id == enrolment.id,
            Entry.is_shared.is_(True),
            Entry.changed_at > since,
            Entry.changed_at <= until,
        )
    )
    return [PatientEvent("entry", one.changed_at, one.tool) for one in entries]


def _check_ins_between(enrolment: Enrolment, since: datetime, until: datetime) -> list[PatientEvent]:
    finished = db.session.scalars(
        select(FinishedCheckIn.finished_at).where(
            FinishedCheckIn.enrolment_id == enrolment.id,
            FinishedCheckIn.finished_at > since,
            FinishedCheckIn.finished_at <= until,
        )
    )
    return [PatientEvent("check_in", at, "") for at in finished]


def _alerts_between(enrolment: Enrolment, since: datetime, until: datetime) -> list[PatientEvent]:
    raised = db.session.scalars(
        select(RiskAlert.raised_at).where(
            RiskAlert.enrolment_id == enrolment.id, RiskAlert.raised_at > since, RiskAlert.raised_at <= until
        )
    )
    return [PatientEvent("risk", at, "") for at in raised]


def check_in_came_late(review: Review) -> datetime | None:
    """When the week's check-in was finished, if that was after the supporter began: it still counts, and says
    so.
    """
    finished_at = check_ins_finished([review.enrolment_id]).get((review.enrolment_id, review.number))
    draft = review.draft
    if finished_at is None or draft is None or finished_at <= draft.begun_at:
        return None
    return finished_at
