"""Reading an author's file so that every value knows its line."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

KeyPath = tuple[Hashable, ...]
_FENCE = "---"


class UnreadableFile(Exception):
    """A file that cannot be read at all; says on which line and why."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line
        self.words = words


@dataclass(frozen=True)
class Document:
    """A file's values (lists as tuples), the line of each key, and the text under a page's front matter."""

    file: Path
    values: Any
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    repeated_keys: tuple[KeyPath, ...] = ()
    body: str = ""
    body_line: int = 1

    def line_of(self, path: KeyPath) -> int:
        """The line of the key at `path`, or of the nearest key above it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _AuthorLoader(yaml.SafeLoader):
    """YAML as an author reads it: only true and false are booleans; dates and times stay text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise UnreadableFile(
                self.peek_event().start_mark.line + 1, "References with & and * are not understood."
            )
        return super().compose_node(parent, index)


_KEPT_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "null")}
_AuthorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT_TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_AuthorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])


class _Values:
    """The values of a YAML tree, with the line of each key and the keys that were written twice."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.loader = loader
        self.lines: dict[KeyPath, int] = {}
        self.repeated_keys: list[KeyPath] = []

    def of(self, node: yaml.Node, path: KeyPath = ()) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.of(item, (*path, position)) for position, item in enumerate(node.value))
        if not isinstance(node, yaml.MappingNode):
            return self.loader.construct_object(node)
        values = {}
        for key_node, value_node in node.value:
            key = str(self.loader.construct_object(key_node, deep=True))
            here = (*path, key)
            if key in values:
                self.repeated_keys.append(here)
            self.lines[here] = key_node.start_mark.line + 1
            values[key] = self.of(value_node, here)
        return values


def read_yaml(file: Path) -> Document:
    """Raises `UnreadableFile`."""
    return _parse(file, _read_text(file))


def read_page(file: Path) -> Document:
    """A page: front matter between two lines of ---, then Markdown. Raises `UnreadableFile`."""
    rows = _read_text(file).split("\n")
    if rows[0].strip() != _FENCE:
        raise UnreadableFile(
            1, "A page begins with a line of ---, its title and minutes, and another line of ---."
        )
    closing = next((number for number, row in enumerate(rows[1:], start=1) if row.strip() == _FENCE), None)
    if closing is None:
        raise UnreadableFile(1, "The --- that ends the top of the page is missing.")
    front_matter = "\n".join(["", *rows[1:closing]])
    return _parse(file, front_matter, "\n".join(rows[closing + 1 :]), closing + 2)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UnreadableFile(1, "This file is missing.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(1, "This file is not UTF-8 text.") from error
    except OSError as error:
        raise UnreadableFile(1, f"This file cannot be opened: {error.strerror}.") from error


def _parse(file: Path, text: str, body: str = "", body_line: int = 1) -> Document:
    try:
        loader = _AuthorLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise UnreadableFile(1, "Nothing is written here.")
        reader = _Values(loader)
        values = reader.of(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UnreadableFile(line, f"This is not YAML that can be read: {error.problem}.") from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UnreadableFile(line, "There is a control character here that YAML does not allow.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(1, f"This is not YAML that can be read: {error}.") from error
    return Document(file, values, reader.lines, tuple(reader.repeated_keys), body, body_line)
