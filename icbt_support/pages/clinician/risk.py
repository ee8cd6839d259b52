"""Risk alerts: what is open, whose turn it is, and what was done."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField
from wtforms.validators import AnyOf, InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.enrolments.queries import for_clinician
from icbt_support.pages.alerts import alert_view, answer_choices, call_entries
from icbt_support.pages.clinician.risk_board import (
    ROTA_HEADS,
    TIME_HEADS,
    clock_of,
    days_without_duty,
    rota_rows,
    time_rows,
)
from icbt_support.pages.commits import commits
from icbt_support.pages.contact_sheets import contact_page
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    clinical_enrolment,
    clinician_actor,
    current_account,
    current_actor,
    current_service,
    refuse_record,
    request_time,
    services_with_role,
)
from icbt_support.pages.reads import note_read
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import (
    AlreadyResolved,
    AlreadyTaken,
    acknowledge_alert,
    record_assessment,
    resolve_alert,
)
from icbt_support.risk.queries import (
    alerts_of,
    assessments_of,
    calls_of,
    duty_board,
    duty_view,
    open_alerts,
    resolved_alert_count,
    resolved_alerts,
    scoped_alert,
)

blueprint = Blueprint("clinician_risk", __name__)
RESOLVED_A_PAGE = 20


class TakeForm(FlaskForm):
    note = LongText(
        "What you will do, and when",
        "Write what you will do, and when",
        description="For example: I am calling at 10.30am. Your colleagues see this.",
    )


class ResolveForm(FlaskForm):
    spoken_to = LongText("Who was spoken to?", "Write who was spoken to, and how")
    agreed = LongText("What was agreed?", "Write what was agreed")
    others_told = LongText(
        "Who else was told?", "Write who else was told, or that nobody was", description="Or write: nobody."
    )


class AssessmentForm(OncePosted):
    answer = RadioField("Item 9 answer at which you assessed", choices=[], validate_choice=False)
    assessment = LongText("Your assessment", "Write your assessment")
    plan = LongText("The plan", "Write the plan")


@blueprint.get("/clinical/risk")
@allow(Role.CLINICIAN)
def index() -> str:
    service_ids = services_with_role(Role.CLINICIAN)
    service, now = current_service(Role.CLINICIAN), request_time()
    for service_id in service_ids:
        note_read("read_alerts", by=current_actor(Role.CLINICIAN, service_id), now=now)
    zone, today = current_account().zone, local_day(now, service.zone)
    me = current_account().id
    board, alerts = duty_board(service, now), open_alerts(service_ids, reader_id=me)
    resolved_in_all = resolved_alert_count(service_ids, reader_id=me)
    place = min(_page_number() - 1, max(0, (resolved_in_all - 1) // RESOLVED_A_PAGE)) * RESOLVED_A_PAGE
    resolved = resolved_alerts(service_ids, limit=RESOLVED_A_PAGE, offset=place, reader_id=me)
    return render_template(
        "clinician/risk.html",
        open_alerts=[(alert_view(alert, zone), clock_of(alert, zone, now)) for alert in alerts],
        resolved=[alert_view(alert, zone) for alert in resolved],
        pages=_pages(place, len(resolved), resolved_in_all),
        duty=duty_view(service, now, zone),
        service=service,
        times=time_rows(board.times, service.rhythm),
        time_heads=TIME_HEADS,
        since_on=board.since_on,
        rota=[row.cells for row in rota_rows(board, service.zone, today)],
        rota_heads=ROTA_HEADS,
        without_duty=days_without_duty(board, today),
    )


def _page_number() -> int:
    given = request.args.get("page", "")
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 7 and int(given) else 1


def _pages(place: int, shown: int, in_all: int) -> dict[str, str]:
    """What stands below the history, and the links to what is newer and older."""
    number = place // RESOLVED_A_PAGE + 1
    return {
        "words": f"Showing {place + 1} to {place + shown} of {in_all}",
        "newer": _history(number - 1) if number > 1 else "",
        "older": _history(number + 1) if place + shown < in_all else "",
    }


def _history(number: int) -> str:
    return url_for("clinician_risk.index", page=number, _anchor="resolved")


@blueprint.get("/clinical/risk/<id:alert_id>")
@allow(Role.CLINICIAN)
def show(alert_id: int) -> str:
    return _page(_alert_or_404(alert_id), TakeForm())


@blueprint.post("/clinical/risk/<id:alert_id>")
@allow(Role.CLINICIAN)
@commits
def take(alert_id: int) -> Response | tuple[str, int]:
    alert, form = _alert_or_404(alert_id), TakeForm()
    if not form.validate_on_submit():
        return _page(alert, form), 400
    try:
        acknowledge_alert(alert, form.note.data, by=clinician_actor(alert.enrolment), now=request_time())
    except AlreadyTaken:
        return _page(alert, form, problem=_taken_words(alert)), 409
    flash("You have taken this alert.", "success")
    return _to("clinician_risk.show", alert)


@blueprint.get("/clinical/risk/<id:alert_id>/resolve")
@allow(Role.CLINICIAN)
def resolving(alert_id: int) -> str:
    return _resolve_page(_alert_or_404(alert_id), ResolveForm())


@blueprint.post("/clinical/risk/<id:alert_id>/resolve")
@allow(Role.CLINICIAN)
@commits
def resolve(alert_id: int) -> Response | tuple[str, int]:
    alert, form = _alert_or_404(alert_id), ResolveForm()
    if not form.validate_on_submit():
        return _resolve_page(alert, form), 400
    try:
        resolve_alert(
            alert,
            form.spoken_to.data,
            form.agreed.data,
            form.others_told.data,
            by=clinician_actor(alert.enrolment),
            now=request_time(),
        )
    except AlreadyResolved:
        view = alert_view(alert, current_account().zone)
        return _resolve_page(alert, form, problem=f"{view.state}. Your words were not added."), 409
    flash("The alert is resolved.", "success")
    return redirect(url_for("clinician_risk.index"))


@blueprint.get("/clinical/risk/<id:alert_id>/assessment")
@allow(Role.CLINICIAN)
def assessing(alert_id: int) -> str:
    alert = _alert_or_404(alert_id)
    form = _assessment_form(alert)
    form.answer.data = str(alert.answer) if alert.answer else None
    return _assessment_page(alert, form)


@blueprint.post("/clinical/risk/<id:alert_id>/assessment")
@allow(Role.CLINICIAN)
@commits
def assess(alert_id: int) -> Response | tuple[str, int]:
    alert = _alert_or_404(alert_id)
    form = _assessment_form(alert)
    if not form.validate_on_submit():
        return _assessment_page(alert, form), 400
    record_assessment(
        alert.enrolment,
        int(form.answer.data),
        form.assessment.data,
        form.plan.data,
        posted_key=form.posted_key.data or "",
        by=clinician_actor(alert.enrolment),
        now=request_time(),
    )
    flash("Your assessment and plan are recorded. The alert stays open until you resolve it.", "success")
    return _to("clinician_risk.show", alert)


def _alert_or_404(alert_id: int) -> RiskAlert:
    """An alert of the clinician's own services; the look at the record is audited."""
    alert = scoped_alert(for_clinician(current_account()), alert_id)
    if alert is None:
        refuse_record("alert", alert_id, Role.CLINICIAN)
    clinical_enrolment(alert.enrolment_id)
    return alert


