"""The implementation board: by month, against the service's own targets, every figure defined."""

from dataclasses import fields

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import StringField
from wtforms.validators import ValidationError

from icbt_support.accounts.models import Role
from icbt_support.implementation.board import LINES, Board, Measured, PeriodFigures, board_of
from icbt_support.implementation.operations import set_targets
from icbt_support.implementation.queries import targets_of
from icbt_support.implementation.rules import Targets
from icbt_support.pages import charts
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import strip_text
from icbt_support.pages.guards import allow, request_time
from icbt_support.pages.reads import note_read
from icbt_support.pages.staff.scope import may_lead, may_see_board, my_service, staff_actor

blueprint = Blueprint("staff_board", __name__)
View = Response | str | tuple[str, int]
MOST_PEOPLE, MOST_PERCENT = 10_000, 100
REACHED = {True: "reached", False: "not reached", None: ""}
SO_FAR = {True: "reached", False: "so far", None: ""}


class TargetField(StringField):
    """A whole number that may be left out; `number` is None then."""

    def __init__(self, label: str, most: int, **kwargs: object) -> None:
        super().__init__(label, filters=[strip_text], **kwargs)
        self.most = most

    @property
    def number(self) -> int | None:
        return int(self.data) if self.data else None

    def pre_validate(self, form: FlaskForm) -> None:
        text = self.data or ""
        if text and not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= self.most):
            raise ValidationError(f"Enter a whole number from 0 to {self.most:,}, or leave it empty")


class TargetsForm(FlaskForm):
    invited = TargetField("People invited in a month, at least", MOST_PEOPLE)
    started = TargetField("Of those invited, started: percent, at least", MOST_PERCENT)
    first_module = TargetField("Of those started, first module read: percent, at least", MOST_PERCENT)
    supporters_active = TargetField("Supporters active: percent, at least", MOST_PERCENT)
    reviews_on_time = TargetField("Reviews on time: percent, at least", MOST_PERCENT)
    trained = TargetField("Training in date: percent, at least", MOST_PERCENT)
    open_reports = TargetField("Open feedback at the month's end, at most", MOST_PEOPLE)


@blueprint.get("/implementation")
@allow(Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
def show() -> str:
    service, now = my_service(), request_time()
    if not may_see_board(service):
        abort(404)
    board, by = board_of(service, now=now), staff_actor(service)
    note_read("read_implementation_board", by=by, now=now)
    return render_template(
        "staff/board.html",
        service=service,
        heads=["Figure", "Target", *(_month(month) for month in board.months)],
        rows=[_row(board, line) for line in LINES],
        lines=LINES,
        chart=_invited_chart(board),
        may_lead=may_lead(service),
    )


@blueprint.get("/implementation/targets")
@allow(Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
def show_targets() -> str:
    service = my_service()
    if not may_lead(service):
        abort(404)
    stored = targets_of(service.id).to_json()
    values = {name: "" if value is None else str(value) for name, value in stored.items()}
    return render_template("staff/targets.html", form=TargetsForm(formdata=None, **values))


@blueprint.post("/implementation/targets")
@allow(Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
@commits
def save_targets() -> View:
    service, form = my_service(), TargetsForm()
    if not may_lead(service):
        abort(404)
    if not form.validate_on_submit():
        return render_template("staff/targets.html", form=form), 422
    targets = Targets(**{field.name: form[field.name].number for field in fields(Targets)})
    set_targets(service.id, targets, by=staff_actor(service), now=request_time())
    flash("Saved. The board compares each month with these.", "success")
    return redirect(url_for("staff_board.show"))


def _month(month: PeriodFigures) -> str:
    return f"{month.period.first_on:%b %Y}"


def _row(board: Board, line: Measured) -> list[object]:
    """The line's name and target, and for each month its words and those for print, with the target reached or not."""
    cells = []
    for month, outside in zip(board.months, board.words_outside(line), strict=True):
        words = SO_FAR if month is board.months[-1] else REACHED
        cells.append((month.by_name[line.name].words, outside, words[board.meets(line, month)]))
    return [line.label, _target_words(line, getattr(board.targets, line.name)), cells]


def _target_words(line: Measured, target: int | None) -> str:
    if target is None:
        return "none set"
    if line.is_share:
        return f"{target}% or more"
    return f"{target} or fewer" if line.is_most else f"{target} or more"


def _invited_chart(board: Board) -> charts.Chart:
    started = [month.by_name["started"] for month in board.months]
    return charts.stacked_columns(
        "invited-by-month",
        "People invited, month by month",
        "For each month, of the people invited in it, how many have started by now and how many have not.",
        [f"{month.period.first_on:%b}" for month in board.months],
        [
            charts.Series("Started", "tools", [one.count for one in started]),
            charts.Series("Not started", "none", [(one.of or 0) - one.count for one in started]),
        ],
        category_name="Month",
    )
