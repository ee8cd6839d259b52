"""An invitation: a person chooses a password and is in, or signs in with the one they have; one that ran out
offers a new one.
"""

from datetime import timedelta

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug import Response

from icbt_support import clock
from icbt_support.accounts.links import LinkAlreadyUsed, find_link, is_open
from icbt_support.accounts.models import AccountLink, LinkPurpose, Role
from icbt_support.accounts.operations import accept_invitation, renew_invitation
from icbt_support.accounts.passwords import hash_password
from icbt_support.accounts.queries import open_memberships
from icbt_support.accounts.rules import RECOVERY_LIMIT
from icbt_support.accounts.sign_ins import CannotSignIn, WrongCredentials
from icbt_support.accounts.throttles import TooManyTries, count_attempt, throttle_key
from icbt_support.db import commit_with_retry
from icbt_support.enrolments.queries import has_open_course_anywhere
from icbt_support.pages.errors import form_is_too_old
from icbt_support.pages.guards import allow_anyone, request_time
from icbt_support.pages.passwords import NewPasswordForm
from icbt_support.pages.signing_in import anonymous_actor, recognise_here, sign_in_as

blueprint = Blueprint("public_invitation", __name__)

SECOND_PRESS_WITHIN = timedelta(minutes=1)


@blueprint.get("/invitation/<token>")
@allow_anyone
def show(token: str) -> Response | str | tuple[str, int]:
    link = _link(token)
    if link is not None and _is_in(link):
        return redirect(url_for("public_home.show"))
    if link is None or not _is_open(link):
        return _closed(token, link)
    if _has_password(link):
        return _known_person(link)
    return render_template(
        "public/invitation.html", form=NewPasswordForm(email=link.account.email), link=link
    )


@blueprint.post("/invitation/<token>")
@allow_anyone
def accept(token: str) -> Response | str | tuple[str, int]:
    link = _link(token)
    if link is not None and _was_used_just_now(link):
        return _second_press(token, link)
    if link is None or not _is_open(link):
        return _closed(token, link)
    if _has_password(link):
        return _known_person(link)
    form = NewPasswordForm(email=link.account.email)
    if not form.validate_on_submit():
        return render_template("public/invitation.html", form=form, link=link)
    hashed = hash_password(form.password.data)
    try:
        account_id = commit_with_retry(
            lambda: accept_invitation(_known(token), hashed, by=anonymous_actor(), now=request_time()).id
        )
        sign_in_as(account_id)
    except LinkAlreadyUsed:
        return _second_press(token, _link(token))
    except CannotSignIn:
        return _closed(token, _link(token))
    return redirect(url_for("public_home.show"))


@blueprint.errorhandler(CSRFError)
def form_is_old(error: CSRFError) -> Response | tuple[str, int]:
    """The second press of a double click may carry the sign-in of the first, and a form from before it."""
    link = _link((request.view_args or {}).get("token", ""))
    if link is not None and _is_in(link):
        return redirect(url_for("public_home.show"))
    return form_is_too_old(error)


@blueprint.post("/invitation/<token>/again")
@allow_anyone
def send_again(token: str) -> Response | tuple[str, int]:
    """A new invitation, only ever to the address of the old one."""
    link = _link(token)
    if link is None or not _may_be_renewed(link):
        return _closed(token, link)
    try:
        count_attempt(
            throttle_key("invitation", str(link.account_id)), RECOVERY_LIMIT, real_now=clock.real_now()
        )
    except TooManyTries:
        return redirect(url_for("public_invitation.sent"))
    commit_with_retry(lambda: renew_invitation(_known(token), by=anonymous_actor(), now=request_time()))
    return redirect(url_for("public_invitation.sent"))


@blueprint.get("/invitation/sent")
@allow_anyone
def sent() -> str:
    return render_template("public/invitation_sent.html")


def _second_press(token: str, link: AccountLink | None) -> Response | tuple[str, int]:
    """Lands where the first press did, for whoever typed the password that the first has just set.

    That is a sign-in like any other, under its limits; the invitation itself was used once.
    """
    if link is None or not _was_used_just_now(link):
        return _closed(token, link)
    if _is_in(link):
        return redirect(url_for("public_home.show"))
    try:
        recognised = recognise_here(link.account.email, request.form.get("password", ""))
        sign_in_as(recognised.account_id, new_hash=recognised.new_hash)
    except (WrongCredentials, CannotSignIn, TooManyTries):
        return _closed(token, link)
    return redirect(url_for("public_home.show"))


def _was_used_just_now(link: AccountLink) -> bool:
    return link.used_at is not None and request_time() - link.used_at <= SECOND_PRESS_WITHIN


def _is_in(link: AccountLink) -> bool:
    """Whether this browser is signed in as the person whom the link is for."""
    return current_user.is_authenticated and current_user.sign_in.account_id == link.account_id


def _is_open(link: AccountLink) -> bool:
    return is_open(link, request_time()) and not _is_course_closed(link)


def _is_course_closed(link: AccountLink) -> bool:
    """Whether the person was invited as a patient alone, and no course waits for them any more."""
    roles = {membership.role for membership in open_memberships(link.account)}
    return roles <= {Role.PATIENT} and not has_open_course_anywhere(link.account_id)


def _link(token: str) -> AccountLink | None:
    return find_link(token, LinkPurpose.INVITATION, link_key=current_app.config["SETTINGS"].link_key)


def _known(token: str) -> AccountLink:
    link = _link(token)
    if link is None:
        raise LinkAlreadyUsed
    return link


def _has_password(link: AccountLink) -> bool:
    return link.account.password_hash is not None


def _known_person(link: AccountLink) -> str:
    """Somebody who was here before signs in: an invitation never changes a password."""
    return render_template("public/invitation_known.html", link=link)


def _may_be_renewed(link: AccountLink) -> bool:
    return link.used_at is None and not _has_password(link) and not _is_course_closed(link)


def _closed(token: str, link: AccountLink | None) -> tuple[str, int]:
    page = render_template(
        "public/invitation_closed.html",
        token=token,
        can_renew=link is not None and _may_be_renewed(link),
        is_course_closed=link is not None and not _has_password(link) and _is_course_closed(link),
    )
    return page, 410
