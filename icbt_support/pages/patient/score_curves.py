"""A patient's scores: the last in words, all of them as a line."""

from dataclasses import dataclass

from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.queries import finished
from icbt_support.pages import charts
from icbt_support.programme.content import Measure
from icbt_support.programme.library import find_programme

FEWEST_POINTS = 2


@dataclass(frozen=True)
class ScoreCurve:
    """`chart` is None until there are two scores to draw a line between."""

    measure: Measure
    total: int
    band: str
    chart: charts.Chart | None


def score_curves(enrolment: Enrolment) -> list[ScoreCurve]:
    """One curve for each questionnaire of the check-in that was answered in full."""
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    curves = [_curve(enrolment, programme.measures[slug]) for slug in programme.check_in]
    return [curve for curve in curves if curve is not None]


def _curve(enrolment: Enrolment, measure: Measure) -> ScoreCurve | None:
    points = [
        (_label(row.week_number), row.total)
        for row in finished(enrolment, measure.slug)
        if row.total is not None
    ]
    if not points:
        return None
    last = points[-1][1]
    return ScoreCurve(
        measure=measure,
        total=last,
        band=measure.band_of(last).label,
        chart=_chart(measure, points) if len(points) >= FEWEST_POINTS else None,
    )


def _chart(measure: Measure, points: list[tuple[str, int]]) -> charts.Chart:
    return charts.line_with_bands(
        f"score-{measure.slug}",
        measure.patient_title,
        f"From {points[0][1]} to {points[-1][1]}, out of {measure.maximum}. Lower means fewer problems.",
        points,
        measure.maximum,
        [(band.from_total, band.to_total, band.label) for band in measure.bands],
    )


def _label(week_number: int) -> str:
    return "Start" if week_number == 0 else f"Week {week_number}"
