"""One person as a clinician sees them: status, weeks, scores, goals and what happened, on one page."""

from collections.abc import Sequence

from flask import Blueprint, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.engagement.caseload import SCORE_SHOWN
from icbt_support.engagement.course_axis import axis_of
from icbt_support.engagement.people import alert_words, person_row
from icbt_support.engagement.status import NextAction
from icbt_support.enrolments.queries import current_goals
from icbt_support.measures.queries import Score, scores_of
from icbt_support.pages import charts
from icbt_support.pages.early_warnings import warning_panel
from icbt_support.pages.guards import allow, clinical_enrolment, current_account, request_time
from icbt_support.pages.time_axis import draw_course
from icbt_support.pages.timelines import timeline_asked_for
from icbt_support.plan.queries import weeks_of
from icbt_support.programme.content import Measure
from icbt_support.programme.library import find_programme
from icbt_support.rhythm.strips import strip_of_week
from icbt_support.risk.queries import open_alerts_by_enrolment

blueprint = Blueprint("clinician_patient", __name__)
WEEKS_DRAWN = 3


@blueprint.get("/clinical/patients/<id:enrolment_id>")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    enrolment, now = clinical_enrolment(enrolment_id), request_time()
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    weeks = weeks_of(enrolment)
    scores = scores_of([enrolment.id]).get(enrolment.id, {})
    row = person_row(enrolment, now=now)
    return render_template(
        "clinician/patient.html",
        enrolment=enrolment,
        patient=enrolment.patient,
        programme=programme,
        status=row.status if row else None,
        action_href=_address_of(row.status.action, enrolment.id) if row else "",
        strips=[(week, strip_of_week(enrolment, week, now=now)) for week in reversed(weeks[-WEEKS_DRAWN:])],
        charts_of_scores=[
            _chart(programme.measures[slug], scores[slug]) for slug in programme.check_in if scores.get(slug)
        ],
        course_chart=draw_course(
            axis_of(enrolment, weeks, scores.get(SCORE_SHOWN, []), zone=current_account().zone, now=now)
        ),
        goals=current_goals(enrolment),
        open_alerts=open_alerts_by_enrolment([enrolment.id]).get(enrolment.id, []),
        alert_words=alert_words,
        early_warning=warning_panel(
            enrolment, url_for("clinician_early_warning.show", enrolment_id=enrolment.id), now=now
        ),
        timeline=timeline_asked_for(enrolment, zone=current_account().zone),
    )


def _address_of(action: NextAction, enrolment_id: int) -> str:
    """Where the action leads; alerts stand on the page, and the week is this page."""
    if action is NextAction.LOG_CALL:
        return url_for("clinician_contact.show", enrolment_id=enrolment_id)
    if action in (NextAction.OPEN_ALERT, NextAction.LOOK):
        return ""
    return url_for("clinician_decisions.show", enrolment_id=enrolment_id)


def _chart(measure: Measure, scores: Sequence[Score]) -> charts.Chart:
    points = [(_when(score), score.total) for score in scores]
    return charts.line_with_bands(
        f"score-{measure.slug}",
        measure.title,
        f"From {points[0][1]} to {points[-1][1]}, out of {measure.maximum}.",
        points,
        measure.maximum,
        [(band.from_total, band.to_total, band.label) for band in measure.bands],
        point_name="Week",
    )


def _when(score: Score) -> str:
    return "Start" if score.week_number == 0 else str(score.week_number)
