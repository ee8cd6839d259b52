"""Sentences of the review workspace and of the pages around it."""

from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.queries import names_of
from icbt_support.cadence import to_local
from icbt_support.engagement.today import Section
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter.review_scope import my_queue
from icbt_support.pages.supporter.today_rows import alert_words
from icbt_support.pages.supporter.words import count_words, moment_words
from icbt_support.programme.content import Programme
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review, ReviewLetter
from icbt_support.reviews.rules import LetterToSend, PatientEvent
from icbt_support.risk import queries as risk
from icbt_support.risk.models import Grade

EARLIER_LETTERS = 2
# Therapist behaviours of the ICBT-TRS, the two rarest in 706 emails first (symptom feedback 54%, helping
# understanding 61%). They are prompts: what a supporter does with them is never stored.
PROMPTS = (
    "Say what a score means in words, and how it moved",
    "Link one thing they did to an idea of the module",
    "Name one thing they did, with the day",
    "Answer the question first",
    "Say that what they feel makes sense",
    "Praise the try, not only how it went",
    "Encourage one thing, small enough for a bad day",
    "Ask how the course works for them",
    "Say when you write next",
)
_GRADE_COLOURS = {Grade.URGENT: "red", Grade.SAME_DAY: "orange", Grade.KNOWN: "grey"}
_EVENTS = {
    "message": ("message", "A new message"),
    "question": ("message", "A new question"),
    "entry": ("tools", "A shared entry"),
    "check_in": ("check_in", "The check-in is done"),
    "risk": ("warning", "A risk alert: read it before anything else"),
}


@dataclass(frozen=True)
class EventWords:
    """Something the patient did since: an icon, what it is, when, and their words if it was a message."""

    icon: str
    title: str
    when: str
    words: str


@dataclass(frozen=True)
class AlertWords:
    """An open alert: the answer as given, its grade, and who has taken it."""

    words: str
    grade: str
    colour: str
    taken: str


@dataclass(frozen=True)
class NoteWords:
    words: str
    meta: str


def event_words(event: PatientEvent, *, now: datetime, zone: str) -> EventWords:
    icon, title = _EVENTS[event.kind]
    is_written = event.kind in ("message", "question")
    return EventWords(
        icon, title, moment_words(event.at, now=now, zone=zone), event.words if is_written else ""
    )


def open_alerts(enrolment: Enrolment, programme: Programme, *, now: datetime, zone: str) -> list[AlertWords]:
    """Alerts that nobody has resolved, known ones too, newest first."""
    return [
        AlertWords(
            words=f"{alert_words(alert, programme)}, {moment_words(alert.raised_at, now=now, zone=zone)}",
            grade=alert.grade.value.replace("_", " ").capitalize(),
            colour=_GRADE_COLOURS[alert.grade],
            taken=f"Taken by {alert.acknowledger.full_name}"
            if alert.acknowledger
            else "Nobody has taken it yet",
        )
        for alert in risk.alerts_of(enrolment)
        if alert.resolved_at is None
    ]


def plan_note(planned: int, cancelled: int) -> str:
    """Redrawn as you choose. Sending plans these 2 emails and cancels none."""
    emails = "no email" if not planned else "this email" if planned == 1 else f"these {planned} emails"
    cancels = (
        f"cancels {count_words(cancelled, 'that is', 'that are')} still to come"
        if cancelled
        else "cancels none"
    )
    return f"Redrawn as you choose. Sending plans {emails} and {cancels}."


def next_review_words(review: Review, letter: LetterToSend) -> str:
    """Thursday 26 November, by 5pm; empty when no date was chosen."""
    if letter.next_review_at is None:
        return ""
    enrolment = review.enrolment
    on = to_local(letter.next_review_at, enrolment.supporter.zone)
    return f"{long_day(on)}, by {clock_time(enrolment.service.promised_time)}"


def name_of(account_id: int | None) -> str:
    return names_of({account_id}).get(account_id, "") if account_id is not None else ""


def notes_on(enrolment: Enrolment, *, now: datetime, zone: str) -> list[NoteWords]:
    """Notes between staff, newest first."""
    notes = enrolments.notes_on(enrolment)
    names = names_of({note.written_by for note in notes})
    return [
        NoteWords(
            note.words,
            f"{names.get(note.written_by, '')}, {moment_words(note.written_at, now=now, zone=zone)}",
        )
        for note in notes
    ]


def earlier_letters(review: Review) -> list[ReviewLetter]:
    """The last two letters, for somebody who writes for a colleague."""
    sent = [one.letter for one in reviews.sent_reviews(review.enrolment) if one.letter is not None]
    return sent[:EARLIER_LETTERS]


def queue_left() -> str:
    """Today (6 left)"""
    queue = my_queue()
    left = sum(queue.count(section) for section in Section if section is not Section.WAITING)
    return f"Today ({left} left)" if left else "Today"
