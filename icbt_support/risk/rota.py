"""The duty rota day by day: who is on, who is away and who stands in, and the hours that nobody has. Pure.

Nobody is appointed to stand in: an alert goes to the next place of the rota that is not away, so that is who does.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from icbt_support.hours.rules import (
    DaysAway,
    DutyBlock,
    DutyWindow,
    WeeklyBlock,
    is_away,
    join_windows,
    window_of,
)

WEEKEND = 5


@dataclass(frozen=True)
class RotaBlock(DutyBlock):
    """One clinician's weekly duty, with the place in which they are told: 1 is first."""

    position: int


@dataclass(frozen=True)
class RotaTurn:
    """One clinician's duty on one day. `stands_in` is who is told instead while they are away, if anybody is."""

    block: WeeklyBlock
    clinician_id: int
    is_away: bool
    stands_in: int | None


@dataclass(frozen=True)
class RotaDay:
    """`uncovered` are stretches that the rota holds and in which everybody is away."""

    on: date
    is_closed: bool
    turns: tuple[RotaTurn, ...]
    uncovered: tuple[DutyWindow, ...]

    @property
    def is_without_duty(self) -> bool:
        """Whether this is a working day on which nobody is on duty at any time."""
        is_working = self.on.weekday() < WEEKEND and not self.is_closed
        return is_working and all(turn.is_away for turn in self.turns)


def rota_days(
    duty: Sequence[RotaBlock],
    *,
    from_on: date,
    until_on: date,
    zone: str,
    closed_days: Container[date],
    days_away: Sequence[DaysAway],
) -> list[RotaDay]:
    """Every day from one to another, both included."""
    length = (until_on - from_on).days + 1
    return [
        _day(duty, from_on + timedelta(days=number), zone, closed_days, days_away) for number in range(length)
    ]


def _day(
    duty: Sequence[RotaBlock],
    on: date,
    zone: str,
    closed_days: Container[date],
    days_away: Sequence[DaysAway],
) -> RotaDay:
    if on in closed_days:
        return RotaDay(on, is_closed=True, turns=(), uncovered=())
    today = sorted(
        (one for one in duty if one.block.weekday == on.weekday()),
        key=lambda one: (one.block.starts, one.position, one.clinician_id),
    )
    here = [one for one in today if not is_away(one.clinician_id, on, days_away)]
    turns = tuple(
        RotaTurn(
            one.block,
            one.clinician_id,
            one not in here,
            None if one in here else _instead(one, here, on, zone),
        )
        for one in today
    )
    return RotaDay(on, is_closed=False, turns=turns, uncovered=_left_open(today, here, on, zone))


def _instead(away: RotaBlock, here: Sequence[RotaBlock], on: date, zone: str) -> int | None:
    """The next in the rota whose duty shares time with that of somebody away."""
    theirs = window_of(away.block, on, zone)
    standing_in = [one for one in here if _share_time(window_of(one.block, on, zone), theirs)]
    first = min(standing_in, key=lambda one: (one.position, one.block.starts), default=None)
    return first.clinician_id if first else None


def _share_time(one: DutyWindow, other: DutyWindow) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _left_open(
    today: Sequence[RotaBlock], here: Sequence[RotaBlock], on: date, zone: str
) -> tuple[DutyWindow, ...]:
    """What the rota of this day holds, less what those who are there hold."""
    gaps = join_windows(window_of(one.block, on, zone) for one in today)
    for held in join_windows(window_of(one.block, on, zone) for one in here):
        gaps = [part for gap in gaps for part in _less(gap, held)]
    return tuple(gaps)


def _less(gap: DutyWindow, held: DutyWindow) -> list[DutyWindow]:
    parts = (
        DutyWindow(gap.starts_at, min(gap.ends_at, held.starts_at)),
        DutyWindow(max(gap.starts_at, held.ends_at), gap.ends_at),
    )
    return [part for part in parts if part.starts_at < part.ends_at]
