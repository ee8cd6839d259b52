"""The contact sheet, for supporters: how to reach somebody, open alerts, and *log a call*."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.contact_sheets import CallForm, call_form, contact_page, keep_call
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)

blueprint = Blueprint("supporter_contact", __name__)


@blueprint.get("/supporting/patients/<id:enrolment_id>/contact")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    enrolment = caseload_enrolment(enrolment_id)
    return _page(enrolment, call_form(enrolment))


@blueprint.post("/supporting/patients/<id:enrolment_id>/contact")
@allow(Role.SUPPORTER)
@commits
def log(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment = caseload_enrolment(enrolment_id)
    form = call_form(enrolment)
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    keep_call(enrolment, form, by=supporter_actor(enrolment), now=request_time())
    flash("The call is logged.", "success")
    return redirect(url_for("supporter_contact.show", enrolment_id=enrolment.id))  # type: ignore[return-value]


def _page(enrolment: Enrolment, form: CallForm) -> str:
    return render_template(
        "supporter/contact.html",
        contact=contact_page(enrolment, zone=current_account().zone, now=request_time()),
        form=form,
        service=enrolment.service,
    )
