"""A mail server that does as little as one can: it answers, and counts each recipient's mails in mapped
bytes.

Recipients are `p<number>@…`; byte <number> of the counts file is how often a mail to them was taken. It
pipelines, and may be told to take its time. Run as a process of its own: `python -m benchmarks.sink COUNTS
[--delay SECONDS] [--log FILE] [--plain]`; it prints its port.
"""

import argparse
import contextlib
import mmap
import selectors
import socket
import sys
import time
from pathlib import Path

OK = b"250 OK\r\n"
GO = b"354 Go on\r\n"
END = b"\r\n.\r\n"
PIPELINING = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
ONE_BY_ONE = b"250 sink\r\n"
REFUSED = b"550 5.1.1 No such person\r\n"
LATER = b"451 4.3.0 Later\r\n"


class Session:
    """One connection: what came in and was not understood yet, and where in the dialogue it stands."""

    __slots__ = ("buffer", "in_body", "recipient", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""
        self.in_body = False
        self.recipient = -1


class Sink:
    def __init__(self, counts: Path, *, delay: float, log: Path | None, is_plain: bool) -> None:
        with counts.open("r+b") as handle:
            self._counts = mmap.mmap(handle.fileno(), 0)
        self._delay = delay
        self._log = log.open("ab", buffering=0) if log else None
        self._hello = ONE_BY_ONE if is_plain else PIPELINING

    def take(self, session: Session, data: bytes) -> bytes:
        """What to answer to what came in."""
        buffer = session.buffer + data
        answers: list[bytes] = []
        start = 0
        while True:
            if session.in_body:
                end = buffer.find(END, start)
                if end < 0:
                    break
                answers.append(self._accept(session, buffer, start, end))
                session.in_body = False
                start = end + len(END)
                continue
            end = buffer.find(b"\n", start)
            if end < 0:
                break
            answers.append(self._answer(session, buffer[start : end + 1]))
            start = end + 1
        session.buffer = buffer[start:]
        return b"".join(answers)

    def _accept(self, session: Session, buffer: bytes, start: int, end: int) -> bytes:
        if self._delay:
            time.sleep(self._delay)
        number = session.recipient
        if number >= 0:
            self._counts[number] = min(255, self._counts[number] + 1)
        if self._log is not None:
            self._log.write(b"%d %s\n" % (number, _message_id(buffer[start:end])))
        return OK

    def _answer(self, session: Session, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            return self._recipient(session, line)
        if verb == b"DATA":
            if session.recipient < 0:
                return b"503 No recipient\r\n"
            session.in_body = True
            return GO
        if verb == b"EHLO":
            return self._hello
        if verb == b"QUIT":
            return b"221 Goodbye\r\n"
        if verb in (b"MAIL", b"RSET", b"NOOP"):
            session.recipient = -1
        return OK

    def _recipient(self, session: Session, line: bytes) -> bytes:
        name = line[9 : line.find(b"@")]
        if name == b"refused":
            return REFUSED
        if name == b"later":
            return LATER
        session.recipient = int(name[1:]) if name[1:].isdigit() else 0
        return OK


def _message_id(body: bytes) -> bytes:
    at = body.find(b"Message-ID: ")
    return body[at + 12 : body.find(b"\r\n", at)]


def serve(sink: Sink) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(b"220 sink\r\n")
                selector.register(connection, selectors.EVENT_READ, Session(connection))
                continue
            _read(selector, key.data, sink)


def _read(selector: selectors.BaseSelector, session: Session, sink: Sink) -> None:
    try:
        data = session.socket.recv(262_144)
        if data:
            answer = sink.take(session, data)
            if answer:
                session.socket.sendall(answer)
            return
    except OSError:
        pass
    selector.unregister(session.socket)
    with contextlib.suppress(OSError):
        session.socket.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    serve(Sink(given.counts, delay=given.delay, log=given.log, is_plain=given.plain))
    return 0


if __name__ == "__main__":
    sys.exit(main())
