"""An invitation: a person chooses a password and is in, or signs in with the one they have; one that ran out
offers a new one.
"""

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug import Response

from icbt_support import clock
from icbt_support.accounts.links import LinkAlreadyUsed, find_link, is_open
from icbt_support.accounts.models import AccountLink, LinkPurpose
from icbt_support.accounts.operations import accept_invitation, renew_invitation
from icbt_support.accounts.passwords import hash_password
from icbt_support.accounts.rules import RECOVERY_LIMIT
from icbt_support.accounts.sign_ins import CannotSignIn
from icbt_support.accounts.throttles import TooManyTries, count_attempt, throttle_key
from icbt_support.db import commit_with_retry
from icbt_support.pages.guards import allow_anyone, request_time
from icbt_support.pages.passwords import NewPasswordForm
from icbt_support.pages.signing_in import anonymous_actor, sign_in_as

blueprint = Blueprint("public_invitation", __name__)


@blueprint.get("/invitation/<token>")
@allow_anyone
def show(token: str) -> str | tuple[str, int]:
    link = _link(token)
    if link is None or not is_open(link, request_time()):
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
    if link is None or not is_open(link, request_time()):
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
    except (LinkAlreadyUsed, CannotSignIn):
        return _closed(token, _link(token))
    return redirect(url_for("public_home.show"))


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
    return link.used_at is None and not _has_password(link)


def _closed(token: str, link: AccountLink | None) -> tuple[str, int]:
    can_renew = link is not None and _may_be_renewed(link)
    return render_template("public/invitation_closed.html", token=token, can_renew=can_renew), 410
