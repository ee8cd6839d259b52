"""When the next review can be: the supporter's free times, day by day, and the words for them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from icbt_support.cadence import local_day, to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours import queries as hours
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.reviews.models import Review

WEEKS_OFFERED = timedelta(weeks=6)


def next_review_times(review: Review, *, now: datetime) -> list[FreeTime]:
    """One free time for each day on which the supporter writes: this person's usual time, else the first."""
    enrolment = review.enrolment
    zone = enrolment.supporter.zone
    tomorrow = local_day(now, zone) + timedelta(days=1)
    free = hours.free_review_times(
        enrolment.supporter_id, tomorrow, tomorrow + WEEKS_OFFERED, service=enrolment.service, now=now
    )
    usual = to_local(review.slot_at, zone).time() if review.slot_at else None
    by_day: dict[date, FreeTime] = {}
    for one in free:
        if one.on not in by_day or to_local(one.starts_at, zone).time() == usual:
            by_day[one.on] = one
    return list(by_day.values())


def free_times_on(review: Review, starts_at: datetime, *, now: datetime) -> list[FreeTime]:
    """What is still free on the day of `starts_at`."""
    enrolment = review.enrolment
    on = local_day(starts_at, enrolment.supporter.zone)
    return hours.free_review_times(enrolment.supporter_id, on, on, service=enrolment.service, now=now)


def absence_at(review: Review, starts_at: datetime) -> Absence | None:
    """The supporter's absence that holds this moment."""
    supporter = review.enrolment.supporter
    return hours.is_absent(supporter.id, local_day(starts_at, supporter.zone))


def review_day(review: Review, free: FreeTime) -> tuple[str, str]:
    """The start of a free time for the form, and the promise to read: Thursday 26 November, by 5pm"""
    promised = review.enrolment.service.promised_time
    return (free.starts_at.isoformat(), f"{long_day(free.on)}, by {clock_time(promised)}")


def default_review(enrolment: Enrolment, times: Sequence[FreeTime], now: datetime, *, days: int) -> str:
    """The first free time from so many days on; empty when there is none."""
    after = local_day(now, enrolment.supporter.zone) + timedelta(days=days)
    chosen = next((one for one in times if one.on >= after), None)
    return chosen.starts_at.isoformat() if chosen else ""


def review_hint(review: Review, times: Sequence[FreeTime], now: datetime) -> str:
    """On which days the supporter writes, and when they are away."""
    supporter = review.enrolment.supporter
    who = "You" if review.owner_id == supporter.id else supporter.called
    weekdays = list(dict.fromkeys(f"{one.on:%A}s" for one in sorted(times, key=lambda one: one.on.weekday())))
    if not weekdays:
        return "No free time in the next six weeks. Add one in My hours."
    verb = "write" if who == "You" else "writes"
    tomorrow = local_day(now, supporter.zone) + timedelta(days=1)
    absences = hours.absences_between([supporter.id], tomorrow, tomorrow + WEEKS_OFFERED)
    away = "; ".join(f"{long_day(one.from_on)} to {long_day(one.until_on)}" for one in absences)
    leave = f"Away {away}: those days are left out." if away else "No leave in the next six weeks."
    return f"{who} {verb} on {' and '.join(weekdays)}. {leave}"
