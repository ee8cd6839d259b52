"""About the supporter: who they are, on which days they write, and what they can and cannot see."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import supporter_profile
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.queries import coming_absences
from icbt_support.messages.queries import reading_days_words
from icbt_support.pages.guards import allow, my_enrolment, request_time

blueprint = Blueprint("patient_supporter", __name__)


@blueprint.get("/supporter")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    today = local_today(enrolment, request_time())
    return render_template(
        "patient/supporter.html",
        supporter=enrolment.supporter,
        profile=supporter_profile(enrolment.supporter_id),
        reading_days=reading_days_words(enrolment),
        absences=coming_absences(enrolment.supporter_id, today) if enrolment.is_open else [],
        service=enrolment.service,
        is_open=enrolment.is_open,
        is_weekly=enrolment.cadence_days == 7,
    )
