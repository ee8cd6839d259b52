"""A course that has ended, for the people who were there: how it ended, and the check-in some weeks after it."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.boosters.models import Booster
from icbt_support.boosters.queries import booster_of
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import END_CODE_WORDS, Enrolment
from icbt_support.enrolments.queries import for_clinician, scoped_enrolment
from icbt_support.measures.operations import programme_of
from icbt_support.measures.queries import questionnaires_of_week
from icbt_support.messages.models import MessageKind
from icbt_support.messages.queries import thread
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    clinical_enrolment,
    clinician_actor,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.rhythm.booster import NoBooster, read_booster

blueprint = Blueprint("reading_after_course", __name__)


class ReadForm(OncePosted):
    words = LongText(
        "A few words back (optional)",
        description="They come as a message. The course has ended, so the person cannot reply to it.",
    )


@blueprint.get("/after-course/<id:enrolment_id>")
@allow(Role.SUPPORTER, Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    enrolment, _ = _course(enrolment_id)
    return _page(enrolment, ReadForm())


@blueprint.post("/after-course/<id:enrolment_id>")
@allow(Role.SUPPORTER, Role.CLINICIAN)
@commits
def read(enrolment_id: int) -> Response | tuple[str, int]:
    enrolment, by = _course(enrolment_id)
    form = ReadForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    try:
        sent = read_booster(
            enrolment, form.words.data, posted_key=form.posted_key.data, by=by, now=request_time()
        )
    except NoBooster:
        flash("There are no answers here that wait to be read.", "information")
    else:
        flash("Marked as read, and your words are sent." if sent else "Marked as read.", "success")
    return redirect(url_for("reading_after_course.show", enrolment_id=enrolment.id))


def _course(enrolment_id: int) -> tuple[Enrolment, Actor]:
    """In the caseload or cover of a supporter, or in the service of a clinician."""
    if scoped_enrolment(for_clinician(current_account()), enrolment_id) is not None:
        enrolment = clinical_enrolment(enrolment_id)
        by = clinician_actor(enrolment)
    else:
        enrolment = caseload_enrolment(enrolment_id)
        by = supporter_actor(enrolment)
    return enrolment, by


def _page(enrolment: Enrolment, form: ReadForm) -> str:
    booster = booster_of(enrolment)
    return render_template(
        "reading/after_course.html",
        enrolment=enrolment,
        patient=enrolment.patient,
        form=form,
        booster=booster,
        ended=_local_words(enrolment, enrolment.ended_at),
        code_words=END_CODE_WORDS[enrolment.end_code] if enrolment.end_code else "",
        answers=_answers(enrolment, booster) if booster else [],
        questions=_questions(enrolment, booster) if booster else [],
        due=long_day(booster.due_on) if booster else "",
        answered=_local_words(enrolment, booster.answered_at) if booster else "",
        promised=_local_words(enrolment, booster.promised_at) if booster else "",
        was_read=_local_words(enrolment, booster.read_at) if booster else "",
        is_late=booster is not None and booster.is_late(request_time()),
    )


def _answers(enrolment: Enrolment, booster: Booster) -> list[tuple[str, str]]:
    """The answer to the risk item first, then the totals, in numbers and words."""
    programme = programme_of(enrolment)
    found = questionnaires_of_week(enrolment, booster.week_number)
    risk, totals = [], []
    for slug in programme.check_in:
        measure, questionnaire = programme.measures[slug], found.get(slug)
        if questionnaire is None:
            continue
        given = questionnaire.current_answers.get(measure.risk_item) if measure.risk_item else None
        if given is not None:
            risk.append((f"Item {measure.risk_item}", measure.label_of(given)))
        if questionnaire.total is not None:
            band = measure.band_of(questionnaire.total).label
            totals.append((measure.title, f"{questionnaire.total} out of {measure.maximum}, {band}"))
    return [*risk, *totals]


def _questions(enrolment: Enrolment, booster: Booster) -> list[str]:
    """What the person wrote with the answers."""
    since = booster.asked_at or booster.planned_at
    return [
        message.words
        for message in thread(enrolment)
        if message.kind is MessageKind.QUESTION
        and message.author_id == enrolment.patient_id
        and message.sent_at >= since
    ]


def _local_words(enrolment: Enrolment, at: object) -> str:
    return day_and_time(to_local(at, enrolment.service.zone)) if at else ""  # type: ignore[arg-type]
