"""The contact sheet, for clinicians: one step from any alert, with *log a call*."""

from flask import Blueprint
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.contact_sheets import log_posted_call, show_contact
from icbt_support.pages.guards import allow, clinical_enrolment, clinician_actor

TEMPLATE = "clinician/contact.html"
blueprint = Blueprint("clinician_contact", __name__)


@blueprint.get("/clinical/patients/<id:enrolment_id>/contact")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    return show_contact(clinical_enrolment(enrolment_id), TEMPLATE)


@blueprint.post("/clinical/patients/<id:enrolment_id>/contact")
@allow(Role.CLINICIAN)
@commits
def log(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment = clinical_enrolment(enrolment_id)
    return log_posted_call(enrolment, TEMPLATE, by=clinician_actor(enrolment))
