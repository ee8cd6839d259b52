"""The open week of each person of a list, as the rhythm strip draws it."""

from collections.abc import Iterable
from datetime import datetime

from icbt_support.engagement.caseload import PersonNow
from icbt_support.plan.strip import StripModel
from icbt_support.rhythm.strips import WeekToDraw, strips_of_weeks


def strips_of_people(people: Iterable[PersonNow], *, now: datetime) -> dict[int, StripModel]:
    """Enrolment id to the strip; people without an open week have none. One statement beyond the list's own."""
    return strips_of_weeks(
        [
            WeekToDraw(
                person.enrolment,
                person.week.week,
                person.reviews_of_week,
                person.week.check_in_finished_at,
            )
            for person in people
            if person.week is not None
        ],
        now=now,
    )
