"""The result of a check-in: in words, and as a line in front of its bands."""

from dataclasses import dataclass

from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.operations import programme_of
from icbt_support.measures.queries import scores_of
from icbt_support.measures.rules import MeasureRule, change_words
from icbt_support.pages import charts
from icbt_support.pages.charts import Chart
from icbt_support.programme.content import Band, Measure


@dataclass(frozen=True)
class Result:
    """One measure in words and as a line with bands."""

    measure: Measure
    total: int
    band: Band
    change: str
    chart: Chart


def results_of(enrolment: Enrolment) -> list[Result]:
    """The newest total of each measure of the check-in, in the order asked."""
    scores = scores_of([enrolment.id]).get(enrolment.id, {})
    programme = programme_of(enrolment)
    found = []
    for slug in programme.check_in:
        measure, points = programme.measures[slug], scores.get(slug, [])
        if not points:
            continue
        newest = points[-1]
        rule = MeasureRule(measure.caseness, measure.reliable_change)
        labels = [
            ("Start" if point.week_number == 0 else f"Week {point.week_number}", point.total)
            for point in points
        ]
        found.append(
            Result(
                measure=measure,
                total=newest.total,
                band=measure.band_of(newest.total),
                change=change_words(measure.patient_title, points[0].total, newest.total, rule)
                if len(points) > 1
                else "",
                chart=charts.line_with_bands(
                    f"chart-{slug}",
                    f"{measure.patient_title} since the start",
                    f"Totals out of {measure.maximum}. Lower is better.",
                    labels,
                    measure.maximum,
                    [(band.from_total, band.to_total, band.label) for band in measure.bands],
                ),
            )
        )
    return found
