"""The last days of the people who show further states, as they are told; nobody writes what has to be answered."""

from datetime import time

from icbt_support.demo import staff
from icbt_support.demo.people import STANDS_ON
from icbt_support.demo.states import BRUNO, ELSIE, GUS, HOPE, MILES, THEO, WREN
from icbt_support.demo.stories import Days, Telling, day_before
from icbt_support.demo.world import Life, World
from icbt_support.plan.models import Week

RANG = "Rang the mobile, no answer. No voicemail left: not agreed. Will try once more on Friday."


def story_of_week(life: Life, week: Week) -> Telling | None:
    """How this person's last weeks are told; None for weeks that go by like everybody's."""
    return _TOLD.get((life.plan.email, (STANDS_ON - week.opened_on).days // 7))


def _half_a_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(1), time(12, 10))


def _a_week_that_began(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(3), time(18, 40))
    told.reads(day_before(2), time(19, 5), 0)


def _a_whole_week(world: World, life: Life, week: Week) -> None:
    """From a Monday to the check-in on the Sunday."""
    told = Days(world, life, week)
    told.reads_letter(day_before(10), time(18, 20))
    told.reads(day_before(8), time(18, 35), 0)
    told.does_step(day_before(7), time(17, 10))
    told.reads(day_before(5), time(11, 25), 1)
    told.practises(day_before(5), time(12, 0), 0)
    told.checks_in(day_before(4), time(18, 30))


def _a_week_until_wednesday(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(8), time(17, 50))
    told.reads(day_before(6), time(18, 20), 0)
    told.does_step(day_before(5), time(16, 40))
    told.reads(day_before(4), time(16, 5), 1)
    told.checks_in(day_before(2), time(18, 25))


def _half_a_fortnight(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(10), time(12, 15))
    told.reads(day_before(9), time(18, 5), 0)
    told.practises(day_before(4), time(11, 20), 0)


def _the_last_visit(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(16), time(12, 40))
    told.reads(day_before(15), time(18, 5), 0)


def _a_note_is_written(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.at(day_before(7), time(11, 20), staff.write_note)


def _one_call_is_tried(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.at(day_before(1), time(11, 10), lambda world, life, now: staff.try_to_call(world, life, RANG, now))


# By how many weeks ago the week opened.
_TOLD: dict[tuple[str, int], Telling] = {
    (HOPE.email, 1): _a_week_until_wednesday,
    (HOPE.email, 0): _half_a_week,
    (MILES.email, 1): _a_week_until_wednesday,
    (MILES.email, 0): _half_a_week,
    (ELSIE.email, 1): _a_week_until_wednesday,
    (ELSIE.email, 0): _half_a_week,
    (GUS.email, 1): _a_whole_week,
    (GUS.email, 0): _a_week_that_began,
    (WREN.email, 1): _a_whole_week,
    (WREN.email, 0): _a_week_that_began,
    (BRUNO.email, 1): _half_a_fortnight,
    (THEO.email, 2): _the_last_visit,
    (THEO.email, 1): _a_note_is_written,
    (THEO.email, 0): _one_call_is_tried,
}
