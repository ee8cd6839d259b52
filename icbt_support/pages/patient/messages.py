"""Messages: the thread with the supporter, newest at the bottom, and truly when it is read."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import BooleanField

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message, post_not_safe
from icbt_support.messages.queries import reading_days_words, thread, unread_for_patient
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LONGEST_TEXT, LongText, OncePosted
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.threads import paragraphs, thread_messages
from icbt_support.risk.models import AlertSource
from icbt_support.risk.queries import alerts_of
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_messages", __name__)
NOTHING_WRITTEN = "Write your message"


class MessageForm(OncePosted):
    words = LongText("Your message")
    is_question = BooleanField("This is a question for my next review")


@blueprint.get("/messages")
@allow(Role.PATIENT)
def show() -> str:
    return _page(my_enrolment(), MessageForm())


@blueprint.post("/messages")
@allow(Role.PATIENT)
@commits
def send() -> Response | tuple[str, int]:
    enrolment, form = my_enrolment(), MessageForm()
    if "not_safe" in request.form:
        return _tell_not_safe(enrolment, form)
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    if not form.words.data:
        form.words.errors = [NOTHING_WRITTEN]
        return _page(enrolment, form), 400
    if not enrolment.is_open:
        return _page(enrolment, form, unsent=form.words.data), 409
    post_message(
        enrolment,
        form.words.data,
        kind=MessageKind.QUESTION if form.is_question.data else MessageKind.MESSAGE,
        posted_key=form.posted_key.data,
        by=patient_actor(enrolment),
        now=request_time(),
    )
    mark_thread_read(enrolment, by=patient_actor(enrolment), now=request_time())
    if holds_read_first_phrase(form.words.data, phrases_of(enrolment.service)):
        return redirect(url_for("patient_safety.show"))
    flash(f"Your message is sent. {reading_days_words(enrolment, now=request_time())}.", "success")
    return redirect(url_for("patient_messages.show"))


@blueprint.post("/messages/read")
@allow(Role.PATIENT)
@commits
def mark_read() -> Response:
    enrolment = my_enrolment()
    mark_thread_read(enrolment, by=patient_actor(enrolment), now=request_time())
    return redirect(url_for("patient_messages.show"))


def _tell_not_safe(enrolment: Enrolment, form: MessageForm) -> Response:
    """Never refused: not for a text that is too long, nor after the course has ended."""
    alert = post_not_safe(
        enrolment,
        (form.words.data or "")[:LONGEST_TEXT],
        posted_key=form.posted_key.data,
        by=patient_actor(enrolment),
        now=request_time(),
    )
    return redirect(url_for("patient_safety.after_alert", alert_id=alert.id))


def _page(enrolment: Enrolment, form: MessageForm, *, unsent: str = "") -> str:
    patient = enrolment.patient
    return render_template(
        "patient/messages.html",
        form=form,
        enrolment=enrolment,
        messages=thread_messages(
            thread(enrolment),
            reader_id=patient.id,
            patient_id=patient.id,
            zone=patient.zone,
            told_clinicians=_messages_with_alert(enrolment),
        ),
        unread=unread_for_patient(enrolment),
        reading_days=reading_days_words(enrolment, now=request_time()),
        is_open=enrolment.is_open,
        unsent=paragraphs(unsent),
    )


def _messages_with_alert(enrolment: Enrolment) -> frozenset[int]:
    """Sent with *I need someone to know I am not safe*: "not read yet" alone would not be the truth."""
    stated = [alert for alert in alerts_of(enrolment) if alert.source is AlertSource.STATED]
    keys = (alert.source_key.partition(":") for alert in stated)
    return frozenset(int(number) for what, _, number in keys if what == "message")
