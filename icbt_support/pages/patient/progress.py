"""How it is going: scores in words and as a line, what was done, and the letters."""

from dataclasses import dataclass

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import current_goals
from icbt_support.journal.queries import entries_of, pages_read
from icbt_support.measures.queries import finished
from icbt_support.pages import charts
from icbt_support.pages.guards import allow, my_enrolment
from icbt_support.plan.models import ItemState
from icbt_support.plan.queries import items_with_state, weeks_of
from icbt_support.programme.content import Measure
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import sent_reviews

blueprint = Blueprint("patient_progress", __name__)
TWO = 2


@dataclass(frozen=True)
class ScoreOverTime:
    measure: Measure
    total: int
    band: str
    chart: charts.Chart | None


@blueprint.get("/progress")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    weeks = weeks_of(enrolment)
    done = sum(now.state is ItemState.DONE for week in weeks for now in items_with_state(week))
    return render_template(
        "patient/progress.html",
        programme=programme,
        weeks=weeks,
        scores=[found for slug in programme.check_in if (found := _score(enrolment, programme.measures[slug]))],
        done=done,
        pages=len(pages_read(enrolment)),
        entries=len(entries_of(enrolment)),
        goals=current_goals(enrolment),
        reviews=sent_reviews(enrolment),
    )


def _score(enrolment: Enrolment, measure: Measure) -> ScoreOverTime | None:
    answered = [row for row in finished(enrolment, measure.slug) if row.total is not None]
    if not answered:
        return None
    last = answered[-1]
    points = [(_label(row.week_number), row.total) for row in answered]
    bands = [(band.from_total, band.to_total, band.label) for band in measure.bands]
    chart = charts.line_with_bands(
        f"score-{measure.slug}",
        measure.patient_title,
        f"From {points[0][1]} to {points[-1][1]}, out of {measure.maximum}. Lower means fewer of these problems.",
        points,
        measure.maximum,
        bands,
    )
    return ScoreOverTime(measure, last.total, measure.band_of(last.total).label, chart if len(points) >= TWO else None)


def _label(week_number: int) -> str:
    return "Start" if week_number == 0 else f"Week {week_number}"


