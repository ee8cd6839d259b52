"""Notes between staff about one person. A note is never edited: a new one corrects it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from wtforms import HiddenField

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import names_of
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import add_note
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText, OncePosted
from icbt_support.pages.guards import (
    allow,
    caseload_enrolment,
    current_account,
    request_time,
    supporter_actor,
)
from icbt_support.pages.supporter.known_person import StaffLine
from icbt_support.pages.supporter.typed_values import read_number
from icbt_support.pages.supporter.words import moment_words

blueprint = Blueprint("supporter_notes", __name__)


class NoteForm(OncePosted):
    """`review` is the review that somebody came from, and goes back to."""

    words = LongText("Add a note", missing="Write a note before you save it")
    review = HiddenField()


@blueprint.get("/supporting/patients/<id:enrolment_id>/notes")
@allow(Role.SUPPORTER)
def show(enrolment_id: int) -> Any:
    enrolment = caseload_enrolment(enrolment_id)
    return _page(enrolment, NoteForm(formdata=None, data={"review": request.args.get("review", "")}))


@blueprint.post("/supporting/patients/<id:enrolment_id>/notes")
@allow(Role.SUPPORTER)
@commits
def add(enrolment_id: int) -> Any:
    enrolment, form = caseload_enrolment(enrolment_id), NoteForm()
    if not form.validate_on_submit():
        return _page(enrolment, form), 400
    add_note(
        enrolment,
        form.words.data,
        posted_key=form.posted_key.data or "",
        by=supporter_actor(enrolment),
        now=request_time(),
    )
    flash("Your note is saved.", "success")
    return redirect(_way_back(enrolment, form))


def _way_back(enrolment: Enrolment, form: NoteForm) -> str:
    """The workspace that somebody came from, else the whole course; the workspace checks whose review it is."""
    review_id = read_number(form.review.data)
    if review_id:
        return url_for("supporter_review.show", review_id=review_id, _anchor="notes")
    return url_for("supporter_patient.show", enrolment_id=enrolment.id, _anchor="notes")


def _page(enrolment: Enrolment, form: NoteForm) -> str:
    return render_template(
        "supporter/notes.html",
        enrolment=enrolment,
        form=form,
        way_back=_way_back(enrolment, form),
        is_from_review=bool(read_number(form.review.data)),
        notes=_all_notes(enrolment),
    )


def _all_notes(enrolment: Enrolment) -> list[StaffLine]:
    """Newest first."""
    notes = enrolments.notes_on(enrolment)
    names = names_of({note.written_by for note in notes})
    now, zone = request_time(), current_account().zone
    return [
        StaffLine(
            note.words,
            f"{names.get(note.written_by, '')}, {moment_words(note.written_at, now=now, zone=zone)}",
        )
        for note in notes
    ]
