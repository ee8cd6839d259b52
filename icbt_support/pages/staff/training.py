"""Training: what I need and have done; for the lead and administrators, what the team has, and confirming it."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.implementation.operations import (
    NotYetPossible,
    OwnTraining,
    confirm_completion,
    record_completion,
)
from icbt_support.implementation.queries import (
    TrainingBook,
    TrainingOfPerson,
    completion_of,
    training_of,
    unconfirmed_of,
)
from icbt_support.implementation.rules import TrainingState
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, request_time
from icbt_support.pages.kit import DatePartsField, long_day_year
from icbt_support.pages.staff.scope import may_lead, my_service, staff_actor
from icbt_support.service.models import Service

blueprint = Blueprint("staff_training", __name__)
View = Response | str | tuple[str, int]
STAFF = (Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
COLOURS = {
    TrainingState.NOT_DONE: "white",
    TrainingState.TO_CONFIRM: "blue",
    TrainingState.IN_DATE: "green",
    TrainingState.DUE_SOON: "yellow",
    TrainingState.EXPIRED: "orange",
}


class DoneForm(FlaskForm):
    completed_on = DatePartsField(
        "Day on which you completed it", validators=[InputRequired("Enter the day on which you completed it")]
    )


@blueprint.get("/training")
@allow(*STAFF)
def index() -> str:
    service, account = my_service(), current_account()
    rows = TrainingBook(service).on(local_day(request_time(), service.zone))
    is_lead = may_lead(service)
    waiting = unconfirmed_of(service.id) if is_lead else []
    return render_template(
        "staff/training.html",
        mine=[_row(row) for row in rows if row.account.id == account.id],
        team=[_row(row) for row in rows] if is_lead else [],
        waiting=[(one, long_day_year(one.completed_on), one.account_id == account.id) for one in waiting],
        is_lead=is_lead,
    )


@blueprint.get("/training/<id:training_id>/done")
@allow(*STAFF)
def show_done(training_id: int) -> str:
    training = training_of(my_service().id, training_id)
    if training is None:
        abort(404)
    return render_template("staff/training_done.html", training=training, form=DoneForm(formdata=None))


@blueprint.post("/training/<id:training_id>/done")
@allow(*STAFF)
@commits
def done(training_id: int) -> View:
    service, form = my_service(), DoneForm()
    training = training_of(service.id, training_id)
    if training is None:
        abort(404)
    completed_on, now = form.completed_on.data, request_time()
    if not form.validate_on_submit() or completed_on is None:
        return render_template("staff/training_done.html", training=training, form=form), 422
    try:
        record_completion(
            training,
            current_account(),
            completed_on,
            today=local_day(now, service.zone),
            by=staff_actor(service),
            now=now,
        )
    except NotYetPossible:
        form.completed_on.errors = ["Enter today or a day before today"]
        return render_template("staff/training_done.html", training=training, form=form), 422
    flash("Kept. Your implementation lead or an administrator confirms it.", "success")
    return redirect(url_for("staff_training.index"))


@blueprint.post("/training/completions/<id:completion_id>/confirm")
@allow(*STAFF)
@commits
def confirm(completion_id: int) -> Response:
    service: Service = my_service()
    completion = completion_of(service.id, completion_id)
    if completion is None or not may_lead(service):
        abort(404)
    try:
        confirm_completion(completion, by=staff_actor(service), now=request_time())
    except OwnTraining:
        flash("Somebody else confirms what you have done yourself.", "problem")
        return redirect(url_for("staff_training.index"))
    flash("Confirmed.", "success")
    return redirect(url_for("staff_training.index"))


def _row(row: TrainingOfPerson) -> tuple[TrainingOfPerson, tuple[str, str], str]:
    until = f"until {long_day_year(row.expires_on)}" if row.expires_on else ""
    if row.state is TrainingState.EXPIRED and row.expires_on:
        until = f"since {long_day_year(row.expires_on)}"
    return row, (row.state.value.capitalize(), COLOURS[row.state]), until
