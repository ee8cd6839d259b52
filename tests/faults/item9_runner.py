"""A process that answers item 9 again and again and is killed with -9 at every statement, one after the
other.

Run as `python -m tests.faults.item9_runner DATABASE_URL ACCOUNT_ID`. For the n-th try it forks a child that
posts a form through the whole application and is killed just before its n-th statement or commit. It goes on
until a child gets through, and prints one JSON object for each try: what was posted, and whether the child
was killed.
"""

import json
import os
import signal
import sys
import tempfile
from typing import Any

from flask import Flask
from sqlalchemy import event

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.factory import create_app
from icbt_support.settings import read_settings
from tests.browsing import PageClient
from tests.conftest import THURSDAY

MOST_STATEMENTS = 400
ITEM_9, NOT_SAFE = "/check-in/phq-9/9", "/messages"


class DiesAt:
    """Kills this process when it comes to its n-th statement or commit; the count begins at `arm`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = 0

    def arm(self) -> None:
        for name in ("before_cursor_execute", "commit"):
            event.listen(db.engine, name, self._count)

    def _count(self, *_: Any) -> None:
        self.seen += 1
        if self.seen == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


def build(database_url: str) -> Flask:
    return create_app(
        read_settings(
            {
                "ENVIRONMENT": "test",
                "DATABASE_URL": database_url,
                "BASE_URL": "https://course.example.net",
                "JOURNAL_DIR": tempfile.mkdtemp(),
                "SCHEDULER": "off",
            }
        )
    )


def signed_in(app: Flask, account_id: int) -> PageClient:
    """A browser with a sign-in and a token; no connection is left open that a fork could share."""
    with app.app_context():
        client = PageClient(app).sign_in(db.session.get_one(Account, account_id))
        client.token()
        db.session.remove()
        db.engine.dispose()
    return client


def is_through(client: PageClient, path: str, data: dict[str, str], number: int) -> bool:
    """False if the child that posted was killed at its statement `number`."""
    child = os.fork()
    if child == 0:
        _post(client, path, data, DiesAt(number))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"The child for {path} ended with {status}.")
    return True


def _post(client: PageClient, path: str, data: dict[str, str], killer: DiesAt) -> None:
    try:
        with client.app.app_context():
            killer.arm()
            response = client.http.post(path, data={"csrf_token": client.token(), **data})
            os._exit(0 if response.status_code == 302 else 3)
    except BaseException:
        os._exit(4)


def main(database_url: str, account_id: int) -> None:
    app = build(database_url)
    clock.stop_clock_at(THURSDAY)
    client = signed_in(app, account_id)
    for path in (ITEM_9, NOT_SAFE):
        for number in range(1, MOST_STATEMENTS):
            item_data = {"answer": str(1 + number % 3)}
            message_data = {"words": f"try {number}", "posted_key": str(number), "not_safe": "yes"}
            data = item_data if path == ITEM_9 else message_data
            done = is_through(client, path, data, number)
            sys.stdout.write(json.dumps({"path": path, "data": data, "through": done}) + "\n")
            sys.stdout.flush()
            if done:
                break


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
