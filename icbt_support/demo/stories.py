"""The last days of the people in the demo's story, as they are told: Thursday 19 November 2026, 10.05am."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from icbt_support.demo import patients, staff, words
from icbt_support.demo.people import SAM, STANDS_ON, STORY
from icbt_support.demo.world import Life, World, wall
from icbt_support.messages.models import MessageKind
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.plan.rules import StepChoice
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import LetterToSend, opens_module

AMIRA, RUTH, LEO, NADIA, MORGAN, GRACE, KOFI, DEV, JOE = (plan.email for plan in STORY[1:])
Telling = Callable[[World, Life, Week], None]

NOTICED = (
    "You went for a walk on Wednesday even though the day had started at 2 out of 10. "
    "Afterwards you wrote 5. The doing came first and the mood followed. On Sunday the plan did not happen, "
    "and that is useful to know too: Sundays alone are hard."
)
QUESTION = (
    "You asked if you did the evidence part right. You did. You found two facts against "
    '"they think I am useless", '
    "and how much you believe it went from 80% to 45%."
)
FIRST_NOTICED = (
    "You came back twice in your first week, and you named a goal that I like: walking Mo in the mornings. "
    "You wrote that evenings are the hardest. We can plan around that."
)
SAMS_THOUGHT = {
    "situation": "Team meeting. Nobody said anything about my idea.",
    "thought": "They think I am useless",
    "belief-before": 80,
    "feelings": "sad, ashamed",
    "feeling-strength": 75,
    "facts-for": "Nobody said anything.",
    "facts-against": "Jo wrote afterwards to ask for it. Last month they used two of my drafts.",
    "balanced-thought": "They were busy. Silence is not the same as no.",
    "belief-after": 45,
    "feeling-after": 40,
}
SAMS_WALK = {
    "what": "Walk by the canal",
    "where": "From the bridge to the lock and back",
    "with-whom": "Mo",
    "mood-before": 2,
    "outcome": "Done",
    "mood-after": 5,
    "a-word": "Did not want to go. Was glad afterwards.",
}
LEO_HALF = (
    "You went to bed before midnight on three nights, and you wrote that the mornings after were lighter. "
    "You also caught the thought on the stairs at work, and"
)


def story_of_week(life: Life, week: Week) -> Telling | None:
    """How this person's last weeks are told; None for weeks that go by like everybody's."""
    return _TOLD.get((life.plan.email, (STANDS_ON - week.opened_on).days // 7))


def letter_of(world: World, life: Life, review: Review) -> LetterToSend | None:
    """The letters to Sam that the story tells word for word, and Kofi's step."""
    weeks_ago = (STANDS_ON - review.due_on).days // 7
    return (
        _letter_to_sam(world, life, review, weeks_ago)
        if life.plan.email == SAM and weeks_ago in (0, 1)
        else None
    )


def stays_unwritten(life: Life, review: Review) -> bool:
    """Ruth's review of yesterday is the one that is late."""
    return life.plan.email == RUTH and review.due_on == STANDS_ON - timedelta(days=1)


def tell_of_leo_draft(world: World, life: Life) -> None:
    """Priya began Leo's letter this morning and was called away."""
    if life.plan.email == LEO:
        at = wall(STANDS_ON, time(9, 52))
        world.at(at, lambda now: staff.begin_draft(world, life, _number_due(life, STANDS_ON), LEO_HALF, now))


def _number_due(life: Life, on: date) -> int:
    weeks = (on - life.plan.starts_on).days // 7
    return max(1, weeks)


# Letters ----------------------------------------------------------------------------------------------------


