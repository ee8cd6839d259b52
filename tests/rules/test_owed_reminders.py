"""Which reminders a week owes, and when."""

from datetime import UTC, date, datetime, time

import pytest

from icbt_support.accounts.models import PromptLevel, SessionEmail
from icbt_support.plan.models import ItemKind
from icbt_support.plan.owed import PromptWishes, WeekItem, WeekToRemind, reminders_of_week
from icbt_support.reminders.rules import ReminderKind

NOW = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
PROMISED = datetime(2026, 11, 26, 17, tzinfo=UTC)
LONDON = PromptWishes(zone="Europe/London")

FIRST = WeekItem(1, ItemKind.SESSION, date(2026, 11, 20), time(19))
SECOND = WeekItem(2, ItemKind.SESSION, date(2026, 11, 24), time(19))
TASK = WeekItem(3, ItemKind.PRACTICE, date(2026, 11, 21), time(19))
STEP = WeekItem(4, ItemKind.AGREED_STEP, date(2026, 11, 22), time(18))
CHECK_IN = WeekItem(5, ItemKind.CHECK_IN, date(2026, 11, 25), time(18))


def week(
    *items: WeekItem, is_anything_done: bool = True, opened_on: date = date(2026, 11, 19)
) -> WeekToRemind:
    return WeekToRemind(9, 3, opened_on, PROMISED, items, is_anything_done)


def due(*items: WeekItem, wishes: PromptWishes = LONDON, now: datetime = NOW) -> list[tuple[str, datetime]]:
    return [(one.kind.value, one.due_at) for one in reminders_of_week(week(*items), wishes, now=now)]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_an_ordinary_week_owes_its_sessions_its_step_and_its_check_in() -> None:
    assert due(FIRST, SECOND, TASK, STEP, CHECK_IN) == [
        ("session", at(20, 18, 30)),
        ("agreed_step", at(22, 9)),
        ("session", at(24, 18, 30)),
        ("check_in", at(25, 18)),
    ]


def test_only_the_first_session_if_that_was_chosen_also_when_it_is_done() -> None:
    wishes = PromptWishes(zone="Europe/London", session_email=SessionEmail.FIRST)
    assert due(FIRST, SECOND, wishes=wishes) == [("session", at(20, 18, 30))]
    first_done = WeekItem(1, ItemKind.SESSION, date(2026, 11, 20), time(19), is_planned=False)
    assert due(first_done, SECOND, wishes=wishes) == []


def test_no_session_if_none_was_chosen() -> None:
    wishes = PromptWishes(zone="Europe/London", session_email=SessionEmail.NONE)
    assert due(FIRST, SECOND, CHECK_IN, wishes=wishes) == [("check_in", at(25, 18))]


def test_a_person_who_switched_prompts_off_is_owed_none() -> None:
    assert due(FIRST, STEP, CHECK_IN, wishes=PromptWishes("Europe/London", prompts=PromptLevel.OFF)) == []


def test_what_is_done_owes_nothing() -> None:
    done = [
        WeekItem(i.item_id, i.kind, i.planned_on, i.planned_time, is_planned=False)
        for i in (FIRST, STEP, CHECK_IN)
    ]
    assert due(*done) == []


def test_a_reminder_in_quiet_hours_waits_for_their_end() -> None:
    early = WeekItem(1, ItemKind.SESSION, date(2026, 11, 20), time(8, 15))
    assert due(early) == [("session", at(20, 8))]


def test_a_moment_that_has_passed_is_not_owed_unless_it_already_was() -> None:
    later = at(20, 18, 45)
    assert due(FIRST, now=later) == []
    key = reminders_of_week(week(FIRST), LONDON, now=NOW)[0].key
    still = reminders_of_week(week(FIRST), LONDON, now=later, already_owed=[key])
    assert [one.key for one in still] == [key]


def test_a_step_for_the_early_morning_is_recalled_the_day_before() -> None:
    early = WeekItem(4, ItemKind.AGREED_STEP, date(2026, 11, 22), time(9))
    assert due(early) == [("agreed_step", at(21, 9))]


def test_wall_time_stays_wall_time_over_the_clock_change() -> None:
    spring = datetime(2027, 3, 25, 12, tzinfo=UTC)
    session = WeekItem(1, ItemKind.SESSION, date(2027, 3, 29), time(19))
    promised = datetime(2027, 4, 1, 16, tzinfo=UTC)
    owed = reminders_of_week(
        WeekToRemind(9, 3, date(2027, 3, 25), promised, [session], True), LONDON, now=spring
    )
    assert owed[0].due_at == datetime(2027, 3, 29, 17, 30, tzinfo=UTC)
    assert owed[0].wall.at == time(18, 30)


def test_a_session_just_after_midnight_is_recalled_on_the_evening_before_outside_quiet_hours() -> None:
    awake = PromptWishes("Europe/London", quiet_from=time(2), quiet_until=time(6))
    session = WeekItem(1, ItemKind.SESSION, date(2026, 11, 21), time(0, 10))
    owed = reminders_of_week(week(session), awake, now=NOW)
    assert (owed[0].wall.on, owed[0].wall.at) == (date(2026, 11, 20), time(23, 40))


def nudges(*items: WeekItem, is_anything_done: bool) -> list[datetime]:
    owed = reminders_of_week(week(*items, is_anything_done=is_anything_done), LONDON, now=NOW)
    return [one.due_at for one in owed if one.kind is ReminderKind.NUDGE]


def test_a_nudge_comes_two_days_after_the_opening_if_nothing_was_done() -> None:
    assert nudges(FIRST, SECOND, is_anything_done=False) == [at(21, 18)]
    assert nudges(FIRST, SECOND, is_anything_done=True) == []


def test_no_nudge_while_nothing_was_planned_yet() -> None:
    assert nudges(SECOND, CHECK_IN, is_anything_done=False) == []


@pytest.mark.parametrize("moved_to", [date(2026, 11, 23), date(2026, 11, 25)])
def test_an_item_on_another_day_has_another_key(moved_to: date) -> None:
    moved = WeekItem(2, ItemKind.SESSION, moved_to, time(19))
    before, after = (reminders_of_week(week(one), LONDON, now=NOW)[0].key for one in (SECOND, moved))
    assert before != after


def test_the_check_in_expires_at_the_promised_time_of_the_review() -> None:
    assert reminders_of_week(week(CHECK_IN), LONDON, now=NOW)[0].expires_at == PROMISED
