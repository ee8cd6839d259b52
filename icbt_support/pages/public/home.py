"""`/`: the way to everybody's own home."""

from flask import Blueprint, redirect, url_for
from flask_login import current_user
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.guards import allow_anyone

blueprint = Blueprint("public_home", __name__)
HOME_PATHS = {
    Role.PATIENT: "/week",
    Role.SUPPORTER: "/supporting/today",
    Role.CLINICIAN: "/clinical/caseload",
    Role.ADMINISTRATOR: "/admin/jobs",
    Role.VENDOR: "/vendor/reports",
}


def home_path(roles: set[Role]) -> str:
    """Where a person with these roles begins; the account page for somebody who holds none any more."""
    return next((path for role, path in HOME_PATHS.items() if role in roles), "/account")


@blueprint.get("/")
@allow_anyone
def show() -> Response:
    if not current_user.is_authenticated:
        return redirect(url_for("public_sign_in.show"))
    return redirect(home_path({membership.role for membership in current_user.memberships}))
