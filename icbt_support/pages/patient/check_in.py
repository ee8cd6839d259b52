"""The check-in: one item a page, each answer saved at once.

The same pages ask the baseline of the onboarding.
"""

import secrets

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug import Response
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.measures.operations import (
    CheckInIncomplete,
    QuestionnaireFinished,
    answer_item,
    finish_check_in_rows,
    programme_of,
    start_questionnaire,
)
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message, post_not_safe
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LONGEST_TEXT, LongText, OncePosted
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.pages.patient.check_in_results import results_of
from icbt_support.pages.patient.check_in_state import BASELINE_WEEK, Asked, asked_now
from icbt_support.pages.patient.safety import CHECK_IN
from icbt_support.programme.content import Measure
from icbt_support.reviews.queries import next_review, reader_called
from icbt_support.rhythm import acts, onboarding
from icbt_support.rhythm.booster import answer_booster, reader_words
from icbt_support.risk.models import RiskAlert, SafetyAnswer
from icbt_support.risk.operations import answer_safety_question
from icbt_support.risk.queries import alert_of, duty_view
from icbt_support.risk.rules import (
    SAFETY_ANSWER_WORDS,
    holds_read_first_phrase,
    phrases_of,
    when_read,
    who_reads,
)

blueprint = Blueprint("patient_check_in", __name__)


class ItemForm(FlaskForm):
    answer = RadioField("", choices=[], validate_choice=False)


class SafetyForm(FlaskForm):
    """Its `posted_key` is never a reason to refuse what a person says about their safety."""

    posted_key = HiddenField(default=lambda: secrets.token_hex(12))
    safe = RadioField(
        "Can you keep yourself safe right now?",
        choices=[SelectChoice(answer.value, words) for answer, words in SAFETY_ANSWER_WORDS.items()],
        validators=[
            InputRequired("Select yes, I am not sure, or no"),
            AnyOf([answer.value for answer in SafetyAnswer], message="Select yes, I am not sure, or no"),
        ],
        validate_choice=False,
    )


class FinishForm(OncePosted):
    question = LongText("Is there anything you want to ask or say in your review? (optional)")


@blueprint.get("/check-in")
@allow(Role.PATIENT)
def show() -> str | Response:
    enrolment = my_enrolment()
    asked = asked_now(enrolment, request_time())
    if asked is None and enrolment.state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING):
        return _to("patient_onboarding.begin")
    if asked is not None and asked.is_finished:
        return _to("patient_onboarding.begin" if asked.is_baseline else "patient_check_in.result")
    return render_template(
        "patient/check_in.html",
        asked=asked,
        enrolment=enrolment,
        next_href=_next_href(asked) if asked else "",
        read_words=_read_words(asked) if asked else "",
    )


@blueprint.get("/check-in/<measure_slug>/<int:item>")
@allow(Role.PATIENT)
def question(measure_slug: str, item: int) -> str | Response:
    asked = _asked_or_404()
    if asked.is_finished or not asked.is_open:
        return _to("patient_check_in.show")
    measure = _measure_or_404(asked, measure_slug, item)
    given = asked.answer_to(measure.slug, item)
    form = _item_form(measure, item)
    if given is not None:
        form.answer.data = str(given)
    return _question_page(asked, measure, item, form)


@blueprint.post("/check-in/<measure_slug>/<int:item>")
@allow(Role.PATIENT)
@commits
def answer(measure_slug: str, item: int) -> Response | tuple[str, int]:
    """A positive answer to the risk item is kept whenever it comes: also from a page that was left open while the
    check-in was sent, or its week closed.
    """
    asked = _asked_or_404()
    measure = _measure_or_404(asked, measure_slug, item)
    form = _item_form(measure, item)
    is_valid = form.validate_on_submit()
    is_risk = is_valid and measure.is_positive_risk(item, int(form.answer.data))
    if (asked.is_finished or not asked.is_open) and not is_risk:
        return _to("patient_check_in.show")
    if not is_valid:
        return _question_page(asked, measure, item, form), 400
    alert = _keep_answer(asked, measure, item, int(form.answer.data))
    if alert is not None:
        return _to("patient_check_in.safety", alert_id=alert.id)
    return redirect(_next_href(_asked_or_404()))


@blueprint.get("/check-in/safety/<id:alert_id>")
@allow(Role.PATIENT)
def safety(alert_id: int) -> str:
    alert = _alert_or_404(alert_id)
    form = SafetyForm()
    if alert.can_keep_safe is not None:
        form.safe.data = alert.can_keep_safe.value
    return _safety_page(alert, form)


