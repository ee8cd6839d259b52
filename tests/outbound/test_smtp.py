"""The SMTP client against real servers: pipelined and not, encrypted, signed in, refused, gone."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from benchmarks.sinks import RunningSink, running_sink
from icbt_support.delivery.channel import ChannelAway, Mail, Outcome, Result
from icbt_support.delivery.smtp import SmtpChannel
from icbt_support.delivery.smtp_connection import may_carry_a_password, stuff_dots
from icbt_support.settings import SmtpServer

FROM = "course@example.net"


def mail(number: int, address: str | None = None, body: str = "Hello") -> Mail:
    data = f"Message-ID: <{number}@example.net>\r\nSubject: Hello\r\n\r\n{body}\r\n".encode()
    return Mail(number, address or f"p{number}@example.net", f"{number}@example.net", data, time.monotonic())


def send(channel: SmtpChannel, mails: list[Mail]) -> list[Outcome]:
    try:
        return list(channel.deliver(mails, lambda reference: True))
    finally:
        channel.close()


def channel_to(port: int, **more: Any) -> SmtpChannel:
    return SmtpChannel(SmtpServer("127.0.0.1", port), FROM, **more)


@pytest.fixture(params=["pipelined", "one by one"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningSink]:
    with running_sink(tmp_path, 500, is_logged=True, is_plain=request.param == "one by one") as running:
        yield running


@pytest.mark.parametrize("connections", [1, 3])
def test_every_mail_is_taken_once(sink: RunningSink, connections: int) -> None:
    outcomes = send(channel_to(sink.port, connections=connections), [mail(number) for number in range(500)])
    assert {outcome.result for outcome in outcomes} == {Result.ACCEPTED}
    assert sorted(outcome.reference for outcome in outcomes) == list(range(500))
    assert sink.tally() == {1: 500}


def test_a_refused_address_is_for_good_and_stops_no_other(sink: RunningSink) -> None:
    mails = [mail(1), mail(2, "refused@example.net"), mail(3, "later@example.net"), mail(4)]
    results = {outcome.reference: outcome.result for outcome in send(channel_to(sink.port), mails)}
    assert results == {
        1: Result.ACCEPTED,
        2: Result.ADDRESS_REFUSED,
        3: Result.LATER,
        4: Result.ACCEPTED,
    }


def test_the_rate_cap_holds(sink: RunningSink) -> None:
    began = time.monotonic()
    send(channel_to(sink.port, max_per_second=50), [mail(number) for number in range(30)])
    assert time.monotonic() - began > 0.4


def test_a_mail_is_asked_for_only_when_a_connection_is_free_for_it(sink: RunningSink) -> None:
    taken: list[int] = []

    def feed() -> Iterator[Mail]:
        for number in range(20):
            taken.append(number)
            yield mail(number)

    channel = channel_to(sink.port, connections=2)
    for settled, _ in enumerate(channel.deliver(feed(), lambda reference: True), start=1):
        assert len(taken) - settled <= 4
    channel.close()


def test_a_mail_that_had_to_wait_is_asked_about_again(
    sink: RunningSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icbt_support.delivery.smtp_connection.ASK_AGAIN_SECONDS", -1.0)
    channel = channel_to(sink.port)
    outcomes = list(channel.deliver([mail(1), mail(2), mail(3)], lambda reference: reference != 2))
    channel.close()
    assert [outcome.reference for outcome in outcomes] == [1, 3]
    counts = sink.counts.read_bytes()
    assert (counts[1], counts[2], counts[3]) == (1, 0, 1)


def test_a_mail_looked_at_before_its_worker_was_stopped_is_asked_about_again(sink: RunningSink) -> None:
    stale = mail(3)._replace(looked_at=time.monotonic() - 5)
    channel = channel_to(sink.port)
    assert list(channel.deliver([stale], lambda reference: False)) == []
    assert sink.tally() == {0: 500}
    assert [one.result for one in channel.deliver([stale], lambda reference: True)] == [Result.ACCEPTED]
    channel.close()


def test_nobody_listening_is_the_channels_trouble_not_a_mails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ChannelAway, match="does not answer"):
        channel_to(port).open()


@pytest.mark.parametrize("body", [".", "..", "one\r\n.\r\ntwo", "\r\n.\r\n", ".start\r\n..mid\r\nend."])
def test_dots_arrive_as_they_were(body: str) -> None:
    arrived: list[bytes] = []

    class Keeper:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            arrived.append(envelope.original_content or b"")
            return "250 OK"

    with aiosmtpd_server(Keeper()) as port:
        sent = mail(1, body=body)
        assert [one.result for one in send(channel_to(port), [sent])] == [Result.ACCEPTED]
    assert arrived == [sent.data]
    assert stuff_dots(b".a\r\n.b\r\n") == b"..a\r\n..b\r\n.\r\n"


class Obstinate:
    """Answers the second message with 421 and hangs up."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.seen = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.seen += 1
        return "250 OK" if self.seen == 1 else self.reply


