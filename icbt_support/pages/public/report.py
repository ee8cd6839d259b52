"""Telling us that something does not work, or could be better."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Membership
from icbt_support.feedback.operations import report_problem
from icbt_support.feedback.rules import ReportKind
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import allow_signed_in, current_account, current_actor, request_time
from icbt_support.pages.navigation import HOME_ORDER
from icbt_support.pages.signing_in import local_path
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of
from icbt_support.settings import PRODUCT_VERSION

blueprint = Blueprint("public_report", __name__)


class ReportForm(OncePosted):
    kind = RadioField(
        "What is it?",
        choices=[
            SelectChoice(ReportKind.PROBLEM.value, "Something does not work"),
            SelectChoice(ReportKind.IDEA.value, "Something could be better"),
        ],
        default=ReportKind.PROBLEM.value,
        validators=[InputRequired("Select what it is")],
    )
    words = LongText(
        "What happened, or what could be better?",
        missing="Write what happened, or what could be better",
        description="Say what you did and what you expected. Please leave out names and your health.",
    )
    page = HiddenField()


@blueprint.get("/report-a-problem")
@allow_signed_in
def show() -> str:
    return render_template("public/report.html", form=ReportForm(page=_path_of(request.referrer)))


@blueprint.post("/report-a-problem")
@allow_signed_in
@commits
def send() -> Response | str:
    form = ReportForm()
    if not form.validate_on_submit():
        return render_template("public/report.html", form=form)
    membership = _reports_as()
    report_problem(
        form.words.data,
        page=_path_of(local_path(form.page.data)),
        product_version=PRODUCT_VERSION,
        service_id=membership.service_id if membership else None,
        kind=ReportKind(form.kind.data),
        reported_as=membership.role if membership else None,
        posted_key=form.posted_key.data,
        by=current_actor(),
        now=request_time(),
    )
    flash("Thank you. We have kept what you wrote, and the page it is about.", "success")
    if membership and holds_read_first_phrase(form.words.data, phrases_of(membership.service)):
        flash("Nobody reads this straight away. If it is about staying safe, use Get help now.")
    return redirect(url_for("public_your_reports.index"))


def _path_of(address: str | None) -> str:
    """The page alone: what stands behind it in an address may say more than where somebody was."""
    try:
        return local_path(urlsplit(address or "").path) or ""
    except ValueError:
        return ""


def _reports_as() -> Membership | None:
    """Somebody who is also a patient reports as a patient: their name goes to nobody.

    Whoever holds no role any more still reports to the service in which they did.
    """
    memberships = current_user.memberships or current_account().memberships
    held = sorted(memberships, key=lambda one: (HOME_ORDER.index(one.role), one.id))
    return next(iter(held), None)
