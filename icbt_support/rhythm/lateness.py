"""If the service is late it says so before the patient has to wonder."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor
from icbt_support.cadence import add_working_days, local_day, to_local, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.queries import cover_pool
from icbt_support.plan.queries import latest_week_of
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.operations import check_is_owed
from icbt_support.reviews.queries import OWED, owed_reviews
from icbt_support.reviews.rules import late_sentences, reviews_merge
from icbt_support.reviews.transitions import (
    mark_taken,
    mark_told_late,
    mark_warned,
    miss_review,
    open_review,
)
from icbt_support.rhythm.new_owner import give_review_to
from icbt_support.rhythm.weeks import CLOSED_DAYS_AHEAD, ONE_DAY, open_without_review
from icbt_support.risk.operations import hold_course

LONGEST_WARNING = timedelta(days=1)
LOOKS_AHEAD = timedelta(days=3)
STAFF_KINDS = (ReminderKind.STAFF_REVIEW_WARNING, ReminderKind.STAFF_REVIEW_LATE)


class NewPromiseTooEarly(Exception):
    """A new date that has passed already is no promise."""


class ReviewIsNotLate(Exception):
    """A review that is not late has its date: it moves with a reason (`moving.move_own_review`)."""


# What the jobs call ---------------------------------------------------------------------------------------


def open_reviews(*, now: datetime, by: Actor) -> int:
    """Opens scheduled reviews whose slot day has come; a check-in that is in opens its review at once
    elsewhere.
    """
    reviews = db.session.scalars(
        _owed(
            Review.state == ReviewState.SCHEDULED,
            Review.due_on <= now.date() + ONE_DAY,
            Review.promised_at <= now + LOOKS_AHEAD,
        )
    ).all()
    opened = 0
    for review in _held(reviews, lambda one: one.due_on <= local_day(now, one.enrolment.service.zone)):
        open_review(review, by=by, now=now)
        opened += 1
    return opened


def warn_of_reviews(*, now: datetime, by: Actor) -> int:
    """Some time before the promised time (two hours by default), unsent: the supporter and the cover pool are
    told.
    """
    reviews = db.session.scalars(
        _owed(
            Review.warned_at.is_(None), Review.promised_at > now, Review.promised_at <= now + LONGEST_WARNING
        )
    ).all()
    pools: dict[int, list[Account]] = {}
    warned = 0
    for review in _held(reviews, lambda one: one.warned_at is None and _warns_at(one) <= now):
        service = review.enrolment.service
        if service.id not in pools:
            pools[service.id] = cover_pool(service.id, local_day(now, service.zone))
        pool = pools[service.id]
        _tell_staff(
            review, ReminderKind.STAFF_REVIEW_WARNING, {review.owner_id, *(one.id for one in pool)}, now
        )
        mark_warned(review, by=by, now=now)
        warned += 1
    return warned


def tell_of_late_reviews(*, now: datetime, by: Actor) -> int:
    """At the promised time, unsent: the patient's page and inbox say so, and staff are told.

    Late reviews that are near the next one become part of it (`merge_near_reviews`). A welcome that is late
    is told to staff only: the patient may not have signed in yet.
    """
    merge_near_reviews(now=now, by=by)
    reviews = db.session.scalars(
        _owed(
            Review.promised_at <= now,
            Review.told_late_at.is_(None) | (Review.told_late_at < Review.promised_at),
        )
    ).all()
    told = 0
    for review in _held(reviews, lambda one: one.is_late(now) and not _was_told(one)):
        if review.kind is not ReviewKind.WELCOME:
            _tell_patient(review, ReminderKind.REVIEW_LATE, "review-late", now)
        _tell_staff(
            review, ReminderKind.STAFF_REVIEW_LATE, {review.owner_id, review.enrolment.clinician_id}, now
        )
        mark_told_late(review, by=by, now=now)
        told += 1
    return told


def merge_near_reviews(*, now: datetime, by: Actor) -> int:
    """A late review under three days before the next one becomes part of it; the patient is told.

    One that a named person has taken for a day to come is left to that person.
    """
    late = db.session.scalars(_owed(Review.promised_at <= now, Review.week_opened_late_at.is_not(None))).all()
    merged = 0
    for review in _held(late, lambda one: one.is_late(now)):
        following = _review_after(review)
        if following is not None and _are_near(local_day(now, following.enrolment.service.zone), following):
            _merge(review, following, by=by, now=now)
            merged += 1
    return merged


# What a person does about it ------------------------------------------------------------------------------


def take_review(review: Review, new_promised_at: datetime, *, by: Actor, now: datetime) -> Review:
    """A named person (`by`) takes a late review and gives its new date; the patient is told at once.

    Returns the review that is owed now: a new date under three days before the next review makes them one, on
    the next one's date, owed by the same person. Whoever has taken it may give another date. Raises
    `ReviewIsNotLate`, `NewPromiseTooEarly`, `ReviewAlreadySent` or `ReviewNotOwed`.
    """
    if by.account_id is None:
        raise ValueError("A review is taken by a person.")
    hold_course(review.enrolment_id)
    check_is_owed(review)
    if not review.is_late(now) and review.taken_at is None:
        raise ReviewIsNotLate
    if new_promised_at <= now:
        raise NewPromiseTooEarly
    following = _review_after(review)
    if following is not None and _are_near(_service_day(new_promised_at, following), following):
        _merge(review, following, by=by, now=now)
        give_review_to(following, by.account_id, by=by, now=now)
        return following
    mark_taken(review, owner_id=by.account_id, promised_at=new_promised_at, by=by, now=now)
    withdraw_reminders(now=now, reason="it was taken", subject=f"review:{review.id}", kinds=STAFF_KINDS)
    _tell_patient(review, ReminderKind.REVIEW_MOVED, "review-taken", now)
    return review


def close_missed(review: Review, reason: str, *, by: Actor, now: datetime) -> None:
    """A clinician closes a review that no one writes, with a reason; the next week opens if it has not."""
    enrolment = review.enrolment
    hold_course(enrolment.id)
    check_is_owed(review)
    newest = latest_week_of(enrolment)
    is_its_week_open = newest is not None and newest.is_open and newest.number == review.number
    miss_review(review, reason=reason, by=by, now=now)
    withdraw_reminders(now=now, reason="the review was closed", subject=f"review:{review.id}")
    if is_its_week_open and enrolment.is_in_rhythm:
        open_without_review(review, by=by, now=now)
    following = _review_after(review)
    if following is not None:
        _tell_patient(following, ReminderKind.REVIEW_MOVED, "review-closed", now)


# What the patient's page says -----------------------------------------------------------------------------


def lateness_of(review: Review, *, now: datetime) -> tuple[str, ...]:
    """The sentences for the patient's page while this review is late; none when it is not.

    They stay after a named person has taken it, with the new date, until it comes; not while it is with the
    pool again, which keeps that date without a name.
    """
    is_taken = review.taken_at is not None and review.pooled_at is None and now < review.promised_at
    if not review.is_owed or not (is_taken or review.is_late(now)):
        return ()
    enrolment = review.enrolment
    zone = enrolment.patient.zone
    told_by = to_local(told_by_at(review, now=now), zone)
    is_takers = is_taken and review.owner_id != enrolment.supporter_id
    return late_sentences(
        writer="" if is_takers else review.named_writer,
        told_by_on=told_by.date(),
        told_by=told_by.time(),
        taken_by=review.owner.called if is_taken else "",
        new_promise=to_local(review.promised_at, zone) if is_taken else None,
    )


def told_by_at(review: Review, *, now: datetime) -> datetime:
    """The next working day's hour by which the patient of a late review hears who writes, and when."""
    service = review.enrolment.service
    hour = time(service.rhythm.next_date_promised_hour)
    day = local_day(review.promised_at, service.zone)
    closed = closed_days(service, day, local_day(now, service.zone) + CLOSED_DAYS_AHEAD)
    day = add_working_days(day, 1, closed)
    while to_utc(day, hour, service.zone) <= now:
        day = add_working_days(day, 1, closed)
    return to_utc(day, hour, service.zone)


