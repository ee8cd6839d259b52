"""A real SMTP server that keeps what it is given, and the mails as a person would see them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.browser.conftest import free_port

ACCEPTED = "250 Message accepted for delivery"


@dataclass(frozen=True)
class ReceivedMail:
    """One mail as it arrived."""

    to: str
    message: EmailMessage = field(repr=False)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def everything(self) -> str:
        """Every word that somebody who looks over a shoulder, or a mail server, could read."""
        return "\n".join([self.subject, str(self.message["From"]), self.text, self.html])

    def link(self, path: str) -> str:
        """The address in the text that leads to `path`; the HTML part has it too."""
        found = re.search(rf"https?://\S+?{re.escape(path)}\S*", self.text)
        assert found is not None, f"no link to {path} in: {self.text}"
        assert found.group() in self.html, f"{path} is in the text alone"
        return found.group()

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        assert part is not None, f"the mail '{self.subject}' has no {kind} part"
        return str(part.get_content())


class Postbox:
    """What has arrived, in order. aiosmtpd calls `handle_DATA`."""

    def __init__(self) -> None:
        self.mails: list[ReceivedMail] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails += [ReceivedMail(to, message) for to in envelope.rcpt_tos]
        return ACCEPTED

    def to(self, address: str) -> list[ReceivedMail]:
        return [mail for mail in self.mails if mail.to == address]

    def take(self, address: str, subject: str) -> ReceivedMail:
        """Takes the one mail with this subject out of the box."""
        found = [mail for mail in self.to(address) if mail.subject == subject]
        waiting = [mail.subject for mail in self.to(address)]
        assert len(found) == 1, f"{len(found)} mails '{subject}' for {address}; there are {waiting}"
        self.mails.remove(found[0])
        return found[0]


@contextmanager
def receiving_mail() -> Iterator[tuple[Postbox, int]]:
    """A server on a free port for the time of the block: its box and its port."""
    postbox = Postbox()
    port = free_port()
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield postbox, port
    finally:
        controller.stop()