def _letter_to_sam(world: World, life: Life, review: Review, weeks_ago: int) -> LetterToSend | None:
    modules = world.programme.modules
    if review.number + 1 > len(modules) or review.slot_at is None:
        return None
    following = opens_module(modules[review.number].slug)
    measure = world.programme.measures[world.programme.check_in[0]]
    scores = words.words_about_scores(measure, list(life.plan.phq[: review.number + 1]))
    next_at = staff.next_review_at(review, review.slot_at)
    if weeks_ago == 1:
        by_on = review.due_on + timedelta(days=2)
        step = StepChoice("Phone Mum", "a small change in one part slows the whole circle", by_on, time(18))
        parts = words.sections((staff.NOTICED, FIRST_NOTICED), (staff.SCORES, scores))
        return LetterToSend(parts, step, following, next_at, 11)
    by_on = review.due_on + timedelta(days=3)
    step = StepChoice("One walk with Mo", "doing comes before feeling like it", by_on, time(18))
    parts = words.sections((staff.NOTICED, NOTICED), (staff.ANSWERED, QUESTION), (staff.SCORES, scores))
    return LetterToSend(parts, step, following, next_at, 12)


# Weeks ------------------------------------------------------------------------------------------------------


class Days:
    """Places what somebody does on the days of one week."""

    def __init__(self, world: World, life: Life, week: Week) -> None:
        self.world, self.life, self.number = world, life, week.number
        self.items = {(item.kind, place): item.id for place, item in _numbered(week)}

    def at(self, on: date, at: time, act: Callable[[World, Life, datetime], None]) -> None:
        self.world.at(wall(on, at), lambda now: act(self.world, self.life, now))

    def reads(self, on: date, at: time, place: int) -> None:
        item_id = self.items.get((ItemKind.SESSION, place))
        if item_id is not None:
            self.at(on, at, lambda world, life, now: patients.read_session(world, life, item_id, now))

    def does_step(self, on: date, at: time) -> None:
        item_id = self.items.get((ItemKind.AGREED_STEP, 0))
        if item_id is not None:
            self.at(on, at, lambda world, life, now: patients.settle_step(world, life, item_id, now))

    def practises(self, on: date, at: time, place: int) -> None:
        item_id = self.items.get((ItemKind.PRACTICE, place))
        if item_id is not None:
            self.at(on, at, lambda world, life, now: patients.do_practice(world, life, item_id, now))

    def fills_in(
        self,
        on: date,
        at: time,
        tool: str,
        fields: Mapping[str, Any] | None = None,
        *,
        is_private: bool = False,
    ) -> None:
        chosen = fields or {}
        self.at(
            on,
            at,
            lambda world, life, now: patients.fill_in(world, life, tool, now, chosen, is_private=is_private),
        )

    def moves(self, on: date, at: time, place: int, to: tuple[date, time]) -> None:
        item_id = self.items.get((ItemKind.PRACTICE, place))
        if item_id is not None:
            self.at(on, at, lambda world, life, now: patients.move_one(world, life, item_id, *to, now))

    def says(self, on: date, at: time, said: str, kind: MessageKind) -> None:
        self.at(on, at, lambda world, life, now: patients.say(world, life, said, kind, now))

    def checks_in(self, on: date, at: time) -> None:
        number = self.number
        self.at(on, at, lambda world, life, now: patients.check_in(world, life, number, now))

    def reads_letter(self, on: date, at: time) -> None:
        self.at(on, at, patients.read_letter)


def _numbered(week: Week) -> list[tuple[int, PlanItem]]:
    """Each item with its place among those of its kind, in the order of the week."""
    seen: dict[ItemKind, int] = {}
    numbered = []
    for item in week.items:
        place = seen.get(item.kind, 0)
        seen[item.kind] = place + 1
        numbered.append((place, item))
    return numbered


def day_before(days: int) -> date:
    """So many days before the Thursday on which the demo stands."""
    return STANDS_ON - timedelta(days=days)


def _sam_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(7), time(10, 12))
    told.reads(day_before(7), time(10, 16), 0)
    told.does_step(day_before(6), time(18, 30))
    phoned = {"mood": 3, "doing": "Phoned Mum", "with-whom": "Mum, by phone"}
    told.fills_in(day_before(5), time(20, 10), "mood-diary", phoned)
    told.fills_in(
        day_before(3), time(20, 40), "mood-diary", {"mood": 3, "doing": "Wrote 2 emails I had put off"}
    )
    told.fills_in(day_before(3), time(22, 5), "safety-plan", is_private=True)
    told.reads(day_before(2), time(19, 5), 1)
    told.fills_in(day_before(2), time(19, 20), "thought-record", SAMS_THOUGHT)
    told.fills_in(day_before(1), time(17, 30), "activity-plan", SAMS_WALK)
    told.says(
        day_before(1), time(21, 20), "Did I do the evidence part right? I was not sure.", MessageKind.QUESTION
    )
    told.checks_in(day_before(1), time(21, 30))


