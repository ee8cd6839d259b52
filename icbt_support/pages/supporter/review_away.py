"""The next review would fall into days away: cover or the first day back, with the sentence to say it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.accounts.queries import called_of
from icbt_support.cadence import local_day
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime
from icbt_support.pages.guards import current_account
from icbt_support.pages.kit import long_day
from icbt_support.reviews.models import Review

DAYS_OF_A_WEEK = 7


@dataclass(frozen=True)
class AwayOption:
    """One way out: its button, the review time that it chooses, and what it adds to the letter."""

    value: str
    label: str
    review_at: str
    sentence: str


@dataclass(frozen=True)
class AwayOffer:
    """`absence_id` is set where the supporter could still name a colleague to cover."""

    words: str
    options: tuple[AwayOption, ...]
    absence_id: int | None

    def option(self, value: str) -> AwayOption | None:
        return next((one for one in self.options if one.value == value), None)


def away_offer(
    review: Review,
    absences: Sequence[Absence],
    own: Sequence[FreeTime],
    of_cover: Sequence[FreeTime],
    *,
    now: datetime,
) -> AwayOffer | None:
    """What the composer offers when the usual day of the next review is one of days away; else None.

    `own` and `of_cover` are the free times of the supporter and of the colleagues who are named as cover.
    """
    enrolment = review.enrolment
    earliest_on = local_day(now, enrolment.supporter.zone) + timedelta(days=enrolment.cadence_days)
    usual_on = _usual_day(earliest_on, {one.on.weekday() for one in own})
    absence = next((one for one in absences if one.from_on <= usual_on <= one.until_on), None)
    if absence is None:
        return None
    called, is_me = enrolment.supporter.called, enrolment.supporter_id == current_account().id
    days = f"from {long_day(absence.from_on)} to {long_day(absence.until_on)}"
    away = f"{'I am' if is_me else f'{called} is'} away {days}."
    options = [
        *_cover_option(absence, of_cover, usual_on, away),
        *_back_option(absence, own, "I write" if is_me else f"{called} writes", away),
    ]
    who = "You are" if is_me else f"{called} is"
    return AwayOffer(
        words=f"{who} away {days}, when the next review would come.",
        options=tuple(options),
        absence_id=absence.id if is_me and absence.cover_id is None else None,
    )


def _usual_day(earliest_on: date, weekdays: set[int]) -> date:
    days = (earliest_on + timedelta(days=count) for count in range(DAYS_OF_A_WEEK))
    return next((on for on in days if on.weekday() in weekdays), earliest_on)


def _cover_option(
    absence: Absence, of_cover: Sequence[FreeTime], usual_on: date, away: str
) -> list[AwayOption]:
    times = [one for one in of_cover if absence.from_on <= one.on <= absence.until_on]
    if not times:
        return []
    chosen = min(times, key=lambda one: (abs(one.on - usual_on), one.starts_at))
    name, day = called_of(chosen.slot.supporter_id), long_day(chosen.on)
    sentence = f"{away} {name} reads what you share in these days, and writes to you by {day}."
    return [AwayOption("cover", f"{name} writes on {day}", chosen.starts_at.isoformat(), sentence)]


def _back_option(absence: Absence, own: Sequence[FreeTime], writes: str, away: str) -> list[AwayOption]:
    first = next((one for one in own if one.on > absence.until_on), None)
    if first is None:
        return []
    day = long_day(first.on)
    sentence = f"{away} {writes} to you again by {day}."
    return [
        AwayOption("back", f"{writes} on {day}, the first day back", first.starts_at.isoformat(), sentence)
    ]
