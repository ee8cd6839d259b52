"""Engagement: the service at a glance. Every figure says what it is counted of and leads to the people behind it."""

from datetime import date

from flask import Blueprint, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.engagement.figures import ModuleReach, Standing
from icbt_support.engagement.overview import ENOUGH_FOR_A_FINDING, Overview, headings_of, overview_of
from icbt_support.pages import charts
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.pages.reads import note_read
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_engagement", __name__)


@blueprint.get("/clinical/engagement")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    note_read("read_engagement", by=current_actor(Role.CLINICIAN, service.id), now=now)
    programme = next(iter(programmes().values()))
    overview = overview_of(service, programme, now=now)
    reached = [row for row in overview.reach if row.had_time]
    return render_template(
        "clinician/engagement.html",
        overview=overview,
        headings=headings_of(overview),
        standings=_standings(overview, service),
        today=local_day(now, service.zone),
        reminders_chart=_reminders_chart(overview)
        if _any(overview, "sent", "held_back", "withdrawn")
        else None,
        reviews_chart=_reviews_chart(overview) if _any(overview, "on_time", "late") else None,
        visits_chart=_visits_chart(overview) if _any(overview, "in_treatment") else None,
        fortnight_chart=_fortnight_chart(overview) if overview.fortnight.people else None,
        reach_chart=_reach_chart(reached) if reached else None,
        not_reached=_not_reached_words([row for row in overview.reach if not row.had_time]),
        has_few=any(row.had_time < ENOUGH_FOR_A_FINDING for row in reached),
        enough=ENOUGH_FOR_A_FINDING,
    )


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
    )


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
    )


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
    )


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
    )


def _reach_chart(reached: list[ModuleReach]) -> charts.Chart:
    return charts.reach_bars(
        "module-reach",
        "Of those whose plan had time for the module, how many opened it",
        [(row.label, row.opened, row.had_time) for row in reached],
        floor=ENOUGH_FOR_A_FINDING,
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