@blueprint.post("/check-in/safety/<id:alert_id>")
@allow(Role.PATIENT)
@commits
def say_safe(alert_id: int) -> Response | tuple[str, int]:
    alert = _alert_or_404(alert_id)
    form = SafetyForm()
    if not form.validate_on_submit():
        return _safety_page(alert, form), 400
    said = SafetyAnswer(form.safe.data)
    raised = answer_safety_question(
        alert,
        said,
        posted_key=form.posted_key.data or "",
        by=patient_actor(alert.enrolment),
        now=request_time(),
    )
    if said is not SafetyAnswer.YES:
        return _to("patient_safety.after_alert", alert_id=raised.id)
    asked = asked_now(alert.enrolment, request_time())
    if asked is None or asked.is_finished:
        return _to("patient_check_in.show")
    return redirect(_next_href(asked))


@blueprint.get("/check-in/answers")
@allow(Role.PATIENT)
def answers() -> str | Response:
    asked = _asked_or_404()
    if asked.is_finished or not asked.is_open:
        return _to("patient_check_in.show")
    return _answers_page(asked, FinishForm())


@blueprint.post("/check-in/answers")
@allow(Role.PATIENT)
@commits
def finish() -> Response | tuple[str, int]:
    """Finishes the check-in.

    What was typed for the review, or said about safety, goes in the same transaction.
    """
    asked = _asked_or_404()
    if not asked.is_finished and not asked.is_open:
        return _to("patient_check_in.show")
    form = FinishForm()
    by, now = patient_actor(asked.enrolment), request_time()
    if "not_safe" in request.form:
        words = (form.question.data or "")[:LONGEST_TEXT]
        alert = post_not_safe(asked.enrolment, words, posted_key=form.posted_key.data, by=by, now=now)
        return _to("patient_safety.after_alert", alert_id=alert.id, after=CHECK_IN)
    if not form.validate_on_submit():
        return _answers_page(asked, form), 400
    try:
        _finish(asked)
    except CheckInIncomplete as incomplete:
        left = len(incomplete.missing)
        what = "question that is left" if left == 1 else f"{left} questions that are left"
        form.form_errors = [f"Answer the {what}, then send"]
        return _answers_page(asked, form), 400
    if form.question.data:
        post_message(
            asked.enrolment,
            form.question.data,
            kind=MessageKind.QUESTION,
            posted_key=form.posted_key.data,
            by=by,
            now=now,
        )
        if holds_read_first_phrase(form.question.data, phrases_of(asked.enrolment.service)):
            return _to("patient_safety.show")
    return _to("patient_onboarding.begin" if asked.is_baseline else "patient_check_in.result")


@blueprint.get("/check-in/result")
@allow(Role.PATIENT)
def result() -> str | Response:
    enrolment = my_enrolment()
    asked = asked_now(enrolment, request_time())
    if asked is not None and not asked.is_finished:
        return _to("patient_check_in.show")
    results = results_of(enrolment)
    if not results:
        return _to("patient_check_in.show")
    return render_template(
        "patient/check_in/result.html",
        results=results,
        asked=asked,
        enrolment=enrolment,
        read_words=_read_words(asked) if asked else "",
    )


# Loading ----------------------------------------------------------------------------------------------------


def _asked_or_404() -> Asked:
    asked = asked_now(my_enrolment(), request_time())
    if asked is None:
        abort(404)
    return asked


def _measure_or_404(asked: Asked, slug: str, item: int) -> Measure:
    measure = next((measure for measure in asked.measures if measure.slug == slug), None)
    if measure is None or not 1 <= item <= len(measure.items):
        abort(404)
    return measure


def _alert_or_404(alert_id: int) -> RiskAlert:
    alert = alert_of(my_enrolment(), alert_id)
    if alert is None or alert.answer is None:
        abort(404)
    return alert


# Acts -------------------------------------------------------------------------------------------------------


def _keep_answer(asked: Asked, measure: Measure, item: int, value: int) -> RiskAlert | None:
    by, now = patient_actor(asked.enrolment), request_time()
    questionnaire = start_questionnaire(
        asked.enrolment, measure, occasion=asked.occasion, week_number=asked.week_number, by=by, now=now
    )
    try:
        return answer_item(questionnaire, item, value, by=by, now=now)
    except QuestionnaireFinished:
        return None


