"""Who the supporter is, when they write, and what they can and cannot see."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role, SupporterProfile
from icbt_support.accounts.queries import supporter_profile
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.queries import coming_absences, review_slots_of
from icbt_support.pages.guards import allow, my_enrolment, request_time

blueprint = Blueprint("patient_supporter", __name__)
DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@blueprint.get("/supporter")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    slots = review_slots_of(enrolment.supporter_id, enrolment.service_id)
    profile: SupporterProfile | None = supporter_profile(enrolment.supporter_id)
    return render_template(
        "patient/supporter.html",
        supporter=enrolment.supporter,
        profile=profile,
        days=sorted({slot.weekday for slot in slots}),
        day_names=DAY_NAMES,
        absences=coming_absences(enrolment.supporter_id, local_today(enrolment, request_time())),
        service=enrolment.service,
    )
