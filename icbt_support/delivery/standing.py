"""How we stand with a mail server: whether it refuses one person's mail, or ours altogether."""

from icbt_support.delivery.channel import ChannelAway
from icbt_support.delivery.smtp_replies import Reply

MOST_IN_A_ROW = 3


class Standing:
    """A server that has taken mail may refuse some of it without holding up the rest; one that has taken none yet,
    or refuses several in a row, is away for everybody.
    """

    def __init__(self) -> None:
        self._has_taken = False
        self._in_a_row = 0
        self._refusal: Reply | None = None

    def note_taken(self) -> None:
        self._has_taken = True
        self._in_a_row = 0
        self._refusal = None

    def note_refusal(self, reply: Reply) -> None:
        self._in_a_row += 1
        self._refusal = reply

    @property
    def is_refused(self) -> bool:
        return self._in_a_row >= (MOST_IN_A_ROW if self._has_taken else 1)

    def trouble(self) -> ChannelAway | None:
        if not self.is_refused:
            return None
        return ChannelAway(f"The mail server does not take our mail: {self._refusal}")

    def ask_anew(self) -> None:
        """After a rest one mail shows whether anything has changed."""
        self._has_taken = False
        self._in_a_row = 0
