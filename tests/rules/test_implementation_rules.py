"""Trainings that expire, targets, and figures that hide small groups outside the service."""

from datetime import date

import pytest

from icbt_support.implementation.rules import (
    GIVES_AWAY,
    Figure,
    Targets,
    TrainingState,
    expires_on,
    months_outside,
    training_state,
)

DONE = date(2025, 11, 30)


def test_a_training_holds_for_calendar_months() -> None:
    assert expires_on(date(2025, 8, 31), 6) == date(2026, 2, 28)
    assert expires_on(date(2025, 12, 15), 12) == date(2026, 12, 15)
    assert expires_on(DONE, None) is None


@pytest.mark.parametrize(
    ("completed", "confirmed", "months", "on", "state"),
    [
        (None, None, 12, date(2026, 1, 1), TrainingState.NOT_DONE),
        (DONE, None, 12, date(2026, 1, 1), TrainingState.TO_CONFIRM),
        (DONE, date(2026, 1, 2), 12, date(2026, 1, 1), TrainingState.TO_CONFIRM),
        (DONE, DONE, 12, date(2026, 10, 30), TrainingState.IN_DATE),
        (DONE, DONE, 12, date(2026, 10, 31), TrainingState.DUE_SOON),
        (DONE, DONE, 12, date(2026, 11, 29), TrainingState.DUE_SOON),
        (DONE, DONE, 12, date(2026, 11, 30), TrainingState.EXPIRED),
        (DONE, DONE, None, date(2036, 1, 1), TrainingState.IN_DATE),
    ],
)
def test_what_a_completion_is_worth(
    completed: date | None, confirmed: date | None, months: int | None, on: date, state: TrainingState
) -> None:
    assert training_state(completed, confirmed, months, on) is state


@pytest.mark.parametrize(
    ("figure", "inside", "outside"),
    [
        (Figure(0, 0), "none to count", "fewer than 5 in all"),
        (Figure(1, 1), "1 of 1", "fewer than 5 in all"),
        (Figure(2, 4), "2 of 4", "fewer than 5 in all"),
        (Figure(4, 40), "4 of 40 (10%)", "not shown: a group of fewer than 5"),
        (Figure(38, 40), "38 of 40 (95%)", "not shown: a group of fewer than 5"),
        (Figure(30, 40), "30 of 40 (75%)", "30 of 40 (75%)"),
        (Figure(7, 14), "7 of 14", "7 of 14"),
        (Figure(3), "3", "fewer than 5"),
        (Figure(50_000), "50000", "50000"),
    ],
)
def test_small_groups_are_said_inside_and_hidden_outside(figure: Figure, inside: str, outside: str) -> None:
    assert (figure.words, figure.words_outside) == (inside, outside)


def test_a_target_is_reached_or_not_or_there_is_nothing_to_compare() -> None:
    assert Figure(3, 4).meets(75, is_share=True) is True
    assert Figure(2, 4).meets(75, is_share=True) is False
    assert Figure(0, 0).meets(75, is_share=True) is None
    assert Figure(3, 4).meets(None, is_share=True) is None
    assert Figure(9).meets(10, is_share=False) is False
    assert Figure(2).meets(2, is_share=False, is_most=True) is True
    assert Targets.from_json({"invited": 5, "gone": 1}) == Targets(invited=5)


SMALL, FEW = "not shown: a group of fewer than 5", "fewer than 5 in all"


@pytest.mark.parametrize(
    ("months", "printed"),
    [
        # 24 of 36 in all, less 21 of 28, would be the 3 of 8 of the last month.
        ([Figure(0, 0), Figure(21, 28), Figure(3, 8)], [FEW, GIVES_AWAY, SMALL]),
        ([Figure(9, 18), Figure(21, 28), Figure(3, 8)], [GIVES_AWAY, "21 of 28 (75%)", SMALL]),
        ([Figure(0, 0), Figure(21, 28), Figure(10, 20)], [FEW, "21 of 28 (75%)", "10 of 20 (50%)"]),
        ([Figure(4, 9), Figure(21, 28), Figure(4, 9)], [SMALL, "21 of 28 (75%)", SMALL]),
        ([Figure(4, 4), Figure(10, 15), Figure(4, 4)], [FEW, GIVES_AWAY, FEW]),
        ([Figure(0), Figure(29), Figure(10)], ["fewer than 5", "29", "10"]),
        ([Figure(3), Figure(29), Figure(10)], ["fewer than 5", "29", GIVES_AWAY]),
        ([Figure(4), Figure(29), Figure(4)], ["fewer than 5", GIVES_AWAY, "fewer than 5"]),
        ([Figure(4), Figure(29), Figure(3)], ["fewer than 5", "29", "fewer than 5"]),
    ],
)
def test_a_month_is_not_what_the_half_year_leaves_over(months: list[Figure], printed: list[str]) -> None:
    assert months_outside(months) == printed
