"""State changes of reviews that only `rhythm` may make: rows and audit lines, no reminders, no plan."""

from datetime import date, datetime

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.colleague_access import POOL, keep_access
from icbt_support.enrolments.models import Enrolment
from icbt_support.phrases.operations import note_phrases_sent
from icbt_support.plan.models import Week
from icbt_support.reviews.claims import end_claim_on, end_claims_of_others
from icbt_support.reviews.models import (
    KeptText,
    Review,
    ReviewDraft,
    ReviewKind,
    ReviewLetter,
    ReviewState,
)
from icbt_support.reviews.queries import draft_of
from icbt_support.reviews.rules import LetterToSend


def schedule_review(
    enrolment: Enrolment,
    *,
    number: int,
    due_on: date,
    promised_at: datetime,
    owner_id: int,
    by: Actor,
    now: datetime,
    week: Week | None = None,
    booking_id: int | None = None,
    slot_at: datetime | None = None,
    kind: ReviewKind = ReviewKind.WEEKLY,
) -> Review:
    """A review that is owed from now on: number 0 is the welcome, n closes week n (`week` is None until it
    opens).
    """
    review = Review(
        service_id=enrolment.service_id,
        enrolment=enrolment,
        week=week,
        kind=kind,
        number=number,
        owner_id=owner_id,
        booking_id=booking_id,
        slot_at=slot_at,
        due_on=due_on,
        promised_at=promised_at,
        first_promised_at=promised_at,
        state=ReviewState.SCHEDULED,
        created_at=now,
    )
    db.session.add(review)
    db.session.flush()
    _record("scheduled_review", review, by=by, now=now, detail=f"number {number}, due {due_on}")
    return review


def attach_to_week(review: Review, week: Week) -> None:
    """The week that this review closes has opened."""
    review.week = week
    db.session.flush()


def open_review(review: Review, *, by: Actor, now: datetime) -> None:
    """scheduled → open: the slot day has come, or the check-in is in. Nothing if it is open already."""
    if review.state is not ReviewState.SCHEDULED:
        return
    review.state = ReviewState.OPEN
    review.opened_at = now
    db.session.flush()
    _record("opened_review", review, by=by, now=now)


def mark_sent(
    review: Review,
    letter: LetterToSend,
    *,
    next_review_on: date | None,
    kind: ReviewKind,
    by: Actor,
    now: datetime,
) -> ReviewLetter:
    """Writes the letter for good, notes the phrases that are in it and marks the review as sent by `by`."""
    step = letter.step
    stored = ReviewLetter(
        review=review,
        sections=[{"heading": section.heading, "words": section.words} for section in letter.sections],
        step_what=step.what if step else "",
        step_why=step.why if step else "",
        step_by_on=step.by_on if step else None,
        step_by_time=step.by_time if step else None,
        opens=letter.opens,
        next_review_on=next_review_on,
        sent_at=now,
        author_id=by.account_id,
    )
    db.session.add(stored)
    review.kind = kind
    review.minutes = letter.minutes
    _keep_promise(review, by=by, now=now)
    note_phrases_sent(
        letter.phrases,
        "\n\n".join(section.words for section in letter.sections),
        review_id=review.id,
        enrolment_id=review.enrolment_id,
        service_id=review.service_id,
        by=by,
        now=now,
    )
    _record("sent_review", review, by=by, now=now, detail=f"opens {letter.opens}" if letter.opens else "")
    return stored


def mark_welcome_sent(review: Review, *, by: Actor, now: datetime) -> None:
    """The welcome is a message; its promise is kept."""
    _keep_promise(review, by=by, now=now)
    _record("sent_welcome", review, by=by, now=now)


def _keep_promise(review: Review, *, by: Actor, now: datetime) -> None:
    """Whoever sends it wrote it, also where nobody had taken it: it is theirs from now on."""
    if by.account_id is not None and by.account_id != review.owner_id:
        change_owner(review, by.account_id, by=by, now=now)
    review.state = ReviewState.SENT
    review.sent_at = now
    review.sent_by = by.account_id
    review.pooled_at = None
    db.session.flush()
    end_claim_on(review.id, now=now)


def miss_review(
    review: Review, *, reason: str, by: Actor, now: datetime, merged_into: Review | None = None
) -> None:
    """Merged into the next review, or closed by a clinician with a reason. A draft moves to `merged_into`."""
    review.state = ReviewState.MISSED
    review.closed_at = now
    review.closed_reason = reason
    if merged_into is not None:
        review.merged_into_id = merged_into.id
        _move_draft(review, merged_into, now)
    db.session.flush()
    end_claim_on(review.id, now=now)
    detail = f"merged into review {merged_into.id}" if merged_into else "closed with a reason"
    _record("missed_review", review, by=by, now=now, detail=detail)


def _move_draft(review: Review, merged_into: Review, now: datetime) -> None:
    """What was written becomes the draft of the other review, to be looked at as that; where that has a draft of
    its own, it is offered to its author beside it.
    """
    draft: ReviewDraft | None = draft_of(review)
    if draft is None:
        return
    if draft_of(merged_into) is not None:
        db.session.add(
            KeptText(review_id=merged_into.id, author_id=draft.author_id, content=draft.content, kept_at=now)
        )
        return
    draft.review = merged_into
    draft.previewed_version, draft.previewed_at = None, None
    merged_into.state = ReviewState.DRAFTED


