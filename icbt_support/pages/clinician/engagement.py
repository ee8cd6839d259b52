"""Engagement: the service at a glance. Every figure says what it is counted of and leads to the people behind it."""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.engagement.behind_figures import WeekFigure
from icbt_support.engagement.figures import DAYS_HERE, ModuleReach, Standing
from icbt_support.engagement.overview import (
    ENOUGH_FOR_A_FINDING,
    Overview,
    has_small_numbers,
    headings_of,
    overview_of,
)
from icbt_support.pages import charts
from icbt_support.pages.clinician.engagement_people import (
    HAD_TIME,
    OPENED,
    followed_address,
    fortnight_address,
    module_address,
    week_address,
)
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.pages.reads import note_read
from icbt_support.programme.content import Programme
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_engagement", __name__)


@blueprint.get("/clinical/engagement")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    note_read("read_engagement", by=current_actor(Role.CLINICIAN, service.id), now=now)
    programme = _asked_programme()
    overview = overview_of(service, programme, now=now)
    reached = [row for row in overview.reach if row.had_time]
    return render_template(
        "clinician/engagement.html",
        overview=overview,
        headings=headings_of(overview),
        has_small_numbers=has_small_numbers(overview),
        standings=_standings(overview, service),
        last_week=_last_week(overview),
        today=local_day(now, service.zone),
        reminders_chart=_reminders_chart(overview)
        if _any(overview, "sent", "held_back", "withdrawn")
        else None,
        reviews_chart=_reviews_chart(overview) if _any(overview, "on_time", "late") else None,
        visits_chart=_visits_chart(overview) if _any(overview, "in_treatment") else None,
        fortnight_chart=_fortnight_chart(overview) if overview.fortnight.people else None,
        programme_links=_programme_links(programme),
        reach_chart=_reach_chart(reached, programme) if reached else None,
        not_reached=_not_reached_words([row for row in overview.reach if not row.had_time]),
        has_few=any(row.had_time < ENOUGH_FOR_A_FINDING for row in reached),
        enough=ENOUGH_FOR_A_FINDING,
    )


@dataclass(frozen=True)
class ProgrammeLink:
    label: str
    href: str
    is_current: bool


def _asked_programme() -> Programme:
    """The programme whose modules are shown: the one that the address names, or the first by title."""
    known = programmes()
    return known.get(request.args.get("programme", "")) or min(known.values(), key=lambda one: one.title)


def _programme_links(shown: Programme) -> list[ProgrammeLink]:
    """Every programme, if there is a choice."""
    known = sorted(programmes().values(), key=lambda one: one.title)
    return [
        ProgrammeLink(one.title, url_for(".show", programme=one.slug), one is shown)
        for one in known
        if len(known) > 1
    ]


def _standings(overview: Overview, service: Service) -> list[tuple[str, int, str, str]]:
    """Label, people, what it means, and the list behind it."""
    stop, call = service.rhythm.quiet_prompts_stop_days, service.rhythm.quiet_call_days
    words = {
        Standing.IN_RHYTHM: ("In rhythm", f"here in the last {stop} days"),
        Standing.SLIPPING: ("Slipping", f"not here for {stop} to {call - 1} days"),
        Standing.QUIET: ("Quiet", f"not here for {call} days or more"),
        Standing.AWAY: ("Away or paused", "as agreed"),
        Standing.NOT_STARTED: ("Not started yet", "invited, or setting up"),
    }
    return [
        (
            label,
            overview.standing[standing],
            meaning,
            url_for("clinician_caseload.show", group=standing.value),
        )
        for standing, (label, meaning) in words.items()
    ]


def _last_week(overview: Overview) -> list[tuple[str, int, int, str, str, str]]:
    """Label, count, of how many, what that is, the people behind it, and what is said where there is nobody."""
    last, followed = overview.last_week, overview.followed
    late = f"{last.late} late" if last.late else "none late"

    def people(figure: WeekFigure) -> str:
        return week_address(figure, last.monday)

    return [
        (
            "Used a tool",
            last.used_tool,
            last.in_treatment,
            "of those in treatment",
            people(WeekFigure.USED_A_TOOL),
            "Nobody was in treatment",
        ),
        (
            "Reviews on time",
            last.on_time,
            last.on_time + last.late,
            late,
            people(WeekFigure.ON_TIME),
            "None was due",
        ),
        (
            "Sessions kept",
            last.sessions_done,
            last.sessions_planned,
            "of those planned with a day",
            people(WeekFigure.SESSIONS_KEPT),
            "None was planned",
        ),
        (
            "Here within 48 hours",
            followed.count,
            followed.of,
            "of reminders sent in eight weeks",
            followed_address(),
            "None was sent",
        ),
    ]


