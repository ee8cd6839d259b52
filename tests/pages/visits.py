"""One visit by one person in an application context of its own, as a server would have it."""

from typing import Any

from flask import Flask

from icbt_support.accounts.models import Account
from icbt_support.db import db
from tests.browsing import PageClient


def status_of(app: Flask, account: Account, path: str, data: dict[str, Any] | None = None) -> int:
    """The status that this person gets for a look at `path`, or for posting `data` to it."""
    with app.app_context():
        visitor = PageClient(app).sign_in(account)
        status = (visitor.get(path) if data is None else visitor.post(path, data)).status_code
    db.session.rollback()
    return status


def words_for(app: Flask, account: Account, path: str) -> str:
    """The page that this person gets."""
    with app.app_context():
        words = PageClient(app).sign_in(account).get(path).get_data(as_text=True)
    db.session.rollback()
    return words
