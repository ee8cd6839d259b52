"""What several rooms ask the database while one page is drawn is read once.

Only inside `one_page()`, which a page that changes nothing puts around its reads; everywhere else a read is a read.
A page that has loaded much at once may answer a question before it is asked (`answer_beforehand`).
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def one_page() -> Iterator[None]:
    """While this lasts, a question with the same arguments is answered from memory."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def read_once(query: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Marks a read as one that a page asks once. What it returns is for reading, never for changing."""

    @wraps(query)
    def ask(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        answers = _answers.get()
        if answers is None:
            return query(*args, **kwargs)
        question = _question(query, args, kwargs)
        if question not in answers:
            answers[question] = query(*args, **kwargs)
        return answers[question]

    return ask


def answer_beforehand(query: Callable[..., Any], answer: object, *args: Any, **kwargs: Any) -> None:
    """Gives the answer to a question that will be asked with these arguments; does nothing outside a page."""
    answers = _answers.get()
    if answers is not None:
        answers[_question(getattr(query, "__wrapped__", query), args, kwargs)] = answer


def _question(query: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
    return query, tuple(map(_frozen, args)), tuple((name, _frozen(kwargs[name])) for name in sorted(kwargs))


def _frozen(value: Any) -> Hashable:
    if isinstance(value, set):
        return frozenset(value)
    return tuple(value) if isinstance(value, list) else value
