"""Somebody who may not be benefiting yet: the clinician decides what to adapt, or to leave things as they are."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.early_warning.operations import NothingToDecide
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.early_warnings import (
    CHOICE_HINTS,
    WarningForm,
    decision_lines,
    keep_decision,
    warning_panel,
)
from icbt_support.pages.guards import (
    allow,
    clinical_enrolment,
    clinician_actor,
    current_account,
    request_time,
)

blueprint = Blueprint("clinician_early_warning", __name__)


@blueprint.get("/clinical/patients/<id:enrolment_id>/early-warning")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    return _page(clinical_enrolment(enrolment_id), WarningForm(formdata=None))


@blueprint.post("/clinical/patients/<id:enrolment_id>/early-warning")
@allow(Role.CLINICIAN)
@commits
def decide(enrolment_id: int) -> Any:
    enrolment, form = clinical_enrolment(enrolment_id), WarningForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    try:
        words = keep_decision(enrolment, form, by=clinician_actor(enrolment), now=request_time())
    except NothingToDecide:
        return _page(enrolment, form), 409
    flash(words, "success")
    return redirect(url_for("clinician_patient.show", enrolment_id=enrolment.id))


def _page(enrolment: Enrolment, form: WarningForm) -> str:
    return render_template(
        "clinician/early_warning.html",
        enrolment=enrolment,
        form=form,
        warning=warning_panel(enrolment, "", now=request_time()),
        action=url_for(".decide", enrolment_id=enrolment.id),
        hints=CHOICE_HINTS,
        earlier=decision_lines(enrolment, current_account().zone),
        back=url_for("clinician_patient.show", enrolment_id=enrolment.id),
    )
