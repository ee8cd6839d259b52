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
        "Priya has a morning of six reviews: one to read first, one late, four due, one half written.",
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
ALSO = {
    "tom.ellis@example.org": "has two people to ring: one never seen, one quiet for a fortnight",
    "dana.whitcombe@example.org": "is away until 27 November, and Priya writes for her",
    "theo.marchetti@example.org": "has been quiet for fifteen days, and can come back where he was",
    "joe.daniels@example.org": "has been quiet for nine days",
    "bruno.keller@example.org": "is in week 4 of a course that now goes every two weeks",
    "elsie.brandt@example.org": "is Dana's, and has a letter from Priya meanwhile",
    "wren.castell@example.org": "is Dana's, whose next review waits until she is back",
    "hope.lindley@example.org": "was Lewis's until he left, and is Priya's now",
    "amira.khan@example.org": "wrote the message that is to be read first",
    "ruth.okafor@example.org": "is owed the review that is late",
    "kofi.mensah@example.org": "has a reminder tonight at 6.30pm",
    "dev.patel@example.org": "has scores that rise, and may not be benefiting yet",
}
"""A few others, and what there is to see as them."""
_ORDER = {role: place for place, role in enumerate(Role)}


@blueprint.get("/dev/sign-in")
@allow_anyone
def show() -> str:
    _refuse_in_production()
    people = everyone(limit=200)
    cards = [_card(account) for email in STORIES for account in people if account.email == email]
    others = [
        (account.full_name, ", ".join(_roles(account)), account.email, ALSO.get(account.email, ""))
        for account in people
        if account.email not in STORIES and account.password_hash is not None and account.disabled_at is None
    ]
    others.sort(key=lambda other: not other[-1])
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
