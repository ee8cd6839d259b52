"""Email over SMTP: a few connections, kept open, served by turns, with a cap on the rate."""

import select
import time
from collections.abc import Iterable, Iterator

from icbt_support.delivery.channel import ChannelAway, IsStillWanted, Mail, Outcome
from icbt_support.delivery.smtp_connection import SmtpConnection
from icbt_support.delivery.standing import Standing
from icbt_support.settings import SmtpServer

IDLE_SECONDS = 10.0
# A server may allow fewer connections than we would like: it is not asked for more on and on.
OPEN_ANOTHER_SECONDS = 5.0
ASK_FOR_ANOTHER_AFTER = 60.0


class SmtpChannel:
    """A pool of pipelined connections driven by one thread.

    A kill loses no more than one reply for each open connection.
    """

    def __init__(
        self, server: SmtpServer, mail_from: str, *, connections: int = 1, max_per_second: int = 0
    ) -> None:
        self._standing = Standing()
        self._pool = [SmtpConnection(server, mail_from, self._standing) for _ in range(connections)]
        self._another_at = 0.0
        self._pause = 1 / max_per_second if max_per_second else 0.0
        self._next_start = 0.0

    def open(self) -> None:
        first, *others = self._pool
        stale = time.monotonic() - IDLE_SECONDS
        for connection in self._pool:
            if connection.is_open and (connection.is_busy or connection.used_at < stale):
                connection.close()
        if not first.is_open:
            first.open()
        for connection in others:
            if not connection.is_open and time.monotonic() >= self._another_at:
                self._open_another(connection)

    def _open_another(self, connection: SmtpConnection) -> None:
        try:
            connection.open(OPEN_ANOTHER_SECONDS)
        except ChannelAway:
            self._another_at = time.monotonic() + ASK_FOR_ANOTHER_AFTER

    def close(self) -> None:
        for connection in self._pool:
            connection.close()

    def deliver(self, mails: Iterable[Mail], is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        self.open()
        feed = _Feed(mails, self)
        away: ChannelAway | None = None
        while True:
            away = away or self._standing.trouble() or self._start_idle(feed)
            busy = [connection for connection in self._pool if connection.is_open and connection.is_busy]
            if not busy:
                if away is not None:
                    self._standing.ask_anew()
                    raise away
                if feed.is_finished:
                    return
                self.open()
                time.sleep(max(0.0, self._next_start - time.monotonic()))
                continue
            for connection in self._readable(busy, feed):
                try:
                    yield from connection.read(feed.take if away is None else _nothing, is_still_wanted)
                except ChannelAway as error:
                    away = error

    def _start_idle(self, feed: "_Feed") -> ChannelAway | None:
        for connection in self._pool:
            if not connection.is_open or connection.is_busy:
                continue
            mail = feed.take()
            if mail is None:
                return None
            try:
                connection.start(mail)
            except (OSError, ChannelAway) as error:
                connection.close()
                return ChannelAway(f"The connection to the mail server was lost: {error}")
        return None

    def _readable(self, busy: list[SmtpConnection], feed: "_Feed") -> list[SmtpConnection]:
        unread = [connection for connection in busy if connection.has_unread()]
        if unread:
            return unread
        now = time.monotonic()
        until = min(connection.answer_due_at for connection in busy)
        if self._pause and not feed.is_finished:
            until = min(until, self._next_start)
        readable, _, _ = select.select(busy, [], [], max(0.001, until - now))
        return [*readable, *(one for one in busy if one.is_overdue and one not in readable)]

    def may_start(self) -> bool:
        """Keeps the rate under the cap: a place is taken by asking."""
        if self._standing.is_refused:
            return False
        if not self._pause:
            return True
        now = time.monotonic()
        if now < self._next_start:
            return False
        self._next_start = max(self._next_start + self._pause, now - 0.1)
        return True


class _Feed:
    """The mails, taken one by one and only when a connection is free for the next."""

    def __init__(self, mails: Iterable[Mail], channel: SmtpChannel) -> None:
        self._mails = iter(mails)
        self._channel = channel
        self.is_finished = False

    def take(self) -> Mail | None:
        if self.is_finished or not self._channel.may_start():
            return None
        mail = next(self._mails, None)
        self.is_finished = mail is None
        return mail


def _nothing() -> None:
    return None
