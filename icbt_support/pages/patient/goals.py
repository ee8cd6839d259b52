"""What the patient wants, in their own words: one to three goals that may change."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import NoGoals, set_goals
from icbt_support.enrolments.queries import current_goals, replaced_goals
from icbt_support.messages.queries import reading_days_words
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.reviews.queries import reader_called
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_goals", __name__)
LONGEST_GOAL = 300


class GoalsForm(FlaskForm):
    first = Line("What would you like to be different?", maximum=LONGEST_GOAL)
    second = Line("Something else (optional)", maximum=LONGEST_GOAL)
    third = Line("One more (optional)", maximum=LONGEST_GOAL)

    @property
    def wishes(self) -> list[str]:
        return [self.first.data, self.second.data, self.third.data]


@blueprint.get("/goals")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    words = [goal.words for goal in current_goals(enrolment)]
    return _page(enrolment, GoalsForm(data=dict(zip(("first", "second", "third"), words, strict=False))))


@blueprint.post("/goals")
@allow(Role.PATIENT)
@commits
def save() -> Response | tuple[str, int]:
    enrolment, form = my_enrolment(), GoalsForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    try:
        set_goals(enrolment, form.wishes, by=patient_actor(enrolment), now=request_time())
    except NoGoals:
        form.first.errors = ["Write one thing that you want"]
        return _page(enrolment, form), 400
    if holds_read_first_phrase(" ".join(form.wishes), phrases_of(enrolment.service)):
        return redirect(url_for("patient_safety.show"))
    flash("Your goals are saved. You can change them whenever you like.", "success")
    return redirect(url_for("patient_progress.show"))


def _page(enrolment: Enrolment, form: GoalsForm) -> str:
    return render_template(
        "patient/goals.html",
        form=form,
        reader=reader_called(enrolment),
        earlier=replaced_goals(enrolment),
        is_open=enrolment.is_open,
        reading_days=reading_days_words(enrolment, now=request_time()),
    )
