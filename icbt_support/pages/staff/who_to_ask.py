"""Whom to ask: the people whom the service has named, and the way to everything around the course."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.implementation.queries import leads_of
from icbt_support.implementation.rules import LEAD_TASKS, LEAD_WORDS, LeadKind
from icbt_support.pages.guards import allow
from icbt_support.pages.staff.scope import may_see_board, my_service

blueprint = Blueprint("staff_who_to_ask", __name__)


@blueprint.get("/who-to-ask")
@allow(Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
def show() -> str:
    service = my_service()
    leads = leads_of(service.id)
    return render_template(
        "staff/who_to_ask.html",
        service=service,
        people=[(LEAD_WORDS[kind], LEAD_TASKS[kind], leads.get(kind)) for kind in LeadKind],
        may_see_board=may_see_board(service),
    )
