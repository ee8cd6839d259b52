"""The calm page: thank you, numbers to call, who reads what was said and truly when."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.operations import post_not_safe
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LONGEST_TEXT
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.patient.tool_forms import PRIVATE
from icbt_support.reviews.queries import reader_called
from icbt_support.risk.models import AlertSource
from icbt_support.risk.queries import alert_of, duty_view
from icbt_support.risk.rules import when_read, who_reads

blueprint = Blueprint("patient_safety", __name__)
CHECK_IN = "check-in"
NOT_TYPED = ("csrf_token", "posted_key", "version", "sharing", "not_safe")


@blueprint.get("/safety")
@allow(Role.PATIENT)
def show() -> str:
    """After a text that holds one of the service's phrases.

    Help, and nothing that claims to have understood it.
    """
    return _page(
        my_enrolment(), "Thank you for writing this", None, url_for("patient_messages.show"), "Continue"
    )


@blueprint.get("/safety/<id:alert_id>")
@allow(Role.PATIENT)
def after_alert(alert_id: int) -> str:
    """After a person said that they are not safe, or not sure; it leads back to where they said so."""
    enrolment = my_enrolment()
    alert = alert_of(enrolment, alert_id)
    if alert is None:
        abort(404)
    is_message = alert.source is AlertSource.STATED and alert.source_key.startswith("message:")
    is_from_message = is_message and request.args.get("after") != CHECK_IN
    href = url_for("patient_messages.show" if is_from_message else "patient_check_in.show")
    duty = duty_view(enrolment.service, request_time(), enrolment.patient.zone)
    words = "Continue to your messages" if is_from_message else "Continue your check-in"
    return _page(enrolment, "Please talk to someone now", who_reads(duty), href, words)


@blueprint.post("/safety")
@allow(Role.PATIENT)
@commits
def tell() -> Response:
    """*I need someone to know I am not safe*, beside any box that the service can see: never refused. What was
    typed goes along, unless it was for this person only.
    """
    enrolment = my_enrolment()
    alert = post_not_safe(
        enrolment,
        _typed_for_the_service(),
        posted_key=request.form.get("posted_key") or request.form.get("csrf_token", ""),
        by=patient_actor(enrolment),
        now=request_time(),
    )
    return redirect(url_for("patient_safety.after_alert", alert_id=alert.id))  # type: ignore[return-value]


def _typed_for_the_service() -> str:
    if request.form.get("sharing") == PRIVATE:
        return ""
    said = [words.strip() for name, words in request.form.items(multi=True) if name not in NOT_TYPED]
    return "\n".join(words for words in said if any(map(str.isalpha, words)))[:LONGEST_TEXT]


def _page(enrolment: Enrolment, title: str, reader: str | None, href: str, button: str) -> str:
    duty = duty_view(enrolment.service, request_time(), enrolment.patient.zone)
    return render_template(
        "patient/safety.html",
        title=title,
        reader=reader,
        when=when_read(enrolment.service, duty),
        supporter=reader_called(enrolment),
        href=href,
        button_words=button,
    )
