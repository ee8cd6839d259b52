"""Development only: mails as they would have gone out."""

from flask import Blueprint, abort, current_app, render_template

from icbt_support.cadence import to_local
from icbt_support.delivery.mailbox import KeptMail, mail_in_mailbox, mails_in_mailbox
from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.kit import short_day_and_time

blueprint = Blueprint("development_mailbox", __name__)
ZONE = "Europe/London"


@blueprint.get("/dev/mailbox")
@allow_anyone
def index() -> str:
    _refuse_in_production()
    mails = [(mail, _when(mail)) for mail in mails_in_mailbox()]
    return render_template("development/mailbox.html", mails=mails)


@blueprint.get("/dev/mailbox/<id:mail_id>")
@allow_anyone
def show(mail_id: int) -> str:
    _refuse_in_production()
    mail = mail_in_mailbox(mail_id)
    if mail is None:
        abort(404)
    return render_template("development/mailbox_mail.html", mail=mail, when=_when(mail))


def _refuse_in_production() -> None:
    if current_app.config["SETTINGS"].is_production:
        abort(404)


def _when(mail: KeptMail) -> str:
    return short_day_and_time(to_local(mail.arrived_at, ZONE))
