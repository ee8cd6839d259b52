"""The rows of *Today*: who, why, and what to do about it. Pure, bar the addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.caseload import OwedReview, PersonNow
from icbt_support.engagement.today import (
    Queue,
    Section,
    call_to_make,
    is_ready_for_more,
    is_to_write_now,
    minutes_for,
    review_to_write,
    waits_for_a_taker,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.pages.kit import clock_time, short_day
from icbt_support.pages.supporter.claim_words import ClaimNote, note_of
from icbt_support.pages.supporter.today_reasons import SCORE_NAME, Reader, reason_of
from icbt_support.pages.supporter.words import (
    visit_words,
)
from icbt_support.reviews.models import ReviewKind

HEADINGS: Mapping[Section, tuple[str, str, str]] = {
    Section.READ_FIRST: (
        "Read first",
        "first",
        "Answers and words that a person looks at before anything else",
    ),
    Section.LATE: ("Late", "late", "Promised for an earlier time"),
    Section.DUE: ("Due today, in the order of your slots", "due", ""),
    Section.POOL: ("With the pool", "due", "A colleague is away. Whoever takes one writes it"),
    Section.MESSAGES: ("Messages and questions", "due", "Not read yet"),
    Section.CALLS: ("Calls to make", "due", "Not heard from for a while, or email does not reach them"),
    Section.NOTES: ("One kind note", "due", "Not here for a week, so their reminders have stopped"),
    Section.WELCOME: ("New people who have not heard yet", "due", "A welcome is owed"),
    Section.WAITING: ("Waiting for them", "wait", "Nothing for you to do"),
}
SUMMARY = {
    Section.READ_FIRST: "{} to read first",
    Section.LATE: "{} late",
    Section.DUE: "{} due",
    Section.POOL: "{} with the pool",
    Section.MESSAGES: "{} with messages",
    Section.CALLS: "{} to call",
    Section.NOTES: "{} to write a note to",
    Section.WELCOME: "{} to welcome",
}


@dataclass(frozen=True)
class Row:
    """One row as `components/queue.html` draws it.

    `action_href` opens something and changes nothing; `start_href` takes a post instead, and claims the review.
    `release_href` lets go of it. `chips` are short signals, (words, colour).
    """

    name: str
    initials: str
    href: str
    week: str
    slot: str
    reason: str
    more: str
    last_visit: str
    scores: list[int]
    score_name: str
    minutes: int | None
    action: str
    action_href: str
    is_first: bool
    start_href: str = ""
    release_href: str = ""
    claim: ClaimNote | None = None
    cover: str = ""
    chips: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Address:
    """Where a person's page, review, welcome, messages and contact sheet are; a page gives it.

    `start`, `release` and `take` take a post.
    """

    person: str
    review: str
    welcome: str
    messages: str
    contact: str = ""
    start: str = ""
    release: str = ""
    take: str = ""


def summary_parts(queue: Queue) -> list[tuple[str, str]]:
    """("1 late", "late") for every section that asks for something."""
    return [
        (words.format(queue.count(section)), section.value)
        for section, words in SUMMARY.items()
        if queue.count(section)
    ]


def make_row(person: PersonNow, section: Section, address: Address, reader: Reader, *, is_first: bool) -> Row:
    reason, more = reason_of(person, section, reader)
    claim = claim_of(person, reader)
    action = _action(person, section, address, reader, claim)
    patient = person.enrolment.patient
    return Row(
        name=patient.full_name,
        initials=patient.initials,
        href=address.person,
        week=week_words(person),
        slot=_slot(person, section, reader),
        reason=reason,
        more=more,
        last_visit=visit_words(person.last_visit_at, now=reader.now, zone=reader.zone),
        scores=list(person.scores),
        score_name=SCORE_NAME,
        minutes=minutes_for(person, section, account_id=reader.account_id, now=reader.now, zone=reader.zone),
        action=action.words,
        action_href=action.href,
        start_href=action.post,
        release_href=address.release if claim is not None and claim.is_mine else "",
        is_first=is_first,
        claim=claim,
        cover=cover_words(person, reader),
        chips=tuple(_chips(person, section, reader)),
    )


def claim_of(person: PersonNow, reader: Reader) -> ClaimNote | None:
    """Who is at the review that this reader could write."""
    owed = review_to_write(person, account_id=reader.account_id)
    if owed is None or owed.claim is None:
        return None
    return note_of(owed.claim, account_id=reader.account_id, now=reader.now, zone=reader.zone)


def cover_words(person: PersonNow, reader: Reader) -> str:
    """For Dana Ode, until 3 December; or of a guest's person, while what for."""
    enrolment = person.enrolment
    if enrolment.supporter_id == reader.account_id:
        return ""
    until = reader.covers.get(enrolment.supporter_id)
    name = enrolment.supporter.full_name
    if until is not None:
        return f"For {name}, until {until.day} {until:%B}"
    if review_to_write(person, account_id=reader.account_id) is not None:
        return f"For {name}, until this review is written"
    return f"For {name}, until this message is read" if person.unread else f"For {name}"


