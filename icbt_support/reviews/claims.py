"""Who is writing a review now: one person at a time, seen by the others. A claim never keeps anybody from reading."""

from datetime import datetime

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.reviews.models import Review, ReviewClaim
from icbt_support.reviews.rules import CLAIM_RESTS_AFTER, ReviewNotOwed

claims = ReviewClaim.__table__


class ClaimedByOther(Exception):
    """A colleague is writing this review now; `claim` says who, and since when."""

    def __init__(self, claim: ReviewClaim | None) -> None:
        super().__init__(f"claimed by account {claim.account_id}" if claim else "claimed by somebody else")
        self.claim = claim


def claim_on(review_id: int) -> ReviewClaim | None:
    """The claim that is held on a review, active or rested, past anything that the session has in memory."""
    return db.session.scalars(
        select(ReviewClaim)
        .where(ReviewClaim.review_id == review_id, ReviewClaim.released_at.is_(None))
        .options(joinedload(ReviewClaim.account))
        .execution_options(populate_existing=True)
    ).one_or_none()


def start_writing(review: Review, *, by: Actor, now: datetime) -> None:
    """*Start* or *Take over*: `by` writes this review from now on, with the draft as it stands.

    Again is nothing but a sign of life. Raises `ClaimedByOther` while a colleague is active on it, and
    `ReviewNotOwed` when there is nothing left to write.
    """
    if not review.is_owed:
        raise ReviewNotOwed(review.merged_into_id)
    account_id = _person(by)
    before = claim_on(review.id)
    before_id = before.account_id if before is not None else None
    if not keep_claim(review.id, account_id, now=now):
        raise ClaimedByOther(claim_on(review.id))
    if before_id != account_id:
        detail = f"taken over from account {before_id}" if before_id is not None else ""
        _record("claimed_review", review, by=by, now=now, detail=detail)


def keep_claim(review_id: int, account_id: int, *, now: datetime) -> bool:
    """Claims the review for this person, or says that they are still at it; False if a colleague is at it.

    One statement, so that of two people who start at once one holds it. A claim that has rested passes to
    whoever writes now.
    """
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    row = insert(claims).values(
        review_id=review_id, account_id=account_id, claimed_at=now, last_active_at=now
    )
    is_same_person = claims.c.account_id == row.excluded.account_id
    kept = db.session.connection().execute(
        row.on_conflict_do_update(
            index_elements=[claims.c.review_id],
            index_where=claims.c.released_at.is_(None),
            set_={
                "account_id": row.excluded.account_id,
                "claimed_at": case((is_same_person, claims.c.claimed_at), else_=row.excluded.claimed_at),
                "last_active_at": row.excluded.last_active_at,
            },
            where=or_(is_same_person, claims.c.last_active_at <= now - CLAIM_RESTS_AFTER),
        ).returning(claims.c.id)
    )
    return kept.first() is not None


def release_review(review: Review, *, by: Actor, now: datetime) -> None:
    """The holder lets go by hand; the draft stays. Nothing when somebody else holds it."""
    if _end(now, claims.c.review_id == review.id, claims.c.account_id == _person(by)):
        _record("released_review", review, by=by, now=now)


def end_claim_on(review_id: int, *, now: datetime) -> None:
    """The review was sent or closed: nobody writes it any more."""
    _end(now, claims.c.review_id == review_id)


def end_claims_of_others(review_id: int, account_id: int, *, now: datetime) -> None:
    """The review has a new owner: whoever else was at it is not any more."""
    _end(now, claims.c.review_id == review_id, claims.c.account_id != account_id)


def end_claims_of(account_id: int, service_id: int, *, now: datetime) -> int:
    """This person is away or leaves: what they had begun in this service is free. Returns how many."""
    theirs = select(Review.id).where(Review.service_id == service_id)
    return _end(now, claims.c.account_id == account_id, claims.c.review_id.in_(theirs))


def _end(now: datetime, *conditions: object) -> int:
    ended = db.session.connection().execute(
        update(claims)
        .where(claims.c.released_at.is_(None), *conditions)  # type: ignore[arg-type]
        .values(released_at=now)
    )
    return ended.rowcount


def _record(action: str, review: Review, *, by: Actor, now: datetime, detail: str = "") -> None:
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


def _person(by: Actor) -> int:
    if by.account_id is None:
        raise ValueError("A review is written by a person.")
    return by.account_id
