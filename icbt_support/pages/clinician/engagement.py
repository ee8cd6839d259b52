"""Engagement: the service at a glance, and the people who need a look, each with a reason and one action."""

from datetime import date

from flask import Blueprint, render_template, request, url_for

from icbt_support import audit
from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.db import commit_with_retry
from icbt_support.engagement.figures import ModuleReach
from icbt_support.engagement.overview import ENOUGH_FOR_A_FINDING, Overview, PersonRow, overview_of
from icbt_support.engagement.status import NextAction
from icbt_support.pages import charts
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.programme.library import programmes

blueprint = Blueprint("clinician_engagement", __name__)
FIRST_SHOWN = 12


@blueprint.get("/clinical/engagement")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    by = current_actor(Role.CLINICIAN, service.id)
    commit_with_retry(lambda: audit.record("read_engagement", by=by, now=now, service_id=service.id))
    programme = next(iter(programmes().values()))
    overview = overview_of(service, programme, now=now)
    people = _shown(overview, is_everyone=request.args.get("people") == "everyone")
    reached = [row for row in overview.reach if row.had_time]
    return render_template(
        "clinician/engagement.html",
        overview=overview,
        people=people,
        today=local_day(now, service.zone),
        actions={row.person.enrolment.id: _address_of(row) for row in people},
        rhythm_chart=_rhythm_chart(overview),
        visits_chart=_visits_chart(overview),
        reach_chart=_reach_chart(reached) if reached else None,
        not_reached=_not_reached_words([row for row in overview.reach if not row.had_time]),
        has_few=any(row.had_time < ENOUGH_FOR_A_FINDING for row in reached),
        enough=ENOUGH_FOR_A_FINDING,
    )


def _shown(overview: Overview, *, is_everyone: bool) -> tuple[PersonRow, ...]:
    """Everybody who needs a look, however many; others until the first page is full."""
    if is_everyone:
        return overview.people
    return overview.people[: max(FIRST_SHOWN, overview.need_a_look)]


def _address_of(row: PersonRow) -> str:
    """Where the one action of a person leads."""
    number, action = row.person.enrolment.id, row.status.action
    if action is NextAction.OPEN_ALERT:
        return url_for("clinician_risk.show", alert_id=row.person.alerts[0].alert.id)
    if action is NextAction.LOG_CALL:
        return url_for("clinician_contact.show", enrolment_id=number)
    if action is NextAction.LOOK:
        return url_for("clinician_patient.show", enrolment_id=number)
    return url_for("clinician_decisions.show", enrolment_id=number)


def _rhythm_chart(overview: Overview) -> charts.Chart:
    weeks = overview.weeks
    return charts.pairs(
        "rhythm-by-week",
        "Reminders and reviews, week by week",
        "For each week, reminders sent, held back and withdrawn, beside reviews on time and late.",
        [_week_label(week.monday) for week in weeks],
        [
            charts.Series("Reminder sent", "tools", [week.sent for week in weeks]),
            charts.Series("Held back", "held", [week.held_back for week in weeks]),
            charts.Series("Planned, then withdrawn", "none", [week.withdrawn for week in weeks]),
        ],
        [
            charts.Series("Review on time", "reviews", [week.on_time for week in weeks]),
            charts.Series("Review late", "late", [week.late for week in weeks]),
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
