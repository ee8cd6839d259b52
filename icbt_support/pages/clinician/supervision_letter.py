"""One sent letter, read with the nine behaviours in mind: what was seen, in words, for the supporter to read."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText
from icbt_support.pages.guards import (
    allow,
    clinician_actor,
    current_account,
    note_staff_read,
    refuse_record,
    request_time,
    services_with_role,
)
from icbt_support.pages.supervision_words import MARK_WORDS, mark_lines
from icbt_support.reviews.behaviours import BEHAVIOUR_NAMES, TherapistBehaviour
from icbt_support.supervision.letters import scoped_letter
from icbt_support.supervision.models import LetterAudit
from icbt_support.supervision.operations import FormIsFilledIn, fill_in_form
from icbt_support.supervision.rules import Mark

blueprint = Blueprint("clinician_supervision_letter", __name__)


class LetterForm(FlaskForm):
    """A mark and a comment for each of the nine behaviours, and what the reader would say."""

    overall = LongText("What you would say about this letter", missing="Write a few words about the letter")


for _behaviour, _name in BEHAVIOUR_NAMES.items():
    setattr(
        LetterForm,
        f"mark_{_behaviour}",
        RadioField(
            _name,
            choices=[SelectChoice(mark.value, words) for mark, words in MARK_WORDS.items()],
            validators=[InputRequired(f"Select what you saw: {_name.lower()}")],
        ),
    )
    setattr(
        LetterForm,
        f"comment_{_behaviour}",
        Line(f"{_name}: where, or what else would have helped (optional)"),
    )


@blueprint.get("/clinical/supervision/letters/<id:audit_id>")
@allow(Role.CLINICIAN)
def show(audit_id: int) -> str:
    letter = _letter_or_404(audit_id)
    return _page(letter, LetterForm(formdata=None))


@blueprint.post("/clinical/supervision/letters/<id:audit_id>")
@allow(Role.CLINICIAN)
@commits
def fill_in(audit_id: int) -> Any:
    letter, form = _letter_or_404(audit_id), LetterForm()
    if not form.validate_on_submit():
        return _page(letter, form), 400
    marks = {
        behaviour: (Mark(form[f"mark_{behaviour}"].data), form[f"comment_{behaviour}"].data)
        for behaviour in TherapistBehaviour
    }
    try:
        by = clinician_actor(letter.enrolment)
        fill_in_form(letter, marks, form.overall.data, by=by, now=request_time())
    except FormIsFilledIn:
        flash("Somebody has filled in this form meanwhile.", "information")
        return _page(letter, form), 409
    flash(f"{letter.meeting.supporter.called} can read this now, and answer.", "success")
    return redirect(
        url_for("clinician_supervision_meeting.show", meeting_id=letter.meeting_id, _anchor="letters")
    )


def _letter_or_404(audit_id: int) -> LetterAudit:
    letter = scoped_letter(services_with_role(Role.CLINICIAN), audit_id, reader_id=current_account().id)
    if letter is None:
        refuse_record("letter_audit", audit_id, Role.CLINICIAN)
    note_staff_read(letter.enrolment, Role.CLINICIAN)
    return letter


def _page(letter: LetterAudit, form: LetterForm) -> str:
    return render_template(
        "clinician/supervision_letter.html",
        letter=letter,
        form=form,
        behaviours=[(form[f"mark_{one}"], form[f"comment_{one}"]) for one in TherapistBehaviour],
        marks=mark_lines(letter),
    )
