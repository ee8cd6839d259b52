"""One person's whole course: facts, what waits, week by week, and everything that happened, joined."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm

from icbt_support.accounts.models import Role
from icbt_support.engagement import person
from icbt_support.engagement.timeline import timeline_of
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import add_note
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.supporter.review_facts import facts_of
from icbt_support.pages.supporter.review_words import notes_on, open_alerts
from icbt_support.pages.supporter.timeline_words import timeline_line
from icbt_support.pages.supporter.words import moment_words, promise_words
from icbt_support.plan import queries as plan
from icbt_support.programme.library import find_programme
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import ReviewState
from icbt_support.rhythm.strips import strip_of_week
from icbt_support.risk.operations import mark_read

WEEKS_SHOWN = 3
blueprint = Blueprint("supporter_patient", __name__)


class NoteForm(FlaskForm):
    words = LongText("Add a note", missing="Write a note before you save it")


@blueprint.get("/supporting/patients/<id:enrolment_id>")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> Any:
    return _page(caseload_enrolment(enrolment_id), NoteForm(formdata=None))


@blueprint.post("/supporting/patients/<id:enrolment_id>/notes")
@allow(Role.SUPPORTER)
@commits
def add(enrolment_id: int) -> Any:
    enrolment, form = caseload_enrolment(enrolment_id), NoteForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    add_note(enrolment, form.words.data, by=supporter_actor(enrolment), now=request_time())
    flash("Your note is saved.", "success")
    return redirect(url_for(".show", enrolment_id=enrolment.id, _anchor="notes"))


@blueprint.post("/supporting/patients/<id:enrolment_id>/read-first")
@allow(Role.SUPPORTER)
@commits
def read_first(enrolment_id: int) -> Any:
    """A person has read the words that were to be read before anything else."""
    enrolment = caseload_enrolment(enrolment_id)
    mark_read(enrolment, by=supporter_actor(enrolment), now=request_time())
    flash("Marked as read.", "success")
    return redirect(url_for(".show", enrolment_id=enrolment.id))


def _page(enrolment: Enrolment, form: NoteForm) -> str:
    account, now = current_account(), request_time()
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    weeks = plan.weeks_of(enrolment)
    shown = weeks if request.args.get("weeks") == "all" else weeks[-WEEKS_SHOWN:]
    owed = reviews.review_owed(enrolment)
    letters = [one for one in reviews.reviews_of(enrolment) if one.state is ReviewState.SENT and one.letter]
    return render_template(
        "supporter/patient.html",
        enrolment=enrolment,
        form=form,
        programme=programme,
        facts=facts_of(enrolment, programme, now=now),
        goals=enrolments.current_goals(enrolment),
        alerts=open_alerts(enrolment, programme, now=now, zone=account.zone),
        marked=_marked_words(enrolment),
        owed=owed,
        owed_words=promise_words(owed.promised_at, now=now, zone=account.zone) if owed is not None else "",
        letters=letters,
        strips=[(week, strip_of_week(enrolment, week, now=now)) for week in reversed(shown)],
        hidden_weeks=len(weeks) - len(shown),
        timeline=[
            timeline_line(moment, programme, now=now, zone=account.zone) for moment in timeline_of(enrolment)
        ],
        notes=notes_on(enrolment, now=now, zone=account.zone),
    )


def _marked_words(enrolment: Enrolment) -> list[tuple[str, str]]:
    """(when, words) of the shared texts that hold one of the service's phrases and were not read yet."""
    account, now = current_account(), request_time()
    return [
        (moment_words(at, now=now, zone=account.zone), words)
        for at, words in person.words_to_read_first(enrolment)
    ]