def _assessment_form(alert: RiskAlert) -> AssessmentForm:
    form = AssessmentForm()
    form.answer.choices = answer_choices(alert)
    missing = "Select the answer at which you assessed"
    form.answer.validators = [
        InputRequired(missing),
        AnyOf([choice.value for choice in form.answer.choices], message=missing),
    ]
    return form


def _page(alert: RiskAlert, form: TakeForm, problem: str = "") -> str:
    zone, now = current_account().zone, request_time()
    enrolment = alert.enrolment
    return render_template(
        "clinician/risk/show.html",
        alert=alert_view(alert, zone),
        form=form,
        problem=problem,
        contact=contact_page(enrolment, zone=zone, now=now),
        calls=call_entries(calls_of(enrolment), zone),
        assessments=assessments_of(enrolment),
        others=[alert_view(other, zone) for other in alerts_of(enrolment) if other.id != alert.id],
        zone=zone,
    )


def _resolve_page(alert: RiskAlert, form: ResolveForm, problem: str = "") -> str:
    view = alert_view(alert, current_account().zone)
    return render_template("clinician/risk/resolve.html", alert=view, form=form, problem=problem)


def _assessment_page(alert: RiskAlert, form: AssessmentForm) -> str:
    view = alert_view(alert, current_account().zone)
    days = alert.enrolment.service.rhythm.known_lapses_days
    return render_template("clinician/risk/assessment.html", alert=view, form=form, lapses_days=days)


def _taken_words(alert: RiskAlert) -> str:
    return f"{alert_view(alert, current_account().zone).state}. Your note was not added."


def _to(endpoint: str, alert: RiskAlert) -> Response:
    return redirect(url_for(endpoint, alert_id=alert.id))
