"""Tools and their entries. The same views serve every tool: what a tool asks is content."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import patient_zone
from icbt_support.journal.models import Entry
from icbt_support.journal.operations import EntryChangedMeanwhile, keep_draft, save_entry
from icbt_support.journal.queries import entries_of, exercise_answers, unfinished_entries
from icbt_support.journal.rules import fields_asked, waits_for_afterwards, words_typed
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, my_enrolment
from icbt_support.pages.help_lines import help_lines_for
from icbt_support.pages.patient.tool_bench import (
    Bench,
    bench_of,
    entry_url,
    next_url,
    programme_of,
    say_saved,
    show_conflict,
)
from icbt_support.pages.patient.tool_forms import (
    PRIVATE,
    SHARED,
    EntryForm,
    entry_form,
    values_of,
    wants_to_share,
)
from icbt_support.pages.reading.entries import entry_view
from icbt_support.programme.content import Flow, Programme, Tool, ToolField
from icbt_support.rhythm.acts import keep_entry
from icbt_support.risk.rules import holds_read_first_phrase, phrases_of

blueprint = Blueprint("patient_tools", __name__)
NEWEST_ENTRIES = 12


@dataclass(frozen=True)
class Notes:
    """What was written in the pages of one module: (question, answer)."""

    module: str
    title: str
    written: list[tuple[str, str]]


@blueprint.get("/tools")
@allow(Role.PATIENT)
def index() -> str:
    enrolment = my_enrolment()
    programme = programme_of(enrolment)
    entries = [entry for entry in entries_of(enrolment) if entry.tool in programme.tools]
    zone = patient_zone(enrolment)
    return render_template(
        "patient/tools.html",
        tools=list(programme.tools.values()),
        entries=[entry_view(programme.tools[e.tool], e, zone) for e in entries[:NEWEST_ENTRIES]],
        notes=_notes_from_pages(enrolment, programme),
    )


@blueprint.get("/tools/<tool>")
@allow(Role.PATIENT)
def tool(tool: str) -> str | Response:
    bench = bench_of(tool)
    entries = entries_of(bench.enrolment, bench.tool.slug)
    if bench.tool.one_entry and entries:
        return redirect(entry_url(entries[0]))
    return _show_tool(bench, _first_form(bench))


@blueprint.post("/tools/<tool>")
@allow(Role.PATIENT)
@commits
def begin(tool: str) -> Response | tuple[str, int]:
    """A whole entry where the tool is a form; else its first step, which is kept as a draft."""
    bench = bench_of(tool)
    form = _first_form(bench)
    if not form.validate():
        return _show_tool(bench, form), 422
    values = values_of(form, _first_fields(bench.tool))
    if bench.tool.flow is Flow.FORM:
        entry = keep_entry(
            bench.enrolment,
            bench.tool.slug,
            values,
            is_shared=wants_to_share(form),
            posted_key=form.posted_key.data,
            by=bench.by,
            now=bench.now,
        )
        return say_saved(entry, bench)
    draft = keep_draft(
        bench.enrolment, bench.tool.slug, values, posted_key=form.posted_key.data, by=bench.by, now=bench.now
    )
    return redirect(next_url(bench.tool, draft))


@blueprint.get("/tools/<tool>/<id:entry_id>")
@allow(Role.PATIENT)
def entry(tool: str, entry_id: int) -> str | Response:
    bench = bench_of(tool)
    found = bench.entry(entry_id)
    if found.finished_at is None:
        return redirect(next_url(bench.tool, found))
    words = words_typed(bench.tool, found.fields)
    return render_template(
        "patient/tools_entry.html",
        bench=bench,
        entry=bench.view(found),
        version=found.version,
        shows_help=holds_read_first_phrase(words, phrases_of(bench.enrolment.service)),
        ways_to_help=help_lines_for(bench.enrolment.service_id),
        waits_for_afterwards=waits_for_afterwards(bench.tool, found.fields),
    )


@blueprint.get("/tools/<tool>/<id:entry_id>/edit")
@allow(Role.PATIENT)
def edit(tool: str, entry_id: int) -> str | Response:
    bench = bench_of(tool)
    found = bench.entry(entry_id)
    if found.finished_at is None:
        return redirect(next_url(bench.tool, found))
    return _show_edit(bench, found, _edit_form(bench, found))


@blueprint.post("/tools/<tool>/<id:entry_id>/edit")
@allow(Role.PATIENT)
@commits
def save_edit(tool: str, entry_id: int) -> Response | tuple[str, int]:
    bench = bench_of(tool)
    found = bench.entry(entry_id)
    form = _edit_form(bench, found)
    if not form.validate():
        return _show_edit(bench, found, form), 422
    typed = values_of(form, _edited_fields(bench.tool, found))
    return _change(bench, found, form, typed, is_shared=wants_to_share(form))


@blueprint.get("/tools/<tool>/<id:entry_id>/afterwards")
@allow(Role.PATIENT)
def afterwards(tool: str, entry_id: int) -> str:
    bench = bench_of(tool)
    found = _entry_with_afterwards(bench, entry_id)
    return _show_afterwards(bench, found, _afterwards_form(bench, found))


@blueprint.post("/tools/<tool>/<id:entry_id>/afterwards")
@allow(Role.PATIENT)
@commits
def save_afterwards(tool: str, entry_id: int) -> Response | tuple[str, int]:
    bench = bench_of(tool)
    found = _entry_with_afterwards(bench, entry_id)
    form = _afterwards_form(bench, found)
    if not form.validate():
        return _show_afterwards(bench, found, form), 422
    typed = values_of(form, bench.tool.afterwards)
    return _change(bench, found, form, typed, is_shared=found.is_shared and bench.can_share)


@blueprint.post("/tools/<tool>/<id:entry_id>/share")
@allow(Role.PATIENT)
@commits
def share(tool: str, entry_id: int) -> Response | tuple[str, int]:
    """Shares an entry, or makes it private again."""
    bench = bench_of(tool)
    found = bench.entry(entry_id)
    wanted = request.form.get("sharing")
    if found.finished_at is None or wanted not in (SHARED, PRIVATE):
        abort(400)
    if wanted == SHARED and not bench.can_share:
        abort(409)
    if wanted == SHARED:
        keep_entry(
            bench.enrolment,
            tool,
            found.fields,
            is_shared=True,
            posted_key=found.posted_key,
            by=bench.by,
            now=bench.now,
            entry=found,
            version=found.version,
        )
        return say_saved(found, bench)
    save_entry(
        bench.enrolment,
        tool,
        found.fields,
        is_shared=False,
        posted_key=found.posted_key,
        by=bench.by,
        now=bench.now,
        entry=found,
        version=found.version,
    )
    flash(f"Only you can see this from now on. {bench.supporter} may have read it already.", "success")
    return redirect(entry_url(found))


def _change(
    bench: Bench, found: Entry, form: EntryForm, typed: dict[str, object], *, is_shared: bool
) -> Response | tuple[str, int]:
    try:
        changed = keep_entry(
            bench.enrolment,
            bench.tool.slug,
            {**found.fields, **typed},
            is_shared=is_shared,
            posted_key=found.posted_key,
            by=bench.by,
            now=bench.now,
            entry=found,
            version=form.version.data,
        )
    except EntryChangedMeanwhile as conflict:
        return show_conflict(bench, conflict.entry, form, typed)
    return say_saved(changed, bench)


def _first_fields(tool: Tool) -> tuple[ToolField, ...]:
    """What a tool asks first: everything, the first step, or what comes before a tree's questions."""
    match tool.flow:
        case Flow.FORM:
            return tool.fields
        case Flow.STEPS:
            return tool.fields[:1]
        case Flow.TREE:
            return tool.opening_fields


