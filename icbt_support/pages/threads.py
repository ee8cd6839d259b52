"""The thread of messages, as a patient and as staff read it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from icbt_support.cadence import to_local
from icbt_support.messages.models import Message, MessageKind
from icbt_support.pages.kit import short_day_and_time

KIND_NOTES = {
    MessageKind.QUESTION: "A question for the review",
    MessageKind.WELCOME: "Welcome",
    MessageKind.CORRECTION: "A correction to a review",
}
TOLD_NOTE = "The clinicians here are told too"


@dataclass(frozen=True)
class ThreadMessage:
    """One message for the thread component."""

    initials: str
    sender: str
    when: str
    body: Markup
    is_mine: bool
    note: str


def thread_messages(
    messages: Iterable[Message],
    *,
    reader_id: int,
    patient_id: int,
    zone: str,
    told_clinicians: Collection[int] = (),
) -> list[ThreadMessage]:
    """Oldest first. Staff are one side and the patient the other, whoever of the staff wrote.

    `told_clinicians` are the ids of messages that raised an alert.
    """
    reader_is_patient = reader_id == patient_id
    return [
        ThreadMessage(
            initials=message.author.initials,
            sender="You" if message.author_id == reader_id else message.author.called,
            when=short_day_and_time(to_local(message.sent_at, zone)),
            body=paragraphs(message.words),
            is_mine=(message.author_id == patient_id) == reader_is_patient,
            note=_note(message, patient_id, reader_is_patient, zone, message.id in told_clinicians),
        )
        for message in messages
    ]


def paragraphs(words: str) -> Markup:
    """Plain text as paragraphs; nothing in it is markup."""
    blocks = [block.strip() for block in words.replace("\r\n", "\n").split("\n\n") if block.strip()]
    lines = [Markup("<br>").join(escape(line) for line in block.split("\n")) for block in blocks]
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)


def _note(
    message: Message, patient_id: int, reader_is_patient: bool, zone: str, clinicians_are_told: bool
) -> str:
    parts = [KIND_NOTES[message.kind]] if message.kind in KIND_NOTES else []
    if clinicians_are_told:
        parts.append(TOLD_NOTE)
    is_from_patient = message.author_id == patient_id
    if is_from_patient and message.kind is MessageKind.QUESTION:
        parts.append("answered" if message.answered_at else "not answered yet")
    if message.read_at is not None and is_from_patient:
        parts.append(f"read {short_day_and_time(to_local(message.read_at, zone))}")
    elif message.read_at is None and is_from_patient != reader_is_patient:
        parts.append("new")
    elif message.read_at is None:
        is_late = is_from_patient and message.told_late_at is not None
        parts.append(
            "not read yet. That is on us: we have asked the team to read it" if is_late else "not read yet"
        )
    words = ", ".join(parts)
    return words[:1].upper() + words[1:]
