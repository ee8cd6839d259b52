"""The last look before a mail goes out: is it still wanted, and is it still ours to send?"""

import time
from collections.abc import Sequence
from typing import Self

from sqlalchemy import Engine

from icbt_support import clock
from icbt_support.db import commit_with_retry, db
from icbt_support.reminders import settling
from icbt_support.reminders.claims import ClaimedMailing
from icbt_support.reminders.verdicts import DueReminder

CHECK_AFTER = 50
OLDEST_CHECK_SECONDS = 0.8
RENEW_AFTER_SECONDS = 20.0


class Gate:
    """Reads again, for at most 50 mails and never older than a second, which reminders are still wanted."""

    def __init__(self, token: str, mailings: Sequence[ClaimedMailing]) -> None:
        self.mailings = mailings
        self._token = token
        self._connection = _engine().connect()
        self._wanted: set[int] | None = set()
        self._read_until = 0
        self.read_at = 0.0
        self._renewed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def is_still_wanted(self, mailing_id: int) -> bool:
        """Whether all of one mailing is wanted now: of a mail that has been taken and had to wait."""
        return self._ask([next(one for one in self.mailings if one.id == mailing_id)]) is None

    def _ask(self, mailings: Sequence[ClaimedMailing]) -> set[int] | None:
        """The reminders that are still wanted, or None for all of these mailings' own.

        Each time anew: in no transaction, or in one of its own that ends at once.
        """
        ids = [row.id for mailing in mailings for row in mailing.reminders]
        are_all = settling.are_all_still_wanted(
            self._connection, ids, [mailing.id for mailing in mailings], self._token
        )
        wanted = None if are_all else settling.still_wanted(self._connection, ids, self._token)
        self._connection.rollback()
        return wanted

    def still_wanted(self, position: int) -> Sequence[DueReminder]:
        now = time.monotonic()
        if position >= self._read_until or now - self.read_at > OLDEST_CHECK_SECONDS:
            self._read(position, now)
        rows, wanted = self.mailings[position].reminders, self._wanted
        return rows if wanted is None else [row for row in rows if row.id in wanted]

    def _read(self, position: int, now: float) -> None:
        if now - self._renewed_at > RENEW_AFTER_SECONDS:
            commit_with_retry(lambda: settling.renew_lease(self._token, real_now=clock.real_now()))
            self._renewed_at = now
        chunk = self.mailings[position : position + CHECK_AFTER]
        self.read_at = time.monotonic()
        self._wanted = self._ask(chunk)
        self._read_until = position + len(chunk)


def _engine() -> Engine:
    """A server is asked without a transaction around each question: one journey to it instead of three."""
    if db.engine.dialect.name == "sqlite":
        return db.engine
    return db.engine.execution_options(isolation_level="AUTOCOMMIT")
