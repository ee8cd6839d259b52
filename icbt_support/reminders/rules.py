"""Which reminders there are, and what their kind decides: class, channels, expiry, order, back-off."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from icbt_support.cadence import to_utc


class ReminderClass(StrEnum):
    """How a reminder behaves.

    Urgent: at once, no caps, never folded, never expired. Account: at once, expires with its link.
    News (from people): never capped, waits for quiet hours, one email carries all that is due.
    Prompt: capped, switched off at the person's wish, held back. Digest: one a day to staff.
    """

    URGENT = "urgent"
    ACCOUNT = "account"
    NEWS = "news"
    PROMPT = "prompt"
    DIGEST = "digest"


class ReminderKind(StrEnum):
    RISK_ALERT = "risk_alert"
    NOBODY_ON_DUTY = "nobody_on_duty"
    QUEUE_STALLED = "queue_stalled"
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (a kind, not a secret)
    SECURITY_NOTICE = "security_notice"
    SAMPLE = "sample"
    WELCOME = "welcome"
    REVIEW_READY = "review_ready"
    REVIEW_LATE = "review_late"
    REVIEW_MOVED = "review_moved"
    NEW_WRITER = "new_writer"
    MESSAGE = "message"
    MESSAGE_LATE = "message_late"
    COURSE_NEWS = "course_news"
    STAFF_MESSAGE = "staff_message"
    STAFF_MESSAGE_LATE = "staff_message_late"
    STAFF_REVIEW_WARNING = "staff_review_warning"
    STAFF_REVIEW_LATE = "staff_review_late"
    STAFF_CALL_TASK = "staff_call_task"
    STAFF_HAND_OVER = "staff_hand_over"
    STAFF_COURSE_NEWS = "staff_course_news"
    REPORT_ANSWERED = "report_answered"
    STAFF_REPORT = "staff_report"
    AGREED_STEP = "agreed_step"
    CHECK_IN = "check_in"
    SESSION = "session"
    NUDGE = "nudge"
    START_PROMPT = "start_prompt"
    BOOSTER = "booster"
    STAFF_DIGEST = "staff_digest"
    LEADS_WEEKLY = "leads_weekly"


class ReminderState(StrEnum):
    """owed → claimed → handed_over → (bounced); or held_back, withdrawn, expired, failed."""

    OWED = "owed"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    HELD_BACK = "held_back"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"
    BOUNCED = "bounced"


class MailingState(StrEnum):
    """claimed → handed_over; claimed → waiting (for its next try) → claimed; or failed, dropped (nothing
    left in it).
    """

    CLAIMED = "claimed"
    WAITING = "waiting"
    HANDED_OVER = "handed_over"
    FAILED = "failed"
    DROPPED = "dropped"


class Channel(StrEnum):
    INBOX = "inbox"
    EMAIL = "email"


class Reason(StrEnum):
    """Why the engine held a reminder back, withdrew it or gave it up. Verbs may give words of their own."""

    PERSON_WROTE = "person_wrote"
    PATIENT_WROTE = "patient_wrote"
    ONE_A_DAY = "one_a_day"
    ENOUGH_THIS_WEEK = "enough_this_week"
    PROMPTS_OFF = "prompts_off"
    FEWER_PROMPTS = "fewer_prompts"
    QUIET_HOURS = "quiet_hours"
    QUIET_WEEK = "quiet_week"
    ADDRESS_BOUNCED = "address_bounced"
    NO_ADDRESS = "no_address"
    ALREADY_DONE = "already_done"
    NOT_ACTIVE = "not_active"
    NO_LONGER_THERE = "no_longer_there"
    NOTHING_TO_SAY = "nothing_to_say"
    TOO_LATE = "too_late"
    TRIED_LONG_ENOUGH = "tried_long_enough"
    REFUSED = "refused"


K = ReminderKind

_CLASSES: dict[ReminderClass, tuple[ReminderKind, ...]] = {
    ReminderClass.URGENT: (K.RISK_ALERT, K.NOBODY_ON_DUTY, K.QUEUE_STALLED),
    ReminderClass.ACCOUNT: (K.INVITATION, K.PASSWORD_RESET, K.SECURITY_NOTICE, K.SAMPLE),
    ReminderClass.NEWS: (
        K.WELCOME,
        K.REVIEW_READY,
        K.REVIEW_LATE,
        K.REVIEW_MOVED,
        K.NEW_WRITER,
        K.MESSAGE,
        K.MESSAGE_LATE,
        K.STAFF_MESSAGE,
        K.STAFF_MESSAGE_LATE,
        K.STAFF_REVIEW_WARNING,
        K.STAFF_REVIEW_LATE,
        K.STAFF_CALL_TASK,
        K.STAFF_HAND_OVER,
        K.STAFF_COURSE_NEWS,
        K.COURSE_NEWS,
        K.REPORT_ANSWERED,
        K.STAFF_REPORT,
    ),
    ReminderClass.PROMPT: (K.AGREED_STEP, K.CHECK_IN, K.SESSION, K.NUDGE, K.START_PROMPT, K.BOOSTER),
    ReminderClass.DIGEST: (K.STAFF_DIGEST, K.LEADS_WEEKLY),
}
FOR_STAFF = frozenset(
    {
        K.RISK_ALERT,
        K.NOBODY_ON_DUTY,
        K.LEADS_WEEKLY,
        *(kind for kind in ReminderKind if kind.value.startswith("staff_")),
    }
)
"""What only somebody who works in a service is told."""
_CLASS_OF = {kind: reminder_class for reminder_class, kinds in _CLASSES.items() for kind in kinds}
_ORDER = {kind: position for position, kind in enumerate(ReminderKind)}

_FOLDED = frozenset({ReminderClass.NEWS, ReminderClass.PROMPT})
_WAITING_FOR_QUIET_HOURS = _FOLDED | {ReminderClass.DIGEST}
_INBOX_ONLY = frozenset({K.STAFF_MESSAGE, K.STAFF_CALL_TASK})

_EXPIRES_AFTER: dict[ReminderKind, timedelta] = {
    K.WELCOME: timedelta(days=7),
    K.REVIEW_READY: timedelta(days=7),
    K.REVIEW_LATE: timedelta(days=2),
    K.REVIEW_MOVED: timedelta(days=2),
    K.NEW_WRITER: timedelta(days=7),
    K.MESSAGE: timedelta(days=7),
    K.MESSAGE_LATE: timedelta(days=2),
    K.STAFF_MESSAGE: timedelta(days=7),
    K.STAFF_MESSAGE_LATE: timedelta(days=2),
    K.STAFF_REVIEW_WARNING: timedelta(hours=12),
    K.STAFF_REVIEW_LATE: timedelta(days=2),
    K.STAFF_CALL_TASK: timedelta(days=7),
    K.STAFF_HAND_OVER: timedelta(days=7),
    K.STAFF_COURSE_NEWS: timedelta(days=7),
    K.COURSE_NEWS: timedelta(days=7),
    K.REPORT_ANSWERED: timedelta(days=7),
    K.STAFF_REPORT: timedelta(days=7),
    K.AGREED_STEP: timedelta(hours=12),
    K.CHECK_IN: timedelta(hours=20),
    K.SESSION: timedelta(hours=3),
    K.NUDGE: timedelta(hours=12),
    K.START_PROMPT: timedelta(hours=24),
    K.BOOSTER: timedelta(days=3),
    K.STAFF_DIGEST: timedelta(hours=12),
    K.LEADS_WEEKLY: timedelta(days=2),
    K.SAMPLE: timedelta(hours=1),
}

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=6),
    timedelta(hours=6),
    timedelta(hours=6),
)
JITTER = 0.2


@dataclass(frozen=True)
class WallTime:
    """The day and time that a person was told, in their zone: the due instant is computed from it."""

    on: date
    at: time
    zone: str

    def instant(self) -> datetime:
        return to_utc(self.on, self.at, self.zone)


def class_of(kind: ReminderKind) -> ReminderClass:
    return _CLASS_OF[kind]


def channels_of(kind: ReminderKind) -> tuple[Channel, ...]:
    """Urgent reminders and news stand in the app and go out by email; prompts, digests and links are
    emails.
    """
    if kind in _INBOX_ONLY:
        return (Channel.INBOX,)
    if class_of(kind) in (ReminderClass.URGENT, ReminderClass.NEWS):
        return (Channel.INBOX, Channel.EMAIL)
    return (Channel.EMAIL,)


def default_expiry(kind: ReminderKind, due_at: datetime) -> datetime | None:
    """After this instant the reminder would be stale mail. Urgent ones never are; account ones expire with
    their link.
    """
    after = _EXPIRES_AFTER.get(kind)
    return None if after is None else due_at + after


def is_folded(reminder_class: ReminderClass) -> bool:
    """Whether one email may carry it together with others."""
    return reminder_class in _FOLDED


def waits_for_quiet_hours(reminder_class: ReminderClass) -> bool:
    return reminder_class in _WAITING_FOR_QUIET_HOURS


def fold_order(kind: ReminderKind) -> int:
    """Lower stands first in an email; among prompts the lowest is the one that is sent."""
    return _ORDER[kind]


def next_try(attempt: int, now: datetime, chance: float | None = None) -> datetime | None:
    """When try number `attempt` (from 1) has failed: the next one, later by up to a fifth; None after a
    whole day.
    """
    if attempt > len(BACK_OFF):
        return None
    spread = random.random() if chance is None else chance  # noqa: S311 (spreads load, hides nothing)
    return now + BACK_OFF[attempt - 1] * (1 + JITTER * spread)
