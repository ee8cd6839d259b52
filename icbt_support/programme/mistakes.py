"""What is wrong in an author's file: file, line, key and what was expected."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from icbt_support.programme.documents import Document, KeyPath

_LONGEST_QUOTE = 60


class Weight(StrEnum):
    """A mistake stops the start; a warning is for the author to think about."""

    MISTAKE = "mistake"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class ContentMistake:
    """One thing to mend. `key` is written as a path, like `sessions[2].minutes`."""

    file: Path
    line: int
    key: str
    expected: str
    weight: Weight = Weight.MISTAKE

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        warning = "warning: " if self.weight is Weight.WARNING else ""
        return f"{self.file}, line {self.line}: {warning}{key}{self.expected}"


class BrokenContent(Exception):
    """Programme content with mistakes; the message lists them all, a line each."""

    def __init__(self, mistakes: list[ContentMistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def mistake_at(document: Document, path: KeyPath, expected: str) -> ContentMistake:
    return ContentMistake(document.file, document.line_of(path), _write_path(path), expected)


def shape_mistakes(
    document: Document, error: ValidationError, model: type[BaseModel]
) -> Iterator[ContentMistake]:
    """What pydantic found, in an author's words."""
    for detail in error.errors(include_url=False):
        path = tuple(detail["loc"])
        yield mistake_at(document, path, _expectation(detail["type"], detail["input"], path, model))


def repeated_key_mistakes(document: Document) -> Iterator[ContentMistake]:
    for path in document.repeated_keys:
        yield mistake_at(document, path, "this key is written twice: keep one.")


def _expectation(kind: str, found: Any, path: KeyPath, model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), _model_at(model, path[:-1]))
    if kind == "model_type":
        return f"expected keys and values, found {_quote(found)}."
    described = _field_at(model, path)
    wanted = described.description if described and described.description else "another value"
    if kind == "missing":
        return f"this key is missing: expected {wanted}."
    if kind == "string_too_long":
        return f"expected {wanted}, but this is too long ({len(found)} characters)."
    return f"expected {wanted}, found {_quote(found)}."


def _unknown_key(key: str, model: type[BaseModel] | None) -> str:
    known = [field.alias or name for name, field in model.model_fields.items()] if model else []
    close = get_close_matches(key, known, n=1)
    if close:
        return f"there is no such key here. Did you mean {close[0]}?"
    return f"there is no such key here. The keys here are {', '.join(known)}."


def _quote(found: Any) -> str:
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return str(found).lower()
    words = str(list(found)) if isinstance(found, tuple) else str(found)
    shown = words if len(words) <= _LONGEST_QUOTE else f"{words[:_LONGEST_QUOTE]}…"
    return f"'{shown}'" if isinstance(found, str) else shown


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model that stands at `path`; positions in lists do not change it."""
    here: type[BaseModel] | None = model
    for key in path:
        if here is not None and isinstance(key, str):
            field = _field_of(here, key)
            here = _model_in(field.annotation) if field else None
    return here


def _field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    names = [position for position, key in enumerate(path) if isinstance(key, str)]
    if not names:
        return None
    last = names[-1]
    owner = _model_at(model, path[:last])
    return _field_of(owner, str(path[last])) if owner else None


def _field_of(model: type[BaseModel], key: str) -> FieldInfo | None:
    return next((field for name, field in model.model_fields.items() if key in (field.alias, name)), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _write_path(path: KeyPath) -> str:
    """('sessions', 1, 'minutes') is written sessions[2].minutes: authors count from 1."""
    written = ""
    for key in path:
        if isinstance(key, int):
            written += f"[{key + 1}]"
        else:
            written += f".{key}" if written else str(key)
    return written