def test_421_pauses_the_channel_and_leaves_the_rest_without_an_outcome() -> None:
    with aiosmtpd_server(Obstinate("421 4.3.2 Closing")) as port:
        channel = channel_to(port)
        outcomes: list[Outcome] = []
        with pytest.raises(ChannelAway, match="421"):
            outcomes.extend(channel.deliver([mail(number) for number in range(5)], lambda reference: True))
    assert [(one.reference, one.result) for one in outcomes] == [(0, Result.ACCEPTED), (1, Result.LATER)]


@pytest.mark.parametrize(
    ("reply", "result"),
    [("451 4.3.0 Later", Result.LATER), ("554 5.6.0 Not this one", Result.MESSAGE_REFUSED)],
)
def test_an_answer_to_the_body_decides_that_mail(reply: str, result: Result) -> None:
    with aiosmtpd_server(Obstinate(reply)) as port:
        outcomes = send(channel_to(port), [mail(1), mail(2)])
    assert [one.result for one in outcomes] == [Result.ACCEPTED, result]


def test_an_answer_that_is_not_smtp_refuses_no_mail() -> None:
    with aiosmtpd_server(Obstinate("what?")) as port:
        channel = channel_to(port)
        outcomes: list[Outcome] = []
        with pytest.raises(ChannelAway, match="not SMTP"):
            outcomes.extend(channel.deliver([mail(number) for number in range(3)], lambda reference: True))
    assert [(one.reference, one.result) for one in outcomes] == [(0, Result.ACCEPTED), (1, Result.LATER)]


def test_what_is_said_before_the_connection_is_encrypted_counts_for_nothing_after_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answers = threading.Thread(target=_inject_after_starttls, args=(listener,))
        answers.start()
        with pytest.raises(ChannelAway, match="more than it was asked"):
            channel_to(listener.getsockname()[1]).open()
        answers.join()


def _inject_after_starttls(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        for answer in (b"220 hello\r\n", b"250-hello\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"):
            connection.sendall(answer)
            connection.recv(1_000)


class Peer:
    """As much of a connection as says where it leads."""

    def __init__(self, address: str) -> None:
        self.address = address

    def getpeername(self) -> tuple[str, int]:
        return (self.address, 25)


@pytest.mark.parametrize(("address", "may"), [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False)])
def test_a_password_never_leaves_the_machine_in_clear(address: str, may: bool) -> None:
    assert may_carry_a_password(Peer(address)) is may  # type: ignore[arg-type]


def test_starttls_and_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    signed_in: list[bytes] = []

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        signed_in.append(data.login)
        return AuthResult(success=data.password == b"secret words", handled=False)

    options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": check,
        "auth_required": True,
    }
    with aiosmtpd_server(Obstinate("250 OK"), **options) as port:
        server = SmtpServer("localhost", port, "course", "secret words")
        assert [one.result for one in send(SmtpChannel(server, FROM), [mail(1)])] == [Result.ACCEPTED]
        with pytest.raises(ChannelAway, match="535"):
            SmtpChannel(SmtpServer("localhost", port, "course", "wrong"), FROM).open()
    assert signed_in[0] == b"course"


def test_a_password_is_never_given_to_a_server_that_cannot_prove_itself(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with aiosmtpd_server(Obstinate("250 OK"), tls_context=context) as port:
        with pytest.raises(ChannelAway, match="certificate"):
            SmtpChannel(SmtpServer("localhost", port, "course", "secret words"), FROM).open()
        assert [one.result for one in send(channel_to(port), [mail(1)])] == [Result.ACCEPTED]


def test_a_server_that_dies_half_way_is_tried_again_under_the_same_message_id() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        connection.sendall(b"220 hello\r\n")
        connection.recv(1000)
        connection.sendall(b"250-x\r\n250 PIPELINING\r\n")
        connection.recv(1000)
        connection.sendall(b"250 OK\r\n250 OK\r\n354 go\r\n")
        connection.recv(1000)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    channel = channel_to(listener.getsockname()[1])
    outcomes: list[Outcome] = []
    with pytest.raises(ChannelAway, match="lost"):
        outcomes.extend(channel.deliver([mail(1), mail(2)], lambda reference: True))
    thread.join()
    listener.close()
    assert [(one.reference, one.result) for one in outcomes] == [(1, Result.LATER)]


class aiosmtpd_server:  # noqa: N801 (reads like the function it stands for)
    def __init__(self, handler: object, **options: Any) -> None:
        self.controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)

    def __enter__(self) -> int:
        self.controller.start()
        return self.controller.port

    def __exit__(self, *_exc: object) -> None:
        self.controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key
