"""A member of staff is away: every owed review that it touches gets cover or a new date, none is dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day, to_utc
from icbt_support.enrolments.queries import open_enrolments_of_supporter
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import (
    FreeTime,
    coming_absences,
    cover_pool,
    first_day_back,
    is_absent,
    next_free_times,
)
from icbt_support.hours.refusals import WrongAbsenceDays
from icbt_support.hours.transitions import record_absence_row, withdraw_absence_row
from icbt_support.messages.queries import unread_for_staff
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.queries import owed_by
from icbt_support.reviews.transitions import set_date
from icbt_support.rhythm.moving import move_review_date
from icbt_support.rhythm.new_owner import give_review_to, tell_of_cover, tell_of_hand_over
from icbt_support.risk.operations import move_alerts_to
from icbt_support.service.models import Service


@dataclass(frozen=True)
class CoverBy:
    """This colleague writes the review on the day that the patient was told; the patient is told who writes."""

    account_id: int


@dataclass(frozen=True)
class FirstDayBack:
    """The review moves to the first free place after the absence, and the patient is told."""


@dataclass(frozen=True)
class TouchedReview:
    """An owed review that falls into an absence, and where it could move."""

    review: Review
    first_day_back: FreeTime | None
    back_on: date

    @property
    def can_wait(self) -> bool:
        """A welcome needs no place in the diary; a review needs a free one."""
        return self.review.kind is ReviewKind.WELCOME or self.first_day_back is not None

    @property
    def moves_to(self) -> date:
        return self.first_day_back.on if self.first_day_back is not None else self.back_on


@dataclass(frozen=True)
class GoneFromNow:
    """What went to the pool: owed reviews, unread messages and open alerts, and who was told."""

    absence: Absence
    reviews: int
    messages: int
    alerts: int
    told: tuple[Account, ...]


class ReviewsWithoutChoice(Exception):
    """Some touched reviews have neither cover nor a new date."""

    def __init__(self, reviews: Sequence[Review]) -> None:
        super().__init__(", ".join(str(review.id) for review in reviews))
        self.reviews = list(reviews)


class CoverIsAway(Exception):
    """The person named as cover is away on that day, or is the absent person."""

    def __init__(self, account_id: int, on: date) -> None:
        super().__init__(f"account {account_id} on {on}")
        self.account_id = account_id
        self.on = on


class NoPlaceAfterAbsence(Exception):
    """There is no free place in the eight weeks after the absence: the review needs cover."""

    def __init__(self, review: Review) -> None:
        super().__init__(str(review.id))
        self.review = review


class AbsenceInThePast(Exception):
    """The whole absence lies before today."""


def touched_reviews(
    account: Account, *, service: Service, from_on: date, until_on: date, now: datetime
) -> list[TouchedReview]:
    """Reviews and welcomes that this person owes within the days, each with its first place after them."""
    owed = [
        review
        for review in owed_by([account.id], now=now)
        if review.service_id == service.id and from_on <= review.due_on <= until_on
    ]
    if not owed:
        return []
    back_on = first_day_back(account.id, until_on + timedelta(days=1), service=service)
    places = next_free_times(account.id, back_on, service=service, now=now, count=len(owed))
    weekly = [review for review in owed if _is_written_in_own_slots(review, account)]
    place_of = {review.id: place for review, place in zip(weekly, places, strict=False)}
    return [TouchedReview(review, place_of.get(review.id), back_on) for review in owed]


def record_absence(
    account: Account,
    *,
    service: Service,
    from_on: date,
    until_on: date,
    cover_id: int | None,
    choices: Mapping[int, CoverBy | FirstDayBack],
    by: Actor,
    now: datetime,
) -> Absence:
    """Records the days and what becomes of each touched review (`choices` by review id).

    `cover_id` is who reads messages and alerts meanwhile; None is the pool. Raises `ReviewsWithoutChoice`,
    `CoverIsAway`, `NoPlaceAfterAbsence`, `AbsenceInThePast` or `hours.refusals.WrongAbsenceDays`.
    """
    if until_on < from_on:
        raise WrongAbsenceDays
    if until_on < local_day(now, account.zone):
        raise AbsenceInThePast
    touched = touched_reviews(account, service=service, from_on=from_on, until_on=until_on, now=now)
    without = [item.review for item in touched if item.review.id not in choices]
    if without:
        raise ReviewsWithoutChoice(without)
    _refuse_absent_cover(account, cover_id, from_on)
    absence = record_absence_row(
        account.id,
        service_id=service.id,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        by=by,
        now=now,
    )
    for item in touched:
        _settle(account, item, choices[item.review.id], by=by, now=now)
    if cover_id is not None:
        _tell(absence, cover_id, now)
    return absence


def away_from_now(
    account: Account, *, service: Service, until_on: date, by: Actor, now: datetime
) -> GoneFromNow:
    """Unplanned absence in one step: every owed review, message and alert goes to the pool, told at once.

    The reviews keep their owner's name until a colleague takes them. Without anybody in the pool, the
    clinicians are told.
    """
    today = local_day(now, account.zone)
    touched = touched_reviews(account, service=service, from_on=today, until_on=until_on, now=now)
    absence = record_absence_row(
        account.id, service_id=service.id, from_on=today, until_on=until_on, cover_id=None, by=by, now=now
    )
    pool = [person for person in cover_pool(service.id, today) if person.id != account.id]
    told = pool or [
        person for person in staff_with_role(service.id, Role.CLINICIAN) if person.id != account.id
    ]
    enrolments = [
        enrolment
        for enrolment in open_enrolments_of_supporter(account.id)
        if enrolment.service_id == service.id
    ]
    alerts = 0
    for enrolment in enrolments:
        moved = [move_alerts_to(enrolment, person.id, by=by, now=now) for person in told]
        alerts += max(moved, default=0)
    for person in told:
        _tell(absence, person.id, now)
    unread = unread_for_staff([enrolment.id for enrolment in enrolments])
    messages = sum(len(waiting) for waiting in unread.values())
    return GoneFromNow(absence, len(touched), messages, alerts, tuple(told))


def withdraw_absence(absence: Absence, *, by: Actor, now: datetime) -> None:
    """The person is there after all; reviews that were moved or covered stay as the patients were told."""
    withdraw_absence_row(absence, by=by, now=now)


def come_back_early(account: Account, *, by: Actor, now: datetime) -> int:
    """Withdraws the absences that hold today; returns how many."""
    today = local_day(now, account.zone)
    running = [absence for absence in coming_absences(account.id, today) if absence.from_on <= today]
    for absence in running:
        withdraw_absence_row(absence, by=by, now=now)
    return len(running)


def _is_written_in_own_slots(review: Review, account: Account) -> bool:
    """What is written for a colleague stands in that colleague's diary and cannot wait in this one."""
    return review.kind is not ReviewKind.WELCOME and review.enrolment.supporter_id == account.id