# Shared steps ---------------------------------------------------------------------------------------------


def _owed(*conditions: ColumnElement[bool]) -> Select[Review]:
    """Owed reviews of courses that have not ended, in the order in which they are promised."""
    return (
        select(Review)
        .join(Enrolment, Enrolment.id == Review.enrolment_id)
        .where(Review.state.in_(OWED), Enrolment.state != EnrolmentState.ENDED, *conditions)
        .options(
            joinedload(Review.enrolment).joinedload(Enrolment.service),
            joinedload(Review.enrolment).joinedload(Enrolment.patient),
        )
        .order_by(Review.promised_at, Review.id)
    )


def _held(reviews: Sequence[Review], is_due: Callable[[Review], bool]) -> Iterator[Review]:
    """Those that are still owed and due once their course is held: a send that committed meanwhile wins."""
    for review in reviews:
        hold_course(review.enrolment_id)
        db.session.refresh(review)
        if review.is_owed and is_due(review):
            yield review


def _was_told(review: Review) -> bool:
    return review.told_late_at is not None and review.told_late_at >= review.promised_at


def _warns_at(review: Review) -> datetime:
    return review.promised_at - timedelta(minutes=review.enrolment.service.rhythm.review_warning_minutes)


def _review_after(review: Review) -> Review | None:
    return next((one for one in owed_reviews(review.enrolment) if one.number > review.number), None)


def _service_day(instant: datetime, review: Review) -> date:
    return local_day(instant, review.enrolment.service.zone)


def _are_near(late_on: date, following: Review) -> bool:
    return reviews_merge(late_on, following.due_on, following.enrolment.service.rhythm.merge_under_days)


def _merge(review: Review, following: Review, *, by: Actor, now: datetime) -> None:
    miss_review(review, reason="merged with the next review", by=by, now=now, merged_into=following)
    withdraw_reminders(now=now, reason="merged with the next review", subject=f"review:{review.id}")
    _tell_patient(following, ReminderKind.REVIEW_MOVED, "review-merged", now)


def _tell_patient(review: Review, kind: ReminderKind, what: str, now: datetime) -> None:
    _owe(
        review, kind, f"{what}:{review.id}:{review.promised_at:%Y%m%d%H%M}", review.enrolment.patient_id, now
    )


def _tell_staff(review: Review, kind: ReminderKind, account_ids: Iterable[int], now: datetime) -> None:
    what = "warning" if kind is ReminderKind.STAFF_REVIEW_WARNING else "staff-late"
    for account_id in sorted(account_ids):
        key = f"{what}:{review.id}:{account_id}:{review.promised_at:%Y%m%d%H%M}"
        _owe(review, kind, key, account_id, now)


def _owe(review: Review, kind: ReminderKind, key: str, recipient_id: int, now: datetime) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=recipient_id,
        service_id=review.service_id,
        subject=f"review:{review.id}",
        context=f"enrolment:{review.enrolment_id}",
        due_at=now,
        now=now,
    )
