"""Tools that ask one thing a screen: a step or a yes-or-no question, skippable, with the place kept."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from icbt_support.accounts.models import Role
from icbt_support.journal.models import Entry
from icbt_support.journal.operations import EntryChangedMeanwhile, keep_draft
from icbt_support.journal.rules import fields_asked, next_step, path_through
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow
from icbt_support.pages.patient.tool_bench import Bench, bench_of, next_url, say_saved, show_conflict
from icbt_support.pages.patient.tool_forms import EntryForm, entry_form, values_of, wants_to_share
from icbt_support.pages.reading.entries import EntryView
from icbt_support.programme.content import Flow, Node, ToolField
from icbt_support.rhythm.acts import keep_entry

blueprint = Blueprint("patient_tool_steps", __name__)


@blueprint.get("/tools/<tool>/<id:entry_id>/steps/<key>")
@allow(Role.PATIENT)
def step(tool: str, entry_id: int, key: str) -> str | Response:
    bench = bench_of(tool)
    entry = bench.entry(entry_id)
    if not _may_open(bench, entry, key):
        return redirect(next_url(bench.tool, entry))
    return _show_step(bench, entry, key, _step_form(bench, entry, key))


@blueprint.post("/tools/<tool>/<id:entry_id>/steps/<key>")
@allow(Role.PATIENT)
@commits
def keep_step(tool: str, entry_id: int, key: str) -> Response | tuple[str, int]:
    bench = bench_of(tool)
    entry = bench.entry(entry_id)
    if not _may_open(bench, entry, key):
        return redirect(next_url(bench.tool, entry))
    form = _step_form(bench, entry, key)
    node, fields = _asked_at(bench, key)
    if "skip" in request.form and node is None and not fields[0].required:
        typed: dict[str, Any] = {fields[0].key: ""}
    elif form.validate():
        typed = values_of(form, fields)
    else:
        return _show_step(bench, entry, key, form), 422
    if node is not None:
        typed[node.key] = form["answer"].data
    try:
        keep_draft(
            bench.enrolment,
            tool,
            {**entry.fields, **typed},
            posted_key=entry.posted_key,
            by=bench.by,
            now=bench.now,
            entry=entry,
            version=form.version.data,
        )
    except EntryChangedMeanwhile as conflict:
        return show_conflict(bench, conflict.entry, form, typed)
    return redirect(_after(bench, entry, key))


@blueprint.get("/tools/<tool>/<id:entry_id>/finish")
@allow(Role.PATIENT)
def finish(tool: str, entry_id: int) -> str | Response:
    bench = bench_of(tool)
    entry = bench.entry(entry_id)
    if not _is_complete(bench, entry):
        return redirect(next_url(bench.tool, entry))
    return _show_finish(bench, entry, _finish_form(bench, entry))


@blueprint.post("/tools/<tool>/<id:entry_id>/finish")
@allow(Role.PATIENT)
@commits
def save(tool: str, entry_id: int) -> Response | tuple[str, int]:
    bench = bench_of(tool)
    entry = bench.entry(entry_id)
    if not _is_complete(bench, entry):
        return redirect(next_url(bench.tool, entry))
    form = _finish_form(bench, entry)
    if not form.validate():
        return _show_finish(bench, entry, form), 422
    typed = values_of(form, _end_fields(bench, entry))
    try:
        saved = keep_entry(
            bench.enrolment,
            tool,
            _on_the_way(bench, {**entry.fields, **typed}),
            is_shared=wants_to_share(form),
            posted_key=entry.posted_key,
            by=bench.by,
            now=bench.now,
            entry=entry,
            version=form.version.data,
        )
    except EntryChangedMeanwhile as conflict:
        return show_conflict(bench, conflict.entry, form, typed)
    return say_saved(saved, bench)


def _may_open(bench: Bench, entry: Entry, key: str) -> bool:
    """Whether this step can be shown; a tree's question lies on the path that was taken."""
    if entry.finished_at is not None:
        return False
    if bench.tool.flow is Flow.TREE:
        return bench.tool.node(key) is not None and key in path_through(bench.tool, entry.fields).keys
    return bench.tool.flow is Flow.STEPS and key in [field.key for field in bench.tool.fields]


