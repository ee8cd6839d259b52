"""Telling us that something does not work, or could be better."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import HiddenField

from icbt_support.feedback.operations import report_problem
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import allow_signed_in, current_actor, request_time
from icbt_support.pages.signing_in import local_path

blueprint = Blueprint("public_report", __name__)


class ReportForm(FlaskForm):
    words = LongText(
        "What happened, or what could be better?",
        missing="Write what happened, or what could be better",
        description="Say what you did and what you expected. Please leave out names and your health.",
    )
    page = HiddenField()


@blueprint.get("/report-a-problem")
@allow_signed_in
def show() -> str:
    came_from = local_path(urlsplit(request.referrer or "").path) or ""
    return render_template("public/report.html", form=ReportForm(page=came_from))


@blueprint.post("/report-a-problem")
@allow_signed_in
@commits
def send() -> Response | str:
    form = ReportForm()
    if not form.validate_on_submit():
        return render_template("public/report.html", form=form)
    memberships = current_user.memberships
    report_problem(
        form.words.data,
        page=local_path(form.page.data) or "",
        product_version=current_app.config.get("PRODUCT_VERSION", ""),
        service_id=memberships[0].service_id if memberships else None,
        by=current_actor(),
        now=request_time(),
    )
    flash("Thank you. We have kept what you wrote, and the page it is about.", "success")
    return redirect(url_for("public_report.show"))