def _any(overview: Overview, *names: str) -> bool:
    """Whether there is anything to draw."""
    return any(getattr(week, name) for week in overview.weeks for name in names)


def _reminders_chart(overview: Overview) -> charts.Chart:
    weeks = overview.weeks
    return charts.stacked_columns(
        "reminders-by-week",
        "Reminders, week by week",
        "For each week, reminders sent, held back and withdrawn.",
        [_week_label(week.monday) for week in weeks],
        [
            charts.Series("Sent", "tools", [week.sent for week in weeks]),
            charts.Series("Held back", "held", [week.held_back for week in weeks]),
            charts.Series("Planned, then withdrawn", "none", [week.withdrawn for week in weeks]),
        ],
    ).with_links(_week_links(overview, WeekFigure.SENT, WeekFigure.HELD_BACK, WeekFigure.WITHDRAWN))


def _reviews_chart(overview: Overview) -> charts.Chart:
    weeks = overview.weeks
    return charts.stacked_columns(
        "reviews-by-week",
        "Reviews, by the week for which they were promised",
        "For each week, reviews on time and late.",
        [_week_label(week.monday) for week in weeks],
        [
            charts.Series("On time", "reviews", [week.on_time for week in weeks]),
            charts.Series("Late", "late", [week.late for week in weeks]),
        ],
    ).with_links(_week_links(overview, WeekFigure.ON_TIME, WeekFigure.LATE))


def _visits_chart(overview: Overview) -> charts.Chart:
    weeks = overview.weeks
    return charts.stacked_columns(
        "visits-by-week",
        "What people did each week",
        "For each week, how many people used a tool, visited only, or did not visit.",
        [_week_label(week.monday) for week in weeks],
        [
            charts.Series("Used a tool", "tools", [week.used_tool for week in weeks]),
            charts.Series("Visited only", "signed", [week.signed_in for week in weeks]),
            charts.Series("Did not visit", "none", [week.no_visit for week in weeks]),
        ],
    ).with_links(
        _week_links(overview, WeekFigure.USED_A_TOOL, WeekFigure.VISITED_ONLY, WeekFigure.DID_NOT_VISIT)
    )


def _week_links(overview: Overview, *figures: WeekFigure) -> list[list[str]]:
    return [[week_address(figure, week.monday) for figure in figures] for week in overview.weeks]


def _fortnight_chart(overview: Overview) -> charts.Chart:
    fortnight = overview.fortnight
    return charts.reach_bars(
        "first-fortnight",
        "On how many days people were here in the fortnight that began with their first visit",
        [
            (label, people, fortnight.people)
            for label, people in (
                ("The first day only", fortnight.one),
                ("2 or 3 days", fortnight.two_or_three),
                ("4 to 6 days", fortnight.four_to_six),
                ("7 days or more", fortnight.seven_or_more),
            )
        ],
        label_name="Days here",
        floor=ENOUGH_FOR_A_FINDING,
    ).with_links([[fortnight_address(group), ""] for group in range(len(DAYS_HERE))])


def _reach_chart(reached: list[ModuleReach], programme: Programme) -> charts.Chart:
    return charts.reach_bars(
        "module-reach",
        "Of those whose plan had time for the module, how many opened it",
        [(row.label, row.opened, row.had_time) for row in reached],
        floor=ENOUGH_FOR_A_FINDING,
    ).with_links(
        [[module_address(figure, programme, row.slug) for figure in (OPENED, HAD_TIME)] for row in reached]
    )


def _not_reached_words(rows: list[ModuleReach]) -> str:
    """Modules without a figure: n = 0 is no rate."""
    if not rows:
        return ""
    if len(rows) == 1:
        return f"Nobody's plan has had time for module {rows[0].number} yet."
    return f"Nobody's plan has had time for modules {rows[0].number} to {rows[-1].number} yet."


def _week_label(monday: date) -> str:
    return short_day(monday).split(" ", 1)[1]
