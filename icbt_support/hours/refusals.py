"""Why a time cannot be booked, or an absence not recorded."""

from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime


class TimeNotFree(Exception):
    """A review cannot be booked at this time; `next_three` are the next times that can."""

    def __init__(self, next_three: list[FreeTime]) -> None:
        super().__init__("That time is not free.")
        self.next_three = next_three


class SlotTaken(TimeNotFree):
    """Somebody else holds the place."""


class OutsideSlots(TimeNotFree):
    """The supporter has no protected slot in which a review can start at this time."""


class InsideAbsence(TimeNotFree):
    """The supporter is away on that day."""

    def __init__(self, absence: Absence, next_three: list[FreeTime]) -> None:
        super().__init__(next_three)
        self.absence = absence


class OnClosedDay(TimeNotFree):
    """The service is closed on that day."""


class WrongAbsenceDays(Exception):
    """The last day of an absence lies before its first."""
