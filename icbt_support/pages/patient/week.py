"""This week: the patient's home."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.engagement.five_answers import HomeState
from icbt_support.engagement.this_week import this_week
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.messages.queries import reading_days_words
from icbt_support.pages.guards import allow, current_account, my_enrolment, request_time
from icbt_support.pages.moved_words import moved_words
from icbt_support.pages.patient.booster import booster_panel
from icbt_support.pages.patient.plan_rows import PlanItems, next_row_of, row_of
from icbt_support.pages.patient.staying_well import staying_well

blueprint = Blueprint("patient_week", __name__)
FORTNIGHT = 14


@blueprint.get("/week")
@allow(Role.PATIENT)
def show() -> str | Response:
    enrolment = my_enrolment()
    if enrolment.state is EnrolmentState.INVITED:
        return redirect(url_for("patient_onboarding.begin"))
    week = this_week(enrolment, now=request_time())
    plan = PlanItems(enrolment, week.today)
    return render_template(
        "patient/week.html",
        week=week,
        rows=[row_of(item, week, plan, current_account().preferences) for item in week.items],
        next_row=next_row_of(week, plan),
        supporter=enrolment.supporter,
        contact_words=enrolment.service.contact_words,
        reading_days=reading_days_words(enrolment, now=request_time()),
        moved=moved_words(week.next_review),
        staying_well=staying_well(enrolment) if week.state is HomeState.ENDED else None,
        booster=booster_panel(enrolment, now=request_time()) if week.state is HomeState.ENDED else None,
        is_fortnightly=enrolment.cadence_days == FORTNIGHT,
        HomeState=HomeState,
    )
