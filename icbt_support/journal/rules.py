"""What an entry says: its name in a list, the words typed in it, and the way it took through a tree. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from icbt_support.programme.content import Answer, End, FieldKind, Node, Tool, ToolField

Fields = Mapping[str, Any]
_TYPED = (FieldKind.TEXT, FieldKind.LONG_TEXT)


@dataclass(frozen=True)
class TreePath:
    """The questions answered so far; then either the next question, or the end of the branch."""

    answered: tuple[tuple[Node, Answer], ...]
    next_question: Node | None
    end: End | None

    @property
    def keys(self) -> frozenset[str]:
        """Every part of the tree that the path touches, for drawing it."""
        parts = {node.key for node, _answer in self.answered}
        return frozenset(parts | {part.key for part in (self.next_question, self.end) if part is not None})

    def answer_to(self, key: str) -> Answer | None:
        return next((answer for node, answer in self.answered if node.key == key), None)


def path_through(tool: Tool, fields: Fields) -> TreePath:
    """Walks a tree by the answers kept in `fields` under the keys of its questions."""
    answered: list[tuple[Node, Answer]] = []
    node = tool.node(tool.start or "")
    while node is not None:
        if fields.get(node.key) not in list(Answer):
            return TreePath(tuple(answered), node, None)
        answer = Answer(fields[node.key])
        answered.append((node, answer))
        next_key = node.next_key(answer)
        end = tool.end(next_key)
        if end is not None:
            return TreePath(tuple(answered), None, end)
        node = tool.node(next_key)
    return TreePath(tuple(answered), None, None)


def next_step(tool: Tool, fields: Fields) -> ToolField | None:
    """The first field that was neither filled in nor skipped; a skipped one is kept as an empty text."""
    return next((field for field in tool.fields if field.key not in fields), None)


def fields_asked(tool: Tool, fields: Fields) -> tuple[ToolField, ...]:
    """The fields that belong to this entry: for a tree, those on the branch that was taken."""
    if not tool.nodes:
        return tool.fields
    path = path_through(tool, fields)
    notes = [node.note for node, _answer in path.answered] + [path.end.note if path.end else None]
    return tool.opening_fields + tuple(tool.field(key) for key in notes if key is not None)


def without_blanks(fields: Fields) -> dict[str, Any]:
    """Only what was filled in; 0 is an answer."""
    return {key: value for key, value in fields.items() if value is not None and value != ""}


def words_typed(tool: Tool, fields: Fields) -> str:
    """Everything that was typed as free text, a field a line."""
    typed = [str(fields.get(field.key, "")) for field in tool.all_fields if field.kind in _TYPED]
    return "\n".join(words for words in typed if words)


def heading_of(tool: Tool, fields: Fields) -> str:
    """What names the entry in a list; its tool's title when that field is empty."""
    field = tool.field(tool.heading)
    value = fields.get(tool.heading)
    if value is None or value == "":
        return tool.title
    return field.choices[int(value) - 1] if field.kind is FieldKind.FACES else str(value)


def before_and_after(tool: Tool, fields: Fields) -> tuple[int, int] | None:
    """The two numbers that a tool draws together, when both were given."""
    if tool.compare is None:
        return None
    given = without_blanks(fields)
    if tool.compare.before not in given or tool.compare.after not in given:
        return None
    return int(given[tool.compare.before]), int(given[tool.compare.after])


def waits_for_afterwards(tool: Tool, fields: Fields) -> bool:
    """Whether the fields that are filled in later are still all empty."""
    return bool(tool.afterwards) and not any(field.key in fields for field in tool.afterwards)
