"""Kinds, classes, back-off, folding and quiet hours: no database."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icbt_support.jobs.wanted import _ABOUT
from icbt_support.jobs.wording import _FACTS
from icbt_support.reminders.folding import ENOUGH_THIS_WEEK, ONE_A_DAY, fold
from icbt_support.reminders.rules import (
    BACK_OFF,
    Channel,
    ReminderClass,
    ReminderKind,
    WallTime,
    channels_of,
    class_of,
    default_expiry,
    fold_order,
    next_try,
    waits_for_quiet_hours,
)
from icbt_support.reminders.verdicts import Decision, DueReminder, RecipientDay, put_off_or_hold_back

NOW = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
TODAY = date(2026, 11, 19)
K = ReminderKind


def due(number: int, kind: ReminderKind, recipient: int = 1) -> DueReminder:
    return DueReminder(
        id=number,
        kind=kind,
        reminder_class=class_of(kind),
        recipient_id=recipient,
        service_id=1,
        subject="",
        context="",
        due_at=NOW,
        expires_at=None,
        mailing_id=None,
        nonce="",
    )


def test_every_kind_has_a_class_an_order_a_check_and_its_words() -> None:
    assert {class_of(kind) for kind in K} == set(ReminderClass)
    assert len({fold_order(kind) for kind in K}) == len(K)
    assert set(_ABOUT) == set(_FACTS) == set(K)


def test_urgent_ones_are_never_stale_and_never_wait() -> None:
    for kind in (K.RISK_ALERT, K.NOBODY_ON_DUTY, K.QUEUE_STALLED):
        assert default_expiry(kind, NOW) is None
        assert not waits_for_quiet_hours(class_of(kind))
        assert channels_of(kind) == (Channel.INBOX, Channel.EMAIL)


def test_prompts_stand_in_the_order_of_the_product() -> None:
    assert sorted((K.NUDGE, K.SESSION, K.CHECK_IN, K.AGREED_STEP), key=fold_order) == [
        K.AGREED_STEP,
        K.CHECK_IN,
        K.SESSION,
        K.NUDGE,
    ]


def test_the_back_off_lasts_at_least_a_day_and_ends() -> None:
    at = NOW
    for attempt in range(1, len(BACK_OFF) + 1):
        at = next_try(attempt, at, chance=0.0) or at
    assert at - NOW >= timedelta(hours=24)
    assert next_try(len(BACK_OFF) + 1, NOW) is None
    assert next_try(1, NOW, chance=0.0) == NOW + timedelta(minutes=1)
    assert next_try(1, NOW, chance=1.0) == NOW + timedelta(seconds=72)


@pytest.mark.parametrize(
    ("on", "at", "instant"),
    [
        (date(2026, 3, 29), time(1, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (date(2026, 3, 28), time(9), datetime(2026, 3, 28, 9, tzinfo=UTC)),
        (date(2026, 3, 29), time(9), datetime(2026, 3, 29, 8, tzinfo=UTC)),
        (date(2026, 10, 25), time(1, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 10, 25), time(9), datetime(2026, 10, 25, 9, tzinfo=UTC)),
    ],
)
def test_nine_oclock_stays_nine_oclock_across_the_clock_change(on: date, at: time, instant: datetime) -> None:
    assert WallTime(on, at, "Europe/London").instant() == instant


def test_what_would_be_stale_by_the_end_of_quiet_hours_is_held_back() -> None:
    morning = NOW + timedelta(hours=10)
    assert put_off_or_hold_back(morning, NOW + timedelta(hours=3)).decision is Decision.HOLD_BACK
    assert put_off_or_hold_back(morning, NOW + timedelta(hours=11)).until == morning
    assert put_off_or_hold_back(morning, None).decision is Decision.PUT_OFF


@given(
    kinds=st.lists(st.tuples(st.sampled_from(list(K)), st.integers(1, 3)), max_size=25),
    sent=st.lists(st.integers(0, 8), max_size=5),
    a_day=st.integers(0, 2),
    a_week=st.integers(0, 4),
)
def test_folding_loses_nothing_and_never_passes_a_cap(
    kinds: list[tuple[ReminderKind, int]], sent: list[int], a_day: int, a_week: int
) -> None:
    rows = [due(number, kind, person) for number, (kind, person) in enumerate(kinds)]
    days = [TODAY - timedelta(days=back) for back in sent]
    folded = fold(
        rows,
        {person: RecipientDay(TODAY, a_day, a_week) for person in (1, 2, 3)},
        dict.fromkeys((1, 2, 3), days),
    )
    out = [row.id for parcel in folded.parcels for row in parcel.reminders]
    assert sorted(out + list(folded.held_back)) == [row.id for row in rows]
    assert all(rows[number].reminder_class is ReminderClass.PROMPT for number in folded.held_back)
    for parcel in folded.parcels:
        prompts = [row for row in parcel.reminders if row.reminder_class is ReminderClass.PROMPT]
        assert len(prompts) == (parcel.prompt_number is not None)
        assert len({row.recipient_id for row in parcel.reminders}) == 1
        if any(row.reminder_class in ("urgent", "account", "digest") for row in parcel.reminders):
            assert len(parcel.reminders) == 1
    for person in (1, 2, 3):
        prompts = [p for p in folded.parcels if p.recipient_id == person and p.prompt_number is not None]
        assert len(prompts) + days.count(TODAY) <= max(a_day, days.count(TODAY))
        of_week = sum(day > TODAY - timedelta(days=7) for day in days)
        assert len(prompts) + of_week <= max(a_week, of_week)


def test_a_cap_says_which_one_it_was() -> None:
    day = {1: RecipientDay(TODAY, 1, 3)}
    assert fold([due(1, K.SESSION)], day, {1: [TODAY]}).held_back == {1: ONE_A_DAY}
    three = [TODAY - timedelta(days=back) for back in (1, 3, 6)]
    assert fold([due(1, K.SESSION)], day, {1: three}).held_back == {1: ENOUGH_THIS_WEEK}
    four = [TODAY - timedelta(days=back) for back in (1, 3, 7)]
    assert fold([due(1, K.SESSION)], day, {1: four}).held_back == {}
