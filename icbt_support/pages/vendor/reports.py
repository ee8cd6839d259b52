"""The register of the services that the vendor serves: read, and answer in the same place."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug import Response
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.feedback.models import ProblemReport
from icbt_support.feedback.operations import ReportClosed, answer_report
from icbt_support.feedback.queries import as_vendor_sees, report_with_vendor, reports_for_vendor, waits_of
from icbt_support.feedback.rules import AnswerKind, AnswerSide
from icbt_support.pages.commits import commits
from icbt_support.pages.feedback_words import KIND_WORDS, STATE_TAGS
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    current_account,
    current_actor,
    request_time,
    services_with_role,
)
from icbt_support.pages.kit import day_and_time, short_day_and_time
from icbt_support.pages.reads import note_read
from icbt_support.service.queries import find_service

blueprint = Blueprint("vendor_reports", __name__)
View = Response | str | tuple[str, int]


class AnswerForm(OncePosted):
    words = LongText("Your words", missing="Write your answer or your question")
    kind = RadioField(
        "Who reads it",
        choices=[
            SelectChoice(AnswerKind.TO_REPORTER.value, "The person who reported it, and the service"),
            SelectChoice(AnswerKind.BETWEEN_US.value, "The service only: a question or a note"),
        ],
        validators=[InputRequired("Select who reads it")],
    )


@blueprint.get("/vendor/reports")
@allow(Role.VENDOR)
def index() -> str:
    service_ids, zone = services_with_role(Role.VENDOR), current_account().zone
    services = [service for one in service_ids if (service := find_service(one)) is not None]
    names = {service.id: service.name for service in services}
    rows = [
        (one, names[one.service_id], STATE_TAGS[one.state], short_day_and_time(to_local(one.sent_at, zone)))
        for one in reports_for_vendor(service_ids)
    ]
    return render_template(
        "vendor/reports.html",
        rows=rows,
        kinds=KIND_WORDS,
        waits=[(service.name, waits_of(service)) for service in services],
    )


@blueprint.get("/vendor/reports/<id:report_id>")
@allow(Role.VENDOR)
def show(report_id: int) -> str:
    return _page(_report(report_id), AnswerForm(formdata=None))


@blueprint.post("/vendor/reports/<id:report_id>/answer")
@allow(Role.VENDOR)
@commits
def answer(report_id: int) -> View:
    report, form = _report(report_id), AnswerForm()
    if not form.validate_on_submit():
        return _page(report, form), 422
    try:
        answer_report(
            report,
            form.words.data,
            kind=AnswerKind(form.kind.data),
            side=AnswerSide.VENDOR,
            posted_key=form.posted_key.data,
            by=current_actor(Role.VENDOR, report.service_id),
            now=request_time(),
        )
    except ReportClosed:
        return _page(report, form), 409
    flash("Sent.", "success")
    return redirect(url_for("vendor_reports.show", report_id=report_id))


def _report(report_id: int) -> ProblemReport:
    report = report_with_vendor(services_with_role(Role.VENDOR), report_id)
    if report is None:
        abort(404)
    return report


def _page(report: ProblemReport, form: AnswerForm) -> str:
    """The template gets what the vendor may see, never the report itself."""
    note_read(
        "read_report",
        by=current_actor(Role.VENDOR, report.service_id),
        now=request_time(),
        object_kind="problem_report",
        object_id=report.id,
    )
    zone, seen = current_account().zone, as_vendor_sees(report)
    answers = [
        (
            "You" if one.side is AnswerSide.VENDOR else "The service",
            "To the person who reported it" if one.kind is AnswerKind.TO_REPORTER else "Between us",
            day_and_time(to_local(one.answered_at, zone)),
            one.words,
        )
        for one in seen.answers
    ]
    return render_template(
        "vendor/report.html",
        report=seen,
        kind=KIND_WORDS[seen.kind],
        state=STATE_TAGS[seen.state],
        sent=day_and_time(to_local(seen.sent_at, zone)),
        answers=answers,
        is_closed=report.is_closed,
        form=form,
    )
