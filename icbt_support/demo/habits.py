"""What somebody means to do in a week that has just opened, by their habit and their own dice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from icbt_support.cadence import to_local
from icbt_support.demo import patients, staff, state_stories, stories, words
from icbt_support.demo.people import STANDS_ON, ZONE, Ending, Habit
from icbt_support.demo.world import Life, World, day_of, wall
from icbt_support.enrolments.models import EndCode
from icbt_support.messages.models import MessageKind
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import review_of_week

OwnAct = Callable[[World, Life, datetime], None]
USUAL_HOUR = time(19)
WRITING = timedelta(minutes=10)
GETS_UP, A_NIGHT = 7, timedelta(hours=8)
LATE_ONCE_IN = 0.04
HISTORY_ENDS_ON = STANDS_ON - timedelta(days=9)


@dataclass(frozen=True)
class Manner:
    """How likely somebody is to do the things of a week."""

    session: float
    practice: float
    step: float
    check_in: float
    message: float
    question: float
    move: float


MANNERS = {
    Habit.STEADY: Manner(0.9, 0.65, 0.8, 0.93, 0.12, 0.12, 0.12),
    Habit.SLOW: Manner(0.5, 0.3, 0.5, 0.7, 0.05, 0.05, 0.25),
    Habit.QUIET: Manner(0.2, 0.1, 0.2, 0.4, 0.02, 0.02, 0.05),
    Habit.CHATTY: Manner(0.85, 0.7, 0.75, 0.93, 0.6, 0.35, 0.15),
    Habit.SCRIPTED: Manner(0.95, 0.6, 0.85, 1.0, 0.05, 0.1, 0.1),
}


def plan_week(world: World, life: Life, week: Week, review: Review | None, now: datetime) -> None:
    """Plans the person's own week, and their supporter's letter at its end."""
    if review is not None and not stories.stays_unwritten(life, review):
        _plan_letter(world, life, review, now)
    told = stories.story_of_week(life, week) or state_stories.story_of_week(life, week)
    if told is not None:
        told(world, life, week)
        return
    if life.is_gone or _meets_their_fate(world, life, week, now):
        return
    manner = MANNERS[life.plan.habit]
    number = week.number
    if week.opened_because is not OpenedBecause.START:
        _at(world, life, number, now + timedelta(minutes=life.dice.randint(40, 600)), patients.read_letter)
    elif life.plan.goal:
        _at(world, life, number, now + timedelta(minutes=life.dice.randint(60, 700)), patients.write_goal)
    for item in week.items:
        _plan_item(world, life, item, number, manner, now)
    if life.dice.random() < manner.message:
        _say(world, life, number, life.dice.choice(words.MESSAGES), MessageKind.MESSAGE, now)
    if life.dice.random() < manner.question:
        _say(world, life, number, life.dice.choice(words.QUESTIONS), MessageKind.QUESTION, now)


def _plan_letter(world: World, life: Life, review: Review, now: datetime) -> None:
    """The supporter writes in the slot; seldom, and never lately, a day too late or later."""
    number = review.number
    write = partial(_write_letter, world, life, number)
    days_late = _days_late(life, review)
    if not days_late:
        slot_at = review.slot_at or review.promised_at - timedelta(hours=2)
        world.at(max(slot_at + WRITING, now + timedelta(minutes=5)), write)
        return
    later_on = _working_day(review.due_on + timedelta(days=days_late))
    take = partial(staff.take_late_review, world, life, number, wall(later_on, time(16)))
    world.at(wall(later_on, time(9, 20)), take)
    world.at(wall(later_on, time(10, 45)), write)


def _days_late(life: Life, review: Review) -> int:
    if review.due_on > HISTORY_ENDS_ON or life.plan.habit is Habit.SCRIPTED:
        return 0
    if review.number == life.plan.very_late_review:
        return 5
    return 1 if life.dice.random() < LATE_ONCE_IN else 0


def _write_letter(world: World, life: Life, number: int, now: datetime) -> None:
    review = review_of_week(life.enrolment(), number)
    if review is not None and review.is_owed:
        staff.write_review(world, life, number, now, stories.letter_of(world, life, review))


def _plan_item(world: World, life: Life, item: PlanItem, number: int, manner: Manner, now: datetime) -> None:
    dice = life.dice
    if item.state is not ItemState.PLANNED:
        return
    starts_at = max(wall(item.planned_on, item.planned_time or USUAL_HOUR), now + timedelta(minutes=30))
    if item.kind is ItemKind.SESSION and dice.random() < manner.session:
        _at(
            world,
            life,
            number,
            starts_at + timedelta(minutes=dice.randint(-4, 40)),
            _about(patients.read_session, item),
        )
    elif item.kind is ItemKind.SESSION and dice.random() < manner.move:
        days = 2 if item.planned_on + timedelta(days=1) == STANDS_ON else 1
        moved_on = item.planned_on + timedelta(days=days)
        move = _with_day(item, moved_on)
        _at(world, life, number, starts_at - timedelta(hours=2), move)
        later = wall(moved_on, item.planned_time or USUAL_HOUR) + timedelta(minutes=dice.randint(0, 30))
        _at(world, life, number, later, _about(patients.read_session, item))
    elif item.kind is ItemKind.PRACTICE and dice.random() < manner.practice:
        _at(
            world,
            life,
            number,
            starts_at + timedelta(minutes=dice.randint(0, 90)),
            _about(patients.do_practice, item),
        )
    elif item.kind is ItemKind.AGREED_STEP and dice.random() < manner.step:
        early = timedelta(days=dice.choice((0, 1, 1, 2)), minutes=dice.randint(0, 200))
        _at(
            world,
            life,
            number,
            max(starts_at - early, now + timedelta(hours=3)),
            _about(patients.settle_step, item),
        )
    elif item.kind is ItemKind.CHECK_IN:
        _plan_check_in(world, life, item, number, manner, now)


def _plan_check_in(
    world: World, life: Life, item: PlanItem, number: int, manner: Manner, now: datetime
) -> None:
    """Most answer on the evening on which they are asked, some before; those of the story as it is told."""
    is_told = life.plan.habit is Habit.SCRIPTED
    if (number >= len(life.plan.phq)) if is_told else (life.dice.random() >= manner.check_in):
        return
    asked_at = wall(item.planned_on, item.planned_time or USUAL_HOUR)
    early = timedelta(days=1) if life.dice.random() < 0.3 else timedelta()
    at = max(asked_at - early, now + timedelta(hours=1)) + timedelta(minutes=life.dice.randint(10, 170))
    world.at(at, partial(patients.check_in, world, life, number))


def _say(world: World, life: Life, number: int, said: str, kind: MessageKind, now: datetime) -> None:
    at = now + timedelta(days=life.dice.randint(1, 4), minutes=life.dice.randint(0, 500))

    def act(world: World, life: Life, now: datetime) -> None:
        patients.say(world, life, said, kind, now)

    _at(world, life, number, at, act)


def _at(world: World, life: Life, number: int, instant: datetime, act: OwnAct) -> None:
    """Does it then, if that week is still open and the person is still here."""

    def if_here(now: datetime) -> None:
        if patients.is_here(life, number):
            act(world, life, now)

    world.at(_when_awake(instant), if_here)


def _when_awake(instant: datetime) -> datetime:
    """Weeks open after midnight; nobody of the demo is up at three."""
    return instant + A_NIGHT if to_local(instant, ZONE).hour < GETS_UP else instant


def _about(act: Callable[[World, Life, int, datetime], None], item: PlanItem) -> OwnAct:
    """The act about this item: only its number is kept, since rows do not outlive a transaction."""
    item_id = item.id

    def about_item(world: World, life: Life, now: datetime) -> None:
        act(world, life, item_id, now)

    return about_item


def _with_day(item: PlanItem, on: date) -> OwnAct:
    item_id, at = item.id, item.planned_time

    def move(world: World, life: Life, now: datetime) -> None:
        patients.move_one(world, life, item_id, on, at, now)

    return move


# Fates ------------------------------------------------------------------------------------------------------


def _meets_their_fate(world: World, life: Life, week: Week, now: datetime) -> bool:
    """What somebody's ending does to this week; True if nothing else is planned for it."""
    plan, number = life.plan, week.number
    if number < plan.ends_in_week or not plan.ends_in_week:
        return False
    if plan.ending is Ending.HAS_ENOUGH:
        _at(world, life, number, now + timedelta(days=4, hours=2), patients.say_enough)
    elif plan.ending is Ending.STOPS:
        _plan_to_stop(world, life, now)
    elif plan.ending is Ending.DROPS_OUT:
        _drop_out(world, life, now)
        return True
    elif plan.ending is Ending.GOES_AWAY and number == plan.ends_in_week:
        at = wall(day_of(now) + timedelta(days=1), time(12, 40))

        def leave(world: World, life: Life, now: datetime) -> None:
            patients.go_away(world, life, 10, now)

        _at(world, life, number, at, leave)
    return False


