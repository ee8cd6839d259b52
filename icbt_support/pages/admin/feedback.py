"""The feedback register: what was reported, who sees to it, what the vendor reads, and how it ends."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import names_of, staff_with_role
from icbt_support.audit import Actor
from icbt_support.cadence import to_local
from icbt_support.feedback.models import ProblemReport
from icbt_support.feedback.operations import (
    NobodyToAsk,
    NotTriaged,
    ReportClosed,
    answer_report,
    close_report,
    triage_report,
)
from icbt_support.feedback.queries import report_of, reports_of, waits_of
from icbt_support.feedback.rules import AnswerKind, AnswerSide, ReportState
from icbt_support.pages.commits import commits
from icbt_support.pages.feedback_words import KIND_WORDS, STATE_TAGS
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import day_and_time, short_day_and_time
from icbt_support.pages.navigation import ROLE_WORDS
from icbt_support.pages.reads import note_read
from icbt_support.service.models import Service

blueprint = Blueprint("admin_feedback", __name__)
View = Response | str | tuple[str, int]
HERE, TO_VENDOR = "here", "vendor"
SIDE_WORDS = {AnswerSide.SERVICE: "The service", AnswerSide.VENDOR: "The vendor"}
AUDIENCE_WORDS = {
    AnswerKind.TO_REPORTER: "To the person who reported it",
    AnswerKind.BETWEEN_US: "Between the service and the vendor",
}


class TriageForm(FlaskForm):
    owner = SelectField("Who sees to it", validators=[InputRequired("Select who sees to it")])
    goes_to = RadioField(
        "Who answers",
        choices=[
            SelectChoice(HERE, "The service. The vendor sees nothing"),
            SelectChoice(TO_VENDOR, "The vendor, who reads only the words below"),
        ],
        validators=[InputRequired("Select who answers")],
    )
    vendor_words = LongText(
        "What the vendor reads",
        description="Nobody's name, health or situation: say what the product did and what was expected. "
        "What the person typed stays in the service.",
    )

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = super().validate(extra_validators)
        if self.goes_to.data == TO_VENDOR and not self.vendor_words.data:
            self.vendor_words.errors = ["Write what the vendor reads"]
            return False
        return is_valid


class AnswerForm(OncePosted):
    words = LongText("Your words", missing="Write your answer or your note")
    kind = RadioField("Who reads it", validators=[InputRequired("Select who reads it")])


class CloseForm(FlaskForm):
    state = RadioField(
        "How it ends",
        choices=[
            SelectChoice(ReportState.RESOLVED.value, "Resolved"),
            SelectChoice(ReportState.NOT_PLANNED.value, "Not planned"),
        ],
        validators=[InputRequired("Select how it ends")],
    )
    closing_words = LongText(
        "What the person who reported it reads",
        missing="Write what was done, or why it is not planned",
    )
    said_words = LongText(
        "You said",
        description="For everybody of the service. Nobody's name or health. Leave both empty to tell nobody else.",
    )
    did_words = LongText("We did")

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = super().validate(extra_validators)
        if bool(self.said_words.data) != bool(self.did_words.data):
            self.did_words.errors = ["Fill in both “You said” and “We did”, or neither"]
            return False
        return is_valid


@dataclass(frozen=True)
class Forms:
    triage: TriageForm
    answer: AnswerForm
    close: CloseForm

    @property
    def posted(self) -> FlaskForm | None:
        return next((form for form in (self.triage, self.answer, self.close) if form.errors), None)


@blueprint.get("/admin/feedback")
@allow(Role.ADMINISTRATOR)
def index() -> str:
    service = current_service(Role.ADMINISTRATOR)
    reports = reports_of(service.id)
    owners = names_of({report.owner_id for report in reports if report.owner_id is not None})
    rows = [
        (
            report,
            KIND_WORDS[report.kind],
            ROLE_WORDS[report.reported_as] if report.reported_as else "Unknown",
            STATE_TAGS[report.state],
            owners.get(report.owner_id or 0, "Nobody yet"),
            short_day_and_time(to_local(report.reported_at, service.zone)),
        )
        for report in reports
    ]
    return render_template("admin/feedback.html", rows=rows, waits=waits_of(service))


@blueprint.get("/admin/feedback/<id:report_id>")
@allow(Role.ADMINISTRATOR)
def show(report_id: int) -> str:
    service = current_service(Role.ADMINISTRATOR)
    report = _report(service, report_id)
    return _page(service, report, _forms(service, report))


@blueprint.post("/admin/feedback/<id:report_id>/triage")
@allow(Role.ADMINISTRATOR)
@commits
def triage(report_id: int) -> View:
    service = current_service(Role.ADMINISTRATOR)
    report = _report(service, report_id)
    form = _offer_owners(TriageForm(), service)
    forms = _forms(service, report, triage=form)
    if not form.validate_on_submit():
        return _page(service, report, forms), 422
    goes_to_vendor = form.goes_to.data == TO_VENDOR
    try:
        triage_report(
            report,
            owner=_owners(service)[int(form.owner.data)],
            vendor_words=form.vendor_words.data if goes_to_vendor else None,
            by=_actor(service),
            now=request_time(),
        )
    except NobodyToAsk:
        form.goes_to.errors = ["Nobody here is a vendor representative yet. Let the service answer"]
        return _page(service, report, forms), 409
    except ReportClosed:
        return _page(service, report, forms), 409
    flash("Saved. The vendor has been told." if goes_to_vendor else "Saved.", "success")
    return _back(report_id)


@blueprint.post("/admin/feedback/<id:report_id>/answer")
@allow(Role.ADMINISTRATOR)
@commits
def answer(report_id: int) -> View:
    service = current_service(Role.ADMINISTRATOR)
    report = _report(service, report_id)
    form = _offer_readers(AnswerForm(), report)
    forms = _forms(service, report, answer=form)
    if not form.validate_on_submit():
        return _page(service, report, forms), 422
    try:
        answer_report(
            report,
            form.words.data,
            kind=AnswerKind(form.kind.data),
            side=AnswerSide.SERVICE,
            posted_key=form.posted_key.data,
            by=_actor(service),
            now=request_time(),
        )
    except NotTriaged:
        form.words.errors = ["First choose who sees to it"]
        return _page(service, report, forms), 409
    except ReportClosed:
        return _page(service, report, forms), 409
    flash("Sent.", "success")
    return _back(report_id)


@blueprint.post("/admin/feedback/<id:report_id>/close")
@allow(Role.ADMINISTRATOR)
@commits
def close(report_id: int) -> View:
    service = current_service(Role.ADMINISTRATOR)
    report, form = _report(service, report_id), CloseForm()
    forms = _forms(service, report, close=form)
    if not form.validate_on_submit():
        return _page(service, report, forms), 422
    try:
        close_report(
            report,
            ReportState(form.state.data),
            closing_words=form.closing_words.data,
            said_words=form.said_words.data,
            did_words=form.did_words.data,
            by=_actor(service),
            now=request_time(),
        )
    except NotTriaged:
        form.closing_words.errors = ["First choose who sees to it"]
        return _page(service, report, forms), 409
    except ReportClosed:
        return _page(service, report, forms), 409
    flash("Ended. The person who reported it is told.", "success")
    return _back(report_id)


def _report(service: Service, report_id: int) -> ProblemReport:
    report = report_of(service.id, report_id)
    if report is None:
        abort(404)
    return report


def _page(service: Service, report: ProblemReport, forms: Forms) -> str:
    """What a person typed may be about their health: every look at it is audited."""
    note_read(
        "read_report",
        by=_actor(service),
        now=request_time(),
        object_kind="problem_report",
        object_id=report.id,
    )
    answers = [
        (
            SIDE_WORDS[one.side],
            AUDIENCE_WORDS[one.kind],
            day_and_time(to_local(one.answered_at, service.zone)),
            one.words,
        )
        for one in report.answers
    ]
    return render_template(
        "admin/feedback_report.html",
        report=report,
        kind=KIND_WORDS[report.kind],
        state=STATE_TAGS[report.state],
        from_whom=f"A {ROLE_WORDS[report.reported_as].lower()}" if report.reported_as else "Unknown",
        reported=day_and_time(to_local(report.reported_at, service.zone)),
        owner=names_of({report.owner_id}).get(report.owner_id, "") if report.owner_id else "",
        answers=answers,
        forms=forms,
    )


def _forms(
    service: Service,
    report: ProblemReport,
    *,
    triage: TriageForm | None = None,
    answer: AnswerForm | None = None,
    close: CloseForm | None = None,
) -> Forms:
    offered = TriageForm(
        formdata=None,
        owner=str(report.owner_id or current_account().id),
        goes_to=TO_VENDOR if report.sent_to_vendor_at else None,
        vendor_words=report.vendor_words or "",
    )
    return Forms(
        triage or _offer_owners(offered, service),
        answer or _offer_readers(AnswerForm(formdata=None), report),
        close or CloseForm(formdata=None),
    )


def _owners(service: Service) -> dict[int, Account]:
    return {account.id: account for account in staff_with_role(service.id, Role.ADMINISTRATOR)}


def _offer_owners(form: TriageForm, service: Service) -> TriageForm:
    form.owner.choices = [
        SelectChoice(str(number), account.full_name) for number, account in _owners(service).items()
    ]
    return form


def _offer_readers(form: AnswerForm, report: ProblemReport) -> AnswerForm:
    kinds = AnswerKind if report.sent_to_vendor_at else (AnswerKind.TO_REPORTER,)
    form.kind.choices = [SelectChoice(kind.value, AUDIENCE_WORDS[kind]) for kind in kinds]
    return form


def _back(report_id: int) -> Response:
    return redirect(url_for("admin_feedback.show", report_id=report_id))


def _actor(service: Service) -> Actor:
    return current_actor(Role.ADMINISTRATOR, service.id)
