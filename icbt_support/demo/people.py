"""Who lives in the demo: invented staff and the invented people of its story. Nobody here is or was real."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from icbt_support.accounts.models import Role, SessionEmail
from icbt_support.cadence import to_utc
from icbt_support.enrolments.operations import WeeklyTime

ZONE = "Europe/London"
SERVICE_NAME = "Northfield Talking Therapies"
STANDS_ON = date(2026, 11, 19)
STANDS_AT = to_utc(STANDS_ON, time(10, 5), ZONE)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
PRIYA, TOM, DR_WEISS = "supporter@example.org", "tom.ellis@example.org", "clinician@example.org"
DANA, LEWIS = "dana.whitcombe@example.org", "lewis.hart@example.org"
SAM, ADMINISTRATOR, VENDOR = "patient@example.org", "admin@example.org", "vendor@example.org"

SIGN_INS = [
    (SAM, "Sam Taylor, patient in week 3"),
    (PRIYA, "Priya Nair, supporter"),
    (DR_WEISS, "Dr Hana Weiss, clinician"),
    (ADMINISTRATOR, "Jo Marsh, administrator"),
    (VENDOR, "Max Stein, vendor representative"),
]


@dataclass(frozen=True)
class StaffMember:
    email: str
    full_name: str
    called: str
    role: Role
    quiet_from: time = time(21)
    job_title: str = ""
    about: str = ""


STAFF = (
    StaffMember(
        PRIYA,
        "Priya Nair",
        "Priya",
        Role.SUPPORTER,
        quiet_from=time(15),
        job_title="Psychological wellbeing practitioner",
        about="I have worked with people in this course for four years. I write in the morning, with tea.",
    ),
    StaffMember(
        TOM,
        "Tom Ellis",
        "Tom",
        Role.SUPPORTER,
        quiet_from=time(15),
        job_title="Psychological wellbeing practitioner",
        about="I came to this work after ten years as a nurse. I like short letters and small steps.",
    ),
    StaffMember(
        DANA,
        "Dana Whitcombe",
        "Dana",
        Role.SUPPORTER,
        quiet_from=time(15),
        job_title="Psychological wellbeing practitioner",
        about="I ask many questions and like to hear about ordinary days.",
    ),
    StaffMember(LEWIS, "Lewis Hart", "Lewis", Role.SUPPORTER, quiet_from=time(15)),
    StaffMember(DR_WEISS, "Dr Hana Weiss", "Dr Weiss", Role.CLINICIAN, quiet_from=time(17)),
    StaffMember(ADMINISTRATOR, "Jo Marsh", "Jo", Role.ADMINISTRATOR, quiet_from=time(17)),
    StaffMember(VENDOR, "Max Stein", "Max", Role.VENDOR),
)
MORE_SUPPORTERS = (
    "Ines Duarte",
    "Calum Fraser",
    "Bea Lindqvist",
    "Omar Haddad",
    "Ruby Sloane",
    "Neil Abbott",
)


@dataclass(frozen=True)
class SlotPlan:
    """A protected block of the week and the minutes planned for one review in it."""

    supporter: str
    weekday: int
    starts: time
    ends: time
    minutes: int


# Priya's Thursday asks for 2 minutes to read first and 8 + 9 + 8 + 8 + 8 for letters, her Wednesday for 12: the
# 55 minutes of the story.
SLOTS = (
    SlotPlan(PRIYA, MONDAY, time(9, 40), time(10), 10),
    SlotPlan(PRIYA, MONDAY, time(10), time(12), 10),
    SlotPlan(PRIYA, WEDNESDAY, time(13), time(15), 12),
    SlotPlan(PRIYA, THURSDAY, time(9, 20), time(9, 50), 10),
    SlotPlan(PRIYA, THURSDAY, time(9, 52), time(10, 8), 8),
    SlotPlan(PRIYA, THURSDAY, time(10, 30), time(10, 57), 9),
    SlotPlan(PRIYA, THURSDAY, time(11), time(11, 24), 8),
    SlotPlan(PRIYA, THURSDAY, time(14), time(14, 24), 8),
    SlotPlan(PRIYA, THURSDAY, time(14, 30), time(14, 54), 8),
    SlotPlan(TOM, MONDAY, time(9), time(12), 15),
    SlotPlan(TOM, WEDNESDAY, time(9), time(12), 15),
    SlotPlan(DANA, MONDAY, time(9), time(11), 15),
    SlotPlan(DANA, WEDNESDAY, time(9), time(11), 15),
    SlotPlan(LEWIS, WEDNESDAY, time(9), time(11), 15),
)


class Habit(StrEnum):
    """How somebody goes through their weeks."""

    STEADY = "steady"
    SLOW = "slow"
    QUIET = "quiet"
    CHATTY = "chatty"
    SCRIPTED = "scripted"


class Ending(StrEnum):
    """How a course comes to its end, if it does."""

    NONE = "none"
    LAST_REVIEW = "last_review"
    HAS_ENOUGH = "has_enough"
    STOPS = "stops"
    DROPS_OUT = "drops_out"
    NEVER_STARTS = "never_starts"
    STAYS_INVITED = "stays_invited"
    STAYS_IN_ONBOARDING = "stays_in_onboarding"
    GOES_AWAY = "goes_away"
    PAUSES = "pauses"


@dataclass(frozen=True)
class PersonPlan:
    """One person: who they are, their times, their scores from the baseline on, and how they go about it.

    `review_on` is the day of their first review and `review_at` the wall time of its slot, which they keep.
    From the letter of `fortnightly_from_review` on (0: never) a week lasts two.
    """

    email: str
    full_name: str
    called: str
    pronouns: str
    supporter: str
    invited_on: date
    starts_on: date
    review_on: date
    review_at: time
    session_times: tuple[WeeklyTime, ...]
    phq: tuple[int, ...]
    gad: tuple[int, ...]
    habit: Habit = Habit.STEADY
    ending: Ending = Ending.NONE
    ends_in_week: int = 0
    item_9: dict[int, int] = field(default_factory=dict)
    quiet_from: time = time(21)
    check_in_time: time = time(18)
    session_email: SessionEmail = SessionEmail.EVERY
    very_late_review: int = 0
    fortnightly_from_review: int = 0
    goal: str = "To feel like myself again"

    @property
    def first_review_at(self) -> datetime:
        return to_utc(self.review_on, self.review_at, ZONE)


def _weeks_before(weeks: int, on: date = STANDS_ON) -> date:
    return on - timedelta(weeks=weeks)


def story_person(
    full_name: str,
    pronouns: str,
    week: int,
    review_next: date,
    review_at: time,
    times: tuple[tuple[int, time], ...],
    phq: tuple[int, ...],
    gad: tuple[int, ...],
    *,
    email: str = "",
    supporter: str = PRIYA,
    **rest: Any,
) -> PersonPlan:
    """Somebody who is in week `week`, whose review of that week is promised for `review_next`."""
    words = full_name.split()
    starts_on = review_next - timedelta(weeks=week)
    return PersonPlan(
        email=email or f"{words[0]}.{words[-1]}@example.org".lower(),
        full_name=full_name,
        called=words[0],
        pronouns=pronouns,
        supporter=supporter,
        invited_on=starts_on - timedelta(days=6),
        starts_on=starts_on,
        review_on=starts_on + timedelta(weeks=1),
        review_at=review_at,
        session_times=tuple(WeeklyTime(weekday, at) for weekday, at in times),
        phq=phq,
        gad=gad,
        habit=Habit.SCRIPTED,
        **rest,
    )


# People whose review is owed today keep their evenings free of email: the story's evening stays quiet.
_BY_DAY: dict[str, Any] = {"quiet_from": time(17), "check_in_time": time(12)}
STORY = (
    story_person(
        "Sam Taylor",
        "they/them",
        3,
        STANDS_ON + timedelta(weeks=1),
        time(9, 30),
        ((TUESDAY, time(19)), (THURSDAY, time(10, 15))),
        (17, 14, 11),
        (12, 11, 9),
        email=SAM,
        item_9={1: 1},
        goal="Walk Mo in the mornings again, and see Mum on Sundays",
    ),
    story_person(
        "Amira Khan",
        "she/her",
        5,
        STANDS_ON,
        time(10),
        ((SATURDAY, time(12, 30)), (MONDAY, time(12, 30))),
        (15, 15, 14, 12, 12, 13),
        (11, 11, 10, 9, 9, 10),
        item_9={5: 1},
        goal="Get back to swimming",
        **_BY_DAY,
    ),
    story_person(
        "Ruth Okafor",
        "she/her",
        2,
        STANDS_ON - timedelta(days=1),
        time(14),
        ((FRIDAY, time(19)), (SUNDAY, time(17))),
        (21, 21),
        (14, 14),
        goal="Answer the phone when my sister rings",
    ),
    story_person(
        "Leo Grant",
        "he/him",
        4,
        STANDS_ON,
        time(10, 30),
        ((SATURDAY, time(11)), (TUESDAY, time(12, 30))),
        (14, 13, 13, 11, 10),
        (10, 10, 9, 8, 8),
        goal="Sleep before midnight and be kinder to myself at work",
        **_BY_DAY,
    ),
    story_person(
        "Nadia Hussain",
        "she/her",
        1,
        STANDS_ON,
        time(11),
        ((SUNDAY, time(12)), (TUESDAY, time(13))),
        (16,),
        (13,),
        goal="Paint again",
        **_BY_DAY,
    ),
    story_person(
        "Morgan Lee",
        "they/them",
        7,
        STANDS_ON,
        time(14),
        ((FRIDAY, time(12, 30)), (TUESDAY, time(12, 30))),
        (19, 18, 14, 11, 9, 8, 7, 6),
        (15, 14, 11, 9, 8, 7, 6, 5),
        goal="Feel part of things",
        **_BY_DAY,
    ),
    story_person(
        "Grace Obi",
        "she/her",
        6,
        STANDS_ON,
        time(14, 30),
        ((SATURDAY, time(10)), (WEDNESDAY, time(12, 30))),
        (11, 10, 10, 12, 12),
        (9, 9, 8, 9, 9),
        goal="Keep going to choir",
        **_BY_DAY,
    ),
    story_person(
        "Kofi Mensah",
        "he/him",
        5,
        STANDS_ON + timedelta(days=4),
        time(10),
        ((THURSDAY, time(19)), (SATURDAY, time(11))),
        (13, 12, 12, 11, 10),
        (9, 9, 8, 8, 7),
        goal="Play football on Sundays",
    ),
    story_person(
        "Dev Patel",
        "he/him",
        6,
        STANDS_ON + timedelta(days=4),
        time(9),
        ((TUESDAY, time(18)), (SATURDAY, time(15))),
        (12, 13, 13, 16, 17, 18),
        (8, 9, 9, 11, 12, 13),
        supporter=TOM,
        goal="Ask about my hours at work",
    ),
    story_person(
        "Joe Daniels",
        "he/him",
        4,
        STANDS_ON + timedelta(days=4),
        time(9, 15),
        ((TUESDAY, time(19)), (SATURDAY, time(17))),
        (12, 13, 14),
        (7, 8, 8),
        supporter=TOM,
        goal="Get outside every day",
    ),
)
