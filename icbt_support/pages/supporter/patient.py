"""One person's whole course: facts, what waits, week by week, and everything that happened, joined."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.engagement import person
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.early_warnings import warning_panel
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.supporter.known_person import alert_lines, note_lines
from icbt_support.pages.supporter.move_review import can_move
from icbt_support.pages.supporter.notes import NoteForm
from icbt_support.pages.supporter.review_facts import course_facts
from icbt_support.pages.supporter.words import moment_words, promise_words
from icbt_support.pages.timelines import timeline_asked_for
from icbt_support.plan import queries as plan
from icbt_support.programme.library import find_programme
from icbt_support.read_once import one_page
from icbt_support.reviews import queries as reviews
from icbt_support.rhythm.strips import strip_of_week
from icbt_support.risk.read_first import mark_read

WEEKS_SHOWN = 3
blueprint = Blueprint("supporter_patient", __name__)


@blueprint.get("/supporting/patients/<id:enrolment_id>")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> Any:
    with one_page():
        return _show(caseload_enrolment(enrolment_id))


def _show(enrolment: Enrolment) -> str:
    account, now = current_account(), request_time()
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    weeks = plan.weeks_of(enrolment)
    shown = weeks if request.args.get("weeks") == "all" else weeks[-WEEKS_SHOWN:]
    owed = reviews.review_owed(enrolment)
    facts, known = course_facts(enrolment, programme, now=now)
    return render_template(
        "supporter/patient.html",
        enrolment=enrolment,
        form=NoteForm(formdata=None),
        programme=programme,
        facts=facts,
        goals=[one.words for one in reversed(known.words_of("goal"))],
        alerts=alert_lines(known, programme, now=now, zone=account.zone),
        early_warning=warning_panel(
            enrolment, url_for("supporter_early_warning.show", enrolment_id=enrolment.id), now=now
        ),
        marked=_marked_words(enrolment),
        owed=owed,
        can_move=owed is not None and can_move(owed),
        owed_words=promise_words(owed.promised_at, now=now, zone=account.zone) if owed is not None else "",
        letters=person.letters_sent(enrolment),
        strips=[(week, strip_of_week(enrolment, week, now=now)) for week in reversed(shown)],
        hidden_weeks=len(weeks) - len(shown),
        timeline=timeline_asked_for(enrolment, zone=account.zone),
        notes=note_lines(known, now=now, zone=account.zone),
    )


@blueprint.post("/supporting/patients/<id:enrolment_id>/read-first")
@allow(Role.SUPPORTER)
@commits
def read_first(enrolment_id: int) -> Any:
    """A person has read the words that were to be read before anything else."""
    enrolment = caseload_enrolment(enrolment_id)
    mark_read(enrolment, by=supporter_actor(enrolment), now=request_time())
    flash("Marked as read.", "success")
    return redirect(url_for(".show", enrolment_id=enrolment.id))


def _marked_words(enrolment: Enrolment) -> list[tuple[str, str]]:
    """(when, words) of the shared texts that hold one of the service's phrases and were not read yet."""
    account, now = current_account(), request_time()
    return [
        (moment_words(at, now=now, zone=account.zone), words)
        for at, words in person.words_to_read_first(enrolment)
    ]
