"""Everybody else in the demo: drawn from one seed, with names, times, scores and habits of their own."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from itertools import count
from random import Random

from icbt_support.demo.people import (
    FRIDAY,
    MONDAY,
    MORE_SUPPORTERS,
    PRIYA,
    SATURDAY,
    STANDS_ON,
    STORY,
    SUNDAY,
    TOM,
    TUESDAY,
    WEDNESDAY,
    Ending,
    Habit,
    PersonPlan,
    SlotPlan,
)
from icbt_support.demo.states import STATES
from icbt_support.enrolments.operations import WeeklyTime


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


FIRST_NAMES = _listed(
    "Aaron Abena Adele Aisha Alan Alice Amal Amy Andre Anita Anwar Astrid Ben Beth Bilal Bronwen Callum "
    "Cara Carlos Cerys Chidi Clare Cora Dan Daisy Deepa Dylan Ebony Ed Elena Eli Elsie Emre Esme Farah "
    "Fergus Fiona Flora Frank Gemma George Gwen Hanif Harriet Hassan Helen Ibrahim Ida Imran Iris Isaac "
    "Ivy Jack Jaya Jess Joan Karim Kate Kenji Kit Layla Liam Lily Lola Lucy Luke Maeve Mandy Marcus Maya "
    "Megan Milo Mina Mohammed Nell Nia Nikhil Nina Noah Olive Orla Oscar Patrick Paula Petra Poppy Rafael "
    "Rhys Rosa Rowan Sadia Sean Shona Simon Sofia Stella Tariq Tess Theo Uma Vera Vikram Wendy Wes Yasmin "
    "Yusuf Zara Zoe "
)
LAST_NAMES = _listed(
    "Adams Adeyemi Ahmed Ali Allen Anderson Asante Baker Banerjee Barnes Begum Bell Bennett Boateng "
    "Brennan Brooks Campbell Carter Chan Chapman Clarke Cohen Cole Collins Cooper Cox Davies Dixon Doyle "
    "Edwards Ellery Evans Farrow Fisher Flynn Foster Fox Gallagher Gibson Green Griffiths Gupta Hall "
    "Hamza Harris Hayes Hill Howells Hughes Iqbal Jackson James Jenkins Johal Jones Kaur Kelly Kowalski "
    "Lamb Lawson Lewis Lopez Mackay Malik Marsden Mason Mehta Miller Moore Morris Murphy Nowak Okoro Osei "
    "Owen Palmer Parry Pearce Perera Price Quinn Rahman Reid Reyes Roberts Rossi Shah Sharma Silva "
    "Sinclair Singh Smith Stone Tanner Thomas Turner Walker Walsh Ward Watson Webb White Wood Wright "
    "Young "
)
PRONOUNS = ("she/her", "she/her", "he/him", "he/him", "they/them", "")
GOALS = (
    "See my friends at the weekend",
    "Cook a proper meal twice a week",
    "Get up before nine",
    "Be less hard on myself",
    "Go back to the allotment",
    "Read to my children without my mind wandering",
    "Sleep better",
    "Finish my course at college",
    "Go for a run on Saturdays",
    "Stop dreading Sunday evenings",
)
# No Thursday evenings and no reviews on a Friday: on the story's evening one email goes out, Kofi's.
TIMES = {
    MONDAY: ((TUESDAY, SATURDAY), (FRIDAY, SUNDAY), (TUESDAY, FRIDAY), (WEDNESDAY, SATURDAY)),
    WEDNESDAY: ((FRIDAY, MONDAY), (SATURDAY, TUESDAY), (FRIDAY, SUNDAY), (SUNDAY, TUESDAY)),
}
HOURS = (time(12, 30), time(17, 30), time(18), time(19), time(19), time(19, 30))
# What each of the first people of the crowd shows, so that even a small demo holds every ending.
FATES = (
    (Ending.STAYS_IN_ONBOARDING, 0),
    (Ending.STAYS_INVITED, 0),
    (Ending.LAST_REVIEW, 6),
    (Ending.HAS_ENOUGH, 5),
    (Ending.STOPS, 4),
    (Ending.NEVER_STARTS, 0),
    (Ending.GOES_AWAY, 2),
    (Ending.PAUSES, 4),
    (Ending.DROPS_OUT, 2),
)
# The one whose review, some weeks ago, came only after the next week had opened without it.
VERY_LATE_AT, VERY_LATE_REVIEW = len(FATES), 2
PEOPLE_A_SUPPORTER = 20
TOLD_OF = (*STORY, *STATES)
_TREND = (-1.6, -1.2, -1.0, -0.8, -0.5, -0.2, 0.1, 0.6)


def more_slots(supporters: int) -> list[SlotPlan]:
    """Blocks for supporters beyond Priya and Tom."""
    return [
        SlotPlan(email_of(name), weekday, time(9), time(15), 12)
        for name in MORE_SUPPORTERS[:supporters]
        for weekday in (MONDAY, WEDNESDAY)
    ]


def supporters_needed(patients: int) -> int:
    """How many supporters a demo of this size needs beside Priya and Tom."""
    return min(
        len(MORE_SUPPORTERS), max(0, -(-(patients - 2 * PEOPLE_A_SUPPORTER) // (2 * PEOPLE_A_SUPPORTER)))
    )


def email_of(full_name: str) -> str:
    words = full_name.split()
    return f"{words[0]}.{words[-1]}@example.org".lower()


def everybody(patients: int, weeks: int, seed: int) -> list[PersonPlan]:
    """The story's people first, then the crowd; nobody is invited before the demo begins."""
    earliest = STANDS_ON - timedelta(weeks=weeks)
    people = [_not_before(plan, earliest) for plan in TOLD_OF[:patients]]
    random = Random(seed)
    places = _places(supporters_needed(patients), random)
    names = _names(random)
    for number in range(patients - len(people)):
        people.append(_somebody(number, earliest, next(names), *next(places), random))
    return people


