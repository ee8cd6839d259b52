"""The calm page: thank you, numbers to call, who reads what was said and truly when."""

from flask import Blueprint, abort, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.guards import allow, my_enrolment, request_time
from icbt_support.reviews.queries import reader_called
from icbt_support.risk.models import AlertSource
from icbt_support.risk.queries import alert_of, duty_view
from icbt_support.risk.rules import when_read, who_reads

blueprint = Blueprint("patient_safety", __name__)
CHECK_IN = "check-in"


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
