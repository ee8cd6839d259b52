"""One's own account: name, zone, password, where one is signed in, and who opened one's record."""

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import PasswordField, SelectField
from wtforms.validators import InputRequired

from icbt_support import clock
from icbt_support.accounts import queries as accounts
from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import change_name, change_password, change_zone, revoke_sign_ins
from icbt_support.accounts.passwords import hash_password
from icbt_support.accounts.sign_ins import WrongCredentials, recognise
from icbt_support.accounts.throttles import TooManyTries
from icbt_support.audit.queries import readers_of_record
from icbt_support.cadence import to_local
from icbt_support.db import commit_with_retry
from icbt_support.enrolments import queries as enrolments
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, as_choices, zone_choices
from icbt_support.pages.guards import (
    allow,
    allow_signed_in,
    current_account,
    current_actor,
    held_roles,
    request_time,
)
from icbt_support.pages.kit import day_and_time
from icbt_support.pages.passwords import NewPasswordForm
from icbt_support.pages.signing_in import forget_session, known_browser, sign_in_as

blueprint = Blueprint("public_account", __name__)
CHANGED = "Your changes are saved."


class NameForm(FlaskForm):
    full_name = Line("Full name", missing="Enter your full name", maximum=120)
    called = Line(
        "What we call you",
        missing="Enter the name that you like to be called by",
        maximum=60,
        description="This is how messages to you begin.",
    )


class ZoneForm(FlaskForm):
    zone = SelectField("Time zone", choices=lambda: as_choices(zone_choices()))


class ChangePasswordForm(NewPasswordForm):
    current = PasswordField("Current password", [InputRequired("Enter your current password")])


@blueprint.get("/account")
@allow_signed_in
def show() -> str:
    account = current_account()
    sign_ins = [
        (_local(sign_in.created_at), _local(sign_in.last_seen_at), sign_in.id == current_user.sign_in.id)
        for sign_in in accounts.live_sign_ins(account, real_now=clock.real_now())
    ]
    return render_template(
        "public/account.html", account=account, sign_ins=sign_ins, is_patient=Role.PATIENT in held_roles()
    )


@blueprint.get("/account/name")
@allow_signed_in
def show_name() -> str:
    return render_template("public/account_name.html", form=NameForm(obj=current_account()))


@blueprint.post("/account/name")
@allow_signed_in
@commits
def save_name() -> Response | str:
    form = NameForm()
    if not form.validate_on_submit():
        return render_template("public/account_name.html", form=form)
    change_name(
        current_account(),
        full_name=form.full_name.data,
        called=form.called.data,
        by=current_actor(),
        now=request_time(),
    )
    flash(CHANGED, "success")
    return redirect(url_for("public_account.show"))


@blueprint.get("/account/zone")
@allow_signed_in
def show_zone() -> str:
    return render_template("public/account_zone.html", form=ZoneForm(obj=current_account()))


@blueprint.post("/account/zone")
@allow_signed_in
@commits
def save_zone() -> Response | str:
    form = ZoneForm()
    if not form.validate_on_submit():
        return render_template("public/account_zone.html", form=form)
    change_zone(current_account(), form.zone.data, by=current_actor(), now=request_time())
    flash(CHANGED, "success")
    return redirect(url_for("public_account.show"))


@blueprint.get("/account/password")
@allow_signed_in
def show_password() -> str:
    return render_template(
        "public/account_password.html", form=ChangePasswordForm(email=current_account().email)
    )


@blueprint.post("/account/password")
@allow_signed_in
def save_password() -> Response | str | tuple[str, int]:
    """Hashes before any write begins. Every sign-in ends, and this browser gets a new one."""
    account = current_account()
    form = ChangePasswordForm(email=account.email)
    if not form.validate_on_submit():
        return render_template("public/account_password.html", form=form)
    account_id, by, now = account.id, current_actor(), request_time()
    try:
        recognise(
            account.email,
            form.current.data,
            address=request.remote_addr or "",
            browser=known_browser(account.email),
            real_now=clock.real_now(),
            by=by,
            now=now,
        )
    except WrongCredentials:
        form.current.errors = ["Enter the password that you use now"]
        return render_template("public/account_password.html", form=form)
    except TooManyTries as refusal:
        form.current.errors = [f"There were too many tries. Wait {refusal.minutes} minutes and try again"]
        return render_template("public/account_password.html", form=form), 429
    hashed = hash_password(form.password.data)
    commit_with_retry(lambda: change_password(current_account(), hashed, by=by, now=now))
    sign_in_as(account_id)
    flash("Your new password works from now on. You are signed out everywhere else.", "success")
    return redirect(url_for("public_account.show"))


@blueprint.post("/account/sign-out-everywhere")
@allow_signed_in
def sign_out_everywhere() -> Response:
    by, now = current_actor(), request_time()
    commit_with_retry(lambda: revoke_sign_ins(current_account(), by=by, now=now))
    forget_session()
    flash("You are signed out everywhere.", "success")
    return redirect(url_for("public_sign_in.show"))


@blueprint.get("/account/who-looked")
@allow(Role.PATIENT)
def show_readers() -> str:
    courses = enrolments.courses_of_patient(current_account())
    if not courses:
        abort(404)
    readers = readers_of_record(courses, not_by=current_account().id)
    names = accounts.names_of({reader.account_id for reader in readers})
    rows = [
        (
            names.get(reader.account_id, "Somebody who has left"),
            reader.role.capitalize(),
            str(reader.times),
            _local(reader.last_at),
        )
        for reader in readers
    ]
    return render_template("public/account_readers.html", rows=rows)


def _local(instant: datetime) -> str:
    return day_and_time(to_local(instant, current_account().zone))
