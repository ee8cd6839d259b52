"""One commit for each request, at the edge, on success only."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import make_response
from sqlalchemy.exc import DBAPIError

from icbt_support.db import commit_with_retry, db

View = TypeVar("View", bound=Callable[..., Any])
FIRST_REFUSAL = 400


class _NotKept(Exception):
    """Carries an answer that keeps nothing out of the transaction."""

    def __init__(self, response: Any) -> None:
        self.response = response


def commits(view: View) -> View:
    """Runs the view in one write transaction and commits it unless the answer is a refusal (400 and above).

    The transaction in which the person was recognised is given up first, so that everything the view decides on
    is read under the write lock. A serialisation failure runs the view again.
    """

    @wraps(view)
    def in_one_transaction(*args: Any, **kwargs: Any) -> Any:
        def work() -> Any:
            response = make_response(view(*args, **kwargs))
            if response.status_code >= FIRST_REFUSAL:
                raise _NotKept(response)
            return response

        try:
            return commit_with_retry(work)
        except _NotKept as refusal:
            return refusal.response

    in_one_transaction.commits = True  # type: ignore[attr-defined]
    return in_one_transaction  # type: ignore[return-value]


def end_transaction(error: BaseException | None) -> None:
    """Gives up what was not committed at the end of every request."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session.remove()
