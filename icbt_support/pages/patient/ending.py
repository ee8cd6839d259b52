"""*I have what I need*: the patient's own way out, and a good ending."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.reviews.queries import next_review
from icbt_support.rhythm.ending import finish_with_what_i_needed
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_ending", __name__)
DAYS_OF_A_WEEK = 7


class FinishForm(FlaskForm):
    words = LongText(
        "Is there anything you would like us to know? (optional)",
        description="Your supporter and clinician can read this. It is not read straight away.",
    )


@blueprint.get("/finish")
@allow(Role.PATIENT)
def show() -> Response | str:
    enrolment = my_enrolment()
    if enrolment.state is EnrolmentState.ENDED:
        return redirect(url_for("patient_week.show"))
    return _page(enrolment, FinishForm())


@blueprint.post("/finish")
@allow(Role.PATIENT)
@commits
def finish() -> Response | str:
    enrolment = my_enrolment()
    if enrolment.state is EnrolmentState.ENDED:
        return redirect(url_for("patient_week.show"))
    form = FinishForm()
    if not form.validate_on_submit():
        return _page(enrolment, form)
    finish_with_what_i_needed(enrolment, form.words.data, by=patient_actor(enrolment), now=request_time())
    if holds_read_first_phrase(form.words.data, phrases_of(enrolment.service)):
        return redirect(url_for("patient_safety.show"))
    flash("You have finished. Well done for the work you put in.", "success")
    return redirect(url_for("patient_week.show"))


def _page(enrolment: Enrolment, form: FinishForm) -> str:
    return render_template(
        "patient/finish.html",
        form=form,
        supporter=enrolment.supporter,
        can_be_away=enrolment.state is EnrolmentState.ACTIVE,
        review=next_review(enrolment),
        booster_weeks=enrolment.service.rhythm.booster_after_days // DAYS_OF_A_WEEK,
    )