def cancel_review(review: Review, *, reason: str, by: Actor, now: datetime) -> None:
    """No longer owed (the course paused or ended); `reason` is words of our own."""
    review.state = ReviewState.CANCELLED
    review.closed_at = now
    review.closed_reason = reason
    db.session.flush()
    end_claim_on(review.id, now=now)
    _record("cancelled_review", review, by=by, now=now, detail=reason)


def owe_again(review: Review, *, promised_at: datetime, by: Actor, now: datetime) -> None:
    """cancelled → scheduled: the course goes on before the week of this review has opened. Else nothing.

    Its booking was released when it was cancelled; `promised_at` is the first promise of the new start, whose
    date is set by `set_date`.
    """
    if review.state is not ReviewState.CANCELLED:
        return
    review.state = ReviewState.SCHEDULED
    review.closed_at = None
    review.closed_reason = None
    review.opened_at = None
    review.told_late_at = None
    review.taken_at = None
    review.pooled_at = None
    review.moved_from_on = None
    review.moved_because = None
    review.booking_id = None
    review.slot_at = None
    review.first_promised_at = promised_at
    review.owner_id = review.enrolment.supporter_id
    db.session.flush()
    db.session.refresh(review, ["owner"])
    _record("owed_review_again", review, by=by, now=now, detail=f"number {review.number}")


def change_owner(review: Review, owner_id: int, *, by: Actor, now: datetime) -> None:
    """Somebody else owes it now."""
    before = review.owner_id
    review.owner_id = owner_id
    review.pooled_at = None
    db.session.flush()
    end_claims_of_others(review.id, owner_id, now=now)
    db.session.refresh(review, ["owner"])
    _record("changed_owner_of_review", review, by=by, now=now, detail=f"{before} to {owner_id}")


def put_with_pool(review: Review, *, by: Actor, now: datetime) -> None:
    """Anybody of the cover pool may open and take it from now on."""
    review.pooled_at = review.pooled_at or now
    db.session.flush()
    _record("put_review_with_the_pool", review, by=by, now=now)


def take_back_from_pool(review: Review, *, by: Actor, now: datetime) -> None:
    """Its owner writes it after all."""
    review.pooled_at = None
    db.session.flush()
    _record("took_review_back_from_the_pool", review, by=by, now=now)


def set_date(
    review: Review,
    *,
    due_on: date,
    promised_at: datetime,
    by: Actor,
    now: datetime,
    booking_id: int | None = None,
    slot_at: datetime | None = None,
    reason: str = "",
    told_because: str = "",
) -> None:
    """A new promise for an owed review: the warning starts again, and so does being late.

    `told_because` is what the patient reads beside the new day, such as "Priya is on a course".
    """
    stood_on = review.promised_on
    review.due_on = due_on
    review.promised_at = promised_at
    if review.promised_on != stood_on:
        review.moved_from_on = stood_on if told_because else None
        review.moved_because = told_because or None
    review.booking_id = booking_id
    review.slot_at = slot_at
    review.warned_at = None
    db.session.flush()
    _record("moved_review", review, by=by, now=now, detail=f"to {due_on}{', ' if reason else ''}{reason}")


def mark_taken(review: Review, *, owner_id: int, promised_at: datetime, by: Actor, now: datetime) -> None:
    """A named person takes a late review and promises a time; `due_on`, from which lateness is counted,
    stays.
    """
    review.owner_id = owner_id
    review.promised_at = promised_at
    review.taken_at = now
    review.pooled_at = None
    review.warned_at = None
    review.moved_from_on = None
    review.moved_because = None
    db.session.flush()
    end_claims_of_others(review.id, owner_id, now=now)
    db.session.refresh(review, ["owner"])
    _record("took_review", review, by=by, now=now, detail=f"owner {owner_id}")


def mark_warned(review: Review, *, by: Actor, now: datetime) -> None:
    """The supporter and the cover pool were told that the promise is near."""
    review.warned_at = now
    db.session.flush()
    _follow_access(review, by=by, now=now)


def mark_told_late(review: Review, *, by: Actor, now: datetime) -> None:
    """The patient's page and inbox say that the review is late."""
    review.told_late_at = now
    db.session.flush()
    _record("told_late_review", review, by=by, now=now)


def mark_week_opened_late(review: Review, *, now: datetime) -> None:
    """The next week opened without this review."""
    review.week_opened_late_at = now
    db.session.flush()


def _follow_access(review: Review, *, by: Actor, now: datetime) -> None:
    """While it is owed, its owner may open the course; the pool may while it was told of it or may take it."""
    allowed: set[int | None] = set()
    if review.is_owed and review.owner_id != review.enrolment.supporter_id:
        allowed.add(review.owner_id)
    if review.is_owed and (review.pooled_at or review.warned_at or review.is_told_late):
        allowed.add(POOL)
    keep_access(review.enrolment, f"review:{review.id}", allowed, by=by, now=now)


def _record(action: str, review: Review, *, by: Actor, now: datetime, detail: str = "") -> None:
    """The audit line of a change; who may open the course follows each of them."""
    _follow_access(review, by=by, now=now)
    record(
        action,
        by=by,
        now=now,
        object_kind="review",
        object_id=review.id,
        enrolment_id=review.enrolment_id,
        service_id=review.service_id,
        detail=detail,
    )
