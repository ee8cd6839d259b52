"""Who can take on another person, and how long a person has been invited. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class Room:
    """How many reviews a week a supporter's protected slots hold, and how many people need one."""

    supporter_id: int
    places: int
    people: int

    @property
    def free(self) -> int:
        return self.places - self.people


def most_room_first(rooms: Sequence[Room]) -> list[Room]:
    return sorted(rooms, key=lambda room: (-room.free, room.supporter_id))


def day_of_invitation(invited_on: date, today: date) -> int:
    """Day 0 is the day of the invitation."""
    return (today - invited_on).days


def longest_away_until(today: date, longest_days: int) -> date:
    """The last day that a person can choose to be away, today counting as the first."""
    return today + timedelta(days=longest_days - 1)


def needs_confirming(confirmed_at: datetime | None, every_days: int, now: datetime) -> bool:
    """Whether a person is asked again if their contact sheet is right: never confirmed, or that long ago."""
    return confirmed_at is None or now - confirmed_at >= timedelta(days=every_days)
