"""Who can take on another person, and how long a person has been invited. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Limit(StrEnum):
    """What another person would be too much for."""

    PLACES = "places"
    PEOPLE = "people"
    MINUTES = "minutes"


@dataclass(frozen=True)
class Room:
    """How many reviews a week a supporter's protected slots hold, who needs one, and the limits that are set.

    A fortnightly course needs a place every other week. `back_on` is the first day back of somebody who is
    away when the welcome is due.
    """

    supporter_id: int
    places: int
    people: int
    fortnightly: int = 0
    minutes_a_review: int = 15
    most_people: int | None = None
    most_minutes: int | None = None
    free_weekdays: tuple[int, ...] = ()
    back_on: date | None = None

    @property
    def places_needed(self) -> int:
        return self.people - self.fortnightly // 2

    @property
    def free(self) -> int:
        return self.places - self.places_needed

    @property
    def minutes_planned(self) -> int:
        return self.places_needed * self.minutes_a_review

    @property
    def passed_by_one_more(self) -> tuple[Limit, ...]:
        """The limits that one more person, seen every week, would pass."""
        found = []
        if self.free < 1:
            found.append(Limit.PLACES)
        if self.most_people is not None and self.people + 1 > self.most_people:
            found.append(Limit.PEOPLE)
        if self.most_minutes is not None and self.minutes_planned + self.minutes_a_review > self.most_minutes:
            found.append(Limit.MINUTES)
        return tuple(found)

    @property
    def has_room(self) -> bool:
        return not self.passed_by_one_more and self.back_on is None


def most_room_first(rooms: Sequence[Room]) -> list[Room]:
    """Whoever has room first, the most free places first; then who is full; then who is away."""
    return sorted(
        rooms,
        key=lambda room: (
            room.back_on is not None,
            bool(room.passed_by_one_more),
            -_left(room),
            room.supporter_id,
        ),
    )


def _left(room: Room) -> int:
    """How many more people fit."""
    if room.most_people is None:
        return room.free
    return min(room.free, room.most_people - room.people)


def day_of_invitation(invited_on: date, today: date) -> int:
    """Day 0 is the day of the invitation."""
    return (today - invited_on).days


def longest_away_until(today: date, longest_days: int) -> date:
    """The last day that a person can choose to be away, today counting as the first."""
    return today + timedelta(days=longest_days - 1)


def needs_confirming(confirmed_at: datetime | None, every_days: int, now: datetime) -> bool:
    """Whether a person is asked again if their contact sheet is right: never confirmed, or that long ago."""
    return confirmed_at is None or now - confirmed_at >= timedelta(days=every_days)
