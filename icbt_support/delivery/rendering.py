"""Mails rendered from templates/outbound: a text and an HTML part in a skeleton, without an object for each.

`<kind>.txt` begins with its subject ("Subject: ...") and an empty line; `<kind>.html` is the same for HTML.
The frame around them is `_frame.txt` and `_frame.html`. All is 7-bit when it leaves: any server can take it.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from icbt_support.settings import PROJECT

OUTBOUND = PROJECT / "templates" / "outbound"
SUBJECT = "Subject: "
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDRESS = re.compile(r"^[!-~]+@[!-~]+$")
_ADDRESS_UNSAFE = re.compile(r'[<>()\[\],;:\\"\s]')
_LINK = re.compile(r"https?://[^\s\"'<>]+")
LONGEST_LINE = 900
# RFC 8058: a mail program may press the button for its reader, with a POST to that link.
_ONE_CLICK = "List-Unsubscribe: <{}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


class UnsafeMail(Exception):
    """A mail that would not be what it says: a broken address, or a link to somewhere else."""


@dataclass(frozen=True, slots=True)
class Part:
    """One reminder's place in a mail: the template of its kind, and the facts it shows."""

    kind: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """All that a mail needs. `stop_url` lets a mail program stop them with one press."""

    address: str
    message_id: str
    sender_name: str
    called: str
    parts: Sequence[Part]
    at: datetime
    stop_url: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    plain: str
    html: str


class Renderer:
    def __init__(self, *, base_url: str, mail_from: str) -> None:
        self._base_url = base_url
        self._mail_from = checked_address(mail_from)
        self.domain = mail_from.rpartition("@")[2]
        loader = FileSystemLoader(OUTBOUND)
        self._plain = Environment(
            loader=loader,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 (plain text)
        )
        self._html = Environment(
            loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
        )
        self._templates: dict[str, Template] = {}

    def render(self, letter: Letter) -> bytes:
        """The whole message, CRLF lines, ready for a channel."""
        shown = self.show(letter)
        return self._assemble(letter, shown)

    def show(self, letter: Letter) -> Rendered:
        """Subject, text and HTML as a person will see them."""
        subject = ""
        plain_parts: list[str] = []
        html_parts: list[str] = []
        for part in letter.parts:
            found, plain = self._split(self._fill(f"{part.kind}.txt", self._plain, part.facts))
            subject = subject or found
            plain_parts.append(plain)
            html_parts.append(self._fill(f"{part.kind}.html", self._html, part.facts))
        frame = {
            "called": letter.called,
            "sender_name": letter.sender_name,
            "base_url": self._base_url,
            "stop_url": letter.stop_url,
        }
        return Rendered(
            subject,
            self._fill("_frame.txt", self._plain, {**frame, "parts": plain_parts}),
            self._fill("_frame.html", self._html, {**frame, "parts": html_parts, "subject": subject}),
        )

    def preview(self, part: Part) -> tuple[str, str]:
        """The subject and the first words of one part, as an inbox shows them."""
        subject, plain = self._split(self._fill(f"{part.kind}.txt", self._plain, part.facts))
        return subject, " ".join(plain.split("\n\n")[:2])

    def _fill(self, name: str, environment: Environment, facts: Mapping[str, Any]) -> str:
        """One template filled in, its context shared rather than copied: half the time of `render`."""
        template = self._templates.get(name)
        if template is None:
            template = self._templates[name] = environment.get_template(name)
        return "".join(template.root_render_func(template.new_context(dict(facts), shared=True)))

    @staticmethod
    def _split(text: str) -> tuple[str, str]:
        first, _, rest = text.partition("\n")
        if not first.startswith(SUBJECT):
            raise UnsafeMail("A text template begins with 'Subject: '.")
        return first[len(SUBJECT) :].strip(), rest.strip("\n")

    def _assemble(self, letter: Letter, shown: Rendered) -> bytes:
        self._check_links(shown.plain)
        self._check_links(shown.html)
        boundary = f"=_{letter.message_id.partition('@')[0]}"
        stop = _ONE_CLICK.format(letter.stop_url) if letter.stop_url else ""
        headers = (
            f"From: {_mailbox(letter.sender_name, self._mail_from)}\r\n"
            f"To: <{checked_address(letter.address)}>\r\n"
            f"Subject: {header_text(shown.subject)}\r\n"
            f"Date: {_date(letter.at.replace(microsecond=0))}\r\n"
            f"Message-ID: <{letter.message_id}>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            f"X-Auto-Response-Suppress: All\r\n{stop}"
            "MIME-Version: 1.0\r\n"
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
        )
        return b"".join(
            (
                headers.encode("ascii"),
                f"--{boundary}\r\n".encode(),
                _body("plain", shown.plain),
                f"\r\n--{boundary}\r\n".encode(),
                _body("html", shown.html),
                f"\r\n--{boundary}--\r\n".encode(),
            )
        )

    def _check_links(self, text: str) -> None:
        for link in _LINK.findall(text):
            home, rest = link[: len(self._base_url)], link[len(self._base_url) :].rstrip(".,)")
            if home != self._base_url or rest[:1] not in ("", "/", "?"):
                raise UnsafeMail(f"A mail holds a link that leads elsewhere: {link[:80]}")


def _body(kind: str, text: str) -> bytes:
    data = text.replace("\r\n", "\n").encode()
    longest = max(map(len, data.split(b"\n")))
    if data.isascii() and longest < LONGEST_LINE:
        encoding, encoded = "7bit", data
    else:
        encoding, encoded = "quoted-printable", binascii.b2a_qp(data, istext=True)
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + encoded.replace(b"\n", b"\r\n")


@lru_cache(maxsize=4)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


@lru_cache(maxsize=256)
def _mailbox(name: str, address: str) -> str:
    words = header_text(name)
    if words.startswith("=?"):
        return f"{words} <{address}>"
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def header_text(words: str) -> str:
    """A header's value on one line: no line break gets in, and nothing but ASCII gets out."""
    clean = _UNSAFE.sub(" ", words).strip()[:200]
    if clean.isascii():
        return clean
    chunks: list[str] = []
    chunk = ""
    for character in clean:
        if len((chunk + character).encode()) > 42:
            chunks.append(chunk)
            chunk = ""
        chunk += character
    chunks.append(chunk)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(piece.encode()).decode()}?=" for piece in chunks)


def checked_address(address: str) -> str:
    """An address that can stand in an envelope and a header as it is. Raises `UnsafeMail` if it cannot."""
    if not _ADDRESS.match(address) or address.count("@") != 1 or _ADDRESS_UNSAFE.search(address):
        raise UnsafeMail("An address holds characters that cannot be sent to.")
    return address
