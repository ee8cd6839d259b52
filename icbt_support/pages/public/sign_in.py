"""Signing in with a password, and signing out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from icbt_support.accounts.rules import LONGEST_PASSWORD
from icbt_support.accounts.sign_ins import CannotSignIn, WrongCredentials
from icbt_support.accounts.sign_ins import sign_out as end_sign_in
from icbt_support.accounts.throttles import TooManyTries
from icbt_support.db import commit_with_retry
from icbt_support.pages.fields import strip_text
from icbt_support.pages.guards import allow_anyone, current_actor, request_time
from icbt_support.pages.signing_in import forget_session, local_path, recognise_here, sign_in_as

blueprint = Blueprint("public_sign_in", __name__)
CLEAR_SITE_DATA = '"cache", "storage"'
NOT_RIGHT = "The email address or the password is not right. Check both and try again"


class SignInForm(FlaskForm):
    email = StringField(
        "Email address",
        [InputRequired("Enter your email address"), Length(max=254, message=NOT_RIGHT)],
        [strip_text],
    )
    password = PasswordField(
        "Password", [InputRequired("Enter your password"), Length(max=LONGEST_PASSWORD, message=NOT_RIGHT)]
    )
    next = HiddenField()


@blueprint.get("/sign-in")
@allow_anyone
def show() -> str | Response:
    target = local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target or url_for("public_home.show"))
    return render_template("public/sign_in.html", form=SignInForm(next=target or ""))


@blueprint.post("/sign-in")
@allow_anyone
def sign_in() -> Response | str | tuple[str, int]:
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("public/sign_in.html", form=form)
    try:
        recognised = recognise_here(form.email.data, form.password.data)
        sign_in_as(recognised.account_id, new_hash=recognised.new_hash)
    except (WrongCredentials, CannotSignIn):
        form.email.errors = [NOT_RIGHT]
        return render_template("public/sign_in.html", form=form)
    except TooManyTries as refusal:
        form.email.errors = [wait_words(refusal.minutes)]
        return render_template("public/sign_in.html", form=form), 429
    return redirect(local_path(form.next.data) or url_for("public_home.show"))


def wait_words(minutes: int) -> str:
    return f"There were too many tries. Wait {minutes} minutes and try again, or choose a new password"


@blueprint.post("/sign-out")
@allow_anyone
def sign_out() -> Response:
    if current_user.is_authenticated:
        by, now = current_actor(), request_time()
        commit_with_retry(lambda: end_sign_in(current_user.sign_in, by=by, now=now))
    forget_session()
    flash("You are signed out.", "success")
    response = redirect(url_for("public_sign_in.show"))
    response.headers["Clear-Site-Data"] = CLEAR_SITE_DATA
    return response
