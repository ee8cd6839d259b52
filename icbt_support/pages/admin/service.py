"""The service itself: names, words for patients, help lines and the numbers of the rhythm."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import IntegerField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor
from icbt_support.cadence import local_day
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.pages.kit import DatePartsField
from icbt_support.risk.rules import phrases_of
from icbt_support.service import operations
from icbt_support.service.models import Brand, HelpLineKind, Service
from icbt_support.service.rules import (
    RHYTHM_BOUNDS,
    HelpLineChoice,
    ServiceDetails,
    help_lines_checked_on,
    rhythm_problems,
)

blueprint = Blueprint("admin_service", __name__)
SAVED = "The service is changed."
MOST_HELP_LINES = 8
MOST_PHRASES = 60
BRAND_WORDS = {
    Brand.TEAL: "Teal",
    Brand.NAVY: "Navy",
    Brand.PLUM: "Plum",
    Brand.FOREST: "Forest green",
    Brand.SLATE: "Slate",
}
KIND_WORDS = {
    HelpLineKind.EMERGENCY: "Emergency: life in danger",
    HelpLineKind.URGENT: "Urgent: help today",
    HelpLineKind.TALK: "Someone to talk to",
    HelpLineKind.RELAY: "For people who are deaf or find it hard to speak",
}


class ServiceForm(FlaskForm):
    name = Line("Name of the service", missing="Enter the name of the service", maximum=120)
    product_name = Line(
        "What patients see as the name of the course",
        missing="Enter a name for the course",
        maximum=60,
        description="Choose neutral words: this name can show on a locked phone.",
    )
    sender_name = Line(
        "Name that emails come from",
        missing="Enter the name that emails come from",
        maximum=60,
        description="Choose neutral words: this name can show on a locked phone.",
    )
    brand = SelectField(
        "Colour", choices=[SelectChoice(brand.value, words) for brand, words in BRAND_WORDS.items()]
    )
    duty_phone = Line("Phone number of the service", maximum=40)
    contact_words = LongText("When people can call, and whom they ask for")
    out_of_hours_words = LongText(
        "What people do when nobody here is reading",
        missing="Write what people do when nobody here is reading",
        description="Patients read this after: Nobody here will see this before Monday 9am. "
        "If you need someone before then:",
    )
    out_of_hours_contact = Line("Staffed contact outside duty hours, if there is one", maximum=200)

    def validate_sender_name(self, field: Line) -> None:
        if any(sign in (field.data or "") for sign in '\r\n<>@"'):
            raise ValidationError("Enter a name without < > @ and quotation marks")


class HelpLinesForm(FlaskForm):
    checked_on = DatePartsField(
        "When did you try all of these numbers?",
        description="Call or text each one before you save. For example, 2 11 2026",
    )


class PhrasesForm(FlaskForm):
    phrases = LongText(
        "Phrases, one on each line", description="Leave this empty to use the list of the product."
    )


@blueprint.get("/admin/service")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    return render_template("admin/service.html", form=ServiceForm(obj=_service()), service=_service())


@blueprint.post("/admin/service")
@allow(Role.ADMINISTRATOR)
@commits
def save() -> Response | str:
    form, service = ServiceForm(), _service()
    if not form.validate_on_submit():
        return render_template("admin/service.html", form=form, service=service)
    details = _details_of(form)
    try:
        operations.change_service(service, details, by=_actor(), now=request_time())
    except operations.NameTaken:
        form.name.errors = ["Choose another name: a service with this name is here already"]
        return render_template("admin/service.html", form=form, service=service)
    return _saved("admin_service.show")


@blueprint.get("/admin/service/help-lines")
@allow(Role.ADMINISTRATOR)
def show_help_lines() -> str:
    lines = [
        {"kind": line.kind.value, "title": line.title, "href": line.href, "words": line.words}
        for line in _service().help_lines
    ]
    return _help_lines_page(HelpLinesForm(), lines)


@blueprint.post("/admin/service/help-lines")
@allow(Role.ADMINISTRATOR)
@commits
def save_help_lines() -> Response | str:
    form, lines = HelpLinesForm(), _posted_lines()
    problems = _line_problems(lines)
    is_valid = form.validate_on_submit()
    checked_on: date | None = form.checked_on.data
    if is_valid and (checked_on is None or checked_on > local_day(request_time(), _service().zone)):
        form.checked_on.errors = ["Enter the day on which you tried the numbers, today or earlier"]
    if problems or form.checked_on.errors or checked_on is None:
        form.form_errors.extend(problems)
        return _help_lines_page(form, lines)
    choices = [
        HelpLineChoice(HelpLineKind(line["kind"]), line["title"], line["href"], line["words"])
        for line in lines
    ]
    operations.set_help_lines(_service(), choices, checked_on=checked_on, by=_actor(), now=request_time())
    return _saved("admin_service.show_help_lines")


@blueprint.get("/admin/service/rhythm")
@allow(Role.ADMINISTRATOR)
def show_rhythm() -> str:
    return _rhythm_page(_rhythm_form(_service()))


@blueprint.post("/admin/service/rhythm")
@allow(Role.ADMINISTRATOR)
@commits
def save_rhythm() -> Response | str:
    service = _service()
    form = _rhythm_form(service)
    form.process(request.form)
    entered = {name: form[name].data for name in RHYTHM_BOUNDS if form[name].data is not None}
    numbers = replace(service.rhythm, **entered)
    problems = rhythm_problems(numbers)
    for name, bounds in RHYTHM_BOUNDS.items():
        if form[name].data is None:
            problems[name] = f"Enter a number from {bounds.low} to {bounds.high}"
    for name, words in problems.items():
        form[name].errors = [words]
    if problems:
        return _rhythm_page(form)
    operations.change_rhythm(service, numbers, by=_actor(), now=request_time())
    return _saved("admin_service.show_rhythm")


@blueprint.get("/admin/service/phrases")
@allow(Role.ADMINISTRATOR)
def show_phrases() -> str:
    form = PhrasesForm(phrases="\n".join(phrases_of(_service())))
    return render_template("admin/service_phrases.html", form=form)


@blueprint.post("/admin/service/phrases")
@allow(Role.ADMINISTRATOR)
@commits
def save_phrases() -> Response | str:
    form = PhrasesForm()
    phrases = [line.strip() for line in (form.phrases.data or "").splitlines() if line.strip()]
    if form.validate_on_submit() and len(phrases) > MOST_PHRASES:
        form.phrases.errors = [f"Write {MOST_PHRASES} phrases or fewer"]
    if form.errors:
        return render_template("admin/service_phrases.html", form=form)
    operations.set_read_first_phrases(_service(), phrases, by=_actor(), now=request_time())
    return _saved("admin_service.show_phrases")


def _service() -> Service:
    return current_service(Role.ADMINISTRATOR)


def _actor() -> Actor:
    return current_actor(Role.ADMINISTRATOR, _service().id)


def _saved(endpoint: str) -> Response:
    flash(SAVED, "success")
    return redirect(url_for(endpoint))


def _details_of(form: ServiceForm) -> ServiceDetails:
    texts: dict[str, Any] = {field.name: form[field.name].data or "" for field in fields(ServiceDetails)}
    return ServiceDetails(**{**texts, "brand": Brand(form.brand.data)})


def _help_lines_page(form: HelpLinesForm, lines: list[dict[str, str]]) -> str:
    blank = {"kind": HelpLineKind.TALK.value, "title": "", "href": "", "words": ""}
    shown = (lines + [blank] * 2)[:MOST_HELP_LINES]
    return render_template(
        "admin/service_help_lines.html",
        form=form,
        lines=shown,
        kinds=[(kind.value, words) for kind, words in KIND_WORDS.items()],
        checked_on=help_lines_checked_on(_service().help_lines),
    )


def _posted_lines() -> list[dict[str, str]]:
    """The rows that were filled in; a row without a title is left out."""
    rows = []
    for number in range(1, MOST_HELP_LINES + 1):
        row = {
            part: request.form.get(f"line-{number}-{part}", "").replace("\x00", "").strip()
            for part in ("kind", "title", "href", "words")
        }
        if any(row[part] for part in ("title", "href", "words")):
            rows.append(row)
    return rows


def _line_problems(lines: list[dict[str, str]]) -> list[str]:
    problems = []
    for number, line in enumerate(lines, start=1):
        if not line["title"] or len(line["title"]) > 80:
            problems.append(f"Line {number}: enter what the link says, in 80 characters or fewer")
        if line["kind"] not in [kind.value for kind in HelpLineKind]:
            problems.append(f"Line {number}: select where it stands")
        if len(line["href"]) > 80 or not line["href"].startswith(("tel:", "sms:", "https://")):
            problems.append(f"Line {number}: enter where it leads, like tel:116123 or sms:85258")
        if len(line["words"]) > 200:
            problems.append(f"Line {number}: say what it is for in 200 characters or fewer")
    if not any(line["kind"] == HelpLineKind.EMERGENCY.value for line in lines):
        problems.append("Keep at least one line for emergencies")
    return problems


def _rhythm_page(form: BaseForm) -> str:
    return render_template("admin/service_rhythm.html", form=form, bounds=RHYTHM_BOUNDS)


def _rhythm_form(service: Service) -> BaseForm:
    """A number for each bound, named as in the settings."""
    numbers = {
        name: IntegerField(
            f"{bounds.words} {bounds.unit}".strip(), description=f"{bounds.low} to {bounds.high}"
        )
        for name, bounds in RHYTHM_BOUNDS.items()
    }
    form_class = type("RhythmForm", (FlaskForm,), numbers)
    return form_class(obj=service.rhythm)
