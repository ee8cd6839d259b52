"""The clock that runs in duty hours, and the words that say when somebody here sees an answer."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from icbt_support.hours.rules import DaysAway, DutyBlock, WeeklyBlock, add_minutes_in_windows, duty_windows
from icbt_support.risk.rules import DutyView, when_read, who_reads
from icbt_support.service.models import HelpLine, Service

LONDON = "Europe/London"
WEEKDAYS_9_TO_5 = [DutyBlock(WeeklyBlock(day, time(9), time(17)), 1) for day in range(5)]
ZONE = ZoneInfo(LONDON)


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


def after(
    start: datetime,
    minutes: int,
    *,
    duty: list[DutyBlock] = WEEKDAYS_9_TO_5,
    closed: frozenset[date] = frozenset(),
    away: tuple[DaysAway, ...] = (),
) -> datetime | None:
    first = start.astimezone(ZONE).date() - timedelta(days=1)
    windows = duty_windows(
        duty,
        from_on=first,
        until_on=first + timedelta(days=30),
        zone=LONDON,
        closed_days=closed,
        days_away=away,
    )
    return add_minutes_in_windows(start.astimezone(UTC), minutes, windows)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        (local(19, 10, 5), 15, local(19, 10, 20)),  # Thursday, in duty hours
        (local(19, 16, 50), 15, local(20, 9, 5)),  # ten minutes today, five tomorrow
        (local(18, 20, 20), 15, local(19, 9, 15)),  # in the evening
        (local(20, 16, 0), 120, local(23, 10, 0)),  # over a weekend
        (local(21, 3, 0), 15, local(23, 9, 15)),  # on a Saturday night
        (local(19, 9, 0), 480, local(19, 17, 0)),  # a whole session
        (local(19, 9, 0), 481, local(20, 9, 1)),
    ],
)
def test_the_clock_runs_in_duty_hours_only(start: datetime, minutes: int, expected: datetime) -> None:
    assert after(start, minutes) == expected


def test_a_bank_holiday_stops_the_clock() -> None:
    christmas = frozenset({date(2026, 12, 25), date(2026, 12, 28)})
    assert after(local(24, 16, 50, month=12), 15, closed=christmas) == local(29, 9, 5, month=12)


def test_the_clock_keeps_wall_hours_over_both_clock_changes() -> None:
    assert after(local(23, 16, 50, month=10), 15) == local(26, 9, 5, month=10)
    assert after(local(27, 16, 50, month=3), 15) == local(30, 9, 5, month=3)


def test_a_night_session_counts_real_minutes_when_an_hour_repeats() -> None:
    night = [DutyBlock(WeeklyBlock(5, time(22), time(6)), 1)]
    start = datetime(2026, 10, 24, 22, tzinfo=ZONE)
    assert after(start, 9 * 60, duty=night) == datetime(2026, 10, 25, 6, tzinfo=ZONE)


def test_the_clock_stands_still_while_the_only_clinician_is_away() -> None:
    away = (DaysAway(1, date(2026, 11, 19), date(2026, 11, 20)),)
    assert after(local(18, 16, 50), 15, away=away) == local(23, 9, 5)


def test_without_duty_there_is_no_time() -> None:
    assert after(local(19, 10), 15, duty=[]) is None


# Words ------------------------------------------------------------------------------------------------------

SERVICE = Service(
    name="Northfield",
    out_of_hours_words="We close at 5pm.",
    help_lines=[
        HelpLine(
            position=1, title="Call 111, option 2", href="tel:111", words="", checked_on=date(2026, 11, 2)
        ),
        HelpLine(position=2, title="Call 116 123", href="tel:116123", words="", checked_on=date(2026, 11, 2)),
    ],
)
FRIDAY_NIGHT = DutyView(
    now=local(20, 20),
    is_duty_time=False,
    clinician="Dr Hana Weiss",
    until=None,
    next_start=local(23, 9),
)


def test_out_of_hours_the_patient_reads_the_true_time_and_numbers() -> None:
    words = when_read(SERVICE, FRIDAY_NIGHT)
    assert words == (
        "Nobody here will see this before Monday 9am. If you need someone before then: "
        "Call 111, option 2; or Call 116 123. We close at 5pm."
    )
    assert who_reads(FRIDAY_NIGHT) == "Dr Hana Weiss, the duty clinician: Monday, at 9am."


def test_tomorrow_and_later_today_are_said_so() -> None:
    wednesday = replace(FRIDAY_NIGHT, now=local(18, 20, 20), next_start=local(19, 9))
    assert who_reads(wednesday) == "Dr Hana Weiss, the duty clinician: tomorrow, Thursday, at 9am."
    early = replace(FRIDAY_NIGHT, now=local(19, 6), next_start=local(19, 9, 30))
    assert who_reads(early) == "Dr Hana Weiss, the duty clinician: today, at 9.30am."
    assert when_read(SERVICE, early).startswith("Nobody here will see this before today at 9.30am.")


def test_after_a_week_without_duty_the_date_is_said() -> None:
    long = replace(FRIDAY_NIGHT, next_start=local(30, 9))
    assert "before Monday 30 November 9am." in when_read(SERVICE, long)


def test_in_duty_hours_someone_is_told_now() -> None:
    now = DutyView(local(19, 10), True, "Dr Hana Weiss", local(19, 17), local(20, 9))
    assert who_reads(now) == "Dr Hana Weiss, the duty clinician, is told now. Duty today ends at 5pm."
    assert when_read(SERVICE, now).startswith("Someone here is told now")


def test_without_any_duty_nothing_is_promised() -> None:
    nobody = DutyView(local(19, 10), False, None, None, None)
    assert when_read(SERVICE, nobody).startswith("We cannot say when someone here will see this.")
    assert "Get help now" in when_read(Service(name="x", out_of_hours_words="", help_lines=[]), nobody)
