"""One SMTP connection that pipelines (RFC 2920) when the server offers it, and asks one command at a time
when not.
"""

import base64
import contextlib
import re
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from icbt_support.delivery.channel import ChannelAway, IsStillWanted, Mail, Outcome, Result
from icbt_support.delivery.smtp_replies import Blame, Reply, Step, blame_of
from icbt_support.delivery.standing import Standing
from icbt_support.settings import SmtpServer

# A whole answer takes no longer than this, and all that comes before the first mail together no longer than that:
# a server that says one letter now and then is as silent as one that says nothing.
ANSWER_SECONDS = 60.0
OPEN_SECONDS = 20.0
LONGEST_REPLY_LINE = 4096
# A server that takes longer than this for a message gets no envelope ahead of time: what is withdrawn
# meanwhile can then still be kept back.
LOOK_AHEAD_SECONDS = 0.25
# A mail that was known to be wanted longer ago than this (a slow server, a stopped process) is asked about
# again before its body.
ASK_AGAIN_SECONDS = 0.8
TakeNext = Callable[[], Mail | None]


def may_carry_a_password(connection: socket.socket) -> bool:
    """Encrypted, or within this machine: whoever sits between could take away a server's offer to encrypt."""
    if isinstance(connection, ssl.SSLSocket):
        return True
    return ip_address(connection.getpeername()[0]).is_loopback


class Attempt:
    """One mail on its way through the dialogue."""

    __slots__ = ("began", "body_sent", "mail", "refusal", "refused_at")

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.refusal: Reply | None = None
        self.refused_at = Step.RCPT
        self.body_sent = False
        self.began = 0.0