def _first_form(bench: Bench) -> EntryForm:
    asks_who_sees = bench.tool.flow is Flow.FORM
    return entry_form(
        _first_fields(bench.tool),
        sharing_with=bench.shares_with if asks_who_sees else "",
        is_shared=bench.tool.shared_by_default,
    )


def _edited_fields(tool: Tool, entry: Entry) -> tuple[ToolField, ...]:
    later = () if waits_for_afterwards(tool, entry.fields) else tool.afterwards
    return fields_asked(tool, entry.fields) + later


def _edit_form(bench: Bench, entry: Entry) -> EntryForm:
    return entry_form(
        _edited_fields(bench.tool, entry),
        entry.fields,
        sharing_with=bench.shares_with,
        is_shared=entry.is_shared,
        version=entry.version,
    )


def _afterwards_form(bench: Bench, entry: Entry) -> EntryForm:
    return entry_form(bench.tool.afterwards, entry.fields, version=entry.version)


def _entry_with_afterwards(bench: Bench, entry_id: int) -> Entry:
    found = bench.entry(entry_id)
    if not bench.tool.afterwards or found.finished_at is None:
        abort(404)
    return found


def _show_tool(bench: Bench, form: EntryForm) -> str:
    entries = entries_of(bench.enrolment, bench.tool.slug)
    drafts = unfinished_entries(bench.enrolment, bench.tool.slug)
    return render_template(
        "patient/tools_tool.html",
        bench=bench,
        form=form,
        fields=_first_fields(bench.tool),
        is_whole_form=bench.tool.flow is Flow.FORM,
        asks_who_sees=bench.tool.flow is Flow.FORM and bench.can_share,
        entries=[bench.view(entry) for entry in entries],
        drafts=[(bench.view(draft), next_url(bench.tool, draft)) for draft in drafts],
    )


def _show_edit(bench: Bench, entry: Entry, form: EntryForm) -> str:
    return render_template(
        "patient/tools_edit.html",
        bench=bench,
        form=form,
        entry=bench.view(entry),
        fields=_edited_fields(bench.tool, entry),
        asks_who_sees=bench.can_share,
        title="Change what you wrote",
    )


def _show_afterwards(bench: Bench, entry: Entry, form: EntryForm) -> str:
    return render_template(
        "patient/tools_edit.html",
        bench=bench,
        form=form,
        entry=bench.view(entry),
        fields=bench.tool.afterwards,
        asks_who_sees=False,
        title="How did it go?",
    )


def _notes_from_pages(enrolment: Enrolment, programme: Programme) -> list[Notes]:
    """What was written in the pages' exercises, in reading order."""
    answers = exercise_answers(enrolment)
    notes = []
    for module in programme.modules:
        written = [
            (exercise.label, answers[(module.slug, exercise.key)].words)
            for exercise in module.exercises()
            if (module.slug, exercise.key) in answers
        ]
        if written:
            notes.append(Notes(module.slug, module.title, written))
    return notes
