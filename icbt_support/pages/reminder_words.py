"""Reminders as people read them: what it was, when, and why it did not come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.cadence import to_local
from icbt_support.pages.kit import clock_time, long_day, short_day
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Reason, ReminderKind, ReminderState

K = ReminderKind
REASONS = {
    Reason.PERSON_WROTE: "Because {name} had written to you",
    Reason.PATIENT_WROTE: "Because you had written yourself",
    Reason.ONE_A_DAY: "Because you had one that day already",
    Reason.ENOUGH_THIS_WEEK: "Because you had enough that week already",
    Reason.PROMPTS_OFF: "Because you chose none",
    Reason.QUIET_HOURS: "Because it would have come in your quiet hours",
    Reason.QUIET_WEEK: "Because you had not been here for a week. Come back when it suits you",
    Reason.ADDRESS_BOUNCED: "Because your email address did not work. Tell your supporter",
    Reason.TOO_LATE: "Because it would have come too late to help",
    Reason.TRIED_LONG_ENOUGH: "Because your email provider did not take it",
    Reason.REFUSED: "Because your email provider did not take it",
}
WAITING = (ReminderState.OWED, ReminderState.CLAIMED)
SENT = (ReminderState.HANDED_OVER, ReminderState.BOUNCED)
NOT_SENT = (ReminderState.HELD_BACK, ReminderState.EXPIRED, ReminderState.FAILED)


@dataclass(frozen=True)
class LedgerLine:
    sign: str
    title: str
    when: str
    why: str
    status: str


def coming_line(reminder: Reminder, *, lead_minutes: int, zone: str, today: date) -> LedgerLine:
    return LedgerLine(
        "planned",
        title_of(reminder),
        day_words(reminder.due_at, zone, today),
        _before(reminder, lead_minutes),
        "Planned",
    )


def past_line(reminder: Reminder, *, names: Mapping[int, str], zone: str, today: date) -> LedgerLine:
    """A prompt of the last days: sent, or held back with its reason."""
    when = day_words(reminder.settled_at or reminder.due_at, zone, today)
    if reminder.state in SENT:
        return LedgerLine("sent", title_of(reminder), when, "", "Sent")
    return LedgerLine("held_back", title_of(reminder), when, reason_of(reminder, names, zone), "Held back")


def news_line(reminder: Reminder, *, person: str, zone: str, today: date) -> LedgerLine:
    """News of the last days. `person` is who wrote or writes; empty while that is nobody's by name."""
    if reminder.state in WAITING:
        return LedgerLine(
            "news", news_title(reminder, person), day_words(reminder.due_at, zone, today), "", "Waiting"
        )
    when = day_words(reminder.settled_at or reminder.due_at, zone, today)
    status = "Sent" if reminder.state in SENT else "In the app only"
    return LedgerLine("news", news_title(reminder, person), when, "", status)


def title_of(reminder: Reminder) -> str:
    if reminder.kind is K.SESSION:
        on = reminder.wall_on
        return f"Your {on:%A} session" if on else "Your session"
    return {
        K.AGREED_STEP: "What you agreed",
        K.CHECK_IN: "Check-in",
        K.NUDGE: "A nudge about your week",
        K.START_PROMPT: "Your place is still here",
        K.BOOSTER: "How you are, some weeks on",
    }.get(reminder.kind, "A reminder")


def news_title(reminder: Reminder, person: str) -> str:
    if reminder.kind is K.NEW_WRITER and reminder.subject.startswith("review:"):
        return "Somebody else writes your next review"
    return {
        K.NEW_WRITER: f"{person} reads and writes from now on",
        K.MESSAGE_LATE: "Your message was not read in time. That is on us",
        K.WELCOME: f"{person} has written to you",
        K.MESSAGE: f"{person} has written to you",
        K.REVIEW_READY: f"{person}'s review",
        K.REVIEW_LATE: f"{person}'s review is later than we said"
        if person
        else "Your review is later than we said",
        K.REVIEW_MOVED: "Your review has a new date",
        K.COURSE_NEWS: "Something about your course has changed",
        K.REPORT_ANSWERED: "What you reported has an answer",
    }.get(reminder.kind, "News")


def reason_of(reminder: Reminder, names: Mapping[int, str], zone: str) -> str:
    words = REASONS.get(Reason(reminder.reason), "") if reminder.reason in list(Reason) else ""
    if not words:
        return "It was no longer needed"
    words = words.format(name=names.get(reminder.reason_about_id or 0, "your supporter"))
    if reminder.reason == Reason.PERSON_WROTE and reminder.reason_at is not None:
        words = f"{words} at {clock_time(to_local(reminder.reason_at, zone))}"
    return words


def _before(reminder: Reminder, lead_minutes: int) -> str:
    if reminder.kind is K.SESSION:
        return f"{lead_words(lead_minutes)} it starts"
    if reminder.kind is K.CHECK_IN:
        return "Not sent if you have done it by then"
    return "Not sent if it is done by then" if reminder.kind is K.AGREED_STEP else ""


def lead_words(minutes: int) -> str:
    if minutes % 60:
        return f"{minutes} minutes before"
    hours = minutes // 60
    return f"{hours} hour{'' if hours == 1 else 's'} before"


def day_words(at: datetime, zone: str, today: date) -> str:
    """Today, 10am; Yesterday, 6pm; Tuesday 24 November, 6.30pm."""
    local = to_local(at, zone)
    near = {today: "Today", today - timedelta(days=1): "Yesterday", today + timedelta(days=1): "Tomorrow"}
    return f"{near.get(local.date(), long_day(local))}, {clock_time(local)}"


def short_when(at: datetime, zone: str, today: date) -> str:
    """Today 10am; Wed 18 Nov 5pm: for tables."""
    local = to_local(at, zone)
    return f"{'Today' if local.date() == today else short_day(local)} {clock_time(local)}"
