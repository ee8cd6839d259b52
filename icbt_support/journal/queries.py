"""Reads of what a patient did in the programme, always of one enrolment."""

from datetime import datetime

from sqlalchemy import func, select

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, ExerciseAnswer, PageRead
from icbt_support.read_once import read_once


@read_once
def pages_read(enrolment: Enrolment, module: str | None = None) -> set[tuple[str, str]]:
    """(module, page) of every page that was read, or of those of one module."""
    query = select(PageRead.module, PageRead.page).where(PageRead.enrolment_id == enrolment.id)
    if module is not None:
        query = query.where(PageRead.module == module)
    return {(row.module, row.page) for row in db.session.execute(query)}


def pages_opened(enrolment: Enrolment, since: datetime, until: datetime) -> list[PageRead]:
    """Pages read for the first time or again, from `since` until just before `until`, oldest first."""
    return list(
        db.session.scalars(
            select(PageRead)
            .where(
                PageRead.enrolment_id == enrolment.id,
                PageRead.last_read_at >= since,
                PageRead.first_read_at < until,
            )
            .order_by(PageRead.first_read_at, PageRead.id)
        )
    )


def exercise_answers(
    enrolment: Enrolment, module: str | None = None
) -> dict[tuple[str, str], ExerciseAnswer]:
    """(module, exercise) to the newest answer."""
    query = select(ExerciseAnswer).where(ExerciseAnswer.enrolment_id == enrolment.id)
    if module is not None:
        query = query.where(ExerciseAnswer.module == module)
    answers = db.session.scalars(query.order_by(ExerciseAnswer.version, ExerciseAnswer.id))
    return {(answer.module, answer.exercise): answer for answer in answers}


def entries_of(enrolment: Enrolment, tool: str | None = None) -> list[Entry]:
    """Finished entries, newest first; one that is still being written is in `unfinished_entries`."""
    query = select(Entry).where(Entry.enrolment_id == enrolment.id, Entry.finished_at.is_not(None))
    if tool is not None:
        query = query.where(Entry.tool == tool)
    return list(db.session.scalars(query.order_by(Entry.created_at.desc(), Entry.id.desc())))


def find_entry(enrolment: Enrolment, tool: str, entry_id: int) -> Entry | None:
    """An entry of this enrolment and tool, finished or not; None for anybody else's."""
    return db.session.scalars(
        select(Entry).where(Entry.id == entry_id, Entry.enrolment_id == enrolment.id, Entry.tool == tool)
    ).one_or_none()


def entry_posted_as(enrolment: Enrolment, posted_key: str) -> Entry | None:
    """The entry that the form with this key made, if it was posted before."""
    return db.session.scalars(
        select(Entry).where(Entry.enrolment_id == enrolment.id, Entry.posted_key == posted_key)
    ).one_or_none()


def unfinished_entries(enrolment: Enrolment, tool: str) -> list[Entry]:
    """Entries of a tool that were begun and not saved to the end, newest first: their place is kept."""
    return list(
        db.session.scalars(
            select(Entry)
            .where(Entry.enrolment_id == enrolment.id, Entry.tool == tool, Entry.finished_at.is_(None))
            .order_by(Entry.changed_at.desc(), Entry.id.desc())
        )
    )


def shared_entries(enrolment: Enrolment, since: datetime, until: datetime) -> list[Entry]:
    """Entries that the service can see, written, changed or shared in the time given, oldest first."""
    return list(
        db.session.scalars(
            select(Entry)
            .where(
                Entry.enrolment_id == enrolment.id,
                Entry.is_shared,
                Entry.finished_at.is_not(None),
                Entry.changed_at >= since,
                Entry.changed_at < until,
            )
            .order_by(Entry.changed_at, Entry.id)
        )
    )


def private_entry_count(enrolment: Enrolment, since: datetime, until: datetime) -> int:
    """How many entries the service cannot see; nothing else about them is told."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Entry)
            .where(
                Entry.enrolment_id == enrolment.id,
                Entry.is_shared.is_(False),
                Entry.finished_at.is_not(None),
                Entry.changed_at >= since,
                Entry.changed_at < until,
            )
        )
        or 0
    )
