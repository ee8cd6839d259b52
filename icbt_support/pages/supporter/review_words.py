"""Sentences of the review workspace and of the pages around it."""

from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.queries import names_of
from icbt_support.cadence import to_local
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter.words import count_words, moment_words
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import LetterToSend, PatientEvent
from icbt_support.rhythm.weeks import promise_for

# One line for each behaviour of the scale, the rarest two first. They are prompts: what a supporter does with
# them is never ticked, stored or graded.
_PROMPTS = {
    TherapistBehaviour.SYMPTOM_FEEDBACK: "Say what a score means in words, and how it moved",
    TherapistBehaviour.UNDERSTANDING: "Link one thing they did to an idea of the module",
    TherapistBehaviour.RAPPORT: "Say that what they feel makes sense",
    TherapistBehaviour.SEEKS_FEEDBACK: "Ask how the course works for them",
    TherapistBehaviour.PSYCHOEDUCATION: "Explain one idea in two plain sentences",
    TherapistBehaviour.PRAISE: "Name one thing they did, with the day; praise the try, not only how it went",
    TherapistBehaviour.PRACTICE: "Encourage one thing, small enough for a bad day",
    TherapistBehaviour.PROCEDURES: "Say how things work: dates, reminders, who reads what",
    TherapistBehaviour.COMMUNICATION: "Answer the question first, and say when you write next",
}
PROMPTS = tuple(_PROMPTS[behaviour] for behaviour in TherapistBehaviour)
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


def event_words(event: PatientEvent, *, now: datetime, zone: str) -> EventWords:
    icon, title = _EVENTS[event.kind]
    is_written = event.kind in ("message", "question")
    return EventWords(
        icon, title, moment_words(event.at, now=now, zone=zone), event.words if is_written else ""
    )


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
    """Thursday 26 November, by 5pm, where the patient is; empty when no date was chosen."""
    if letter.next_review_at is None:
        return ""
    _, promised_at = promise_for(review.enrolment, letter.next_review_at)
    promised = to_local(promised_at, review.enrolment.patient.zone)
    return f"{long_day(promised)}, by {clock_time(promised)}"


def name_of(account_id: int | None) -> str:
    return names_of({account_id}).get(account_id, "") if account_id is not None else ""
