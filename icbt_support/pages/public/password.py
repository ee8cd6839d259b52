"""A forgotten password: the same answer for every address, and a link that works once."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from icbt_support import audit, clock
from icbt_support.accounts.links import LinkAlreadyUsed, find_open_link
from icbt_support.accounts.models import AccountLink, LinkPurpose
from icbt_support.accounts.operations import owe_password_reset, reset_password
from icbt_support.accounts.passwords import hash_password
from icbt_support.accounts.queries import find_account_by_email
from icbt_support.accounts.rules import ADDRESS_LIMIT, RECOVERY_LIMIT, NotAnAddress, tidy_email
from icbt_support.accounts.sign_ins import CannotSignIn
from icbt_support.accounts.throttles import TooManyTries, count_attempt, throttle_key
from icbt_support.db import commit_with_retry
from icbt_support.pages.fields import strip_text
from icbt_support.pages.guards import allow_anyone, request_time
from icbt_support.pages.passwords import NewPasswordForm
from icbt_support.pages.signing_in import anonymous_actor, sign_in_as

blueprint = Blueprint("public_password", __name__)


class ForgottenPasswordForm(FlaskForm):
    email = StringField(
        "Email address",
        [
            InputRequired("Enter your email address"),
            Length(max=254, message="Enter an address that is shorter"),
        ],
        [strip_text],
    )

    def validate_email(self, field: StringField) -> None:
        try:
            tidy_email(field.data or "")
        except NotAnAddress as error:
            raise ValidationError("Enter an email address like name@example.com") from error


@blueprint.get("/forgotten-password")
@allow_anyone
def ask() -> str:
    return render_template("public/forgotten_password.html", form=ForgottenPasswordForm())


@blueprint.post("/forgotten-password")
@allow_anyone
def send() -> Response | str | tuple[str, int]:
    form = ForgottenPasswordForm()
    if not form.validate_on_submit():
        return render_template("public/forgotten_password.html", form=form)
    real_now = clock.real_now()
    try:
        count_attempt(
            throttle_key("recovery-from", request.remote_addr or ""), ADDRESS_LIMIT, real_now=real_now
        )
    except TooManyTries as refusal:
        form.email.errors = [f"There were too many tries. Wait {refusal.minutes} minutes and try again"]
        return render_template("public/forgotten_password.html", form=form), 429
    try:
        count_attempt(
            throttle_key("recovery", tidy_email(form.email.data)), RECOVERY_LIMIT, real_now=real_now
        )
        commit_with_retry(lambda: _owe_link(form.email.data))
    except TooManyTries:
        audit.record_apart("throttled_recovery", by=anonymous_actor(), now=request_time())
    return redirect(url_for("public_password.sent"))


def _owe_link(email: str) -> None:
    """Writes as much for an unknown address as for a known one, so that the time gives nothing away."""
    by, now = anonymous_actor(), request_time()
    account = find_account_by_email(email)
    link = owe_password_reset(account, by=by, now=now) if account is not None else None
    if link is None:
        audit.record("asked_for_unknown_address", by=by, now=now)


@blueprint.get("/forgotten-password/sent")
@allow_anyone
def sent() -> str:
    return render_template("public/forgotten_password_sent.html")


@blueprint.get("/new-password/<token>")
@allow_anyone
def show(token: str) -> str | tuple[str, int]:
    link = _open_link(token)
    if link is None:
        return render_template("public/link_closed.html"), 410
    return render_template(
        "public/new_password.html", form=NewPasswordForm(email=link.account.email), link=link
    )


@blueprint.post("/new-password/<token>")
@allow_anyone
def choose(token: str) -> Response | str | tuple[str, int]:
    link = _open_link(token)
    if link is None:
        return render_template("public/link_closed.html"), 410
    form = NewPasswordForm(email=link.account.email)
    if not form.validate_on_submit():
        return render_template("public/new_password.html", form=form, link=link)
    hashed = hash_password(form.password.data)
    try:
        account_id = commit_with_retry(
            lambda: reset_password(_still_open(token), hashed, by=anonymous_actor(), now=request_time()).id
        )
        sign_in_as(account_id)
    except (LinkAlreadyUsed, CannotSignIn):
        return render_template("public/link_closed.html"), 410
    flash("Your new password works from now on. You are signed out everywhere else.", "success")
    return redirect(url_for("public_home.show"))


def _open_link(token: str) -> AccountLink | None:
    key = current_app.config["SETTINGS"].link_key
    return find_open_link(token, LinkPurpose.PASSWORD_RESET, link_key=key, now=request_time())


def _still_open(token: str) -> AccountLink:
    link = _open_link(token)
    if link is None:
        raise LinkAlreadyUsed
    return link
