"""The modules as stepping stones, a module, and the reader. A page is read when Continue is posted."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.journal.queries import exercise_answers, pages_read
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.patient.tool_forms import exercise_form
from icbt_support.pages.reading.reader import first_unread, reader_page, session_views
from icbt_support.plan.queries import modules_opened, open_week_of
from icbt_support.programme.content import Module, Page, Programme
from icbt_support.programme.library import find_programme
from icbt_support.rhythm.acts import answer_page_exercise, finish_page
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_programme", __name__)
HELP_WORDS = (
    "Thank you for writing that down. Nobody here reads this answer. If you might not be safe, use "
    "Get help now at the top of the page: people are there by day and by night."
)


class StoneState(StrEnum):
    """Where a module stands for one person."""

    READ = "read"
    OPEN_NOW = "open_now"
    OPEN = "open"
    LATER = "later"


@dataclass(frozen=True)
class Stone:
    """One module on the way; `go_on` is the page where reading goes on."""

    module: Module
    state: StoneState
    pages_read: int
    go_on: str


@blueprint.get("/programme")
@allow(Role.PATIENT)
def index() -> str:
    enrolment = my_enrolment()
    programme = _programme_of(enrolment)
    return render_template(
        "patient/programme.html", programme=programme, stones=stones_of(enrolment, programme)
    )


@blueprint.get("/programme/<module>")
@allow(Role.PATIENT)
def module(module: str) -> str:
    enrolment = my_enrolment()
    programme = _programme_of(enrolment)
    found = _find_module(programme, module)
    read = pages_read(enrolment, module)
    answers = exercise_answers(enrolment, module)
    unread = first_unread(found, read)
    return render_template(
        "patient/programme_module.html",
        module=found,
        programme=programme,
        sessions=session_views(found, read),
        go_on=unread,
        is_open=_is_open(enrolment, found),
        answers=[
            (exercise.label, answers[(module, exercise.key)].words)
            for exercise in found.exercises()
            if (module, exercise.key) in answers
        ],
    )


@blueprint.get("/programme/<module>/<page>")
@allow(Role.PATIENT)
def page(module: str, page: str) -> str:
    enrolment = my_enrolment()
    found, found_page = _find_page(_programme_of(enrolment), module, page)
    return _show(enrolment, found, found_page, _form(enrolment, found, found_page))


@blueprint.post("/programme/<module>/<page>")
@allow(Role.PATIENT)
@commits
def finish(module: str, page: str) -> Response | tuple[str, int]:
    enrolment, now = my_enrolment(), request_time()
    found, found_page = _find_page(_programme_of(enrolment), module, page)
    if not _counts(enrolment):
        abort(409)
    form = _form(enrolment, found, found_page)
    if not form.validate():
        return _show(enrolment, found, found_page, form), 422
    by = patient_actor(enrolment)
    exercise = found_page.exercise if _is_open(enrolment, found) else None
    words = form["answer"].data if exercise is not None else None
    if exercise is not None and words:
        answer_page_exercise(enrolment, module, exercise.key, words, by=by, now=now)
        if holds_read_first_phrase(words, phrases_of(enrolment.service)):
            flash(HELP_WORDS, "information")
    finish_page(enrolment, module, page, by=by, now=now)
    return _onwards(found, found_page)


def stones_of(enrolment: Enrolment, programme: Programme) -> list[Stone]:
    """Every module of the programme in this person's own order, and where it stands for them."""
    opened = modules_opened(enrolment)
    week = open_week_of(enrolment)
    read = pages_read(enrolment)
    return [
        _stone(module, read, opened, week.module if week else None)
        for module in _in_own_order(enrolment, programme, opened)
    ]


def _in_own_order(enrolment: Enrolment, programme: Programme, opened: Collection[str]) -> list[Module]:
    """What was opened, then what comes next as agreed, then what is not planned for them."""
    if enrolment.modules_ahead is None:
        return list(programme.modules)
    first = [module.slug for module in programme.modules if module.slug in opened]
    rest = [module.slug for module in programme.modules]
    slugs = dict.fromkeys([*first, *enrolment.modules_ahead, *rest])
    return [module for slug in slugs if (module := programme.module(slug)) is not None]


def _stone(
    module: Module, read: Collection[tuple[str, str]], opened: Collection[str], now_open: str | None
) -> Stone:
    unread = first_unread(module, read)
    state = StoneState.OPEN
    if module.slug not in opened:
        state = StoneState.LATER
    elif unread is None:
        state = StoneState.READ
    elif module.slug == now_open:
        state = StoneState.OPEN_NOW
    count = sum(1 for page in module.pages if (module.slug, page.slug) in read)
    return Stone(module, state, count, (unread or module.pages[0]).slug)


def _onwards(module: Module, page: Page) -> Response:
    """The next page of the session; after its last page, the module, where the session shows as read."""
    reader = reader_page(module, page)
    if reader.is_last_of_session or reader.next_page is None:
        flash(f"“{reader.session_title}” is done for now. Practising beats reading on.", "success")
        return redirect(url_for("patient_programme.module", module=module.slug))
    return redirect(url_for("patient_programme.page", module=module.slug, page=reader.next_page))


def _show(enrolment: Enrolment, module: Module, page: Page, form: FlaskForm) -> str:
    return render_template(
        "patient/programme_page.html",
        reader=reader_page(module, page),
        form=form,
        programme=_programme_of(enrolment),
        is_open=_is_open(enrolment, module),
        counts=_counts(enrolment),
    )


def _form(enrolment: Enrolment, module: Module, page: Page) -> FlaskForm:
    if page.exercise is None:
        return exercise_form(None, None)
    kept = exercise_answers(enrolment, module.slug).get((module.slug, page.exercise.key))
    return exercise_form(page.exercise, kept.words if kept else None)


def _is_open(enrolment: Enrolment, module: Module) -> bool:
    """Whether a review or the start has opened this module; before that one may look ahead."""
    return module.slug in modules_opened(enrolment)


def _counts(enrolment: Enrolment) -> bool:
    """Whether Continue is recorded: the course has begun and has not ended. Reading ahead counts too."""
    return enrolment.state in (EnrolmentState.ACTIVE, EnrolmentState.AWAY, EnrolmentState.PAUSED)


def _programme_of(enrolment: Enrolment) -> Programme:
    return find_programme(enrolment.programme_slug, enrolment.programme_version)


def _find_module(programme: Programme, slug: str) -> Module:
    found = programme.module(slug)
    if found is None:
        abort(404)
    return found


def _find_page(programme: Programme, module: str, page: str) -> tuple[Module, Page]:
    found = _find_module(programme, module)
    found_page = found.page(page)
    if found_page is None:
        abort(404)
    return found, found_page
