"""What the views of one tool share: whose tool it is, its entry, and where an entry goes on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from icbt_support.audit import Actor
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import patient_zone
from icbt_support.journal.models import Entry
from icbt_support.journal.queries import find_entry
from icbt_support.journal.rules import Fields, next_step, path_through
from icbt_support.pages.guards import my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.patient.tool_forms import EntryForm
from icbt_support.pages.reading.entries import EntryView, entry_view, filled_in_rows
from icbt_support.programme.content import Flow, Programme, Tool
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import next_review, reader_called

WHEN_UNKNOWN = "Nobody reads it straight away."


@dataclass(frozen=True)
class Bench:
    """One tool of one patient at one moment."""

    enrolment: Enrolment
    tool: Tool
    now: datetime

    @property
    def by(self) -> Actor:
        return patient_actor(self.enrolment)

    @property
    def zone(self) -> str:
        return patient_zone(self.enrolment)

    @property
    def supporter(self) -> str:
        return self.enrolment.supporter.called

    @property
    def can_share(self) -> bool:
        """Tools stay a person's own to use after the course; nobody is there to share with any more."""
        return self.enrolment.is_open

    @property
    def shares_with(self) -> str:
        return self.supporter if self.can_share else ""

    @property
    def when_read(self) -> str:
        """When an entry that is shared is read."""
        if not self.can_share:
            return "Your course has ended, so nobody here reads this. What you write now is for you only."
        review, reader = next_review(self.enrolment), reader_called(self.enrolment)
        if review is None or review.promised_at <= self.now:
            return f"{reader} reads what you share before writing to you. {WHEN_UNKNOWN}"
        promised = to_local(review.promised_at, self.zone)
        by_when = f"{long_day(promised)}, {clock_time(promised)}"
        return f"{reader} reads what you share by {by_when}. {WHEN_UNKNOWN}"

    def entry(self, entry_id: int) -> Entry:
        """This patient's own entry of this tool; 404 for anybody else's."""
        entry = find_entry(self.enrolment, self.tool.slug, entry_id)
        if entry is None:
            abort(404)
        return entry

    def view(self, entry: Entry) -> EntryView:
        return entry_view(self.tool, entry, self.zone)


def bench_of(tool: str) -> Bench:
    enrolment = my_enrolment()
    found = programme_of(enrolment).tools.get(tool)
    if found is None:
        abort(404)
    return Bench(enrolment, found, request_time())


def programme_of(enrolment: Enrolment) -> Programme:
    return find_programme(enrolment.programme_slug, enrolment.programme_version)


def entry_url(entry: Entry) -> str:
    return url_for("patient_tools.entry", tool=entry.tool, entry_id=entry.id)


def next_url(tool: Tool, entry: Entry) -> str:
    """Where an entry goes on: its next step or question, its last page, or itself once it is saved."""
    if entry.finished_at is not None:
        return entry_url(entry)
    key = _next_key(tool, entry.fields)
    if key is None:
        return url_for("patient_tool_steps.finish", tool=tool.slug, entry_id=entry.id)
    return url_for("patient_tool_steps.step", tool=tool.slug, entry_id=entry.id, key=key)


def _next_key(tool: Tool, fields: Fields) -> str | None:
    if tool.flow is Flow.TREE:
        question = path_through(tool, fields).next_question
        return question.key if question else None
    field = next_step(tool, fields)
    return field.key if field else None


def say_saved(entry: Entry, bench: Bench) -> Response:
    seen_by = f"{bench.supporter} can see it." if entry.is_shared else "Only you can see it."
    flash(f"Saved. {seen_by}", "success")
    return redirect(entry_url(entry))


def show_conflict(bench: Bench, kept: Entry, form: EntryForm, typed: dict[str, Any]) -> tuple[str, int]:
    """The entry was saved elsewhere since the form was opened: both texts, side by side."""
    page = render_template(
        "patient/tools_conflict.html",
        bench=bench,
        kept=bench.view(kept),
        kept_url=next_url(bench.tool, kept),
        typed=filled_in_rows(bench.tool, {**kept.fields, **typed}),
        form=form,
    )
    return page, 409
