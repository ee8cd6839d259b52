"""Who writes in somebody's place while they are away: the colleague who is named in the absence."""

from collections.abc import Iterable
from datetime import date, datetime

from icbt_support.cadence import local_day
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime, free_review_times, is_absent, slot_holding
from icbt_support.service.models import Service


def writer_at(supporter_id: int, zone: str, starts_at: datetime) -> int:
    """The named colleague if the supporter is away on that day, and the colleague is there and has a slot then;
    else the supporter.
    """
    on = local_day(starts_at, zone)
    absence = is_absent(supporter_id, on)
    if absence is None or absence.cover_id is None or slot_holding(absence.cover_id, starts_at) is None:
        return supporter_id
    return absence.cover_id if is_absent(absence.cover_id, on) is None else supporter_id


def free_times_of_cover(
    absences: Iterable[Absence], from_on: date, until_on: date, *, service: Service, now: datetime
) -> list[FreeTime]:
    """Free places of the colleagues who are named in these absences, on the days of the absence."""
    found: list[FreeTime] = []
    for absence in absences:
        first, last = max(from_on, absence.from_on), min(until_on, absence.until_on)
        if absence.cover_id is not None and first <= last:
            found += free_review_times(absence.cover_id, first, last, service=service, now=now)
    return sorted(found, key=lambda time: time.starts_at)
