"""How a supporter's pages load a review: in the caseload or under cover, audited, or not found."""

from flask import request
from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from icbt_support.accounts.models import Account, Role
from icbt_support.db import db
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.today import Queue, build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.working_day import load_working_day
from icbt_support.pages.guards import (
    current_account,
    current_service,
    note_staff_read,
    refuse_record,
    request_time,
    services_with_role,
)
from icbt_support.plan.models import Week
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.read_once import answer_beforehand
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.service.models import Service


def caseload_review(review_id: int) -> Review:
    """A review of the signed-in supporter's caseload or cover; 404 for any other. The read is audited."""
    review = _own_review(review_id) or reviews.scoped_review(
        reviews.for_supporter(current_account(), now=request_time()), review_id
    )
    if review is None or (request.method != "GET" and not _is_held(review)):
        refuse_record("review", review_id, Role.SUPPORTER)
    note_staff_read(review.enrolment, Role.SUPPORTER)
    return review


def _is_held(review: Review) -> bool:
    scope = enrolments.for_supporter(current_account(), now=request_time())
    return enrolments.held_in_scope(scope, review.enrolment_id) is not None


def workspace_review(review_id: int) -> Review:
    """The same review with everybody and everything that the workspace shows around it, loaded beside it."""
    people = (
        joinedload(Enrolment.patient).joinedload(Account.preferences),
        joinedload(Enrolment.supporter),
        joinedload(Enrolment.service).lazyload(Service.help_lines),
        joinedload(Enrolment.session_times),
    )
    beside = (
        contains_eager(Review.enrolment).options(*people),
        joinedload(Review.owner),
        joinedload(Review.draft),
        joinedload(Review.held_claim),
        joinedload(Review.week).joinedload(Week.items),
    )
    scope = caseload_scope(current_account().id, services_with_role(Role.SUPPORTER)).options(*beside)
    found = db.session.scalars(scope.where(Review.id == review_id)).unique().one_or_none()
    if found is None:
        return caseload_review(review_id)
    note_staff_read(found.enrolment, Role.SUPPORTER)
    answer_beforehand(reviews.draft_of, found.draft, found)
    return found


def _own_review(review_id: int) -> Review | None:
    """The usual case in one statement."""
    scope = caseload_scope(current_account().id, services_with_role(Role.SUPPORTER))
    return reviews.scoped_review(scope, review_id)


def caseload_scope(account_id: int, service_ids: list[int]) -> Select[Review]:
    """Reviews of the people whom this supporter has now, without those under cover, each with its course."""
    return (
        select(Review)
        .join(Review.enrolment)
        .options(contains_eager(Review.enrolment))
        .where(
            Enrolment.supporter_id == account_id,
            Enrolment.service_id.in_(service_ids),
            Enrolment.patient_id != account_id,
        )
    )


def programme_of(review: Review) -> Programme:
    return find_programme(review.enrolment.programme_slug, review.enrolment.programme_version)


def my_queue() -> Queue:
    """The signed-in supporter's day, as *Today* shows it."""
    account, now = current_account(), request_time()
    people = load_people(enrolments.for_supporter(account, now=now))
    covers = load_working_day(account, current_service(Role.SUPPORTER), now=now).covers
    return build_queue(people, account_id=account.id, covers=covers, now=now, zone=account.zone)