def _plan_to_stop(world: World, life: Life, now: datetime) -> None:
    said = "I would rather stop here. It was not the right time for me, and you were kind about it."
    at = now + timedelta(days=3, hours=1)
    _at(world, life, life.planned_week, at, _speaks(said))
    ends_at = wall(_working_day(day_of(at) + timedelta(days=1)), time(11, 30))
    world.at(
        ends_at,
        lambda at: staff.end_course(
            world, life, EndCode.PATIENT_STOPPED_EARLIER, "Asked to stop; can come back.", at
        ),
    )


def _speaks(said: str) -> OwnAct:
    def act(world: World, life: Life, now: datetime) -> None:
        patients.say(world, life, said, MessageKind.MESSAGE, now)

    return act


def _drop_out(world: World, life: Life, now: datetime) -> None:
    """No more visits: a note after a week, two calls after two, the clinician's decision after three."""
    if life.is_gone:
        return
    life.is_gone = True
    since = day_of(life.last_visit_at or now)
    world.at(
        wall(_working_day(since + timedelta(days=8)), time(10, 40)), partial(staff.write_note, world, life)
    )
    for days in (15, 17):
        at = wall(_working_day(since + timedelta(days=days)), time(11, 10))
        world.at(at, partial(staff.try_to_call, world, life, "Rang, no answer. Will try once more."))
    decides_at = wall(_working_day(since + timedelta(days=22)), time(14))
    reason = "Not reached after a note and two calls. Letter to the GP, and the way back explained."
    world.at(decides_at, lambda at: staff.end_course(world, life, EndCode.LOST, reason, at))


