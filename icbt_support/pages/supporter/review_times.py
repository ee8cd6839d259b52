"""When the next review can be: the supporter's free times, day by day, and the words for them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from icbt_support.accounts.queries import called_of
from icbt_support.cadence import local_day, to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours import queries as hours
from icbt_support.hours.cover import free_times_of_cover
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.read_once import answer_beforehand
from icbt_support.reviews.models import Review
from icbt_support.rhythm.weeks import promise_for

ONE_DAY = timedelta(days=1)
WEEKS_OFFERED = timedelta(weeks=6)


def next_review_times(review: Review, *, now: datetime) -> list[FreeTime]:
    """One free time for each day on which the supporter writes: this person's usual time, else the first."""
    enrolment = review.enrolment
    first_on = _first_day(enrolment, now)
    free = hours.free_review_times(
        enrolment.supporter_id, first_on, first_on + WEEKS_OFFERED, service=enrolment.service, now=now
    )
    return _one_a_day(free, review)


def _first_day(enrolment: Enrolment, now: datetime) -> date:
    """Tomorrow where the supporter is, or the day on which the patient is back from days away."""
    tomorrow = local_day(now, enrolment.supporter.zone) + ONE_DAY
    away_until_on = enrolment.away_until_on
    return tomorrow if away_until_on is None else max(tomorrow, away_until_on + ONE_DAY)


def times_to_move_to(review: Review, earliest_on: date, *, now: datetime) -> list[FreeTime]:
    """One free time of whoever owes it for each day from `earliest_on`, without the day on which it stands."""
    free = hours.free_review_times(
        review.owner_id, earliest_on, earliest_on + WEEKS_OFFERED, service=review.enrolment.service, now=now
    )
    return [one for one in _one_a_day(free, review) if one.on != review.due_on]


def days_away(review: Review, *, now: datetime) -> list[Absence]:
    """When the supporter is away in the weeks from which the next review is chosen."""
    enrolment, first_on = review.enrolment, _first_day(review.enrolment, now)
    return hours.absences_between([enrolment.supporter_id], first_on, first_on + WEEKS_OFFERED)


def know_who_is_there(review: Review, times: Sequence[FreeTime], absences: Sequence[Absence]) -> None:
    """Answers beforehand, for each of these times, whether the supporter is away then."""
    supporter = review.enrolment.supporter
    for on in {local_day(one.starts_at, supporter.zone) for one in times}:
        holding = [absence for absence in absences if absence.from_on <= on <= absence.until_on]
        newest = max(holding, key=lambda absence: absence.id, default=None)
        answer_beforehand(hours.is_absent, newest, supporter.id, on)


def cover_times(review: Review, absences: Sequence[Absence], *, now: datetime) -> list[FreeTime]:
    """One free time, on each of these days away, of the colleague who is named as cover."""
    enrolment, first_on = review.enrolment, _first_day(review.enrolment, now)
    free = free_times_of_cover(
        absences, first_on, first_on + WEEKS_OFFERED, service=enrolment.service, now=now
    )
    return _one_a_day(free, review)


def _one_a_day(free: Sequence[FreeTime], review: Review) -> list[FreeTime]:
    zone = review.enrolment.supporter.zone
    usual = to_local(review.slot_at, zone).time() if review.slot_at else None
    by_day: dict[date, FreeTime] = {}
    for one in free:
        if one.on not in by_day or to_local(one.starts_at, zone).time() == usual:
            by_day[one.on] = one
    return list(by_day.values())


def free_times_on(review: Review, starts_at: datetime, *, now: datetime) -> list[FreeTime]:
    """What is still free on the day of `starts_at`, with whoever is named as cover on it."""
    enrolment = review.enrolment
    on = local_day(starts_at, enrolment.supporter.zone)
    own = hours.free_review_times(enrolment.supporter_id, on, on, service=enrolment.service, now=now)
    absence = absence_at(review, starts_at)
    away = [absence] if absence is not None else []
    return own + free_times_of_cover(away, on, on, service=enrolment.service, now=now)


def absence_at(review: Review, starts_at: datetime) -> Absence | None:
    """The supporter's absence that holds this moment."""
    supporter = review.enrolment.supporter
    return hours.is_absent(supporter.id, local_day(starts_at, supporter.zone))


def review_day(review: Review, free: FreeTime) -> tuple[str, str]:
    """The start of a free time for the form, and the promise to read: Thursday 26 November, by 5pm"""
    _, promised_at = promise_for(review.enrolment, free.starts_at)
    promised = to_local(promised_at, review.enrolment.supporter.zone)
    writer_id = free.slot.supporter_id
    by_cover = "" if writer_id == review.enrolment.supporter_id else f": {called_of(writer_id)} writes"
    return (free.starts_at.isoformat(), f"{long_day(promised)}, by {clock_time(promised)}{by_cover}")


def default_review(enrolment: Enrolment, times: Sequence[FreeTime], now: datetime, *, days: int) -> str:
    """The first free time from so many days on; empty when there is none."""
    after = local_day(now, enrolment.supporter.zone) + timedelta(days=days)
    chosen = next((one for one in times if one.on >= after), None)
    return chosen.starts_at.isoformat() if chosen else ""


def review_hint(review: Review, times: Sequence[FreeTime], absences: Sequence[Absence]) -> str:
    """On which days the supporter writes, and when they are away."""
    supporter = review.enrolment.supporter
    who = "You" if review.owner_id == supporter.id else supporter.called
    weekdays = list(dict.fromkeys(f"{one.on:%A}s" for one in sorted(times, key=lambda one: one.on.weekday())))
    if not weekdays:
        return "No free time in the next six weeks. Add one in My hours."
    verb = "write" if who == "You" else "writes"
    away = "; ".join(f"{long_day(one.from_on)} to {long_day(one.until_on)}" for one in absences)
    leave = f"Away {away}: those days are left out." if away else "No leave in the next six weeks."
    *others, last = weekdays
    days = f"{', '.join(others)} and {last}" if others else last
    return f"{who} {verb} on {days}. {leave}"
