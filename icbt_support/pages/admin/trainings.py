"""The list of trainings of the service: what, who needs it, and for how long it holds."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug import Response
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from icbt_support.accounts.models import Role
from icbt_support.implementation.operations import add_training, end_training
from icbt_support.implementation.queries import training_of, trainings_of
from icbt_support.implementation.rules import NeededBy
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, OncePosted, strip_text
from icbt_support.pages.guards import allow, current_actor, current_service, request_time

blueprint = Blueprint("admin_trainings", __name__)
MOST_MONTHS = 120


class TrainingForm(OncePosted):
    title = Line("Name of the training", missing="Write the name of the training", maximum=120)
    needed_by = RadioField(
        "Who needs it",
        choices=[SelectChoice(one.value, one.value.capitalize()) for one in NeededBy],
        validators=[InputRequired("Select who needs it")],
    )
    valid_months = StringField(
        "For how many months it holds", filters=[strip_text], description="Empty: it does not expire."
    )

    def validate_valid_months(self, field: StringField) -> None:
        text = field.data or ""
        if text and not (
            text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_MONTHS
        ):
            raise ValidationError(f"Enter a whole number from 1 to {MOST_MONTHS}, or leave it empty")


@blueprint.get("/admin/trainings")
@allow(Role.ADMINISTRATOR)
def index() -> str:
    return _page(TrainingForm(formdata=None))


@blueprint.post("/admin/trainings")
@allow(Role.ADMINISTRATOR)
@commits
def add() -> Response | tuple[str, int]:
    service, form = current_service(Role.ADMINISTRATOR), TrainingForm()
    if not form.validate_on_submit():
        return _page(form), 422
    add_training(
        service.id,
        form.title.data,
        needed_by=NeededBy(form.needed_by.data),
        valid_months=int(form.valid_months.data) if form.valid_months.data else None,
        posted_key=form.posted_key.data,
        by=current_actor(Role.ADMINISTRATOR, service.id),
        now=request_time(),
    )
    flash("Added. Everybody who needs it sees it under Training.", "success")
    return redirect(url_for("admin_trainings.index"))


@blueprint.post("/admin/trainings/<id:training_id>/end")
@allow(Role.ADMINISTRATOR)
@commits
def end(training_id: int) -> Response:
    service = current_service(Role.ADMINISTRATOR)
    training = training_of(service.id, training_id)
    if training is None:
        abort(404)
    end_training(training, by=current_actor(Role.ADMINISTRATOR, service.id), now=request_time())
    flash("Taken off the list. Who has done it is kept.", "success")
    return redirect(url_for("admin_trainings.index"))


def _page(form: TrainingForm) -> str:
    service = current_service(Role.ADMINISTRATOR)
    return render_template("admin/trainings.html", form=form, trainings=trainings_of(service.id))
