"""What a person has reported, how it stands, and the answers."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.cadence import local_day, to_local
from icbt_support.feedback.models import ProblemReport, ReportAnswer
from icbt_support.feedback.operations import mark_answer_read
from icbt_support.feedback.queries import answers_for_reporter, own_report, reports_by
from icbt_support.feedback.rules import AnswerSide
from icbt_support.pages.commits import commits
from icbt_support.pages.feedback_words import KIND_WORDS, STATE_TAGS
from icbt_support.pages.guards import allow_signed_in, current_account, current_actor, request_time
from icbt_support.pages.kit import day_and_time, long_day

blueprint = Blueprint("public_your_reports", __name__)
WHO = {AnswerSide.SERVICE: "The service", AnswerSide.VENDOR: "The people who make this product"}


@dataclass(frozen=True)
class AnswerRow:
    who: str
    when: str
    words: str


@dataclass(frozen=True)
class ReportRow:
    report: ProblemReport
    heading: str
    state: tuple[str, str]
    answers: tuple[AnswerRow, ...]


@blueprint.get("/your-reports")
@allow_signed_in
def index() -> str:
    account = current_account()
    rows = [_row(report, account.zone) for report in reports_by(account.id)]
    return render_template("public/your_reports.html", rows=rows)


@blueprint.post("/your-reports/<id:report_id>/read")
@allow_signed_in
@commits
def mark_read(report_id: int) -> Response:
    report = own_report(current_account().id, report_id)
    if report is None:
        abort(404)
    mark_answer_read(report, by=current_actor(), now=request_time())
    flash("Thank you. It stays here if you want to read it again.", "success")
    return redirect(url_for("public_your_reports.index"))


def _row(report: ProblemReport, zone: str) -> ReportRow:
    on = long_day(local_day(report.reported_at, zone))
    answers = tuple(_answer(one, zone) for one in answers_for_reporter(report))
    return ReportRow(report, f"{KIND_WORDS[report.kind]} of {on}", STATE_TAGS[report.state], answers)


def _answer(answer: ReportAnswer, zone: str) -> AnswerRow:
    return AnswerRow(WHO[answer.side], day_and_time(to_local(answer.answered_at, zone)), answer.words)