def plan_arrival(world: World, life: Life) -> None:
    """From the invitation to the first plan, or not so far."""
    plan = life.plan
    invited_on = _working_day(plan.invited_on)
    world.at(wall(invited_on, time(11, life.dice.randint(0, 50))), partial(staff.invite_person, world, life))
    welcome_on = _working_day(invited_on + timedelta(days=1))
    world.at(wall(welcome_on, time(10, life.dice.randint(5, 55))), partial(staff.send_welcome, world, life))
    if plan.ending is Ending.STAYS_INVITED:
        return
    if plan.ending is Ending.NEVER_STARTS:
        _never_starts(world, life)
        return
    comes_at = wall(invited_on + timedelta(days=1), time(life.dice.randint(18, 20), life.dice.randint(0, 59)))
    world.at(comes_at, partial(patients.take_up_invitation, world, life))
    if plan.ending is Ending.STAYS_IN_ONBOARDING:
        world.at(comes_at + timedelta(minutes=6), partial(patients.begin_baseline, world, life))
        return
    world.at(comes_at + timedelta(minutes=9), partial(patients.answer_baseline, world, life))
    chooses_at = comes_at + timedelta(days=life.dice.choice((0, 0, 1)), minutes=16)
    world.at(chooses_at, partial(patients.choose_times, world, life))


def _never_starts(world: World, life: Life) -> None:
    plan = life.plan
    for days in (8, 10):
        at = wall(_working_day(plan.invited_on + timedelta(days=days)), time(11, 40))
        world.at(at, partial(staff.try_to_call, world, life, "Rang about the invitation, no answer."))
    decides_at = wall(_working_day(plan.invited_on + timedelta(days=21)), time(14, 20))
    reason = "Did not begin. Two calls, no answer. Can be invited again."
    world.at(decides_at, lambda at: staff.end_course(world, life, EndCode.NEVER_STARTED, reason, at))


def _working_day(on: date) -> date:
    while on.weekday() > 4:
        on += timedelta(days=1)
    return on
