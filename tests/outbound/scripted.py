"""A mail server on a real socket that says what it is told to say, and keeps what it takes."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

HANG = "hang"
CLOSE = "close"
DRIP = "drip"
Answer = str | Callable[[str], str]
USUAL: dict[str, Answer] = {
    "hello": "220 scripted",
    "EHLO": "250-scripted\r\n250 PIPELINING",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 Go on",
    "body": "250 Taken",
    "RSET": "250 OK",
    "QUIT": "221 Goodbye",
}


class Scripted:
    """`answers` may be changed while it runs; a function is given the line that it answers to."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = {**USUAL, **answers}
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.connections = 0
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def end(self) -> None:
        self._ended.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            lines = connection.makefile("rb")
            said = self._say(connection, "hello", "")
            while said and (line := lines.readline()):
                command = line.decode("utf-8", "replace").strip()
                self.asked.append(command)
                said = self._say(connection, command[:4].upper(), command)
                if said.startswith("354"):
                    said = self._take(connection, lines)

    def _take(self, connection: socket.socket, lines: Iterable[bytes]) -> str:
        message_id = ""
        for line in lines:
            if line.startswith(b"Message-ID:"):
                message_id = line[11:].decode().strip(" <>\r\n")
            if line == b".\r\n":
                break
        said = self._say(connection, "body", message_id)
        if said.startswith("250") and message_id:
            self.taken.append(message_id)
        return said

    def _say(self, connection: socket.socket, step: str, line: str) -> str:
        """What was said; nothing once the connection is to end."""
        answer = self.answers.get(step, "500 What?")
        said = answer(line) if callable(answer) else answer
        if said == HANG:
            self._ended.wait(60)
        while said == DRIP and not self._ended.wait(0.05):
            connection.sendall(b"2")
        if said in (HANG, DRIP, CLOSE):
            return ""
        connection.sendall(f"{said}\r\n".encode())
        return said


@contextmanager
def scripted_server(**answers: Answer) -> Iterator[Scripted]:
    server = Scripted(answers)
    try:
        yield server
    finally:
        server.end()
