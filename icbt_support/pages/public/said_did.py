"""You said, we did: what came of reports, told to everybody of the service, without a name."""

from flask import Blueprint, abort, render_template

from icbt_support.accounts.queries import open_memberships
from icbt_support.cadence import local_day
from icbt_support.feedback.queries import published_reports, waits_of
from icbt_support.pages.guards import allow_signed_in, current_account
from icbt_support.pages.kit import long_day_year

blueprint = Blueprint("public_said_did", __name__)


@blueprint.get("/you-said-we-did")
@allow_signed_in
def show() -> str:
    account = current_account()
    memberships = open_memberships(account)
    if not memberships:
        abort(404)
    service = memberships[0].service
    rows = [
        (report.said_words, report.did_words, long_day_year(local_day(report.published_at, account.zone)))
        for report in published_reports(service.id)
        if report.published_at is not None
    ]
    return render_template("public/said_did.html", service=service, rows=rows, waits=waits_of(service))
