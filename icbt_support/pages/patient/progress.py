"""How it is going: scores in words and as a line, what was done, goals, and the letters."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.enrolments.queries import current_goals
from icbt_support.journal.queries import entries_of, pages_read
from icbt_support.pages.guards import allow, my_enrolment
from icbt_support.pages.patient.score_curves import score_curves
from icbt_support.plan.queries import items_with_state, weeks_of
from icbt_support.reviews.queries import sent_reviews

blueprint = Blueprint("patient_progress", __name__)


@blueprint.get("/progress")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    weeks = weeks_of(enrolment)
    return render_template(
        "patient/progress.html",
        weeks=len(weeks),
        scores=score_curves(enrolment),
        done=sum(now.is_done for week in weeks for now in items_with_state(week)),
        pages=len(pages_read(enrolment)),
        entries=len(entries_of(enrolment)),
        goals=current_goals(enrolment),
        reviews=sent_reviews(enrolment),
    )
