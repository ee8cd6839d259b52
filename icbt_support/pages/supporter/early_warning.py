"""Somebody who may not be benefiting yet: the supporter decides what to adapt, or to leave things as they are."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

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
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.reviews.queries import review_owed

blueprint = Blueprint("supporter_early_warning", __name__)


@blueprint.get("/supporting/patients/<id:enrolment_id>/early-warning")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    return _page(caseload_enrolment(enrolment_id), WarningForm(formdata=None))


@blueprint.post("/supporting/patients/<id:enrolment_id>/early-warning")
@allow(Role.SUPPORTER)
@commits
def decide(enrolment_id: int) -> Any:
    enrolment, form = caseload_enrolment(enrolment_id), WarningForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    try:
        words = keep_decision(enrolment, form, by=supporter_actor(enrolment), now=request_time())
    except NothingToDecide:
        return _page(enrolment, form), 409
    flash(words, "success")
    return redirect(_back(enrolment))


def _page(enrolment: Enrolment, form: WarningForm) -> str:
    return render_template(
        "supporter/early_warning.html",
        enrolment=enrolment,
        form=form,
        warning=warning_panel(enrolment, "", now=request_time()),
        action=url_for(".decide", enrolment_id=enrolment.id, back=request.args.get("back")),
        hints=CHOICE_HINTS,
        earlier=decision_lines(enrolment, current_account().zone),
        back=_back(enrolment),
    )


def _back(enrolment: Enrolment) -> str:
    """Where the person came from: the review that is owed, the caseload, or the record."""
    came_from = request.args.get("back")
    owed = review_owed(enrolment) if came_from == "review" else None
    if owed is not None:
        return url_for("supporter_review.show", review_id=owed.id)
    if came_from == "caseload":
        return url_for("supporter_caseload.show")
    return url_for("supporter_patient.show", enrolment_id=enrolment.id)
