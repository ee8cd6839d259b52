"""Naming the implementation lead, the clinical champion and the vendor contact of the service."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from icbt_support.accounts.models import STAFF_ROLES, Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.implementation.operations import name_lead
from icbt_support.implementation.queries import leads_of
from icbt_support.implementation.rules import LEAD_TASKS, LEAD_WORDS, MAY_BE_LEAD, LeadKind
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.service.models import Service

blueprint = Blueprint("admin_leads", __name__)
NOBODY = ""


def _select(kind: LeadKind) -> SelectField:
    return SelectField(LEAD_WORDS[kind], description=LEAD_TASKS[kind])


class LeadsForm(FlaskForm):
    implementation_lead = _select(LeadKind.IMPLEMENTATION_LEAD)
    clinical_champion = _select(LeadKind.CLINICAL_CHAMPION)
    vendor_contact = _select(LeadKind.VENDOR_CONTACT)


@blueprint.get("/admin/leads")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    service = current_service(Role.ADMINISTRATOR)
    named = {kind.value: str(account.id) for kind, account in leads_of(service.id).items()}
    form = _offer(LeadsForm(formdata=None, **named), _people(service))
    return render_template("admin/leads.html", form=form)


@blueprint.post("/admin/leads")
@allow(Role.ADMINISTRATOR)
@commits
def save() -> Response | tuple[str, int]:
    service = current_service(Role.ADMINISTRATOR)
    people = _people(service)
    form = _offer(LeadsForm(), people)
    if not form.validate_on_submit():
        return render_template("admin/leads.html", form=form), 422
    by, now = current_actor(Role.ADMINISTRATOR, service.id), request_time()
    for kind in LeadKind:
        chosen = form[kind.value].data
        account = people[kind][int(chosen)] if chosen else None
        name_lead(service.id, kind, account, by=by, now=now)
    flash("Saved. Staff see these names under Who to ask.", "success")
    return redirect(url_for("admin_leads.show"))


def _people(service: Service) -> dict[LeadKind, dict[int, Account]]:
    """Who may be named for each: people of the service with a role that fits, by name."""
    by_role: dict[Role, list[Account]] = {
        role: staff_with_role(service.id, role) for role in (*STAFF_ROLES, Role.VENDOR)
    }
    found = {}
    for kind in LeadKind:
        people = {account.id: account for role in MAY_BE_LEAD[kind] for account in by_role[role]}
        found[kind] = dict(sorted(people.items(), key=lambda pair: (pair[1].full_name, pair[0])))
    return found


def _offer(form: LeadsForm, people: dict[LeadKind, dict[int, Account]]) -> LeadsForm:
    for kind in LeadKind:
        names = [SelectChoice(str(number), account.full_name) for number, account in people[kind].items()]
        form[kind.value].choices = [SelectChoice(NOBODY, "Nobody yet"), *names]
    return form