def _settle(
    account: Account, item: TouchedReview, choice: CoverBy | FirstDayBack, *, by: Actor, now: datetime
) -> None:
    review = item.review
    if isinstance(choice, CoverBy):
        _refuse_absent_cover(account, choice.account_id, review.due_on)
        give_review_to(review, choice.account_id, by=by, now=now)
        tell_of_hand_over(
            choice.account_id,
            service_id=review.service_id,
            subject=f"review:{review.id}",
            context=f"enrolment:{review.enrolment_id}",
            key=f"review:{review.id}",
            now=now,
        )
        if review.kind is not ReviewKind.WELCOME:
            tell_of_cover(review, now=now)
        return
    if review.kind is ReviewKind.WELCOME:
        service = review.enrolment.service
        set_date(
            review,
            due_on=item.back_on,
            promised_at=to_utc(item.back_on, service.promised_time, service.zone),
            by=by,
            now=now,
        )
        return
    if item.first_day_back is None:
        raise NoPlaceAfterAbsence(review)
    move_review_date(review, item.first_day_back.starts_at, reason="supporter away", by=by, now=now)


def _refuse_absent_cover(account: Account, cover_id: int | None, on: date) -> None:
    if cover_id is None:
        return
    if cover_id == account.id or is_absent(cover_id, on) is not None:
        raise CoverIsAway(cover_id, on)


def _tell(absence: Absence, account_id: int, now: datetime) -> None:
    tell_of_hand_over(
        account_id,
        service_id=absence.service_id,
        subject=f"account:{absence.account_id}",
        context=f"service:{absence.service_id}",
        key=f"absence:{absence.id}",
        now=now,
    )