def _finish(asked: Asked) -> None:
    by, now = patient_actor(asked.enrolment), request_time()
    if asked.is_baseline:
        finish_check_in_rows(asked.enrolment, BASELINE_WEEK, by=by, now=now)
        onboarding.finish_baseline(asked.enrolment, by=by, now=now)
    elif asked.is_booster:
        answer_booster(asked.enrolment, by=by, now=now)
    elif asked.is_of_open_week:
        acts.finish_check_in(asked.enrolment, by=by, now=now)
    else:
        finish_check_in_rows(asked.enrolment, asked.week_number, by=by, now=now)


# Pages ------------------------------------------------------------------------------------------------------


def _read_words(asked: Asked) -> str:
    """Who reads the answers, and when: the end of "Priya reads …"."""
    enrolment, now = asked.enrolment, request_time()
    if asked.is_booster:
        return reader_words(enrolment, now=now)
    review = next_review(enrolment)
    name = review.writer_called if review is not None else enrolment.supporter.called
    is_late = review is not None and review.is_late(now)
    if asked.review_on is not None and not is_late:
        return f"{name} reads your answers for your review on {long_day(asked.review_on)}, not straight away."
    return f"{name} reads your answers before writing to you, not straight away."


def _item_form(measure: Measure, item: int) -> ItemForm:
    words = measure.items[item - 1]
    form = ItemForm()
    form.answer.label.text = Markup('<span class="kicker">{}</span> {}').format(measure.stem, words)
    form.answer.choices = [SelectChoice(str(option.value), option.label) for option in measure.options]
    missing = f"Select how often you have been bothered by {words[:1].lower()}{words[1:].rstrip('?')}"
    form.answer.validators = [
        InputRequired(missing),
        AnyOf([str(option.value) for option in measure.options], message=missing),
    ]
    return form


def _question_page(asked: Asked, measure: Measure, item: int, form: ItemForm) -> str:
    places = asked.places
    position = places.index((measure, item))
    back = _href(*places[position - 1]) if position else url_for("patient_check_in.show")
    return render_template(
        "patient/check_in/question.html",
        asked=asked,
        form=form,
        position=position + 1,
        total=len(places),
        back=back,
        leave=url_for("patient_onboarding.begin" if asked.is_baseline else "patient_week.show"),
    )


def _safety_page(alert: RiskAlert, form: SafetyForm) -> str:
    enrolment = alert.enrolment
    patient = enrolment.patient
    measure = next(measure for measure in programme_of(enrolment).measures.values() if measure.risk_item)
    duty = duty_view(enrolment.service, request_time(), patient.zone)
    return render_template(
        "patient/check_in/safety.html",
        form=form,
        said=_said_words(measure.label_of(alert.answer or 0)),
        when_said=day_and_time(to_local(alert.raised_at, patient.zone)),
        reader=who_reads(duty),
        when=when_read(enrolment.service, duty),
        is_told=bool(alert.notices),
        supporter=reader_called(enrolment),
        back=url_for("patient_check_in.question", measure_slug=measure.slug, item=measure.risk_item),
    )


def _said_words(label: str) -> str:
    """How the answer goes on in a sentence: "on several days", "nearly every day"."""
    words = label[:1].lower() + label[1:]
    return words if words.startswith("nearly") else f"on {words}"


def _answers_page(asked: Asked, form: FinishForm) -> str:
    groups = [
        (
            measure.patient_title,
            [
                {
                    "key": measure.items[item - 1],
                    "value": _answer_words(asked, measure, item),
                    "href": _href(measure, item),
                    "hidden": f"answer to question {item}: {measure.items[item - 1]}",
                }
                for item in range(1, len(measure.items) + 1)
            ],
        )
        for measure in asked.measures
    ]
    if asked.is_booster:
        form.question.label.text = "Is there anything you want to say? (optional)"
    duty = duty_view(asked.enrolment.service, request_time(), asked.enrolment.patient.zone)
    return render_template(
        "patient/check_in/answers.html",
        asked=asked,
        form=form,
        groups=groups,
        missing_href=_next_href(asked) if asked.first_unanswered() else "",
        read_words=_read_words(asked),
        when=when_read(asked.enrolment.service, duty),
        back=_href(*asked.places[-1]),
    )


def _answer_words(asked: Asked, measure: Measure, item: int) -> str:
    given = asked.answer_to(measure.slug, item)
    return "Not answered yet" if given is None else measure.label_of(given)


def _next_href(asked: Asked) -> str:
    place = asked.first_unanswered()
    return _href(*place) if place else url_for("patient_check_in.answers")


def _href(measure: Measure, item: int) -> str:
    return url_for("patient_check_in.question", measure_slug=measure.slug, item=item)


def _to(endpoint: str, **values: int | str) -> Response:
    return redirect(url_for(endpoint, **values))  # type: ignore[arg-type]