def _sam_this_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads(STANDS_ON, time(9, 55), 0)
    told.moves(STANDS_ON, time(9, 58), 0, (STANDS_ON, time(19)))


def _amira_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(7), time(12, 35))
    told.reads(day_before(5), time(12, 31), 0)
    told.does_step(day_before(4), time(16, 10))
    told.reads(day_before(3), time(12, 34), 1)
    told.checks_in(day_before(1), time(20, 50))
    told.says(
        day_before(1),
        time(20, 58),
        "It was a hard day. Some nights I feel that I can't go on like this. I am safe, my sister is here.",
        MessageKind.MESSAGE,
    )


def _ruth_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(6), time(18, 50))
    told.reads(day_before(6), time(19, 4), 0)


def _leo_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(7), time(13, 5))
    told.reads(day_before(5), time(11, 4), 0)
    told.does_step(day_before(4), time(21, 30))
    told.reads(day_before(2), time(12, 40), 1)
    told.practises(day_before(2), time(13, 0), 0)
    told.checks_in(day_before(1), time(19, 12))
    told.says(
        day_before(1),
        time(19, 20),
        "Is a thought on the stairs worth writing down if it is gone again at my desk?",
        MessageKind.QUESTION,
    )


def _nadia_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.at(day_before(6), time(20, 15), patients.write_goal)
    told.reads(day_before(4), time(12, 10), 0)
    told.fills_in(
        day_before(2), time(21, 10), "mood-diary", {"mood": 3, "doing": "Sketched the kitchen window"}
    )


def _morgan_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(7), time(14, 45))
    told.reads(day_before(6), time(12, 33), 0)
    told.does_step(day_before(4), time(15, 20))
    told.reads(day_before(2), time(12, 41), 1)
    told.practises(day_before(2), time(18, 5), 0)
    told.checks_in(STANDS_ON, time(7, 40))


def _grace_week_before(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(13), time(12, 20))
    told.reads(day_before(8), time(12, 45), 0)


def _nothing(world: World, life: Life, week: Week) -> None:
    """The week goes by without a visit."""


def _kofi_this_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(3), time(18, 20))
    told.practises(day_before(1), time(18, 15), 0)


def _kofi_last_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(10), time(19, 10))
    told.reads(day_before(7), time(19, 6), 0)
    told.does_step(day_before(6), time(17, 45))
    told.reads(day_before(5), time(11, 9), 1)
    told.checks_in(day_before(5), time(11, 30))


def _dev_this_week(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(3), time(17, 40))
    told.reads(day_before(2), time(18, 6), 0)
    told.practises(day_before(1), time(20, 10), 0)


def _joe_last_visit(world: World, life: Life, week: Week) -> None:
    told = Days(world, life, week)
    told.reads_letter(day_before(9), time(18, 55))
    told.reads(day_before(9), time(19, 4), 0)


# By how many weeks ago the week opened.
_TOLD: dict[tuple[str, int], Telling] = {
    (SAM, 1): _sam_last_week,
    (SAM, 0): _sam_this_week,
    (AMIRA, 1): _amira_last_week,
    (RUTH, 1): _ruth_last_week,
    (LEO, 1): _leo_last_week,
    (NADIA, 1): _nadia_last_week,
    (MORGAN, 1): _morgan_last_week,
    (GRACE, 2): _grace_week_before,
    (GRACE, 1): _nothing,
    (KOFI, 1): _kofi_last_week,
    (KOFI, 0): _kofi_this_week,
    (DEV, 0): _dev_this_week,
    (JOE, 1): _joe_last_visit,
    (JOE, 0): _nothing,
}
