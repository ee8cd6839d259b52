"""What a supporter knows of a person, in words and in the order in which it matters: the left side of the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.models import Account
from icbt_support.cadence import to_local
from icbt_support.engagement.knowledge import Knowledge
from icbt_support.engagement.known_words import SharedWords
from icbt_support.engagement.person import RemindersSince
from icbt_support.messages.models import MessageKind
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter.shared_entries import ToolView, tools_shared
from icbt_support.pages.supporter.today_reasons import alert_words
from icbt_support.pages.supporter.words import count_words, moment_inside, moment_words, wall_words
from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.queries import ItemNow, item_now
from icbt_support.programme.content import Measure, Programme
from icbt_support.reviews.models import Review, ReviewLetter
from icbt_support.risk.models import CallOutcome, Grade

LETTERS_OPEN_FOR_A_COLLEAGUE = 2
_MARK_STATES = {ItemState.DONE: "done", ItemState.SKIPPED: "skipped", ItemState.PLANNED: "not_done"}
_GRADE_COLOURS = {Grade.URGENT: "red", Grade.SAME_DAY: "orange", Grade.KNOWN: "grey"}
CALL_WORDS = {
    CallOutcome.SPOKE: "Spoke",
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.VOICEMAIL: "Left a voicemail",
    CallOutcome.SOMEONE_ELSE: "Somebody else answered",
}


@dataclass(frozen=True)
class AlertWords:
    """An open alert: the answer as given, its grade, and who has taken it."""

    words: str
    grade: str
    colour: str
    taken: str


@dataclass(frozen=True)
class SharedText:
    """One message or question; `quote` names it when its words are put into the letter."""

    heading: str
    when: str
    words: str
    quote: str
    is_read_first: bool


@dataclass(frozen=True)
class PlanLine:
    """One item of the week: planned against done."""

    kind: str
    state: str
    title: str
    planned: str
    done: str


@dataclass(frozen=True)
class StepLine:
    """What was agreed, what came of it, and what the person said about it."""

    state: str
    title: str
    why: str
    by: str
    outcome: str
    words: str
    quote: str


@dataclass(frozen=True)
class PatientWords:
    """What the patient said about one item."""

    title: str
    words: str
    quote: str


@dataclass(frozen=True)
class EarlierLetter:
    heading: str
    author: str
    sections: tuple[tuple[str, str], ...]
    agreed: str
    is_unfolded: bool


@dataclass(frozen=True)
class StaffLine:
    """A call or a note: its words, and who and when."""

    words: str
    meta: str


@dataclass(frozen=True)
class KnownPerson:
    """Everything at the left of the letter, top to bottom."""

    alerts: tuple[AlertWords, ...]
    since: str
    steps: tuple[StepLine, ...]
    changed: tuple[str, ...]
    questions: tuple[SharedText, ...]
    messages: tuple[SharedText, ...]
    has_unread: bool
    plan: tuple[PlanLine, ...]
    plan_note: str
    said: tuple[PatientWords, ...]
    tools: tuple[ToolView, ...]
    private: str
    letters: tuple[EarlierLetter, ...]
    reminders: str
    calls: tuple[StaffLine, ...]
    notes: tuple[StaffLine, ...]
    goals: tuple[str, ...]


def known_person(
    known: Knowledge, programme: Programme, review: Review, *, reader: Account, now: datetime
) -> KnownPerson:
    zone, called = reader.zone, known.enrolment.patient.called
    items = _items_of(review, known)
    texts = known.words_of("message")
    return KnownPerson(
        alerts=alert_lines(known, programme, now=now, zone=zone),
        since=_since_words(known, zone),
        steps=tuple(_step_line(one, known) for one in items if one.item.kind is ItemKind.AGREED_STEP),
        changed=what_changed(known, programme, now=now, zone=zone),
        questions=tuple(
            _shared_text(one, known, now, zone) for one in reversed(texts) if one.kind == MessageKind.QUESTION
        ),
        messages=tuple(
            _shared_text(one, known, now, zone) for one in reversed(texts) if one.kind != MessageKind.QUESTION
        ),
        has_unread=any(not one.is_read for one in texts),
        plan=tuple(_plan_line(one, known.enrolment.patient.zone) for one in items),
        plan_note=_plan_note(items),
        said=tuple(
            PatientWords(one.item.title, one.item.patient_words, f"item:{one.item.id}")
            for one in items
            if one.item.patient_words and one.item.kind is not ItemKind.AGREED_STEP
        ),
        tools=tools_shared(known, programme, now=now, zone=zone),
        private=private_words(known.facts.private_since),
        letters=_earlier_letters(known, is_colleague=reader.id != known.enrolment.supporter_id, zone=zone),
        reminders=reminder_words(known.reminders, called),
        calls=call_lines(known, now=now, zone=zone),
        notes=note_lines(known, now=now, zone=zone),
        goals=tuple(one.words for one in reversed(known.words_of("goal"))),
    )


def _items_of(review: Review, known: Knowledge) -> list[ItemNow]:
    week = review.week
    if week is None:
        return []
    return [item_now(item, known.facts.check_ins.get(week.number)) for item in week.items]


def _since_words(known: Knowledge, zone: str) -> str:
    """since your letter of Thursday 12 November; since the invitation"""
    if not known.letters:
        return "since the invitation"
    return f"since the letter of {long_day(to_local(known.since, zone))}"


# Alerts -------------------------------------------------------------------------------------------


def alert_lines(
    known: Knowledge, programme: Programme, *, now: datetime, zone: str
) -> tuple[AlertWords, ...]:
    """Alerts that nobody has resolved, known ones too, newest first."""
    return tuple(
        AlertWords(
            words=f"{alert_words(alert, programme)}, {moment_words(alert.raised_at, now=now, zone=zone)}",
            grade=alert.grade.value.replace("_", " ").capitalize(),
            colour=_GRADE_COLOURS[alert.grade],
            taken=f"Taken by {alert.acknowledger.full_name}"
            if alert.acknowledger
            else "Nobody has taken it yet",
        )
        for alert in known.alerts
    )


# The agreed step and the plan ---------------------------------------------------------------------


def _step_line(one: ItemNow, known: Knowledge) -> StepLine:
    item = one.item
    return StepLine(
        state=_MARK_STATES.get(one.state, "planned"),
        title=item.title,
        why=item.why,
        by=wall_words(item.planned_on, item.planned_time),
        outcome=_outcome(one, known.enrolment.patient.zone, undone="Not marked as done"),
        words=item.patient_words,
        quote=f"item:{item.id}" if item.patient_words else "",
    )


def _plan_line(one: ItemNow, zone: str) -> PlanLine:
    item = one.item
    planned = wall_words(item.planned_on, item.planned_time)
    is_step = item.kind is ItemKind.AGREED_STEP
    return PlanLine(
        kind=item.kind,
        state=_MARK_STATES.get(one.state, "planned"),
        title=f"Agreed: {item.title}" if is_step else item.title,
        planned=f"by {planned}" if is_step else planned,
        done=_outcome(one, zone, undone="Not done"),
    )


def _outcome(one: ItemNow, zone: str, *, undone: str) -> str:
    """Sat 11am; what happened instead where it was not done"""
    if one.is_done and one.settled_at is not None:
        local = to_local(one.settled_at, zone)
        return f"{local:%a} {clock_time(local)}"
    return {ItemState.SKIPPED: "Not this time", ItemState.CARRIED_OVER: "Carried over"}.get(one.state, undone)


def _plan_note(items: Sequence[ItemNow]) -> str:
    if not items:
        return ""
    done = sum(1 for one in items if one.is_done)
    has_check_in = any(one.item.kind is ItemKind.CHECK_IN and one.is_done for one in items)
    return f"{done} of {len(items)}, {'with' if has_check_in else 'without'} check-in"


# What changed -------------------------------------------------------------------------------------


def what_changed(known: Knowledge, programme: Programme, *, now: datetime, zone: str) -> tuple[str, ...]:
    """Sentences about what is new since the last review: visits, scores, pages, first uses of a tool."""
    return (
        _visits(known, now, zone),
        *_scores(known, programme),
        *_pages(known, programme),
        *(
            f"First {tool.title[:1].lower()}{tool.title[1:]} shared"
            for slug in known.tools_begun
            if (tool := programme.tools.get(slug)) is not None
        ),
    )


def _visits(known: Knowledge, now: datetime, zone: str) -> str:
    last_at = known.facts.last_visit_at
    last = f", last {moment_inside(last_at, now=now, zone=zone)}" if last_at is not None else ""
    if not known.days_here:
        return f"Not here since the last review{last}"
    signed_in = f", {count_words(known.sign_ins, 'sign-in')}" if known.sign_ins else ""
    return f"Here on {count_words(len(known.days_here), 'day')}{signed_in}{last}"


def _scores(known: Knowledge, programme: Programme) -> list[str]:
    measures = [programme.measures[slug] for slug in programme.check_in]
    found = [_score_words(one, known.totals(one.slug)) for one in measures if known.is_score_new(one.slug)]
    return found or (["No check-in since the last review"] if measures else [])


def _score_words(measure: Measure, totals: tuple[int, ...]) -> str:
    """PHQ-9 11 out of 27: down 3 since the time before, down 6 since the start (a change of 6 or more)"""
    words = f"{measure.title} {totals[-1]} out of {measure.maximum}"
    if len(totals) < 2:
        return f"{words}, the first answer"
    since_start = totals[-1] - totals[0]
    if abs(since_start) >= measure.reliable_change:
        start = f"{_moved(since_start)} since the start (a change of {measure.reliable_change} or more)"
    else:
        start = f"{_moved(since_start)} since the start"
    if len(totals) == 2:
        return f"{words}: {start}"
    return f"{words}: {_moved(totals[-1] - totals[-2])} since the time before, {start}"


def _moved(change: int) -> str:
    return "no change" if change == 0 else f"{'up' if change > 0 else 'down'} {abs(change)}"


def _pages(known: Knowledge, programme: Programme) -> list[str]:
    by_module: dict[str, int] = {}
    for page in known.pages_since:
        by_module[page.module] = by_module.get(page.module, 0) + 1
    return [
        f"Opened {count} of {len(module.pages)} pages of {module.title}"
        for slug, count in by_module.items()
        if (module := programme.module(slug)) is not None
    ]


# Words, letters, calls and notes ------------------------------------------------------------------


def _shared_text(one: SharedWords, known: Knowledge, now: datetime, zone: str) -> SharedText:
    return SharedText(
        heading="Question" if one.kind == MessageKind.QUESTION else "Message",
        when=moment_words(one.at, now=now, zone=zone),
        words=one.words,
        quote=f"message:{one.row_id}",
        is_read_first=known.is_marked("message", one.row_id),
    )


def private_words(count: int) -> str:
    return f"Private: {count_words(count, 'entry', 'entries')} not shown" if count else ""


def reminder_words(counts: RemindersSince, called: str) -> str:
    """Reminders: 2 sent, 1 held back. Sam signed in within 48 hours of both."""
    held = f", {counts.held_back} held back" if counts.held_back else ""
    if not counts.sent:
        return f"Reminders: none sent{held}."
    if counts.followed == counts.sent:
        which = {1: "it", 2: "both"}.get(counts.sent, f"all {counts.sent}")
    else:
        which = f"{counts.followed} of them" if counts.followed else "none of them"
    if not counts.followed and counts.sent == 1:
        return f"Reminders: 1 sent{held}. {called} did not sign in within 48 hours of it."
    return f"Reminders: {counts.sent} sent{held}. {called} signed in within 48 hours of {which}."


def _earlier_letters(known: Knowledge, *, is_colleague: bool, zone: str) -> tuple[EarlierLetter, ...]:
    """Folded, but the last two stand open for somebody who writes for a colleague."""
    unfolded = LETTERS_OPEN_FOR_A_COLLEAGUE if is_colleague else 0
    return tuple(
        _earlier_letter(letter, zone, is_unfolded=place < unfolded)
        for place, letter in enumerate(known.letters)
    )


def _earlier_letter(letter: ReviewLetter, zone: str, *, is_unfolded: bool) -> EarlierLetter:
    agreed = f"{letter.step_what}, because {letter.step_why}" if letter.step_why else letter.step_what
    opened = "" if letter.review.read_at else ", not opened yet"
    return EarlierLetter(
        heading=f"Letter of {long_day(to_local(letter.sent_at, zone))}",
        author=f"{letter.author.full_name}{opened}",
        sections=tuple(letter.pairs),
        agreed=agreed,
        is_unfolded=is_unfolded,
    )


def call_lines(known: Knowledge, *, now: datetime, zone: str) -> tuple[StaffLine, ...]:
    return tuple(
        StaffLine(
            f"{CALL_WORDS[CallOutcome(one.kind)]}{': ' if one.words else ''}{one.words}",
            f"{one.by}, {moment_words(one.at, now=now, zone=zone)}",
        )
        for one in known.words_of("call")
    )


def note_lines(known: Knowledge, *, now: datetime, zone: str) -> tuple[StaffLine, ...]:
    return tuple(
        StaffLine(one.words, f"{one.by}, {moment_words(one.at, now=now, zone=zone)}")
        for one in known.words_of("note")
    )
