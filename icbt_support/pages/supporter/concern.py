"""Raise a concern: a member of staff is worried, and a clinician is told."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug import Response
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.risk.models import Grade, RiskAlert
from icbt_support.risk.operations import raise_concern
from icbt_support.risk.queries import duty_view
from icbt_support.risk.rules import who_reads

blueprint = Blueprint("supporter_concern", __name__)
GRADES = {Grade.URGENT: "Now", Grade.SAME_DAY: "Today"}
MISSING_GRADE = "Select how soon a clinician needs to look"


class ConcernForm(OncePosted):
    words = LongText(
        "What worries you?", "Write what worries you", description="Say what you saw or read, in plain words."
    )
    grade = RadioField(
        "How soon does a clinician need to look?",
        choices=[SelectChoice(grade.value, words) for grade, words in GRADES.items()],
        validators=[
            InputRequired(MISSING_GRADE),
            AnyOf([grade.value for grade in GRADES], message=MISSING_GRADE),
        ],
        validate_choice=False,
    )


@blueprint.get("/supporting/patients/<id:enrolment_id>/concern")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    return _page(caseload_enrolment(enrolment_id), ConcernForm())


@blueprint.post("/supporting/patients/<id:enrolment_id>/concern")
@allow(Role.SUPPORTER)
@commits
def send(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment, form = caseload_enrolment(enrolment_id), ConcernForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    alert = raise_concern(
        enrolment,
        form.words.data,
        Grade(form.grade.data),
        posted_key=form.posted_key.data,
        by=supporter_actor(enrolment),
        now=request_time(),
    )
    flash(f"Your concern is saved. {_told(alert)}", "success")
    return redirect(url_for("supporter_contact.show", enrolment_id=enrolment.id))


def _told(alert: RiskAlert) -> str:
    names = sorted({notice.account.full_name for notice in alert.notices})
    duty = duty_view(alert.enrolment.service, request_time(), current_account().zone)
    if duty.is_duty_time:
        return f"Told now: {', '.join(names)}."
    return f"It stands in the alerts now. {who_reads(duty)}"


def _page(enrolment: Enrolment, form: ConcernForm) -> str:
    duty = duty_view(enrolment.service, request_time(), current_account().zone)
    return render_template(
        "supporter/concern.html",
        enrolment=enrolment,
        form=form,
        reader=who_reads(duty),
        is_duty_time=duty.is_duty_time,
        phone=enrolment.service.duty_phone,
    )
