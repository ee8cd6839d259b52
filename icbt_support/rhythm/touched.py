"""What an absence touches, shown before it is recorded: owed reviews, and what else waits with the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import open_enrolments_of_supporter
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import (
    FreeTime,
    absences_between,
    absences_to_cover,
    cover_pool,
    first_day_back,
    free_review_times,
    next_free_times,
)
from icbt_support.messages.queries import unread_for_staff
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.queries import owed_by
from icbt_support.rhythm.quiet import call_tasks
from icbt_support.risk.queries import open_alerts_by_enrolment
from icbt_support.service.models import Service


@dataclass(frozen=True)
class TouchedReview:
    """An owed review that is to be written within an absence, on which day, and where it could move."""

    review: Review
    on: date
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
class Colleague:
    """Somebody who could cover; `away` are their own days off within the absence."""

    account: Account
    away: tuple[Absence, ...]
    free_days: frozenset[date]

    def is_away_on(self, on: date) -> bool:
        return any(one.from_on <= on <= one.until_on for one in self.away)


@dataclass(frozen=True)
class Touched:
    """Everything that an absence touches. Reviews need a choice; the rest goes to whoever covers."""

    reviews: tuple[TouchedReview, ...]
    colleagues: tuple[Colleague, ...]
    unread: tuple[tuple[Enrolment, int], ...]
    alerts: tuple[Enrolment, ...]
    calls: tuple[Enrolment, ...]
    overlaps: tuple[Absence, ...]
    promised_cover: tuple[Absence, ...]
    closed: tuple[date, ...]


def touched_reviews(
    account: Account, *, service: Service, from_on: date, until_on: date, now: datetime
) -> list[TouchedReview]:
    """Reviews and welcomes that this person is to write within the days, each with its first place after them.

    What is late already is to be written today.
    """
    owed = [
        (review, on)
        for review in owed_by([account.id], now=now)
        if review.service_id == service.id
        and from_on <= (on := review.written_on(account.zone, now)) <= until_on
    ]
    if not owed:
        return []
    back_on = first_day_back(account.id, until_on + timedelta(days=1), service=service)
    places = next_free_times(account.id, back_on, service=service, now=now, count=len(owed))
    weekly = [review for review, _ in owed if _is_written_in_own_slots(review, account, now)]
    place_of = {review.id: place for review, place in zip(weekly, places, strict=False)}
    return [TouchedReview(review, on, place_of.get(review.id), back_on) for review, on in owed]


def everything_touched(
    account: Account,
    *,
    service: Service,
    from_on: date,
    until_on: date,
    now: datetime,
    apart_from: Absence | None = None,
) -> Touched:
    """What the page shows before an absence is recorded; `apart_from` is the one that is being changed."""
    reviews = touched_reviews(account, service=service, from_on=from_on, until_on=until_on, now=now)
    courses = [one for one in open_enrolments_of_supporter(account.id) if one.service_id == service.id]
    ids = [course.id for course in courses]
    unread = unread_for_staff(ids)
    alerts = open_alerts_by_enrolment(ids)
    to_call = {person.enrolment.id for person in call_tasks([service.id], now=now)}
    own = absences_between([account.id], from_on, until_on)
    return Touched(
        reviews=tuple(reviews),
        colleagues=_colleagues(account, service, from_on, until_on, reviews, now),
        unread=tuple((course, len(unread[course.id])) for course in courses if course.id in unread),
        alerts=tuple(course for course in courses if course.id in alerts),
        calls=tuple(course for course in courses if course.id in to_call),
        overlaps=tuple(one for one in own if one is not apart_from),
        promised_cover=tuple(_covers_of(account, service, from_on, until_on)),
        closed=tuple(on for on in sorted(closed_days(service, from_on, until_on)) if on.weekday() < 5),
    )


def _colleagues(
    account: Account,
    service: Service,
    from_on: date,
    until_on: date,
    reviews: Sequence[TouchedReview],
    now: datetime,
) -> tuple[Colleague, ...]:
    first_on = max(from_on, local_day(now, account.zone))
    others = [one for one in cover_pool(service.id, first_on) if one.id != account.id]
    away = absences_between([one.id for one in others], from_on, until_on)
    days = {item.on for item in reviews}
    return tuple(
        Colleague(
            other,
            tuple(absence for absence in away if absence.account_id == other.id),
            frozenset(
                free.on
                for free in free_review_times(other.id, from_on, until_on, service=service, now=now)
                if free.on in days
            )
            if days
            else frozenset(),
        )
        for other in others
    )


def _covers_of(account: Account, service: Service, from_on: date, until_on: date) -> list[Absence]:
    return [one for one in absences_to_cover(account.id, from_on, until_on) if one.service_id == service.id]


def _is_written_in_own_slots(review: Review, account: Account, now: datetime) -> bool:
    """What is written for a colleague stands in that colleague's diary and cannot wait in this one; nor can what
    has been late: its promise was broken once.
    """
    has_been_late = review.is_late(now) or review.taken_at is not None
    is_own = review.kind is not ReviewKind.WELCOME and review.enrolment.supporter_id == account.id
    return is_own and not has_been_late
