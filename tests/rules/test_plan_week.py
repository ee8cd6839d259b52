"""What a week holds and where its items fall."""

from datetime import date, time

import pytest

from icbt_support.accounts.models import SessionEmail
from icbt_support.plan.models import ItemKind
from icbt_support.plan.rules import (
    CarriedItem,
    CheckInChoice,
    ChosenTime,
    PlannedItem,
    StepChoice,
    check_in_opens_on,
    propose_week,
)
from icbt_support.programme.content import Module, Practice, Session

THURSDAY, NEXT_THURSDAY = date(2026, 11, 19), date(2026, 11, 26)
MONDAY_AND_TUESDAY = [ChosenTime(0, time(19)), ChosenTime(1, time(18, 30))]


def module(sessions: int = 2, practice: int = 2) -> Module:
    return Module(
        slug="doing-more",
        number=3,
        title="Doing more",
        aim="By the end you can plan a day.",
        minutes=30,
        sessions=tuple(
            Session(slug=f"s{n}", title=f"Session {n}", minutes=8, pages=(f"p{n}",)) for n in range(sessions)
        ),
        practice=tuple(
            Practice(slug=f"t{n}", title=f"Task {n}", minutes=10, tool=None, why="It helps.")
            for n in range(practice)
        ),
        pages=(),
        summary=(),
    )


def week(**changes: object) -> tuple[PlannedItem, ...]:
    choices = {
        "opens_on": THURSDAY,
        "opens_after": time(10, 5),
        "review_on": NEXT_THURSDAY,
        "session_times": MONDAY_AND_TUESDAY,
        "check_in": CheckInChoice(),
        **changes,
    }
    return propose_week(choices.pop("module", module()), **choices)


def moments(items: tuple[PlannedItem, ...], kind: ItemKind) -> list[tuple[date, time | None]]:
    return [(item.planned_on, item.planned_time) for item in items if item.kind is kind]


def test_sessions_fall_on_the_chosen_times_in_order() -> None:
    items = week()
    assert moments(items, ItemKind.SESSION) == [
        (date(2026, 11, 23), time(19)),
        (date(2026, 11, 24), time(18, 30)),
    ]
    assert [item.title for item in items if item.kind is ItemKind.SESSION] == ["Session 0", "Session 1"]


def test_a_chosen_time_that_has_passed_on_the_opening_day_is_not_used() -> None:
    this_morning = [ChosenTime(3, time(9)), ChosenTime(1, time(18))]
    used = moments(week(session_times=this_morning), ItemKind.SESSION)
    assert (date(2026, 11, 24), time(18)) in used
    assert (THURSDAY, time(9)) not in used


def test_a_chosen_time_still_to_come_on_the_opening_day_is_used() -> None:
    tonight = [ChosenTime(3, time(19)), ChosenTime(1, time(19))]
    assert moments(week(session_times=tonight), ItemKind.SESSION)[0] == (THURSDAY, time(19))


def test_practice_comes_after_the_first_session_on_days_of_its_own() -> None:
    items = week(session_times=[ChosenTime(4, time(19)), ChosenTime(1, time(19))])
    sessions, practice = moments(items, ItemKind.SESSION), moments(items, ItemKind.PRACTICE)
    assert len(practice) == 2
    assert all(one > sessions[0] for one in practice)
    assert not {on for on, _ in practice} & {on for on, _ in sessions}


def test_spare_chosen_times_are_used_for_practice() -> None:
    three = [ChosenTime(4, time(19)), ChosenTime(6, time(11)), ChosenTime(1, time(19))]
    items = week(module=module(sessions=2, practice=1), session_times=three)
    used = moments(items, ItemKind.SESSION) + moments(items, ItemKind.PRACTICE)
    assert sorted(used) == [
        (date(2026, 11, 20), time(19)),
        (date(2026, 11, 22), time(11)),
        (date(2026, 11, 24), time(19)),
    ]


def test_without_chosen_times_everything_still_has_a_day() -> None:
    items = week(session_times=[])
    assert len(items) == 5
    assert all(THURSDAY <= item.planned_on < NEXT_THURSDAY for item in items)


def test_a_week_of_one_day_holds_everything_on_that_day() -> None:
    items = week(review_on=date(2026, 11, 20))
    assert {item.planned_on for item in items} == {THURSDAY}


def test_a_fortnight_spreads_its_sessions() -> None:
    items = week(review_on=date(2026, 12, 3))
    assert moments(items, ItemKind.SESSION) == [
        (date(2026, 11, 23), time(19)),
        (date(2026, 11, 30), time(19)),
    ]


def test_the_check_in_is_asked_the_day_before_the_review() -> None:
    items = week(check_in=CheckInChoice(at=time(18)))
    assert moments(items, ItemKind.CHECK_IN) == [(date(2026, 11, 25), time(18))]


def test_the_check_in_opens_three_days_before_and_never_before_its_week() -> None:
    assert check_in_opens_on(NEXT_THURSDAY, 3, THURSDAY) == date(2026, 11, 23)
    assert check_in_opens_on(NEXT_THURSDAY, 3, date(2026, 11, 25)) == date(2026, 11, 25)


def test_the_agreed_step_stands_on_its_by_when_with_its_reason() -> None:
    step = StepChoice("One walk with Mo", "doing comes before feeling like it", date(2026, 11, 22), time(18))
    agreed = next(item for item in week(step=step) if item.kind is ItemKind.AGREED_STEP)
    assert (agreed.title, agreed.why) == ("One walk with Mo", "doing comes before feeling like it")
    assert (agreed.planned_on, agreed.planned_time) == (date(2026, 11, 22), time(18))


def test_the_same_module_again_keeps_only_what_was_not_read() -> None:
    items = week(sessions_read={"s0"})
    assert [item.title for item in items if item.kind is ItemKind.SESSION] == ["Session 1"]
    assert len(moments(items, ItemKind.PRACTICE)) == 2


def carried(kind: ItemKind, subject: str, on: date) -> CarriedItem:
    return CarriedItem(7, kind, subject, "Ring Mum", "She likes it.", on, time(18), 10)


def test_an_undone_item_of_the_same_module_passes_its_row_on() -> None:
    items = week(carried=[carried(ItemKind.SESSION, "session:doing-more/s0", date(2026, 11, 16))])
    assert {item.subject: item.carried_from_id for item in items}["session:doing-more/s0"] == 7


def test_an_undone_step_is_carried_to_its_weekday_when_no_new_one_was_agreed() -> None:
    undone = [carried(ItemKind.AGREED_STEP, "", date(2026, 11, 15))]
    agreed = next(item for item in week(carried=undone) if item.kind is ItemKind.AGREED_STEP)
    assert (agreed.planned_on, agreed.carried_from_id) == (date(2026, 11, 22), 7)


def test_a_new_step_takes_the_place_of_an_undone_one() -> None:
    step = StepChoice("One walk with Mo", "it helps", date(2026, 11, 22))
    items = week(step=step, carried=[carried(ItemKind.AGREED_STEP, "", date(2026, 11, 15))])
    assert [item.title for item in items if item.kind is ItemKind.AGREED_STEP] == ["One walk with Mo"]


@pytest.mark.parametrize(
    ("choice", "emailed"),
    [
        (SessionEmail.FIRST, [True, False]),
        (SessionEmail.EVERY, [True, True]),
        (SessionEmail.NONE, [False, False]),
    ],
)
def test_the_plan_says_which_sessions_are_emailed(choice: SessionEmail, emailed: list[bool]) -> None:
    items = week(session_email=choice)
    assert [item.is_emailed for item in items if item.kind is ItemKind.SESSION] == emailed
