"""Development only: be anybody of the demo with one press."""

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug import Response

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import everyone, find_account_by_email, open_memberships
from icbt_support.accounts.sign_ins import CannotSignIn
from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.signing_in import sign_in_as

blueprint = Blueprint("development_sign_in", __name__)


@dataclass(frozen=True)
class Card:
    """One person of the demo and what there is to see as them."""

    email: str
    name: str
    initials: str
    role: str
    story: str
    button: str


STORIES = {
    "patient@example.org": (
        "Patient",
        "Sam is in week 3. Priya has just written, and tonight there is one small thing to do.",
    ),
    "supporter@example.org": (
        "Supporter",
        "Priya writes reviews on Thursdays: one to read first, one late, a few due, a half-written draft.",
    ),
    "clinician@example.org": (
        "Clinician",
        "Dr Weiss is on duty and sees who needs a look, each with the reason and one action.",
    ),
    "admin@example.org": (
        "Administrator",
        "The administrator sees what runs by itself and what is due, and never what a patient wrote.",
    ),
    "vendor@example.org": (
        "Vendor representative",
        "The vendor answers what the service reports, and sees nothing about any patient.",
    ),
}
_ORDER = {role: place for place, role in enumerate(Role)}


@blueprint.get("/dev/sign-in")
@allow_anyone
def show() -> str:
    _refuse_in_production()
    people = everyone(limit=200)
    cards = [_card(account) for email in STORIES for account in people if account.email == email]
    others = [
        (account.full_name, ", ".join(_roles(account)), account.email)
        for account in people
        if account.email not in STORIES and account.password_hash is not None and account.disabled_at is None
    ]
    return render_template("development/sign_in.html", cards=cards, others=others)


@blueprint.post("/dev/sign-in")
@allow_anyone
def sign_in() -> Response:
    _refuse_in_production()
    account = find_account_by_email(request.form.get("person", ""))
    if account is None:
        abort(404)
    try:
        sign_in_as(account.id)
    except CannotSignIn:
        abort(404)
    return redirect(url_for("public_home.show"))


def _refuse_in_production() -> None:
    if current_app.config["SETTINGS"].is_production:
        abort(404)


def _card(account: Account) -> Card:
    role, story = STORIES[account.email]
    return Card(
        account.email, account.full_name, account.initials, role, story, f"Sign in as {account.called}"
    )


def _roles(account: Account) -> list[str]:
    return [
        role.value for role in sorted({m.role for m in open_memberships(account)}, key=_ORDER.__getitem__)
    ]
