"""What a judge says about due reminders. The ledger knows no plan and no patient: it asks, and acts on the
answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from icbt_support.reminders.rules import Reason, ReminderClass, ReminderKind


class DueReminder(NamedTuple):
    """A due row as the engine reads it."""

    id: int
    kind: ReminderKind
    reminder_class: ReminderClass
    recipient_id: int
    service_id: int | None
    subject: str
    context: str
    due_at: datetime
    expires_at: datetime | None
    mailing_id: int | None
    nonce: str


class Decision(StrEnum):
    SEND = "send"
    HOLD_BACK = "hold_back"
    WITHDRAW = "withdraw"
    PUT_OFF = "put_off"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one due reminder, with the reason that people are shown.

    `about_id` and `about_at` say who and when, for reasons like "because Priya had written to you at 9.40am".
    """

    decision: Decision
    reason: str = ""
    about_id: int | None = None
    about_at: datetime | None = None
    until: datetime | None = None


SEND = Verdict(Decision.SEND)
TOO_LATE = Verdict(Decision.EXPIRE, Reason.TOO_LATE)


class RecipientDay(NamedTuple):
    """The day where the recipient is, and how many prompts they may get."""

    local_on: date
    prompts_a_day: int
    prompts_in_seven_days: int


@dataclass
class Judgement:
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    recipients: dict[int, RecipientDay] = field(default_factory=dict)


class Judge(Protocol):
    """Says of each due reminder whether it is still wanted. It reads inside the claim's transaction."""

    def __call__(self, due: Sequence[DueReminder], now: datetime) -> Judgement: ...


def put_off_or_hold_back(until: datetime, expires_at: datetime | None) -> Verdict:
    """Quiet hours put a reminder off; one that would be stale by their end is held back."""
    if expires_at is not None and until >= expires_at:
        return Verdict(Decision.HOLD_BACK, Reason.QUIET_HOURS)
    return Verdict(Decision.PUT_OFF, Reason.QUIET_HOURS, until=until)


def expired(due: Sequence[DueReminder], now: datetime) -> Mapping[int, Verdict]:
    return {row.id: TOO_LATE for row in due if row.expires_at is not None and row.expires_at <= now}
