"""The contact sheet, for clinicians: one step from any alert, with *log a call*."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.contact_sheets import CallForm, call_form, contact_page, keep_call
from icbt_support.pages.guards import (
    allow,
    clinical_enrolment,
    clinician_actor,
    current_account,
    request_time,
)

blueprint = Blueprint("clinician_contact", __name__)


@blueprint.get("/clinical/patients/<id:enrolment_id>/contact")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    enrolment = clinical_enrolment(enrolment_id)
    return _page(enrolment, call_form(enrolment))


@blueprint.post("/clinical/patients/<id:enrolment_id>/contact")
@allow(Role.CLINICIAN)
@commits
def log(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment = clinical_enrolment(enrolment_id)
    form = call_form(enrolment)
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    keep_call(enrolment, form, by=clinician_actor(enrolment), now=request_time())
    flash("The call is logged.", "success")
    return redirect(url_for("clinician_contact.show", enrolment_id=enrolment.id))  # type: ignore[return-value]


def _page(enrolment: Enrolment, form: CallForm) -> str:
    return render_template(
        "clinician/contact.html",
        contact=contact_page(enrolment, zone=current_account().zone, now=request_time()),
        form=form,
    )
