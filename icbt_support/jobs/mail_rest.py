"""The rest that a mail server gets after trouble: longer each time, until it has taken a mail again."""

import time

import structlog

FIRST_SECONDS = 30.0
LONGEST_SECONDS = 300.0

log = structlog.get_logger()


class MailRest:
    """Whether the mail server is left alone for now, and why, in words for the *Jobs* page."""

    def __init__(self) -> None:
        self.why = ""
        self._until = 0.0
        self._next_seconds = FIRST_SECONDS
        self._was_silent = False

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def does_not_answer(self, why: str) -> None:
        self._begin(why)
        self._was_silent = True

    def does_not_take(self, why: str) -> None:
        """It answers, and takes no mail or no more of it."""
        self._begin(why)
        self._was_silent = False

    def answers(self) -> None:
        """Silence is over with a first answer; whether one that refused us takes mail, only a mail shows."""
        if self._was_silent:
            self.why = ""

    def has_taken_mail(self) -> None:
        self.why = ""
        self._next_seconds = FIRST_SECONDS

    def _begin(self, why: str) -> None:
        self.why = f"email is paused: {why}"
        self._until = time.monotonic() + self._next_seconds
        self._next_seconds = min(self._next_seconds * 2, LONGEST_SECONDS)
        log.warning("email_paused", why=why)