def _is_complete(bench: Bench, entry: Entry) -> bool:
    if entry.finished_at is not None or bench.tool.flow is Flow.FORM:
        return False
    if bench.tool.flow is Flow.TREE:
        return path_through(bench.tool, entry.fields).end is not None
    return next_step(bench.tool, entry.fields) is None


def _asked_at(bench: Bench, key: str) -> tuple[Node | None, tuple[ToolField, ...]]:
    """The question and the fields on one screen."""
    node = bench.tool.node(key)
    if node is None:
        return None, (bench.tool.field(key),)
    return node, (bench.tool.field(node.note),) if node.note else ()


def _step_form(bench: Bench, entry: Entry, key: str) -> EntryForm:
    node, fields = _asked_at(bench, key)
    return entry_form(fields, entry.fields, node=node, version=entry.version)


def _after(bench: Bench, entry: Entry, key: str) -> str:
    """Where Continue leads: the step behind this one, or the last page once every step was seen."""
    if bench.tool.flow is Flow.TREE or next_step(bench.tool, entry.fields) is None:
        return next_url(bench.tool, entry)
    following = [field.key for field in bench.tool.fields]
    following = following[following.index(key) + 1 :]
    if not following:
        return next_url(bench.tool, entry)
    return url_for("patient_tool_steps.step", tool=bench.tool.slug, entry_id=entry.id, key=following[0])


def _before(bench: Bench, entry: Entry, key: str) -> str | None:
    """Where Back leads: the step or question before this one; None at the first."""
    if bench.tool.flow is Flow.TREE:
        keys = [node.key for node, _answer in path_through(bench.tool, entry.fields).answered]
    else:
        keys = [field.key for field in bench.tool.fields]
    keys = keys[: keys.index(key)] if key in keys else keys
    if not keys:
        return None
    return url_for("patient_tool_steps.step", tool=bench.tool.slug, entry_id=entry.id, key=keys[-1])


def _end_fields(bench: Bench, entry: Entry) -> tuple[ToolField, ...]:
    end = path_through(bench.tool, entry.fields).end if bench.tool.flow is Flow.TREE else None
    return (bench.tool.field(end.note),) if end and end.note else ()


def _finish_form(bench: Bench, entry: Entry) -> EntryForm:
    return entry_form(
        _end_fields(bench, entry),
        entry.fields,
        sharing_with=bench.shares_with,
        is_shared=bench.tool.shared_by_default,
        version=entry.version,
    )


def _on_the_way(bench: Bench, fields: dict[str, Any]) -> dict[str, Any]:
    """Without what was typed on a branch that was left again."""
    if bench.tool.flow is not Flow.TREE:
        return fields
    path = path_through(bench.tool, fields)
    kept = {field.key for field in fields_asked(bench.tool, fields)} | {node.key for node, _ in path.answered}
    return {key: value for key, value in fields.items() if key in kept}


def _show_step(bench: Bench, entry: Entry, key: str, form: EntryForm) -> str:
    node, fields = _asked_at(bench, key)
    is_tree = bench.tool.flow is Flow.TREE
    steps = [field.key for field in bench.tool.fields]
    return render_template(
        "patient/tools_step.html",
        bench=bench,
        form=form,
        node=node,
        fields=fields,
        entry=bench.view(entry),
        back=_before(bench, entry, key),
        number=0 if is_tree else steps.index(key) + 1,
        total=0 if is_tree else len(steps),
        can_skip=node is None and not fields[0].required,
    )


def _show_finish(bench: Bench, entry: Entry, form: EntryForm) -> str:
    view = bench.view(entry)
    return render_template(
        "patient/tools_finish.html",
        bench=bench,
        form=form,
        entry=view,
        end=path_through(bench.tool, entry.fields).end if bench.tool.flow is Flow.TREE else None,
        fields=_end_fields(bench, entry),
        back=_before(bench, entry, ""),
        steps=[(field.key, field.label, _words_of(view, field.key)) for field in bench.tool.fields],
    )


def _words_of(view: EntryView, key: str) -> str:
    return next((row.words for row in view.rows if row.key == key), "Skipped")
