"""Signing in again in place: a sign-in ran out while somebody wrote, and the page with the words stays open."""

from flask import Blueprint, Response, jsonify
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from wtforms import HiddenField

from icbt_support.accounts.sign_ins import CannotSignIn, WrongCredentials
from icbt_support.accounts.throttles import TooManyTries
from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.keeping import mark_of
from icbt_support.pages.public.sign_in import NOT_RIGHT, SignInForm, wait_words
from icbt_support.pages.signing_in import recognise_here, sign_in_as

blueprint = Blueprint("public_sign_in_again", __name__)
OTHER_PERSON = "These words were begun by somebody else. Only that person can go on here"


class SignInAgainForm(SignInForm):
    """`who` is the mark of the account whose words the page holds."""

    who = HiddenField()


@blueprint.get("/sign-in/again")
@allow_anyone
def show() -> Response:
    """Who is signed in now, as a mark, and a token for the next post."""
    who = mark_of(current_user.account.id) if current_user.is_authenticated else ""
    return jsonify(token=generate_csrf(), who=who)


@blueprint.post("/sign-in/again")
@allow_anyone
def sign_in() -> Response | tuple[Response, int]:
    """Signs in the person whose words are on the page, and nobody else."""
    form = SignInAgainForm()
    if not form.validate_on_submit():
        return jsonify(error=NOT_RIGHT), 401
    try:
        recognised = recognise_here(form.email.data, form.password.data)
        if mark_of(recognised.account_id) != form.who.data:
            return jsonify(error=OTHER_PERSON), 403
        sign_in_as(recognised.account_id, new_hash=recognised.new_hash)
    except (WrongCredentials, CannotSignIn):
        return jsonify(error=NOT_RIGHT), 401
    except TooManyTries as refusal:
        return jsonify(error=wait_words(refusal.minutes)), 429
    return jsonify(token=generate_csrf(), who=form.who.data)
