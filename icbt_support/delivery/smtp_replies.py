"""What a mail server says, and whom its refusal is about: an address, one mail, or us.

Only a reply that speaks of the address itself may mark it. What cannot be told for certain blames nobody: the mail
is tried again for a day, and a server that refuses one mail after another is given a rest.
"""

import re
from enum import Enum, auto
from typing import NamedTuple

MOST_CHARACTERS = 200
# RFC 3463, as most servers begin their words with it, and some end them: "550 5.1.1 ...", "550 ... (#5.1.1)".
_ENHANCED = re.compile(r"(?<![\d.])([45])\.(\d{1,3}\.\d{1,3})(?!\.?\d)")
_ANY_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>]+>?")
_GOING_AWAY = frozenset({421, 432, 454})
_NOT_SIGNED_IN = frozenset({530, 534, 535, 538})
# No such mailbox, no such domain, not an address, moved away, a domain without mail, a mailbox that is switched off.
_OF_THE_ADDRESS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_OF_THE_MAIL = frozenset({"2.3", "3.4"})
_BARE_OF_THE_ADDRESS = frozenset({550, 551, 553})
_SPEAKS_OF_RELAYING = re.compile(r"relay|authenti|\bsender\b", re.IGNORECASE)
_SPEAKS_OF_ROOM = re.compile(r"\bfull\b|quota|exceed|storage|over ?limit", re.IGNORECASE)
_SPEAKS_OF_US = re.compile(
    r"relay|authenti|polic|permit|allow|denied|deny|block|black|spam|junk|bulk|reputation|sender|mail from|spf|dkim"
    r"|dmarc|dns|rbl|listed|log ?in|sign ?in|credential|limit|\brate\b|too many|temporar|later|tls|encrypt|client"
    r"|host|\bip\b|abuse|administrat|virus|content|banned|prohibit|unauthori|greylist|rcpthosts|command|syntax"
    r"|(message|mail|connection|transaction)( was| is)? (rejected|refused)",
    re.IGNORECASE,
)


class Step(Enum):
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    BODY = auto()
    RSET = auto()


class Blame(Enum):
    """NOBODY: try this mail again. ADDRESS, MAIL: for good. US: perhaps every mail. CHANNEL: every mail."""

    NOBODY = auto()
    ADDRESS = auto()
    MAIL = auto()
    US = auto()
    CHANNEL = auto()


class Reply(NamedTuple):
    code: int
    text: str

    @property
    def is_ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_for_good(self) -> bool:
        return 500 <= self.code < 600

    @property
    def enhanced(self) -> str:
        """The subject and detail of the enhanced code, like "1.1"; "" without one of the reply's own class."""
        found = _ENHANCED.search(self.text)
        return found[2] if found is not None and found[1] == str(self.code)[0] else ""

    def __str__(self) -> str:
        """For logs and for operators: on one line, and with nobody's address."""
        words = _ANY_ADDRESS.sub("(address)", f"{self.code} {self.text}")
        if not words.isprintable():
            words = "".join(one if one.isprintable() else " " for one in words)
        return words[:MOST_CHARACTERS]


def blame_of(reply: Reply, step: Step) -> Blame:
    """Whom a reply that is not the one hoped for is about."""
    if reply.code in _GOING_AWAY or reply.code in _NOT_SIGNED_IN:
        return Blame.CHANNEL
    if step is Step.MAIL and not reply.is_ok:
        return Blame.CHANNEL  # Nothing has been said yet of whom the mail is for.
    if not reply.is_for_good:
        return Blame.NOBODY
    return _by_enhanced(reply) if reply.enhanced else _by_words(reply, step)


def _by_enhanced(reply: Reply) -> Blame:
    code = reply.enhanced
    if code in _OF_THE_ADDRESS:
        return Blame.US if _SPEAKS_OF_RELAYING.search(reply.text) else Blame.ADDRESS
    if code in _OF_THE_MAIL or code.startswith("6."):
        return Blame.MAIL
    # A mailbox that is full, or a way there that is closed, says nothing of the next person.
    return Blame.NOBODY if code.startswith(("2.", "4.")) else Blame.US


def _by_words(reply: Reply, step: Step) -> Blame:
    if reply.code == 552 or _SPEAKS_OF_ROOM.search(reply.text):
        return Blame.NOBODY
    if step is not Step.RCPT or reply.code not in _BARE_OF_THE_ADDRESS:
        return Blame.US
    return Blame.US if _SPEAKS_OF_US.search(reply.text) else Blame.ADDRESS
