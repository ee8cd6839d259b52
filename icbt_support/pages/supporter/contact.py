"""The contact sheet, for supporters: how to reach somebody, open alerts, and *log a call*."""

from flask import Blueprint
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.contact_sheets import log_posted_call, show_contact
from icbt_support.pages.guards import allow, caseload_enrolment, supporter_actor

TEMPLATE = "supporter/contact.html"
blueprint = Blueprint("supporter_contact", __name__)


@blueprint.get("/supporting/patients/<id:enrolment_id>/contact")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    return show_contact(caseload_enrolment(enrolment_id), TEMPLATE)


@blueprint.post("/supporting/patients/<id:enrolment_id>/contact")
@allow(Role.SUPPORTER)
@commits
def log(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment = caseload_enrolment(enrolment_id)
    return log_posted_call(enrolment, TEMPLATE, by=supporter_actor(enrolment))
