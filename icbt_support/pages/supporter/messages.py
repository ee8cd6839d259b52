"""The thread with one patient, and a reply."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message
from icbt_support.messages.queries import thread, unread_for_staff
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.threads import thread_messages
from icbt_support.risk.queries import read_first_marks

blueprint = Blueprint("supporter_messages", __name__)


class ReplyForm(OncePosted):
    words = LongText("Your message", "Write your message")


@blueprint.get("/supporting/patients/<id:enrolment_id>/messages")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> str:
    return _page(caseload_enrolment(enrolment_id), ReplyForm())


@blueprint.post("/supporting/patients/<id:enrolment_id>/messages")
@allow(Role.SUPPORTER)
@commits
def send(enrolment_id: int) -> Response | tuple[str, int]:
    """Sends the reply; what it answers is read."""
    enrolment, form = caseload_enrolment(enrolment_id), ReplyForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    by, now = supporter_actor(enrolment), request_time()
    post_message(
        enrolment, form.words.data, kind=MessageKind.MESSAGE, posted_key=form.posted_key.data, by=by, now=now
    )
    mark_thread_read(enrolment, by=by, now=now)
    flash("Your message is sent, and your patient is told.", "success")
    return _to_thread(enrolment)


@blueprint.post("/supporting/patients/<id:enrolment_id>/messages/read")
@allow(Role.SUPPORTER)
@commits
def mark_read(enrolment_id: int) -> Response:
    enrolment = caseload_enrolment(enrolment_id)
    mark_thread_read(enrolment, by=supporter_actor(enrolment), now=request_time())
    return _to_thread(enrolment)


def _to_thread(enrolment: Enrolment) -> Response:
    return redirect(url_for("supporter_messages.show", enrolment_id=enrolment.id))


def _page(enrolment: Enrolment, form: ReplyForm) -> str:
    account = current_account()
    return render_template(
        "supporter/messages.html",
        enrolment=enrolment,
        form=form,
        messages=thread_messages(
            thread(enrolment), reader_id=account.id, patient_id=enrolment.patient_id, zone=account.zone
        ),
        unread=len(unread_for_staff([enrolment.id]).get(enrolment.id, [])),
        has_read_first=bool(read_first_marks([enrolment.id])),
    )
