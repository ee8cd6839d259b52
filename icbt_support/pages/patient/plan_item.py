"""One thing in the plan: what it is, why, and done, not this time, or another day."""

from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import SelectField
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, as_choices, day_choices, parse_time, time_choices
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.patient.plan_rows import PlanItems
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from icbt_support.plan.queries import items_with_state, open_week_of, scoped_item
from icbt_support.plan.rules import ItemIsSettled, OutsideTheWeek
from icbt_support.rhythm import acts, moving
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_plan_item", __name__)
ANY_TIME = "any"
FIRST_HOUR, LAST_HOUR = 6, 23


class MoveForm(FlaskForm):
    """The open week's days and the times of a day; choices are set for each item."""

    on = SelectField("Day", validators=[InputRequired("Select a day")])
    at = SelectField("Time", validators=[InputRequired("Select a time, or any time")])


class SettleForm(FlaskForm):
    words = LongText(
        "How did it go?",
        description="A few words, if you like. "
        "Your supporter sees them with your plan before the next review.",
    )


@blueprint.get("/week/plan")
@allow(Role.PATIENT)
def index() -> str:
    enrolment = my_enrolment()
    week = open_week_of(enrolment)
    items = items_with_state(week) if week else []
    open_items = [now.item for now in items if now.state is ItemState.PLANNED]
    return render_template("patient/plan_items.html", items=open_items, ItemKind=ItemKind)


@blueprint.get("/week/plan/<id:item_id>")
@allow(Role.PATIENT)
def show(item_id: int) -> str:
    enrolment, item = my_enrolment(), _my_item(item_id)
    return _render(enrolment, item, _move_form(enrolment, item), _kept_words(item))


@blueprint.post("/week/plan/<id:item_id>/move")
@allow(Role.PATIENT)
@commits
def move(item_id: int) -> str | Response | tuple[str, int]:
    enrolment, item = my_enrolment(), _my_item(item_id)
    form = _move_form(enrolment, item)
    if not form.validate_on_submit():
        return _render(enrolment, item, form, _kept_words(item)), 400
    on, at = date.fromisoformat(form.on.data), None if form.at.data == ANY_TIME else parse_time(form.at.data)
    try:
        moving.move_item(item, on, at, by=patient_actor(enrolment), now=request_time())
    except OutsideTheWeek as refusal:
        days = f"{long_day(refusal.earliest_on)} to {long_day(refusal.latest_on)}"
        form.on.errors = [f"Select a day in this week: {days}"]
        return _render(enrolment, item, form, _kept_words(item)), 400
    except ItemIsSettled:
        flash("That is settled already, so it stays where it was.", "information")
        return redirect(url_for("patient_week.show"))
    flash(f"Moved to {long_day(on)}{f', {clock_time(at)}' if at else ''}. Its reminder moved too.", "success")
    return redirect(url_for("patient_week.show"))


@blueprint.post("/week/plan/<id:item_id>/done")
@allow(Role.PATIENT)
@commits
def mark_done(item_id: int) -> str | Response | tuple[str, int]:
    return _settle(item_id, ItemState.DONE, "Done. Your supporter sees that in the next review.")


@blueprint.post("/week/plan/<id:item_id>/not-this-time")
@allow(Role.PATIENT)
@commits
def skip(item_id: int) -> str | Response | tuple[str, int]:
    return _settle(item_id, ItemState.SKIPPED, "Left out this time. That is fine, and useful to know.")


@blueprint.post("/week/ready")
@allow(Role.PATIENT)
@commits
def tell_ready() -> Response:
    enrolment = my_enrolment()
    try:
        acts.tell_ready(enrolment, by=patient_actor(enrolment), now=request_time())
    except acts.NoOpenWeek:
        flash("No week is open now, so there is nothing to be ready for yet.", "information")
        return redirect(url_for("patient_week.show"))
    flash(f"{enrolment.supporter.called} will see that you are ready for more.", "success")
    return redirect(url_for("patient_week.show"))


def _my_item(item_id: int) -> PlanItem:
    item = scoped_item(my_enrolment(), item_id)
    if item is None or item.kind is ItemKind.CHECK_IN:
        abort(404)
    return item


def _settle(item_id: int, state: ItemState, words: str) -> str | Response | tuple[str, int]:
    enrolment, item = my_enrolment(), _my_item(item_id)
    form = SettleForm()
    if not form.validate_on_submit():
        return _render(enrolment, item, _move_form(enrolment, item), form), 400
    try:
        acts.settle_item(item, state, form.words.data, by=patient_actor(enrolment), now=request_time())
    except ItemIsSettled:
        flash("That week is closed. What you did is kept.", "information")
        return redirect(url_for("patient_week.show"))
    if holds_read_first_phrase(form.words.data, phrases_of(enrolment.service)):
        return redirect(url_for("patient_safety.show"))
    flash(words, "success")
    return redirect(url_for("patient_week.show"))


def _move_form(enrolment: Enrolment, item: PlanItem) -> MoveForm:
    form = MoveForm(
        on=item.planned_on.isoformat(),
        at=item.planned_time.strftime("%H:%M") if item.planned_time else ANY_TIME,
    )
    first_on, last_on = moving.days_for(item, enrolment, now=request_time())
    days = [first_on + timedelta(days=n) for n in range((last_on - first_on).days + 1)]
    form.on.choices = as_choices(day_choices(days))
    times = time_choices(FIRST_HOUR, LAST_HOUR)
    planned = item.planned_time
    if planned is not None and planned.strftime("%H:%M") not in dict(times):
        times = sorted([*times, (planned.strftime("%H:%M"), clock_time(planned))])
    form.at.choices = as_choices(((ANY_TIME, "Any time"), *times))
    return form


def _kept_words(item: PlanItem) -> SettleForm:
    return SettleForm(formdata=None, words=item.patient_words)


def _render(enrolment: Enrolment, item: PlanItem, move_form: MoveForm, settle_form: SettleForm) -> str:
    plan = PlanItems(enrolment, local_today(enrolment, request_time()))
    return render_template(
        "patient/plan_item.html",
        item=item,
        start=plan.start(item),
        agreed_with=plan.agreed_with(item),
        move_form=move_form,
        settle_form=settle_form,
        form=settle_form if settle_form.errors else move_form,
        is_open=item.state is ItemState.PLANNED and item.week.is_open,
        ItemKind=ItemKind,
        ItemState=ItemState,
    )
