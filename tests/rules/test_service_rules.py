"""What a service needs before it can invite, and the bounds of its numbers."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from icbt_support.service.models import HelpLine, HelpLineKind, RhythmSettings, Service
from icbt_support.service.rules import (
    ENGLAND_HELP_LINES,
    RHYTHM_BOUNDS,
    HelpPage,
    help_lines_need_a_check,
    help_page_of,
    missing_before_inviting,
    rhythm_problems,
)

CHECKED = date(2026, 11, 2)


def service_with(checked_on: date | None = CHECKED, words: str = "Call 111.") -> Service:
    line = HelpLine(
        position=1,
        kind=HelpLineKind.TALK,
        title="Call 116 123",
        href="tel:116123",
        words="",
        checked_on=checked_on,
    )
    return Service(
        name="Northfield",
        product_name="Online course",
        out_of_hours_words=words,
        duty_phone="01632 960014",
        contact_words="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        help_lines=[line],
    )


def test_a_ready_service_misses_nothing() -> None:
    assert missing_before_inviting(service_with(), duty_count=5) == []


def test_each_thing_that_is_missing_is_a_sentence() -> None:
    missing = missing_before_inviting(service_with(checked_on=None, words="  "), duty_count=0)
    assert [sentence.split()[0] for sentence in missing] == ["Set", "Check", "Write"]


def test_a_service_without_help_lines_cannot_invite() -> None:
    service = service_with()
    service.help_lines = []
    assert missing_before_inviting(service, duty_count=1) == [
        "Check the help lines and say on which day you tried them."
    ]


@pytest.mark.parametrize(
    ("today", "is_needed"), [(date(2026, 11, 19), False), (date(2027, 5, 4), False), (date(2027, 5, 5), True)]
)
def test_help_lines_are_tried_again_after_half_a_year(today: date, is_needed: bool) -> None:
    assert help_lines_need_a_check(service_with(), today) is is_needed


def test_the_safe_page_knows_the_numbers_of_england() -> None:
    hrefs = [line.href for line in HelpPage().lines]
    assert hrefs == ["tel:999", "tel:111", "tel:116123", "sms:85258?body=SHOUT", "tel:18001111"]


def test_a_service_without_lines_of_its_own_keeps_the_safe_ones() -> None:
    service = service_with()
    service.help_lines = []
    assert help_page_of(service).lines == ENGLAND_HELP_LINES


def test_the_defaults_are_inside_their_bounds_and_every_bound_names_a_number() -> None:
    assert rhythm_problems(RhythmSettings()) == {}
    assert set(RHYTHM_BOUNDS) <= set(RhythmSettings().to_json())


def test_numbers_that_contradict_each_other_are_refused() -> None:
    assert "quiet_call_days" in rhythm_problems(replace(RhythmSettings(), quiet_call_days=7))
    assert "check_in_opens_days" in rhythm_problems(replace(RhythmSettings(), check_in_opens_days=0))
    assert "never_started_call_day" in rhythm_problems(replace(RhythmSettings(), never_started_call_day=21))
