"""Supervision as the supporter sees it: what was decided for my people, and my letters that were read."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm

from icbt_support.accounts.models import Role
from icbt_support.enrolments.queries import for_supporter
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import (
    allow,
    current_account,
    note_staff_read,
    refuse_record,
    request_time,
    supporter_actor,
)
from icbt_support.pages.supervision_words import decision_view, mark_lines
from icbt_support.pages.supporter.today import note_caseload_read
from icbt_support.supervision.letters import letters_read_with, own_letter
from icbt_support.supervision.models import LetterAudit
from icbt_support.supervision.operations import answer_form
from icbt_support.supervision.queries import decisions_within

blueprint = Blueprint("supporter_supervision", __name__)


class AnswerForm(FlaskForm):
    words = LongText(
        "Your answer", missing="Write your answer before you save it", description="Read by the clinicians."
    )


@blueprint.get("/supporting/supervision")
@allow(Role.SUPPORTER)
def show() -> str:
    account = current_account()
    scope = for_supporter(account, now=request_time())
    page = render_template(
        "supporter/supervision.html",
        decisions=[decision_view(one, account.zone) for one in decisions_within(scope)],
        letters=letters_read_with(account.id, scope),
    )
    note_caseload_read()
    return page


@blueprint.get("/supporting/supervision/letters/<id:audit_id>")
@allow(Role.SUPPORTER)
def letter(audit_id: int) -> str:
    read = _letter_or_404(audit_id)
    return _page(read, AnswerForm(formdata=None, words=read.answer or ""))


@blueprint.post("/supporting/supervision/letters/<id:audit_id>")
@allow(Role.SUPPORTER)
@commits
def answer(audit_id: int) -> Any:
    read, form = _letter_or_404(audit_id), AnswerForm()
    if not form.validate_on_submit():
        return _page(read, form), 400
    answer_form(read, form.words.data, by=supporter_actor(read.enrolment), now=request_time())
    flash("Your answer is saved.", "success")
    return redirect(url_for(".letter", audit_id=read.id))


def _letter_or_404(audit_id: int) -> LetterAudit:
    """A form on an own letter, to somebody who is still in the caseload; 404 for any other."""
    account = current_account()
    read = own_letter(account.id, for_supporter(account, now=request_time()), audit_id)
    if read is None:
        refuse_record("letter_audit", audit_id, Role.SUPPORTER)
    note_staff_read(read.enrolment, Role.SUPPORTER)
    return read


def _page(read: LetterAudit, form: AnswerForm) -> str:
    return render_template(
        "supporter/supervision_letter.html", letter=read, form=form, marks=mark_lines(read)
    )
