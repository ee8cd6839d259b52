"""Phrases for letters: a supporter keeps their own, a clinician keeps the service's for all its supporters."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from wtforms import RadioField

from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText, OncePosted, as_choices
from icbt_support.pages.guards import (
    allow,
    current_account,
    current_actor,
    current_service,
    held_roles,
    request_time,
    services_with_role,
)
from icbt_support.pages.supporter.review_phrases import month_began, use_words
from icbt_support.phrases.models import Phrase
from icbt_support.phrases.operations import add_phrase, change_phrase, remove_phrase
from icbt_support.phrases.queries import changeable_phrases, scoped_phrase, usable_phrases
from icbt_support.phrases.rules import VARIABLES, UnknownVariables

OWN, OF_THE_SERVICE = "own", "service"
WHOSE = {OWN: "Only me", OF_THE_SERVICE: "Every supporter of the service"}
KEEPERS = {OWN: Role.SUPPORTER, OF_THE_SERVICE: Role.CLINICIAN}
blueprint = Blueprint("supporter_phrases", __name__)


class PhraseForm(OncePosted):
    title = Line(
        "Name",
        missing="Write a name by which you find it",
        maximum=60,
        description="Only staff see the name.",
    )
    words = LongText(
        "Words",
        missing="Write the words of the phrase",
        description="Put a gap in square brackets, such as [what you noticed]. A letter with an open gap cannot "
        "be sent.",
    )
    whose = RadioField("Who uses it", validate_choice=False)


@blueprint.get("/supporting/phrases")
@allow(Role.SUPPORTER, Role.CLINICIAN)
def index() -> str:
    account, now = current_account(), request_time()
    services = services_with_role(Role.SUPPORTER, Role.CLINICIAN)
    found = usable_phrases(services, account.id, since=month_began(account, now))
    as_clinician_in = services_with_role(Role.CLINICIAN)
    rows = [(one.phrase, use_words(one), _may_change(one.phrase, as_clinician_in)) for one in found]
    return render_template(
        "supporter/phrases.html",
        own=[row for row in rows if row[0].owner_id is not None],
        of_the_service=[row for row in rows if row[0].owner_id is None],
        is_supporter=Role.SUPPORTER in held_roles(),
        variables=VARIABLES,
    )


def _may_change(phrase: Phrase, as_clinician_in: list[int]) -> bool:
    return phrase.owner_id is not None or phrase.service_id in as_clinician_in


@blueprint.get("/supporting/phrases/new")
@allow(Role.SUPPORTER, Role.CLINICIAN)
def new() -> str:
    return _page(_offer(PhraseForm(formdata=None)), None)


@blueprint.post("/supporting/phrases/new")
@allow(Role.SUPPORTER, Role.CLINICIAN)
@commits
def add() -> Any:
    form = _offer(PhraseForm())
    if form.whose.data not in {choice.value for choice in form.whose.choices}:
        form.whose.data = form.whose.choices[0].value
    if not form.validate_on_submit():
        return _page(form, None), 400
    role = KEEPERS[form.whose.data]
    service = current_service(role)
    try:
        add_phrase(
            service.id,
            form.title.data,
            form.words.data,
            owner_id=current_account().id if form.whose.data == OWN else None,
            posted_key=form.posted_key.data,
            by=current_actor(role, service.id),
            now=request_time(),
        )
    except UnknownVariables as refusal:
        return _refused(form, refusal, None)
    flash("The phrase is kept. It is in the composer, under Phrases.", "success")
    return redirect(url_for(".index"))


@blueprint.get("/supporting/phrases/<id:phrase_id>")
@allow(Role.SUPPORTER, Role.CLINICIAN)
def show(phrase_id: int) -> str:
    phrase = _changeable(phrase_id)
    return _page(PhraseForm(formdata=None, title=phrase.title, words=phrase.words), phrase)


@blueprint.post("/supporting/phrases/<id:phrase_id>")
@allow(Role.SUPPORTER, Role.CLINICIAN)
@commits
def change(phrase_id: int) -> Any:
    phrase, form = _changeable(phrase_id), PhraseForm()
    if not form.validate_on_submit():
        return _page(form, phrase), 400
    try:
        change_phrase(phrase, form.title.data, form.words.data, by=_actor(phrase), now=request_time())
    except UnknownVariables as refusal:
        return _refused(form, refusal, phrase)
    flash("The phrase is changed. Letters that were sent stay as they are.", "success")
    return redirect(url_for(".index"))


@blueprint.post("/supporting/phrases/<id:phrase_id>/remove")
@allow(Role.SUPPORTER, Role.CLINICIAN)
@commits
def remove(phrase_id: int) -> Any:
    phrase = _changeable(phrase_id)
    remove_phrase(phrase, by=_actor(phrase), now=request_time())
    flash("The phrase is removed. Letters that were sent stay as they are.", "success")
    return redirect(url_for(".index"))


def _changeable(phrase_id: int) -> Phrase:
    scope = changeable_phrases(
        current_account().id,
        as_supporter_in=services_with_role(Role.SUPPORTER),
        as_clinician_in=services_with_role(Role.CLINICIAN),
    )
    phrase = scoped_phrase(scope, phrase_id)
    if phrase is None:
        abort(404)
    return phrase


def _actor(phrase: Phrase) -> Actor:
    role = Role.CLINICIAN if phrase.owner_id is None else Role.SUPPORTER
    return current_actor(role, phrase.service_id)


def _offer(form: PhraseForm) -> PhraseForm:
    """Who may use it: somebody who is both supporter and clinician chooses."""
    held = held_roles()
    form.whose.choices = as_choices(
        (value, words) for value, words in WHOSE.items() if KEEPERS[value] in held
    )
    if request.method == "GET":
        form.whose.data = form.whose.choices[0].value
    return form


def _refused(form: PhraseForm, refusal: UnknownVariables, phrase: Phrase | None) -> tuple[str, int]:
    form.words.errors = [
        f"{' and '.join(refusal.names)} cannot be filled in. Use one from the list, or take the brackets away"
    ]
    return _page(form, phrase), 400


def _page(form: PhraseForm, phrase: Phrase | None) -> str:
    return render_template(
        "supporter/phrases_edit.html",
        form=form,
        phrase=phrase,
        asks_whose=phrase is None and len(form.whose.choices or ()) > 1,
        variables=VARIABLES,
    )
