"""What every channel of delivery offers: mails go in as they are needed, outcomes come out as they are
known.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol


class Mail(NamedTuple):
    """One rendered email; `reference` is its sender's own number for it, `data` the whole message with CRLF
    lines, `looked_at` the moment (monotonic) at which it was last known to be wanted.
    """

    reference: int
    address: str
    message_id: str
    data: bytes
    looked_at: float


class Result(StrEnum):
    """ACCEPTED: the provider has it. LATER: try again. The other two are for good; only one blames the
    address.
    """

    ACCEPTED = "accepted"
    LATER = "later"
    ADDRESS_REFUSED = "address_refused"
    MESSAGE_REFUSED = "message_refused"


class Outcome(NamedTuple):
    reference: int
    result: Result
    reply: str


class ChannelAway(Exception):
    """The channel as a whole takes nothing now (refused connection, 421, refused sender). No single mail is
    to blame.
    """


IsStillWanted = Callable[[int], bool]


class Channel(Protocol):
    """Takes mails one by one, as late as it can, so that what is taken back in time is not sent.

    A mail without an outcome was not sent. Raises `ChannelAway` when the rest has to wait.
    """

    def open(self) -> None:
        """Makes sure that mails can be handed over. Raises `ChannelAway` if not."""

    def deliver(self, mails: Iterable[Mail], is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        """Hands mails over; asks again of one (by its reference) that has had to wait since it was taken."""

    def close(self) -> None: ...
