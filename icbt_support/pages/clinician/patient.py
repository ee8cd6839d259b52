"""One person as a clinician sees them: weeks, reviews, scores, alerts and calls under one roof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template
from markupsafe import Markup

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.engagement.overview import alert_words
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import changes_of, current_goals
from icbt_support.measures.queries import Score, scores_of
from icbt_support.pages import charts
from icbt_support.pages.guards import allow, clinical_enrolment, request_time
from icbt_support.pages.kit import short_day_and_time
from icbt_support.plan.queries import weeks_of
from icbt_support.programme.content import Measure
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.queries import reviews_of
from icbt_support.rhythm.strips import strip_of_week
from icbt_support.risk.queries import alerts_of, calls_of

blueprint = Blueprint("clinician_patient", __name__)
WEEKS_DRAWN = 3
CHANGE_WORDS = {"state": "Course", "supporter": "Supporter", "cadence": "Pace", "clinician": "Clinician"}


@dataclass(frozen=True)
class Happening:
    """One line of the timeline; `at` is local."""

    at: datetime
    title: str
    words: str | Markup
    icon: str
    by: str = ""

    @property
    def when(self) -> str:
        return short_day_and_time(self.at)


@blueprint.get("/clinical/patients/<id:enrolment_id>")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    enrolment, now = clinical_enrolment(enrolment_id), request_time()
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    weeks = weeks_of(enrolment)[-WEEKS_DRAWN:]
    scores = scores_of([enrolment.id]).get(enrolment.id, {})
    return render_template(
        "clinician/patient.html",
        enrolment=enrolment,
        patient=enrolment.patient,
        programme=programme,
        strips=[(week, strip_of_week(enrolment, week, now=now)) for week in reversed(weeks)],
        scores=scores,
        charts_of_scores=[_chart(programme.measures[slug], scores[slug]) for slug in programme.check_in if scores.get(slug)],
        goals=current_goals(enrolment),
        open_alerts=[alert for alert in alerts_of(enrolment) if alert.resolved_at is None],
        alert_words=alert_words,
        happenings=_timeline(enrolment),
    )


def _chart(measure: Measure, scores: Sequence[Score]) -> charts.Chart:
    points = [("Start" if score.week_number == 0 else f"Week {score.week_number}", score.total) for score in scores]
    return charts.line_with_bands(
        f"score-{measure.slug}",
        measure.title,
        f"From {points[0][1]} to {points[-1][1]}, out of {measure.maximum}.",
        points,
        measure.maximum,
        [(band.from_total, band.to_total, band.label) for band in measure.bands],
    )


def _timeline(enrolment: Enrolment) -> list[Happening]:
    """What happened, newest first."""
    zone = enrolment.service.zone
    happenings = [
        *_reviews(enrolment, zone),
        *(
            Happening(to_local(alert.raised_at, zone), "Alert", alert_words(alert), "shield")
            for alert in alerts_of(enrolment)
        ),
        *(
            Happening(to_local(call.called_at, zone), "Call", call.outcome.value.replace("_", " "), "phone")
            for call in calls_of(enrolment)
        ),
        *(
            Happening(
                to_local(change.changed_at, zone),
                CHANGE_WORDS.get(change.what, change.what.capitalize()),
                f"{change.from_value} → {change.to_value}" if change.from_value else change.to_value,
                "flag",
            )
            for change in changes_of(enrolment)
        ),
    ]
    return sorted(happenings, key=lambda one: one.at, reverse=True)


def _reviews(enrolment: Enrolment, zone: str) -> list[Happening]:
    found = []
    for review in reviews_of(enrolment):
        if review.sent_at is not None:
            late = " (late)" if review.sent_at > review.first_promised_at else ""
            title = "Welcome sent" if review.letter is None else f"Review {review.number} sent{late}"
            step = review.letter.step_what if review.letter else ""
            found.append(
                Happening(to_local(review.sent_at, zone), title, f"Agreed: {step}" if step else "", "mail", review.owner.full_name)
            )
        if review.told_late_at is not None:
            found.append(Happening(to_local(review.told_late_at, zone), f"Review {review.number} late", "The patient was told", "clock"))
        if review.state is ReviewState.MISSED and review.closed_at is not None:
            found.append(Happening(to_local(review.closed_at, zone), f"Review {review.number} closed", "", "cross"))
    return found
