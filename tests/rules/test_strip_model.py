"""The rhythm strip: the picture and the hidden list come from one model."""

from datetime import UTC, date, datetime, time

from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.strip import (
    BellOnStrip,
    CheckInOnStrip,
    ItemOnStrip,
    StripEnd,
    StripModel,
    build_strip,
    state_on_strip,
)

THURSDAY, NEXT_THURSDAY = date(2026, 11, 19), date(2026, 11, 26)
LEFT = StripEnd("sent", "Priya wrote", "9.40am")
RIGHT = StripEnd("planned", "Priya writes", "by 5pm")
WALK = ItemOnStrip(ItemKind.AGREED_STEP, "Walk with Mo", date(2026, 11, 22), time(18), "planned")
SESSION = ItemOnStrip(ItemKind.SESSION, "Planning for low days", date(2026, 11, 24), time(19), "planned")
CHECK_IN = CheckInOnStrip(date(2026, 11, 23), date(2026, 11, 25), time(18), "planned")
HELD = BellOnStrip(
    "held_back", datetime(2026, 11, 19, 10, tzinfo=UTC), "note about the week", "because Priya had written"
)


def strip(**changes: object) -> StripModel:
    parts = {
        "title": "Week 3, day by day",
        "starts_on": THURSDAY,
        "ends_on": NEXT_THURSDAY,
        "today": THURSDAY,
        "left": LEFT,
        "right": RIGHT,
        "items": [WALK, SESSION],
        "bells": [HELD],
        "check_in": CHECK_IN,
        **changes,
    }
    return build_strip(**parts)


def test_a_week_has_eight_columns_from_review_to_review() -> None:
    model = strip()
    assert [column.day_number for column in model.columns] == [19, 20, 21, 22, 23, 24, 25, 26]
    assert (model.today_column, model.reach) == (1, 1)
    assert [item.title for item in model.columns[3].items] == ["Walk with Mo"]
    assert [item.when for item in model.columns[3].items] == ["by 6pm"]


def test_a_fortnight_has_fifteen_columns_and_nothing_has_more_than_sixteen() -> None:
    assert len(strip(ends_on=date(2026, 12, 3)).columns) == 15
    longest = strip(ends_on=date(2026, 12, 20))
    assert len(longest.columns) == 16
    assert longest.columns[-1].day == date(2026, 12, 20)
    assert [item.title for item in longest.columns[0].items] == ["Walk with Mo", "Planning for low days"]


def test_the_hidden_list_says_what_the_picture_shows() -> None:
    assert strip().sentences == (
        "Thursday 19 November (today): Priya wrote 9.40am; "
        "email held back 10am: note about the week, because Priya had written",
        "Sunday 22 November: agreed step: Walk with Mo, by 6pm",
        "Monday 23 November: check-in opens",
        "Tuesday 24 November: session: Planning for low days, 7pm",
        "Wednesday 25 November: check-in asked 6pm",
        "Thursday 26 November: Priya writes by 5pm",
    )


def test_today_is_said_even_when_nothing_is_planned() -> None:
    assert "Friday 20 November (today): nothing planned" in strip(today=date(2026, 11, 20)).sentences


def test_an_item_done_early_stands_on_the_day_on_which_it_was_done() -> None:
    done = ItemOnStrip(
        ItemKind.SESSION,
        "Planning",
        date(2026, 11, 24),
        time(19),
        "done",
        datetime(2026, 11, 21, 19, 5, tzinfo=UTC),
    )
    model = strip(items=[done], today=date(2026, 11, 22))
    assert [(item.title, item.state, item.when) for item in model.columns[2].items] == [
        ("Planning", "done", "7.05pm")
    ]
    assert (
        "Saturday 21 November: session: Planning, done 7.05pm, planned for Tuesday 24 November"
        in model.sentences
    )


def test_the_check_in_bar_runs_from_open_to_asked_or_to_done() -> None:
    bar = strip().check_in
    assert bar is not None
    assert (bar.from_column, bar.to_column, bar.label) == (5, 7, "opens Mon, asked Wed 6pm")
    late = CheckInOnStrip(
        CHECK_IN.opens_on,
        CHECK_IN.asked_on,
        CHECK_IN.asked_at,
        "done",
        datetime(2026, 11, 26, 7, 30, tzinfo=UTC),
    )
    done = strip(check_in=late).check_in
    assert done is not None
    assert (done.to_column, done.label) == (8, "done Thu 7.30am")


def test_the_key_names_what_is_drawn_and_nothing_else() -> None:
    assert strip().marks == (
        "review_sent",
        "review_next",
        "session",
        "agreed_step",
        "check_in",
        "check_in_bar",
        "bell_held_back",
    )


def test_the_line_is_solid_up_to_today_and_whole_when_the_week_is_over() -> None:
    assert strip(today=date(2026, 11, 22)).reach == 4
    over = strip(today=date(2026, 11, 30))
    assert (over.reach, over.today_column) == (8, None)
    assert strip(today=date(2026, 11, 10)).reach == 1


def test_a_skipped_item_is_named_in_words() -> None:
    skipped = ItemOnStrip(ItemKind.PRACTICE, "Plan a Sunday", date(2026, 11, 22), None, "skipped")
    model = strip(items=[skipped])
    assert "Sunday 22 November: to do: Plan a Sunday, not this time" in model.sentences
    assert "skipped" in model.marks


def test_an_item_is_not_done_once_its_day_or_its_week_is_over() -> None:
    day = date(2026, 11, 22)
    planned = ItemState.PLANNED
    assert state_on_strip(planned, planned_on=day, today=day, is_week_closed=False) == "planned"
    assert (
        state_on_strip(planned, planned_on=day, today=date(2026, 11, 23), is_week_closed=False) == "not_done"
    )
    assert state_on_strip(planned, planned_on=day, today=day, is_week_closed=True) == "not_done"
    assert state_on_strip(ItemState.DONE, planned_on=day, today=day, is_week_closed=True) == "done"
