"""The state of a service as its clinicians see it: figures with what they are counted of, and what they support."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from icbt_support.cadence import local_day
from icbt_support.engagement.figures import (
    FirstFortnight,
    Followed,
    ModuleReach,
    Standing,
    WeekFigures,
    days_kept,
    first_fortnight,
    followed_prompts,
    mondays_until,
    people_figures,
    reach_of,
    week_figures,
)
from icbt_support.measures.outcomes import SMALLEST_SHOWN
from icbt_support.programme.content import Programme
from icbt_support.service.models import Service

ENOUGH_FOR_A_FINDING = 20
MUCH_LESS = 4 / 5
"""One share says something beside another where it is less than four fifths of it."""


@dataclass(frozen=True)
class Overview:
    """`weeks` end with the week that runs."""

    standing: dict[Standing, int]
    weeks: tuple[WeekFigures, ...]
    followed: Followed
    fortnight: FirstFortnight
    reach: tuple[ModuleReach, ...]

    @property
    def people(self) -> int:
        return sum(self.standing.values())

    @property
    def last_week(self) -> WeekFigures:
        """The last whole one."""
        return self.weeks[-2]

    @property
    def reviews(self) -> tuple[int, int]:
        """Of all weeks shown: on time, and due."""
        on_time = sum(week.on_time for week in self.weeks)
        return on_time, on_time + sum(week.late for week in self.weeks)


@dataclass(frozen=True)
class Headings:
    """What stands above each part: a finding where enough people stand behind it, else a neutral title."""

    page: str
    visits: str
    reviews: str
    reminders: str
    fortnight: str
    reach: str


def overview_of(service: Service, programme: Programme, *, now: datetime) -> Overview:
    """Everything on the engagement page of one service at `now`; a fixed number of statements."""
    today = local_day(now, service.zone)
    mondays = mondays_until(today)
    people = people_figures(service, mondays, now=now)
    days = days_kept(service, mondays)
    return Overview(
        standing=people.standing,
        weeks=week_figures(days, people, mondays),
        followed=followed_prompts(days, today),
        fortnight=first_fortnight(service, today),
        reach=reach_of(service, programme, now=now),
    )


def has_small_numbers(overview: Overview) -> bool:
    """Whether a number of the page, or what is left when it is taken away, is about fewer than five people or acts."""
    numbers = [*overview.standing.values()]
    for week in overview.weeks:
        numbers += [week.sent, week.held_back, week.withdrawn, week.on_time, week.late]
        numbers += [week.used_tool, week.signed_in, week.no_visit]
        numbers += [week.sessions_done, week.sessions_planned - week.sessions_done]
    for part, whole in [
        (overview.followed.count, overview.followed.of),
        *((row.opened, row.had_time) for row in overview.reach),
    ]:
        numbers += [part, whole - part]
    numbers += astuple(overview.fortnight)
    return any(0 < number < SMALLEST_SHOWN for number in numbers)


def headings_of(overview: Overview) -> Headings:
    last, (on_time, due), fortnight = overview.last_week, overview.reviews, overview.fortnight
    here = last.used_tool + last.signed_in
    return Headings(
        page=_found(overview.standing[Standing.IN_RHYTHM], overview.people, "people are in rhythm")
        or "Who is in rhythm?",
        visits=_found(here, last.in_treatment, "people in treatment were here last week")
        or "What people did each week",
        reviews=_found(on_time, due, "reviews came on time") or "Reviews, week by week",
        reminders=_found(
            overview.followed.count,
            overview.followed.of,
            "reminders were followed by a visit within 48 hours",
        )
        or "What became of reminders",
        fortnight=_found(
            fortnight.people - fortnight.one, fortnight.people, "people came back in their first fortnight"
        )
        or "The first fortnight",
        reach=_reach_heading(overview.reach),
    )


def _found(count: int, of: int, words: str) -> str:
    return f"{count:,} of {of:,} {words}" if of >= ENOUGH_FOR_A_FINDING else ""


def _reach_heading(reach: Sequence[ModuleReach]) -> str:
    known = [row for row in reach if row.had_time >= ENOUGH_FOR_A_FINDING]
    for before, after in zip(known, known[1:], strict=False):
        if after.opened / after.had_time < MUCH_LESS * before.opened / before.had_time:
            return f"Fewer people open {after.title} than the module before it"
    return "Module reach"