def _chips(person: PersonNow, section: Section, reader: Reader) -> list[tuple[str, str]]:
    chips = []
    if person.late_messages:
        chips.append(("Message late", "orange"))
    elif _has_more_to_read(person, section):
        chips.append(("Message", "white"))
    if section is not Section.CALLS and call_to_make(person, now=reader.now) is not None:
        chips.append(("Call to make", "white"))
    if is_ready_for_more(person):
        chips.append(("Ready for more", "green"))
    return chips


def _has_more_to_read(person: PersonNow, section: Section) -> bool:
    """Whether unread words wait of which the row itself says nothing; a due review names its questions."""
    if section is Section.MESSAGES:
        return False
    is_question_named = section is Section.DUE
    return any(one not in person.questions or not is_question_named for one in person.unread)


def week_words(person: PersonNow) -> str:
    state = person.enrolment.state
    if state in (EnrolmentState.PAUSED, EnrolmentState.AWAY, EnrolmentState.ENDED):
        return state.value.capitalize()
    return f"Week {person.week.week.number}" if person.week is not None else "Not started"


def _slot(person: PersonNow, section: Section, reader: Reader) -> str:
    owed = review_to_write(person, account_id=reader.account_id)
    if section is not Section.DUE or owed is None or owed.review.slot_at is None:
        return ""
    local = to_local(owed.review.slot_at, reader.zone)
    return clock_time(local) if local.date() == local_day(reader.now, reader.zone) else short_day(local)


@dataclass(frozen=True)
class _Action:
    """`post` takes a post; otherwise `href` opens something."""

    words: str = ""
    href: str = ""
    post: str = ""


def _action(
    person: PersonNow, section: Section, address: Address, reader: Reader, claim: ClaimNote | None
) -> _Action:
    owed = review_to_write(person, account_id=reader.account_id)
    is_to_write = is_to_write_now(person, account_id=reader.account_id, now=reader.now, zone=reader.zone)
    if section is Section.READ_FIRST:
        return _Action("Open", address.review if is_to_write else address.person)
    if section is Section.CALLS:
        return _Action("Call", address.contact)
    if section is Section.NOTES:
        return _Action("Write", address.messages)
    is_message = section is Section.LATE and (owed is None or not owed.review.is_late(reader.now))
    if section is Section.MESSAGES or is_message:
        return _Action("Read", address.messages)
    if section is Section.WAITING or owed is None:
        return _Action()
    is_free = claim is None or not claim.is_taken
    if is_free and waits_for_a_taker(person, account_id=reader.account_id):
        return _Action("Take it", address.review, post=address.take)
    return _to_write(owed, address, claim)


def _to_write(owed: OwedReview, address: Address, claim: ClaimNote | None) -> _Action:
    href = address.welcome if owed.review.kind is ReviewKind.WELCOME else address.review
    if claim is not None and claim.is_taken:
        return _Action("Look", href)
    if claim is not None and claim.can_take_over:
        return _Action("Take over", href, post=address.start)
    if owed.review.kind is ReviewKind.WELCOME:
        return _Action("Write welcome", href, post=address.start)
    has_begun = claim is not None or owed.draft_saved_at is not None
    return _Action("Continue" if has_begun else "Start", href, post=address.start)
