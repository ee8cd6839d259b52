"""New days for what is left of the plan: shown first, then moved in one step."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.rhythm.new_days import give_new_days, propose_new_days

blueprint = Blueprint("patient_new_days", __name__)


@blueprint.get("/week/new-days")
@allow(Role.PATIENT)
def show() -> str:
    return render_template("patient/new_days.html", days=propose_new_days(my_enrolment(), now=request_time()))


@blueprint.post("/week/new-days")
@allow(Role.PATIENT)
@commits
def give() -> Response:
    enrolment = my_enrolment()
    moved = give_new_days(enrolment, by=patient_actor(enrolment), now=request_time())
    if moved:
        flash("Your plan has new days, and its reminders moved too. Move any of them.", "success")
    else:
        flash("Nothing in your plan needs a new day.", "information")
    return redirect(url_for("patient_week.show"))
