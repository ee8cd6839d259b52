"""Quote in reply: the patient's own words, put into the letter by a button."""

from sqlalchemy import select

from icbt_support.cadence import to_local
from icbt_support.db import LARGEST_ID, db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry
from icbt_support.journal.rules import heading_of
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import PlanItem
from icbt_support.programme.content import Programme

LONGEST_QUOTE = 400
ROUND_BRACKETS = str.maketrans("[]{}", "()()")
NOTICED, QUESTION = "noticed", "question"


def quote(enrolment: Enrolment, programme: Programme, reference: str) -> tuple[str, str]:
    """The section that the words belong to, and the words; empty for what this course does not share.

    `reference` is `message:<id>`, `item:<id>` or `entry:<id>`.
    """
    kind, _, number = reference.partition(":")
    row_id = int(number) if number.isascii() and number.isdigit() and len(number) < 20 else 0
    if not 0 < row_id <= LARGEST_ID:
        return NOTICED, ""
    if kind == "message":
        return _quote_message(enrolment, row_id)
    if kind == "item":
        return NOTICED, _quote_item(enrolment, row_id)
    return NOTICED, _quote_entry(enrolment, programme, row_id) if kind == "entry" else ""


def _quote_message(enrolment: Enrolment, message_id: int) -> tuple[str, str]:
    message = db.session.scalars(
        select(Message).where(
            Message.id == message_id,
            Message.enrolment_id == enrolment.id,
            Message.author_id == enrolment.patient_id,
        )
    ).one_or_none()
    if message is None:
        return NOTICED, ""
    is_question = message.kind is MessageKind.QUESTION
    return QUESTION if is_question else NOTICED, f'You wrote: "{shorten(message.words)}"'


def _quote_item(enrolment: Enrolment, item_id: int) -> str:
    item = db.session.scalars(
        select(PlanItem).where(PlanItem.id == item_id, PlanItem.enrolment_id == enrolment.id)
    ).one_or_none()
    return (
        f'About "{item.title}" you wrote: "{shorten(item.patient_words)}"'
        if item and item.patient_words
        else ""
    )


def _quote_entry(enrolment: Enrolment, programme: Programme, entry_id: int) -> str:
    entry = db.session.scalars(
        select(Entry).where(Entry.id == entry_id, Entry.enrolment_id == enrolment.id, Entry.is_shared)
    ).one_or_none()
    tool = programme.tools.get(entry.tool) if entry is not None else None
    if entry is None or tool is None:
        return ""
    day = f"{to_local(entry.created_at, enrolment.patient.zone):%A}"
    title = tool.title[:1].lower() + tool.title[1:]
    return f'In your {title} on {day} you wrote: "{shorten(heading_of(tool, entry.fields))}"'


def shorten(words: str) -> str:
    """One paragraph of at most 400 characters, ended at a word.

    Brackets become round: square and curly ones would be read as gaps of a phrase, and keep the letter from going.
    """
    line = " ".join(words.split()).translate(ROUND_BRACKETS)
    return line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