class SmtpConnection:
    """Opened before use; `start` hands it a mail, `read` turns the server's replies into outcomes."""

    def __init__(self, server: SmtpServer, mail_from: str, standing: Standing) -> None:
        self._server = server
        self._mail_from = mail_from
        self._standing = standing
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._waiting: deque[tuple[Step, Attempt]] = deque()
        self._unsent: deque[tuple[Step, Attempt, bytes]] = deque()
        self._pipelines = False
        self._round_trip = 0.0
        self._open_by = 0.0
        self.used_at = 0.0
        self.answer_due_at = 0.0

    # Opening
    # -------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting or self._unsent)

    def fileno(self) -> int:
        return self._socket.fileno() if self._socket is not None else -1

    @property
    def is_overdue(self) -> bool:
        return self.is_busy and time.monotonic() >= self.answer_due_at

    def open(self, within: float = OPEN_SECONDS) -> None:
        """Connects, encrypts when offered, signs in when asked to. Raises `ChannelAway` with the reason in
        words.
        """
        self._open_by = time.monotonic() + within
        try:
            self._connect()
        except (OSError, UnicodeError) as error:
            self.close()
            raise ChannelAway(f"The mail server does not answer: {error}"[:200]) from error
        except ChannelAway:
            self.close()
            raise

    def _connect(self) -> None:
        server = self._server
        self._buffer = b""
        self._lines = []
        connection = socket.create_connection((server.host, server.port), timeout=self._time_left())
        self._socket = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server.use_tls:
            self._socket = self._encrypt(connection)
        self._expect_ok(self._read_reply())
        offers = self._greet()
        if not server.use_tls and "STARTTLS" in offers:
            self._expect_ok(self._ask("STARTTLS"))
            if self._buffer:
                raise ChannelAway(
                    "The mail server said more than it was asked before the connection was encrypted."
                )
            self._socket = self._encrypt(connection)
            offers = self._greet()
        if server.username is not None:
            self._check_may_carry_a_password()
            self._sign_in(offers.get("AUTH", ""))
        self._pipelines = "PIPELINING" in offers
        self._round_trip = 0.0
        self._socket.settimeout(ANSWER_SECONDS)
        self.used_at = time.monotonic()

    def _time_left(self) -> float:
        left = self._open_by - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long to begin")
        return left

    def _encrypt(self, connection: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        if not self._server.use_tls and self._server.username is None:
            # A relay next door with a certificate of its own: encrypted beats plain, and no password is at
            # stake.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connection.settimeout(self._time_left())
        return context.wrap_socket(connection, server_hostname=self._server.host)

    def _greet(self) -> dict[str, str]:
        domain = self._mail_from.rpartition("@")[2]
        reply = self._ask(f"EHLO {domain}")
        if not reply.is_ok:
            self._expect_ok(self._ask(f"HELO {domain}"))
            return {}
        offers: dict[str, str] = {}
        for line in reply.text.split("\n")[1:]:
            word, _, rest = line.partition(" ")
            offers[word.upper()] = rest
        return offers

    def _check_may_carry_a_password(self) -> None:
        if self._socket is None or not may_carry_a_password(self._socket):
            raise ChannelAway("The mail server offers no encryption, so no password is sent to it.")

    def _sign_in(self, mechanisms: str) -> None:
        username, password = self._server.username or "", self._server.password or ""
        if "PLAIN" in mechanisms.upper() or "LOGIN" not in mechanisms.upper():
            secret = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
            self._expect_ok(self._ask(f"AUTH PLAIN {secret}"))
            return
        self._ask("AUTH LOGIN")
        self._ask(base64.b64encode(username.encode()).decode())
        self._expect_ok(self._ask(base64.b64encode(password.encode()).decode()))

    def _ask(self, command: str) -> Reply:
        self._send(command.encode() + b"\r\n")
        return self._read_reply()

    def _read_reply(self) -> Reply:
        """The next reply while the connection is being opened."""
        while True:
            reply = self._next_reply()
            if reply is not None:
                return reply
            if self._socket is not None:
                self._socket.settimeout(self._time_left())
            self._receive()

    @staticmethod
    def _expect_ok(reply: Reply) -> None:
        if not reply.is_ok:
            raise ChannelAway(f"The mail server said: {reply}")

    def close(self) -> None:
        """Says goodbye where that is possible; never raises."""
        if self._socket is not None and not self.is_busy:
            with contextlib.suppress(OSError):
                self._socket.sendall(b"QUIT\r\n")
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        self._socket = None
        self._waiting.clear()
        self._unsent.clear()

    # Sending
    # -------------------------------------------------------------------------------------------------

    def start(self, mail: Mail) -> None:
        """Begins a mail on a connection that is not busy."""
        self.answer_due_at = time.monotonic() + ANSWER_SECONDS
        self._send(self._queue_envelope(Attempt(mail)))

    def _queue_envelope(self, attempt: Attempt) -> bytes:
        attempt.began = time.monotonic()
        commands = (
            (Step.MAIL, f"MAIL FROM:<{self._mail_from}>\r\n".encode()),
            (Step.RCPT, f"RCPT TO:<{attempt.mail.address}>\r\n".encode()),
            (Step.DATA, b"DATA\r\n"),
        )
        if self._pipelines:
            self._waiting.extend((step, attempt) for step, _ in commands)
            return b"".join(command for _, command in commands)
        self._unsent.extend((step, attempt, command) for step, command in commands)
        return self._next_unsent()

    def _next_unsent(self) -> bytes:
        """The next command that may go out: one at a time."""
        if self._waiting or not self._unsent:
            return b""
        step, attempt, command = self._unsent.popleft()
        self._waiting.append((step, attempt))
        return command

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            raise ChannelAway("The connection to the mail server is closed.")
        if data:
            self._socket.sendall(data)

    # Reading
    # -------------------------------------------------------------------------------------------------

    def read(self, take_next: TakeNext, is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        """Reads what has come in, sends what follows from it, and yields what became of mails.

        `take_next` is asked for a mail when its envelope can travel with the body before it.
        A lost connection leaves every mail whose body was not sent without an outcome; one whose body was is
        tried again later, under its Message-ID.
        """
        self.used_at = time.monotonic()
        try:
            if not self.is_overdue or self._has_input():
                self._receive()
            while self.is_open:
                reply = self._next_reply()
                if reply is None:
                    break
                self.answer_due_at = time.monotonic() + ANSWER_SECONDS
                yield from self._handle(reply, take_next, is_still_wanted)
        except OSError as error:
            yield from self._lose(f"The connection to the mail server was lost: {error}")
        if self.is_overdue:
            yield from self._lose("The mail server stopped answering.")

    def _lose(self, why: str) -> Iterator[Outcome]:
        unsure = [attempt for step, attempt in self._waiting if step is Step.BODY and attempt.body_sent]
        self._hang_up()
        for attempt in unsure:
            yield Outcome(attempt.mail.reference, Result.LATER, why[:200])
        raise ChannelAway(why[:200])

    def _receive(self) -> None:
        if self._socket is None:
            raise ConnectionError("closed")
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        self._buffer += data

    def has_unread(self) -> bool:
        """Decrypted bytes that no `select` would announce."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _has_input(self) -> bool:
        return self.has_unread() or bool(select.select([self], [], [], 0)[0])

    def _next_reply(self) -> Reply | None:
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                if len(self._buffer) > LONGEST_REPLY_LINE:
                    raise ConnectionError("the server's reply is too long")
                return None
            self._buffer = rest
            text = line.rstrip(b"\r").decode("utf-8", "replace")
            self._lines.append(text[4:])
            if text[3:4] != "-":
                if not re.match(r"[2-5]\d\d(?!\d)", text, re.ASCII):
                    raise ConnectionError("what the server says is not SMTP")
                reply = Reply(int(text[:3]), "\n".join(self._lines))
                self._lines = []
                return reply

    def _handle(self, reply: Reply, take_next: TakeNext, is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        if not self._waiting:
            yield from self._lose(f"The mail server said: {reply}")
        step, attempt = self._waiting.popleft()
        if blame_of(reply, step) is Blame.CHANNEL:
            self._waiting.appendleft((step, attempt))
            yield from self._lose(f"The mail server said: {reply}")
        if step is Step.RCPT and not reply.is_ok:
            attempt.refusal, attempt.refused_at = reply, step
        elif step is Step.DATA:
            if reply.code == 354 and _has_waited(attempt) and not is_still_wanted(attempt.mail.reference):
                self._hang_up()  # Once the server waits for a body, this is the only way not to send it.
                return
            self._after_data(reply, attempt, take_next)
            if not attempt.body_sent:
                yield self._refused(attempt)
        elif step is Step.BODY:
            yield self._after_body(reply, attempt)
        self._send(self._next_unsent())

    def _after_data(self, reply: Reply, attempt: Attempt, take_next: TakeNext) -> None:
        if reply.code != 354:
            if attempt.refusal is None:
                attempt.refusal, attempt.refused_at = reply, Step.DATA
            self._waiting.append((Step.RSET, attempt))
            self._send(b"RSET\r\n")
            return
        attempt.body_sent = True
        self._waiting.append((Step.BODY, attempt))
        if attempt.refusal is not None:
            self._send(b".\r\n")
            return
        ahead = self._look_ahead(take_next)
        self._send(stuff_dots(attempt.mail.data) + ahead)

    def _look_ahead(self, take_next: TakeNext) -> bytes:
        if not self._pipelines or self._round_trip > LOOK_AHEAD_SECONDS:
            return b""
        mail = take_next()
        return b"" if mail is None else self._queue_envelope(Attempt(mail))

    def _after_body(self, reply: Reply, attempt: Attempt) -> Outcome:
        self._round_trip = time.monotonic() - attempt.began
        if attempt.refusal is None and reply.is_ok:
            self._standing.note_taken()
            return Outcome(attempt.mail.reference, Result.ACCEPTED, str(reply))
        if attempt.refusal is None:
            attempt.refusal, attempt.refused_at = reply, Step.BODY
        return self._refused(attempt)

    def _refused(self, attempt: Attempt) -> Outcome:
        reply = attempt.refusal or Reply(451, "no reply")
        blame = blame_of(reply, attempt.refused_at)
        if blame is Blame.US:
            self._standing.note_refusal(reply)
        return Outcome(attempt.mail.reference, _RESULTS.get(blame, Result.LATER), str(reply))


_RESULTS = {Blame.ADDRESS: Result.ADDRESS_REFUSED, Blame.MAIL: Result.MESSAGE_REFUSED}


def _has_waited(attempt: Attempt) -> bool:
    return attempt.refusal is None and time.monotonic() - attempt.mail.looked_at > ASK_AGAIN_SECONDS


def stuff_dots(data: bytes) -> bytes:
    """The body as it travels: a leading dot doubled, and the line that ends it."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")
