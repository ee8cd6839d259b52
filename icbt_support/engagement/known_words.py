"""Everything that was typed about or by one person, as the workspace shows it, in one statement. Reads only."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    SelectBase,
    String,
    and_,
    case,
    cast,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)

from icbt_support.accounts.models import Account
from icbt_support.db import EncryptedText, db
from icbt_support.enrolments.models import Enrolment, Goal, SupporterNote
from icbt_support.journal.models import Entry
from icbt_support.messages.models import Message, MessageKind
from icbt_support.risk.models import CallLog

CALLS_SHOWN, NOTES_SHOWN = 3, 3


@dataclass(frozen=True)
class SharedWords:
    """A message, goal, call or note: who wrote it and when. `kind` is a message's kind or a call's outcome."""

    what: str
    row_id: int
    at: datetime
    by: str
    kind: str
    words: str
    is_read: bool


@dataclass(frozen=True)
class SharedEntry:
    """One filled-in tool that the person shared."""

    id: int
    tool: str
    created_at: datetime
    fields: dict[str, Any]


def load_words(enrolment: Enrolment, since: datetime) -> tuple[list[SharedWords], list[SharedEntry]]:
    """Messages, shared entries, goals, calls and notes: all typed words travel as one statement."""
    parts = [
        _messages(enrolment, since),
        _entries(enrolment.id, since),
        _goals(enrolment.id),
        _newest(_calls(enrolment.id), CALLS_SHOWN),
        _newest(_notes(enrolment.id), NOTES_SHOWN),
    ]
    words = union_all(*parts).subquery()
    texts, entries = [], []
    for what, row_id, at, by, kind, typed, read in db.session.execute(
        select(words).order_by(words.c.at.desc(), words.c.row_id.desc())
    ):
        if what == "entry":
            entries.append(SharedEntry(row_id, kind, at, json.loads(typed)))
        else:
            texts.append(SharedWords(what, row_id, at, by, kind, typed, bool(read)))
    return texts, entries


def _messages(enrolment: Enrolment, since: datetime) -> SelectBase:
    """What the patient wrote since, what nobody has read, and open questions however old."""
    return select(
        literal("message", String).label("what"),
        Message.id.label("row_id"),
        Message.sent_at.label("at"),
        literal("", String).label("by"),
        cast(Message.kind, String).label("kind"),
        Message.words.label("words"),
        case((Message.read_at.is_(None), 0), else_=1).label("is_read"),
    ).where(
        Message.enrolment_id == enrolment.id,
        Message.author_id == enrolment.patient_id,
        or_(
            Message.sent_at > since,
            Message.read_at.is_(None),
            and_(Message.kind == MessageKind.QUESTION, Message.answered_at.is_(None)),
        ),
    )


def _entries(enrolment_id: int, since: datetime) -> SelectBase:
    return select(
        literal("entry", String),
        Entry.id,
        Entry.created_at,
        literal("", String),
        Entry.tool,
        type_coerce(Entry.fields, EncryptedText),
        literal(1, Integer),
    ).where(Entry.enrolment_id == enrolment_id, Entry.is_shared, *finished_since(since))


def _goals(enrolment_id: int) -> SelectBase:
    return select(
        literal("goal", String),
        Goal.id,
        Goal.written_at,
        literal("", String),
        literal("", String),
        Goal.words,
        literal(1, Integer),
    ).where(Goal.enrolment_id == enrolment_id, Goal.replaced_at.is_(None))


def _calls(enrolment_id: int) -> SelectBase:
    return (
        select(
            literal("call", String).label("what"),
            CallLog.id.label("row_id"),
            CallLog.called_at.label("at"),
            Account.full_name.label("by"),
            cast(CallLog.outcome, String).label("kind"),
            CallLog.note.label("words"),
            literal(1, Integer).label("is_read"),
        )
        .join(Account, Account.id == CallLog.called_by)
        .where(CallLog.enrolment_id == enrolment_id)
    )


def _notes(enrolment_id: int) -> SelectBase:
    return (
        select(
            literal("note", String).label("what"),
            SupporterNote.id.label("row_id"),
            SupporterNote.written_at.label("at"),
            Account.full_name.label("by"),
            literal("", String).label("kind"),
            SupporterNote.words.label("words"),
            literal(1, Integer).label("is_read"),
        )
        .join(Account, Account.id == SupporterNote.written_by)
        .where(SupporterNote.enrolment_id == enrolment_id)
    )


def _newest(rows: SelectBase, count: int) -> SelectBase:
    """The newest `count` of a part of the union, which may not be ordered by itself."""
    part = rows.subquery()
    newest = select(part).order_by(part.c.at.desc(), part.c.row_id.desc()).limit(count).subquery()
    return select(newest)


def finished_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Entry.finished_at.is_not(None), Entry.changed_at > since)