def _not_before(plan: PersonPlan, earliest: date) -> PersonPlan:
    """In a short demo a long course has begun later: in whole weeks, so that its days stay."""
    late = (earliest + timedelta(days=1) - plan.invited_on).days
    if late <= 0:
        return plan
    shift = timedelta(weeks=-(-late // 7))
    return PersonPlan(
        **{
            **vars(plan),
            "invited_on": plan.invited_on + shift,
            "starts_on": plan.starts_on + shift,
            "review_on": plan.review_on + shift,
        }
    )


def _names(random: Random) -> Iterator[str]:
    """Every family name once, then again; nobody is called like somebody of the story."""
    taken = {plan.full_name for plan in TOLD_OF} | {*MORE_SUPPORTERS}
    while True:
        for last in random.sample(LAST_NAMES, len(LAST_NAMES)):
            name = f"{random.choice(FIRST_NAMES)} {last}"
            if name not in taken:
                taken.add(name)
                yield name


def _places(extra: int, random: Random) -> Iterator[tuple[str, int, time]]:
    """(supporter, weekday, time of the slot): each place is kept by one person, week for week."""
    places = [(PRIYA, MONDAY, time(10 + m // 60, m % 60)) for m in range(10, 120, 10)]
    places += [(PRIYA, WEDNESDAY, time(13 + m // 60, m % 60)) for m in range(0, 120, 12) if m != 60]
    tom = [(TOM, day, time(9 + m // 60, m % 60)) for day in (MONDAY, WEDNESDAY) for m in range(0, 180, 15)]
    tom = [place for place in tom if place[1:] not in ((MONDAY, time(9)), (MONDAY, time(9, 15)))]
    random.shuffle(places)
    random.shuffle(tom)
    # Tom has the first of the crowd: what they owe and are owed stays out of Priya's story.
    yield from tom[: len(FATES)]
    rest = places[:8] + tom[len(FATES) :]
    random.shuffle(rest)
    yield from rest
    for name in MORE_SUPPORTERS[:extra]:
        for day in (MONDAY, WEDNESDAY):
            for m in range(0, 360, 12):
                yield email_of(name), day, time(9 + m // 60, m % 60)
    for number in count():
        yield TOM, (MONDAY, WEDNESDAY)[number % 2], time(9)


def _somebody(
    number: int, earliest: date, name: str, supporter: str, weekday: int, review_at: time, random: Random
) -> PersonPlan:
    weeks = (STANDS_ON - earliest).days // 7
    ending, ends_in_week = FATES[number] if number < len(FATES) else _fate(random)
    ends_in_week = min(ends_in_week, max(weeks - 2, 1)) if ends_in_week else 0
    latest_review = STANDS_ON - timedelta(days=(STANDS_ON.weekday() - weekday) % 7)
    weeks_ago = min(_weeks_ago(ending, ends_in_week, random), max(weeks - 1, 1))
    is_very_late = number == VERY_LATE_AT
    if is_very_late:
        weeks_ago = max(1, min(5, weeks - 1))
    starts_on = latest_review - timedelta(weeks=weeks_ago - 1)
    invited_on = starts_on - timedelta(days=random.randint(3, 6))
    if ending is Ending.STAYS_IN_ONBOARDING:
        invited_on = STANDS_ON - timedelta(days=3)
        starts_on = STANDS_ON + timedelta(days=4)
    if ending is Ending.STAYS_INVITED:
        invited_on = STANDS_ON - timedelta(days=6)
        starts_on = STANDS_ON + timedelta(days=4)
    if ending is Ending.NEVER_STARTS:
        invited_on = max(earliest + timedelta(days=1), STANDS_ON - timedelta(days=25))
    days = random.choice(TIMES[weekday])
    start = random.randint(9, 21)
    phq = _course_of_scores(start, 27, random)
    return PersonPlan(
        email=email_of(name),
        full_name=name,
        called=name.split()[0],
        pronouns=random.choice(PRONOUNS),
        supporter=supporter,
        invited_on=max(invited_on, earliest + timedelta(days=1)),
        starts_on=max(starts_on, earliest + timedelta(days=3)),
        review_on=starts_on + timedelta(weeks=1),
        review_at=review_at,
        session_times=tuple(WeeklyTime(day, random.choice(HOURS)) for day in sorted(days)),
        phq=phq,
        gad=_course_of_scores(max(start - random.randint(2, 6), 4), 21, random),
        habit=random.choice((Habit.STEADY, Habit.STEADY, Habit.STEADY, Habit.SLOW, Habit.CHATTY)),
        ending=Ending.NONE if is_very_late else ending,
        ends_in_week=0 if is_very_late else ends_in_week,
        item_9={0: 1} if start >= 18 and random.random() < 0.5 else {},
        very_late_review=VERY_LATE_REVIEW if is_very_late else 0,
        goal=random.choice(GOALS),
    )


def _fate(random: Random) -> tuple[Ending, int]:
    chance = random.random()
    if chance < 0.07:
        return Ending.DROPS_OUT, random.randint(1, 4)
    if chance < 0.12:
        return Ending.HAS_ENOUGH, random.randint(4, 6)
    if chance < 0.15:
        return Ending.STOPS, random.randint(3, 5)
    return Ending.NONE, 0


def _weeks_ago(ending: Ending, ends_in_week: int, random: Random) -> int:
    """In which week somebody would be now: long enough for their ending to have come."""
    if ending in (Ending.LAST_REVIEW, Ending.HAS_ENOUGH, Ending.STOPS, Ending.DROPS_OUT):
        return ends_in_week + 1 + random.randint(0, 1)
    if ending in (Ending.GOES_AWAY, Ending.PAUSES):
        return ends_in_week + 1
    return random.choice((1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7))


def _course_of_scores(start: int, maximum: int, random: Random) -> tuple[int, ...]:
    """A baseline and nine scores after it: most fall, some stay, a few rise."""
    trend = random.choice(_TREND)
    scores = [float(start)]
    for _ in range(9):
        scores.append(scores[-1] + trend + random.uniform(-1.4, 1.2))
    return tuple(max(1, min(maximum - 2, round(score))) for score in scores)
