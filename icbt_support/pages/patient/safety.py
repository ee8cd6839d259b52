"""The calm page: thank you, numbers to call, who reads what was said and truly when."""

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.messages.operations import post_not_safe
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LONGEST_TEXT
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.patient.tool_forms import PRIVATE
from icbt_support.reviews.queries import reader_called
from icbt_support.risk.models import AlertSource, RiskAlert
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
    return _after(enrolment, alert)


@blueprint.post("/safety")
@allow(Role.PATIENT)
@commits
def tell() -> Response | str:
    """*I need someone to know I am not safe*, beside any box that the service can see: never refused. What was
    typed goes along; if it was for this person only, it is given back instead.
    """
    enrolment, typed = my_enrolment(), _typed()
    is_private = request.form.get("sharing") == PRIVATE
    alert = post_not_safe(
        enrolment,
        "" if is_private else "\n".join(typed)[:LONGEST_TEXT],
        posted_key=request.form.get("posted_key") or request.form.get("csrf_token", ""),
        by=patient_actor(enrolment),
        now=request_time(),
    )
    if is_private and typed:
        return _after(enrolment, alert, typed_texts=typed)
    return redirect(url_for("patient_safety.after_alert", alert_id=alert.id))


def _typed() -> list[str]:
    said = [words.strip() for name, words in request.form.items(multi=True) if name not in NOT_TYPED]
    return [words for words in said if any(map(str.isalpha, words))]


def _after(enrolment: Enrolment, alert: RiskAlert, typed_texts: Sequence[str] = ()) -> str:
    is_message = alert.source is AlertSource.STATED and alert.source_key.startswith("message:")
    is_from_message = is_message and request.args.get("after") != CHECK_IN
    href = url_for("patient_messages.show" if is_from_message else "patient_check_in.show")
    duty = duty_view(enrolment.service, request_time(), enrolment.patient.zone)
    words = "Continue to your messages" if is_from_message else "Continue your check-in"
    return _page(enrolment, "Please talk to someone now", who_reads(duty), href, words, typed_texts)


def _page(
    enrolment: Enrolment,
    title: str,
    reader: str | None,
    href: str,
    button: str,
    typed_texts: Sequence[str] = (),
) -> str:
    duty = duty_view(enrolment.service, request_time(), enrolment.patient.zone)
    return render_template(
        "patient/safety.html",
        title=title,
        reader=reader,
        when=when_read(enrolment.service, duty),
        supporter=reader_called(enrolment),
        href=href,
        button_words=button,
        typed_texts=typed_texts,
    )
