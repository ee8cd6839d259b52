"""Reading a page, answering an exercise, writing an entry. What follows in the week is `rhythm.acts`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from icbt_support import audit
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, ExerciseAnswer, PageRead
from icbt_support.journal.queries import entry_posted_as, exercise_answers
from icbt_support.journal.rules import without_blanks
from icbt_support.risk.read_first import mark_read_first


class EntryChangedMeanwhile(Exception):
    """This entry was saved after the form was opened. `entry` is what is kept; nothing was overwritten."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"Entry {entry.id} is at version {entry.version} by now.")
        self.entry = entry


def mark_page_read(enrolment: Enrolment, module: str, page: str, *, by: Actor, now: datetime) -> PageRead:
    """The page was read; reading it again moves only when it was last read."""
    row = db.session.scalars(_page_reads(enrolment, module, page)).one_or_none()
    if row is not None:
        row.last_read_at = now
        db.session.flush()
        return row
    row = PageRead(enrolment_id=enrolment.id, module=module, page=page, first_read_at=now, last_read_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        return db.session.scalars(_page_reads(enrolment, module, page)).one()
    _record("page_read", enrolment, by, now, "page_read", row.id, f"{module}/{page}")
    return row


def answer_exercise(
    enrolment: Enrolment, module: str, exercise: str, words: str, *, by: Actor, now: datetime
) -> ExerciseAnswer:
    """A new version of the answer; the same words again are the same answer."""
    newest = exercise_answers(enrolment, module).get((module, exercise))
    if newest is not None and newest.words == words:
        return newest
    answer = ExerciseAnswer(
        enrolment_id=enrolment.id,
        module=module,
        exercise=exercise,
        version=newest.version + 1 if newest else 1,
        words=words,
        answered_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(answer)
    except IntegrityError:
        return answer_exercise(enrolment, module, exercise, words, by=by, now=now)
    _record("exercise_answered", enrolment, by, now, "exercise_answer", answer.id, f"{module}/{exercise}")
    return answer


def keep_draft(
    enrolment: Enrolment,
    tool: str,
    fields: Mapping[str, Any],
    *,
    posted_key: str,
    by: Actor,
    now: datetime,
    entry: Entry | None = None,
    version: int | None = None,
) -> Entry:
    """Keeps an entry that is still being written, step by step: private until `save_entry` finishes it.

    A step that was skipped is kept as an empty text. Raises `EntryChangedMeanwhile`.
    """
    if entry is None:
        return _write_new(_new_entry(enrolment, tool, dict(fields), posted_key, now), enrolment, by, now)
    if _would_change(entry, version, dict(fields), entry.is_shared):
        with _refusing_a_stale_edit(entry):
            entry.fields = dict(fields)
            entry.changed_at = now
    return entry


def save_entry(
    enrolment: Enrolment,
    tool: str,
    fields: Mapping[str, Any],
    *,
    is_shared: bool,
    posted_key: str,
    by: Actor,
    now: datetime,
    entry: Entry | None = None,
    version: int | None = None,
) -> Entry:
    """Writes a new entry, or changes `entry`, of which the form had shown `version`.

    The same form posted twice makes one entry. Raises `EntryChangedMeanwhile` when the form is stale.
    """
    filled_in = without_blanks(fields)
    if entry is None:
        new = _new_entry(enrolment, tool, filled_in, posted_key, now)
        new.is_shared = is_shared
        new.finished_at = now
        return _write_new(new, enrolment, by, now)
    if _would_change(entry, version, filled_in, is_shared) or entry.finished_at is None:
        with _refusing_a_stale_edit(entry):
            entry.fields = filled_in
            entry.is_shared = is_shared
            entry.changed_at = now
            entry.finished_at = entry.finished_at or now
        _record("entry_changed", enrolment, by, now, "entry", entry.id, _seen_by(entry))
        _move_up_if_worrying(entry, enrolment, by, now)
    return entry


def _new_entry(
    enrolment: Enrolment, tool: str, fields: dict[str, Any], posted_key: str, now: datetime
) -> Entry:
    return Entry(
        enrolment_id=enrolment.id,
        tool=tool,
        fields=fields,
        is_shared=False,
        posted_key=posted_key,
        created_at=now,
        changed_at=now,
    )


def _write_new(entry: Entry, enrolment: Enrolment, by: Actor, now: datetime) -> Entry:
    """Writes the entry, or gives back the one that the same form made before."""
    written_before = entry_posted_as(enrolment, entry.posted_key)
    if written_before is not None:
        return written_before
    try:
        with db.session.begin_nested():
            db.session.add(entry)
    except IntegrityError:
        written_before = entry_posted_as(enrolment, entry.posted_key)
        if written_before is None:
            raise
        return written_before
    _record("entry_written", enrolment, by, now, "entry", entry.id, _seen_by(entry))
    _move_up_if_worrying(entry, enrolment, by, now)
    return entry


def _would_change(entry: Entry, version: int | None, fields: dict[str, Any], is_shared: bool) -> bool:
    """Whether a form that had shown `version` changes the entry; raises `EntryChangedMeanwhile` if stale."""
    if entry.fields == fields and entry.is_shared == is_shared:
        return False
    if entry.version != version:
        raise EntryChangedMeanwhile(entry)
    return True


@contextmanager
def _refusing_a_stale_edit(entry: Entry) -> Iterator[None]:
    """Of several edits at the same moment one wins: the others find another version in the row."""
    try:
        with db.session.begin_nested():
            yield
    except StaleDataError as error:
        db.session.refresh(entry)
        raise EntryChangedMeanwhile(entry) from error


def _move_up_if_worrying(entry: Entry, enrolment: Enrolment, by: Actor, now: datetime) -> None:
    """A shared entry that holds one of the service's phrases is read first."""
    if entry.is_shared:
        words = "\n".join(value for value in entry.fields.values() if isinstance(value, str))
        mark_read_first(enrolment, "entry", entry.id, words, by=by, now=now)


def _seen_by(entry: Entry) -> str:
    return f"{entry.tool}, {'shared' if entry.is_shared else 'private'}"


def _page_reads(enrolment: Enrolment, module: str, page: str) -> Select[PageRead]:
    return select(PageRead).where(
        PageRead.enrolment_id == enrolment.id, PageRead.module == module, PageRead.page == page
    )


def _record(
    action: str, enrolment: Enrolment, by: Actor, now: datetime, kind: str, object_id: int, detail: str
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind=kind,
        object_id=object_id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=detail,
    )
