"""The lines of a person's timeline in words. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from icbt_support.engagement.timeline import Happened, Moment
from icbt_support.messages.models import MessageKind
from icbt_support.pages.supporter.words import moment_words
from icbt_support.plan.models import ItemState
from icbt_support.programme.content import Programme
from icbt_support.reminders.rules import ReminderKind
from icbt_support.risk.models import AlertSource

LONGEST_WORDS = 240
_MESSAGES = {
    MessageKind.MESSAGE: "Message",
    MessageKind.QUESTION: "Question for the review",
    MessageKind.WELCOME: "Welcome",
    MessageKind.CORRECTION: "Correction of a review",
    MessageKind.NOTE: "Short note",
}
_PROMPTS = {
    ReminderKind.AGREED_STEP: "agreed step",
    ReminderKind.CHECK_IN: "check-in",
    ReminderKind.SESSION: "planned session",
    ReminderKind.NUDGE: "a friendly nudge",
    ReminderKind.START_PROMPT: "getting started",
}
_ALERTS = {
    AlertSource.ITEM_9: "Risk alert: item 9",
    AlertSource.STATED: "Risk alert: said they are not safe",
    AlertSource.CONCERN: "Risk alert: a concern of staff",
}


@dataclass(frozen=True)
class Line:
    """One entry as `components/timeline.html` draws it."""

    when: str
    title: str
    words: str
    icon: str
    by: str


def timeline_line(moment: Moment, programme: Programme, *, now: datetime, zone: str) -> Line:
    icon, title, words = _WORDS[moment.what](moment, programme)
    return Line(moment_words(moment.at, now=now, zone=zone), title, shorten(words), icon, moment.by)


def shorten(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS].rsplit(" ", 1)[0] + " …"


def _week(moment: Moment, programme: Programme) -> tuple[str, str, str]:
    week: Any = moment.row
    module = programme.module(week.module)
    return "plan", f"Week {week.number} opened", module.title if module is not None else ""


def _sent(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    review: Any = moment.row
    if review.letter is None:
        return "mail", "Welcome sent", ""
    agreed = f"Agreed: {review.letter.step_what}" if review.letter.step_what else ""
    return "mail", f"Review of week {review.number} sent", agreed


def _missed(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    review: Any = moment.row
    merged = review.merged_into_id is not None
    return "mail", f"Review of week {review.number} {'joined to the next' if merged else 'not written'}", ""


def _message(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    message: Any = moment.row
    return "message", _MESSAGES[message.kind], message.words


def _score(moment: Moment, programme: Programme) -> tuple[str, str, str]:
    questionnaire: Any = moment.row
    measure = programme.measures.get(questionnaire.measure)
    if measure is None or questionnaire.total is None:
        return "scores", "Questionnaire finished", ""
    band = measure.band_of(questionnaire.total).label
    return (
        "scores",
        f"{measure.title}: {questionnaire.total} out of {measure.maximum}",
        f"In the {band} range",
    )


def _reminder(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    reminder: Any = moment.row
    verb = "sent" if moment.what is Happened.REMINDER_SENT else "held back"
    return "bell", f"Reminder {verb}: {_PROMPTS.get(reminder.kind, 'prompt')}", ""


def _call(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    call: Any = moment.row
    return "phone", f"Call: {call.outcome.value.replace('_', ' ')}", call.note


def _change(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    change: Any = moment.row
    to = f": {change.to_value.replace('_', ' ')}" if change.to_value and not change.to_value.isdigit() else ""
    return "flag", f"{change.what.replace('_', ' ').capitalize()}{to}", change.reason or ""


def _alert(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    alert: Any = moment.row
    state = "resolved" if alert.resolved_at is not None else "open"
    return "warning", f"{_ALERTS[alert.source]} ({alert.grade.value.replace('_', ' ')}, {state})", ""


def _step(moment: Moment, _programme: Programme) -> tuple[str, str, str]:
    step: Any = moment.row
    said = "done" if step.state is ItemState.DONE else "not this time"
    return "tick", f"Agreed step {said}: {step.title}", step.patient_words


_WORDS: Mapping[Happened, Callable[[Moment, Programme], tuple[str, str, str]]] = {
    Happened.WEEK_OPENED: _week,
    Happened.REVIEW_SENT: _sent,
    Happened.REVIEW_MISSED: _missed,
    Happened.MESSAGE: _message,
    Happened.SCORE: _score,
    Happened.REMINDER_SENT: _reminder,
    Happened.REMINDER_HELD_BACK: _reminder,
    Happened.CALL: _call,
    Happened.CHANGE: _change,
    Happened.ALERT: _alert,
    Happened.STEP: _step,
}
