"""A member of staff is away: every owed review that it touches gets cover or a new date, none is dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day, to_utc
from icbt_support.enrolments.queries import open_enrolments_of_supporter
from icbt_support.hours.models import Absence, AbsenceReason
from icbt_support.hours.queries import absences_between, coming_absences, cover_pool, is_absent
from icbt_support.hours.refusals import WrongAbsenceDays
from icbt_support.hours.rules import away_because
from icbt_support.hours.transitions import change_absence_row, record_absence_row, withdraw_absence_row
from icbt_support.messages.queries import unread_for_staff
from icbt_support.reviews.claims import end_claims_of
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.queries import owed_by
from icbt_support.reviews.transitions import set_date
from icbt_support.rhythm.moving import move_review_date
from icbt_support.rhythm.new_owner import (
    give_review_to,
    give_review_to_pool,
    return_review_from_pool,
    tell_of_cover,
    tell_of_hand_over,
)
from icbt_support.rhythm.touched import TouchedReview, touched_reviews
from icbt_support.risk.operations import move_alerts_to
from icbt_support.service.models import Service

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CoverBy:
    """This colleague writes the review on the day that the patient was told; the patient is told who writes."""

    account_id: int


@dataclass(frozen=True)
class ToPool:
    """Whoever takes it writes it on the day that the patient was told; the patient is told who, once taken."""


@dataclass(frozen=True)
class FirstDayBack:
    """The review moves to the first free place after the absence, and the patient is told."""


Choice = CoverBy | ToPool | FirstDayBack


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


class AwayAlready(Exception):
    """Another absence of the same person holds all these days."""

    def __init__(self, absence: Absence) -> None:
        super().__init__(f"{absence.from_on} to {absence.until_on}")
        self.absence = absence


def record_absence(
    account: Account,
    *,
    service: Service,
    from_on: date,
    until_on: date,
    cover_id: int | None,
    choices: Mapping[int, Choice],
    by: Actor,
    now: datetime,
    reason: AbsenceReason = AbsenceReason.AWAY,
) -> Absence:
    """Records the days and what becomes of each touched review (`choices` by review id).

    `cover_id` is who reads messages and alerts meanwhile; None is the pool. Raises `ReviewsWithoutChoice`,
    `CoverIsAway`, `NoPlaceAfterAbsence`, `AbsenceInThePast`, `AwayAlready` or `hours.refusals.WrongAbsenceDays`.
    """
    touched = _check_days(account, service, from_on, until_on, choices, now)
    _refuse_days_away_already(account, from_on, until_on, apart_from=None)
    _refuse_absent_cover(account, cover_id, from_on)
    absence = record_absence_row(
        account.id,
        service_id=service.id,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        reason=reason,
        by=by,
        now=now,
    )
    _settle_all(absence, account, service, touched, choices, by=by, now=now)
    return absence


def change_absence(
    absence: Absence,
    account: Account,
    *,
    service: Service,
    from_on: date,
    until_on: date,
    cover_id: int | None,
    choices: Mapping[int, Choice],
    by: Actor,
    now: datetime,
) -> None:
    """Other days or other cover. Reviews with the pool that now lie outside come back to their owner.

    What was moved, or given to a colleague, stays as the patients were told. Raises what `record_absence` does.
    """
    touched = _check_days(account, service, from_on, until_on, choices, now)
    _refuse_days_away_already(account, from_on, until_on, apart_from=absence)
    _refuse_absent_cover(account, cover_id, max(from_on, local_day(now, account.zone)))
    change_absence_row(absence, from_on=from_on, until_on=until_on, cover_id=cover_id, by=by, now=now)
    _take_back(account, service.id, by=by, now=now)
    _settle_all(absence, account, service, touched, choices, by=by, now=now)


def away_from_now(
    account: Account, *, service: Service, until_on: date, by: Actor, now: datetime
) -> GoneFromNow:
    """Unplanned absence in one step: every owed review, message and alert goes to the pool, told at once.

    The reviews keep their owner's name until a colleague takes them: only then, or when a promise has passed,
    is there news for a patient. Without anybody in the pool, the clinicians are told.
    """
    today = local_day(now, account.zone)
    touched = touched_reviews(account, service=service, from_on=date.min, until_on=until_on, now=now)
    absence = _days_with_the_pool(account, until_on, now) or record_absence_row(
        account.id, service_id=service.id, from_on=today, until_on=until_on, cover_id=None, by=by, now=now
    )
    for item in touched:
        give_review_to_pool(item.review, by=by, now=now)
    end_claims_of(account.id, service.id, now=now)
    told = _pool_or_clinicians(account, service, today)
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


def _days_with_the_pool(account: Account, until_on: date, now: datetime) -> Absence | None:
    """An absence that says the same already, as after a second click."""
    known = is_absent(account.id, local_day(now, account.zone))
    is_same = known is not None and known.cover_id is None and known.until_on >= until_on
    return known if is_same else None


def end_absence(absence: Absence, account: Account, back_on: date, *, by: Actor, now: datetime) -> None:
    """The person works again from `back_on`: what the pool has not taken is theirs again.

    What was moved, or given to a colleague, stays as the patients were told. An absence that has not begun is
    withdrawn.
    """
    if back_on > absence.until_on:
        return
    if back_on <= absence.from_on:
        withdraw_absence_row(absence, by=by, now=now)
    else:
        change_absence_row(
            absence,
            from_on=absence.from_on,
            until_on=back_on - ONE_DAY,
            cover_id=absence.cover_id,
            by=by,
            now=now,
        )
    _take_back(account, absence.service_id, by=by, now=now)


def come_back_early(account: Account, *, by: Actor, now: datetime) -> int:
    """Ends the absences that hold today; returns how many."""
    today = local_day(now, account.zone)
    running = [absence for absence in coming_absences(account.id, today) if absence.from_on <= today]
    for absence in running:
        end_absence(absence, account, today, by=by, now=now)
    return len(running)


def _check_days(
    account: Account,
    service: Service,
    from_on: date,
    until_on: date,
    choices: Mapping[int, Choice],
    now: datetime,
) -> list[TouchedReview]:
    if until_on < from_on:
        raise WrongAbsenceDays
    if until_on < local_day(now, account.zone):
        raise AbsenceInThePast
    touched = touched_reviews(account, service=service, from_on=from_on, until_on=until_on, now=now)
    without = [item.review for item in touched if item.review.id not in choices]
    if without:
        raise ReviewsWithoutChoice(without)
    for item in touched:
        choice = choices[item.review.id]
        if isinstance(choice, CoverBy):
            _refuse_absent_cover(account, choice.account_id, item.on)
        if isinstance(choice, FirstDayBack) and not item.can_wait:
            raise NoPlaceAfterAbsence(item.review)
    return touched


def _refuse_days_away_already(
    account: Account, from_on: date, until_on: date, *, apart_from: Absence | None
) -> None:
    for other in absences_between([account.id], from_on, until_on):
        if other is not apart_from and other.from_on <= from_on and until_on <= other.until_on:
            raise AwayAlready(other)


def _settle_all(
    absence: Absence,
    account: Account,
    service: Service,
    touched: Sequence[TouchedReview],
    choices: Mapping[int, Choice],
    *,
    by: Actor,
    now: datetime,
) -> None:
    for item in touched:
        _settle(absence, account, item, choices[item.review.id], by=by, now=now)
    if absence.from_on <= local_day(now, account.zone):
        end_claims_of(account.id, absence.service_id, now=now)
    if absence.cover_id is not None:
        _tell(absence, absence.cover_id, now)
    if any(isinstance(choices[item.review.id], ToPool) for item in touched):
        for person in _pool_or_clinicians(account, service, absence.from_on):
            _tell(absence, person.id, now)


def _settle(
    absence: Absence, account: Account, item: TouchedReview, choice: Choice, *, by: Actor, now: datetime
) -> None:
    review = item.review
    if isinstance(choice, CoverBy):
        give_review_to(review, choice.account_id, by=by, now=now)
        tell_of_hand_over(
            choice.account_id,
            service_id=review.service_id,
            subject=f"review:{review.id}",
            context=f"enrolment:{review.enrolment_id}",
            key=f"review:{review.id}",
            now=now,
        )
        if review.kind is not ReviewKind.WELCOME and not review.is_late(now):
            tell_of_cover(review, now=now)
    elif isinstance(choice, ToPool):
        give_review_to_pool(review, by=by, now=now)
    else:
        _move_behind(absence, account, item, by=by, now=now)


def _move_behind(
    absence: Absence, account: Account, item: TouchedReview, *, by: Actor, now: datetime
) -> None:
    review = item.review
    told_because = away_because(account.called, absence.reason)
    if review.kind is ReviewKind.WELCOME:
        service = review.enrolment.service
        set_date(
            review,
            due_on=item.back_on,
            promised_at=to_utc(item.back_on, service.promised_time, service.zone),
            told_because=told_because,
            by=by,
            now=now,
        )
        return
    if item.first_day_back is None:
        raise NoPlaceAfterAbsence(review)
    move_review_date(
        review,
        item.first_day_back.starts_at,
        reason="supporter away",
        told_because=told_because,
        by=by,
        now=now,
    )


def _take_back(account: Account, service_id: int, *, by: Actor, now: datetime) -> None:
    """Reviews with the pool that are to be written on days on which their owner is there after all.

    A patient who waited for whoever takes it hears the name of a colleague who had taken it before.
    """
    for review in owed_by([account.id], now=now):
        is_with_pool = review.pooled_at is not None and review.service_id == service_id
        if not is_with_pool or is_absent(account.id, review.written_on(account.zone, now)) is not None:
            continue
        return_review_from_pool(review, by=by, now=now)
        is_colleagues = review.owner_id != review.enrolment.supporter_id
        if is_colleagues and review.kind is not ReviewKind.WELCOME and not review.is_late(now):
            tell_of_cover(review, now=now)


def _pool_or_clinicians(account: Account, service: Service, on: date) -> list[Account]:
    pool = [person for person in cover_pool(service.id, on) if person.id != account.id]
    return pool or [
        person for person in staff_with_role(service.id, Role.CLINICIAN) if person.id != account.id
    ]


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
        key=f"absence:{absence.id}:{absence.from_on}:{absence.until_on}",
        now=now,
    )
