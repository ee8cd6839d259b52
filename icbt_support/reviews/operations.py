"""Verbs on one review alone: its draft, its preview, its being read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import apart, db
from icbt_support.enrolments.queries import local_today
from icbt_support.reminders.operations import mark_inbox_read, withdraw_reminders
from icbt_support.reviews.claims import keep_claim
from icbt_support.reviews.models import KeptText, Review, ReviewDraft, ReviewState
from icbt_support.reviews.queries import draft_of, review_for_writing
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed, StaleDraft


def check_is_owed(review: Review) -> None:
    """Reads the row again; raises `ReviewAlreadySent` or `ReviewNotOwed` if nothing is left to write."""
    db.session.refresh(review)
    _refuse_closed(review)


def _refuse_closed(review: Review) -> None:
    if review.state is ReviewState.SENT:
        raise ReviewAlreadySent(review.sent_by, review.sent_at)
    if not review.is_owed:
        raise ReviewNotOwed(review.merged_into_id)


def lock_review(review: Review) -> None:
    """Makes other writers of this review wait until this transaction ends (SQLite's writers wait anyway)."""
    db.session.execute(select(Review.id).where(Review.id == review.id).with_for_update())


def save_draft(
    review: Review, content: Mapping[str, Any], *, version: int | None, by: Actor, now: datetime
) -> ReviewDraft:
    """Saves the draft over `version` (None: there was none when the form was opened) and counts it up.

    Raises `StaleDraft(current)` if somebody saved meanwhile (`current` is None if it was this very moment):
    the page rolls back, then calls `keep_text_apart`. Raises `ReviewAlreadySent` or `ReviewNotOwed` when there
    is nothing left to write.
    Content keys: see `rules.letter_of_draft`. The same content again changes nothing.
    """
    locked = review_for_writing(select(Review).where(Review.id == review.id))
    assert locked is not None, "reviews are never deleted"
    draft = write_draft(locked, content, version=version, by=by, now=now)
    keep_claim(review.id, _person(by), now=now)
    return draft


def write_draft(
    review: Review, content: Mapping[str, Any], *, version: int | None, by: Actor, now: datetime
) -> ReviewDraft:
    """`save_draft` on a review that comes from `queries.review_for_writing`: one write, and no claim."""
    _refuse_closed(review)
    draft = review.draft
    if draft is not None and draft.content == dict(content):
        return draft
    if draft is not None and draft.version != version:
        raise StaleDraft(draft)
    if draft is None:
        draft = ReviewDraft(review_id=review.id, version=0, begun_at=now)
        db.session.add(draft)
    draft.content = dict(content)
    draft.version += 1
    draft.author_id = _person(by)
    draft.saved_at = now
    review.state = ReviewState.DRAFTED
    review.opened_at = review.opened_at or now
    try:
        db.session.flush()
    except (StaleDataError, IntegrityError) as overtaken:
        # A writer who waited for the lock may still see the draft as it was before it (PostgreSQL).
        raise StaleDraft(None) from overtaken
    db.session.expire(review, ["draft"])
    return draft


def keep_text_apart(review_id: int, content: Mapping[str, Any], *, by: Actor, now: datetime) -> int:
    """Keeps a text that lost, word for word, in a transaction of its own; roll the session back before."""
    values = {"review_id": review_id, "author_id": _person(by), "content": dict(content), "kept_at": now}
    with apart() as connection:
        return connection.execute(insert(KeptText).values(values).returning(KeptText.id)).scalar_one()


def settle_kept_text(kept: KeptText, *, now: datetime) -> None:
    """Its author chose what of it goes into the letter: it is not offered again."""
    kept.settled_at = kept.settled_at or now
    db.session.flush()


def mark_previewed(review: Review, *, version: int, by: Actor, now: datetime) -> ReviewDraft:
    """The supporter saw this version as the patient will; `StaleDraft` if it is no longer the newest."""
    lock_review(review)
    check_is_owed(review)
    draft = draft_of(review)
    if draft is None or draft.version != version:
        raise StaleDraft(draft)
    draft.previewed_version = version
    draft.previewed_at = now
    db.session.flush()
    return draft


def mark_review_read(review: Review, *, by: Actor, now: datetime) -> None:
    """The patient read the letter: recorded once; its mail and its place in the inbox are settled."""
    if review.read_at is not None:
        return
    enrolment = review.enrolment
    review.read_at = now
    db.session.flush()
    record_activity(
        Act.READ_REVIEW,
        service_id=review.service_id,
        enrolment_id=enrolment.id,
        on=local_today(enrolment, now),
        now=now,
        subject=f"review:{review.id}",
    )
    withdraw_reminders(
        now=now,
        reason="it was read in the app",
        subject=f"review:{review.id}",
        recipient_id=enrolment.patient_id,
    )
    mark_inbox_read(enrolment.patient_id, now=now, subject=f"review:{review.id}")
    record(
        "read_review",
        by=by,
        now=now,
        object_kind="review",
        object_id=review.id,
        enrolment_id=enrolment.id,
        service_id=review.service_id,
    )


def _person(by: Actor) -> int:
    if by.account_id is None:
        raise ValueError("A letter is written by a person.")
    return by.account_id
