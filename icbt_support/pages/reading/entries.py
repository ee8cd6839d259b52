"""One entry as people read it, on the patient's pages and on the supporter's."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from markupsafe import Markup

from icbt_support.cadence import to_local
from icbt_support.journal.models import Entry
from icbt_support.journal.rules import Fields, before_and_after, fields_asked, heading_of, path_through
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.reading.tree_picture import draw_tree
from icbt_support.programme.content import FieldKind, Flow, Tool, ToolField


@dataclass(frozen=True)
class EntryRow:
    """One filled-in field; `face` is 1 to 5 where the answer is a face."""

    key: str
    label: str
    words: str
    face: int | None = None


@dataclass(frozen=True)
class TreeStep:
    """One question of a tree, or its end; `answer` is what led on from it."""

    words: str
    answer: str


@dataclass(frozen=True)
class EntryView:
    """What a template shows of an entry; `when` is in the reader's zone."""

    entry_id: int
    tool: str
    tool_title: str
    icon: str
    heading: str
    when: datetime
    is_shared: bool
    rows: tuple[EntryRow, ...]
    compare_label: str
    compare_maximum: int
    before_and_after: tuple[int, int] | None
    tree: Markup | None
    tree_steps: tuple[TreeStep, ...]


def entry_view(tool: Tool, entry: Entry, zone: str) -> EntryView:
    fields = entry.fields
    return EntryView(
        entry_id=entry.id,
        tool=tool.slug,
        tool_title=tool.title,
        icon=tool.icon,
        heading=entry_heading(tool, fields),
        when=to_local(entry.created_at, zone),
        is_shared=entry.is_shared,
        rows=filled_in_rows(tool, fields),
        compare_label=tool.compare.label if tool.compare else "",
        compare_maximum=tool.field(tool.compare.before).maximum if tool.compare else 10,
        before_and_after=before_and_after(tool, fields),
        tree=draw_tree(tool, path_through(tool, fields)) if tool.flow is Flow.TREE else None,
        tree_steps=_tree_steps(tool, fields) if tool.flow is Flow.TREE else (),
    )


def entry_heading(tool: Tool, fields: Fields) -> str:
    """What names an entry in a list; a mood diary without words is named by its mood."""
    heading = heading_of(tool, fields)
    if heading != tool.title:
        return heading
    return next((row.words for row in filled_in_rows(tool, fields)), heading)


def filled_in_rows(tool: Tool, fields: Fields) -> tuple[EntryRow, ...]:
    """The fields that were filled in, in the order in which they are asked; afterwards last."""
    asked = (*fields_asked(tool, fields), *tool.afterwards)
    return tuple(
        EntryRow(
            field.key,
            field.label,
            value_words(field, fields[field.key]),
            int(fields[field.key]) if field.kind is FieldKind.FACES else None,
        )
        for field in asked
        if fields.get(field.key) not in (None, "")
    )


def value_words(field: ToolField, value: Any) -> str:
    """An answer as it is read: 7 out of 10, Saturday 28 November, 6.30pm, Very low."""
    match field.kind:
        case FieldKind.SCALE:
            return f"{value} out of {field.maximum}"
        case FieldKind.FACES:
            return field.choices[int(value) - 1]
        case FieldKind.DATE:
            return long_day(date.fromisoformat(value))
        case FieldKind.TIME:
            return clock_time(time.fromisoformat(value))
    return str(value)


def _tree_steps(tool: Tool, fields: Fields) -> tuple[TreeStep, ...]:
    path = path_through(tool, fields)
    steps = [TreeStep(node.question, answer.value.capitalize()) for node, answer in path.answered]
    if path.end is not None:
        steps.append(TreeStep(path.end.title, ""))
    return tuple(steps)
