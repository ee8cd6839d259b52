"""The words of the page of alerts: clocks and owners, how long people waited, and the rota day by day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from icbt_support.cadence import to_local
from icbt_support.pages.alerts import GRADE_WORDS
from icbt_support.pages.kit import clock_time, long_day, short_day_and_time
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.queries import DutyBoard
from icbt_support.risk.response_times import ResponseTimes, Waited
from icbt_support.risk.rota import RotaDay, RotaTurn
from icbt_support.risk.rules import minutes_to_acknowledge
from icbt_support.service.models import RhythmSettings

TIME_HEADS = ("Grade", "Until somebody took it", "Until it was resolved")
ROTA_HEADS = ("Day", "On duty", "Away", "Nobody")


@dataclass(frozen=True)
class AlertClock:
    """Who owns an open alert, and until when somebody is to take it."""

    owner: str
    clock: str


@dataclass(frozen=True)
class RotaRow:
    day: str
    on_duty: str
    away: str
    nobody: str
    is_today: bool

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return (f"{self.day} (today)" if self.is_today else self.day, self.on_duty, self.away, self.nobody)


def clock_of(alert: RiskAlert, zone: str, now: datetime) -> AlertClock:
    """The owner is who took it. Nothing but a person stops the clock."""
    if alert.is_taken:
        who = alert.acknowledger.full_name if alert.acknowledger else "A person"
        return AlertClock(who, "Stopped: somebody has taken it")
    if alert.escalates_at is None:
        return AlertClock("Nobody yet", "None: known, shown first in the review")
    when = short_day_and_time(to_local(alert.escalates_at, zone))
    if alert.escalates_at <= now:
        return AlertClock("Nobody yet", f"Was to be taken by {when}. It is going to the next person")
    return AlertClock("Nobody yet", f"To be taken by {when}, in duty hours")


def time_rows(times: tuple[ResponseTimes, ...], settings: RhythmSettings) -> list[tuple[str, str, str]]:
    """By grade, beside the time after which an alert goes to the next person."""
    return [
        (
            f"{GRADE_WORDS[one.grade]}: next person after "
            f"{_duration(minutes_to_acknowledge(one.grade, settings) or 0)}",
            _waited_words(one.to_acknowledge, "not taken yet"),
            _waited_words(one.to_resolve, "not resolved yet"),
        )
        for one in times
    ]


def rota_rows(board: DutyBoard, zone: str, today: date) -> list[RotaRow]:
    """Weekends only where the rota holds something on them."""
    return [_row(day, board.names, zone, today) for day in board.days if day.turns or day.on.weekday() < 5]


def days_without_duty(board: DutyBoard, today: date) -> list[date]:
    """Working days from today on, this week and the next, on which nobody is on duty."""
    return [day.on for day in board.days if day.on >= today and day.is_without_duty]


def _row(day: RotaDay, names: Mapping[int, str], zone: str, today: date) -> RotaRow:
    if day.is_closed:
        return RotaRow(long_day(day.on), "Closed", "–", "–", day.on == today)
    there = [_turn_words(turn, names) for turn in day.turns if not turn.is_away]
    away = [_away_words(turn, names) for turn in day.turns if turn.is_away]
    gaps = [
        f"{clock_time(to_local(gap.starts_at, zone))} to {clock_time(to_local(gap.ends_at, zone))}"
        for gap in day.uncovered
    ]
    nobody = "All day" if day.is_without_duty else "; ".join(gaps) or "–"
    return RotaRow(
        long_day(day.on), "; ".join(there) or "Nobody", "; ".join(away) or "–", nobody, day.on == today
    )


def _turn_words(turn: RotaTurn, names: Mapping[int, str]) -> str:
    return f"{names[turn.clinician_id]}, {clock_time(turn.block.starts)} to {clock_time(turn.block.ends)}"


def _away_words(turn: RotaTurn, names: Mapping[int, str]) -> str:
    instead = f"{names[turn.stands_in]} stands in" if turn.stands_in else "nobody stands in"
    return f"{names[turn.clinician_id]}: {instead}"


def _waited_words(waited: Waited, not_done: str) -> str:
    waiting = f"{waited.waiting} {not_done}" if waited.waiting else ""
    if waited.median_minutes is None or waited.slowest_minutes is None:
        return f"No figure, {waiting}" if waiting else "No figure: there was none"
    figure = (
        f"median {_duration(waited.median_minutes)}, slowest {_duration(waited.slowest_minutes)} "
        f"(n = {waited.count})"
    )
    return f"{figure}; {waiting}" if waiting else figure


def _duration(minutes: int) -> str:
    """45 min, 2 h, 3 h 20 min: of duty, so that a day is as long as its duty."""
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "")))
