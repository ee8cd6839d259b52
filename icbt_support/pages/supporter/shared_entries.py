"""Filled-in tools as the workspace shows them: by tool, newest first, with both numbers where a tool compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icbt_support.cadence import to_local
from icbt_support.engagement.knowledge import Knowledge
from icbt_support.engagement.known_words import SharedEntry
from icbt_support.journal.rules import before_and_after, fields_asked, heading_of
from icbt_support.pages.supporter.words import moment_words
from icbt_support.programme.content import FieldKind, Programme, Tool, ToolField

HUNDREDTHS = 100
LONG_ENTRY = 420


@dataclass(frozen=True)
class EntryView:
    """One shared entry: its name, its filled-in fields, and its two numbers if the tool compares two.

    A long one is folded.
    """

    title: str
    when: str
    day: str
    rows: tuple[tuple[str, str], ...]
    before: int | None
    after: int | None
    quote: str
    is_read_first: bool
    is_long: bool


@dataclass(frozen=True)
class ToolView:
    """The shared entries of one tool; `maximum` is 10 or 100 where it compares two numbers, else 0."""

    icon: str
    title: str
    heading_label: str
    compare_label: str
    maximum: int
    entries: tuple[EntryView, ...]


def tools_shared(known: Knowledge, programme: Programme, *, now: datetime, zone: str) -> tuple[ToolView, ...]:
    """The tools with a new entry, the one with the newest entry first."""
    by_tool: dict[str, list[SharedEntry]] = {}
    for entry in known.entries:
        by_tool.setdefault(entry.tool, []).append(entry)
    return tuple(
        _tool_view(programme.tools[slug], entries, known, now, zone)
        for slug, entries in by_tool.items()
        if slug in programme.tools
    )


def _tool_view(
    tool: Tool, entries: Sequence[SharedEntry], known: Knowledge, now: datetime, zone: str
) -> ToolView:
    compare = tool.compare
    return ToolView(
        icon=tool.icon,
        title=tool.title,
        heading_label=tool.field(tool.heading).label,
        compare_label=compare.label if compare else "",
        maximum=tool.field(compare.before).maximum if compare else 0,
        entries=tuple(_entry_view(tool, entry, known, now, zone) for entry in entries),
    )


def _entry_view(tool: Tool, entry: SharedEntry, known: Knowledge, now: datetime, zone: str) -> EntryView:
    pair = before_and_after(tool, entry.fields)
    rows = entry_rows(tool, entry)
    return EntryView(
        title=heading_of(tool, entry.fields),
        when=moment_words(entry.created_at, now=now, zone=zone),
        day=f"{to_local(entry.created_at, zone):%a}",
        rows=rows,
        before=pair[0] if pair else None,
        after=pair[1] if pair else None,
        quote=f"entry:{entry.id}",
        is_read_first=known.is_marked("entry", entry.id),
        is_long=sum(len(words) for _label, words in rows) > LONG_ENTRY,
    )


def entry_rows(tool: Tool, entry: SharedEntry) -> tuple[tuple[str, str], ...]:
    """The filled-in fields of an entry, with their questions."""
    asked = (*fields_asked(tool, entry.fields), *tool.afterwards)
    return tuple(
        (field.label, _value_words(field, entry.fields[field.key]))
        for field in asked
        if entry.fields.get(field.key) not in (None, "")
    )


def _value_words(field: ToolField, value: object) -> str:
    if field.kind is FieldKind.FACES and str(value).isdigit() and 0 < int(str(value)) <= len(field.choices):
        return field.choices[int(str(value)) - 1]
    if field.kind is FieldKind.SCALE:
        return f"{value}%" if field.maximum == HUNDREDTHS else f"{value} out of {field.maximum}"
    return str(value)
