"""How a supporter's pages load a review: in the caseload or under cover, audited, or not found."""

from flask import abort, request
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from icbt_support import audit, clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.today import Queue, build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.guards import (
    current_account,
    current_actor,
    note_staff_read,
    request_time,
    services_with_role,
)
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review


def caseload_review(review_id: int) -> Review:
    """A review of the signed-in supporter's caseload or cover; 404 for any other. The read is audited."""
    review = _own_review(review_id) or reviews.scoped_review(
        reviews.for_supporter(current_account(), now=request_time()), review_id
    )
    if review is None:
        actor = current_actor(Role.SUPPORTER)
        db.session.rollback()
        audit.record_apart(
            "refused_record",
            by=actor,
            now=clock.real_now(),
            object_kind="review",
            object_id=review_id,
            detail=request.endpoint or "",
        )
        abort(404)
    note_staff_read(review.enrolment, Role.SUPPORTER)
    return review


def _own_review(review_id: int) -> Review | None:
    """The usual case in one statement, since a letter is saved every few seconds while it is written."""
    return db.session.scalars(
        select(Review)
        .join(Review.enrolment)
        .options(contains_eager(Review.enrolment))
        .where(
            Review.id == review_id,
            Enrolment.supporter_id == current_account().id,
            Enrolment.service_id.in_(services_with_role(Role.SUPPORTER)),
        )
    ).one_or_none()


def programme_of(review: Review) -> Programme:
    return find_programme(review.enrolment.programme_slug, review.enrolment.programme_version)


def my_queue() -> Queue:
    """The signed-in supporter's day, as *Today* shows it."""
    account, now = current_account(), request_time()
    people = load_people(enrolments.for_supporter(account, now=now))
    return build_queue(people, account_id=account.id, now=now, zone=account.zone)
