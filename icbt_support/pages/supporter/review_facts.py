"""What the review workspace shows of a person: facts first, then their week in their own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icbt_support.cadence import local_day, to_local
from icbt_support.engagement import person
from icbt_support.engagement.person import RemindersSince, SessionsKept, SharedSince
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry
from icbt_support.journal.rules import before_and_after, fields_asked, heading_of
from icbt_support.messages.models import Message, MessageKind
from icbt_support.pages.kit import clock_time
from icbt_support.pages.supporter.words import count_words, moment_words, wall_words
from icbt_support.plan import queries as plan
from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.queries import ItemNow
from icbt_support.programme.content import FieldKind, Measure, Programme, Tool, ToolField
from icbt_support.reviews.models import Review

TENTHS, HUNDREDTHS = 10, 100
_MARK_STATES = {ItemState.DONE: "done", ItemState.SKIPPED: "skipped", ItemState.PLANNED: "not_done"}


@dataclass(frozen=True)
class RiskFact:
    """The risk item as answered: "Not at all", "was: several days"."""

    label: str
    words: str
    before: str


@dataclass(frozen=True)
class ScoreFact:
    """One measure since the start: its totals, and how the change compares with a reliable one."""

    title: str
    totals: tuple[int, ...]
    note: str


@dataclass(frozen=True)
class Facts:
    """The strip at the top of the workspace and of the person's page."""

    risk: tuple[RiskFact, ...]
    scores: tuple[ScoreFact, ...]
    sessions: SessionsKept


@dataclass(frozen=True)
class SharedText:
    """One message or question; `quote` names it when its words are put into the letter."""

    heading: str
    when: str
    words: str
    quote: str
    is_question: bool
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
class PatientWords:
    """What the patient said about one item."""

    title: str
    words: str
    quote: str


@dataclass(frozen=True)
class EntryView:
    """One shared entry: its name, its filled-in fields, and its two numbers if the tool compares two."""

    title: str
    when: str
    day: str
    rows: tuple[tuple[str, str], ...]
    before: int | None
    after: int | None
    quote: str
    is_read_first: bool


@dataclass(frozen=True)
class ToolView:
    """The shared entries of one tool; `maximum` is 10 or 100 where it compares two numbers, else 0."""

    icon: str
    title: str
    heading_label: str
    compare_label: str
    maximum: int
    entries: tuple[EntryView, ...]


@dataclass(frozen=True)
class WeekView:
    """What the patient shared since the last review."""

    texts: tuple[SharedText, ...]
    has_unread: bool
    plan: tuple[PlanLine, ...]
    plan_note: str
    said: tuple[PatientWords, ...]
    tools: tuple[ToolView, ...]
    pages: str
    private: str
    reminders: str


def facts_of(enrolment: Enrolment, programme: Programme, *, now: datetime) -> Facts:
    totals = person.totals_of(enrolment)
    measures = [programme.measures[slug] for slug in programme.check_in]
    return Facts(
        risk=tuple(_risk_fact(enrolment, measure) for measure in measures if measure.risk_item),
        scores=tuple(_score_fact(measure, totals.get(measure.slug, ())) for measure in measures),
        sessions=person.sessions_kept(enrolment, local_day(now, enrolment.patient.zone)),
    )


def _risk_fact(enrolment: Enrolment, measure: Measure) -> RiskFact:
    answer = person.risk_answer_of(enrolment, measure.slug, measure.risk_item or 0)
    words = measure.label_of(answer.value) if answer.value is not None else "Not answered yet"
    before = measure.label_of(answer.before) if answer.before is not None else ""
    return RiskFact(f"Item {measure.risk_item}", words, before[:1].lower() + before[1:])


def _score_fact(measure: Measure, totals: tuple[int, ...]) -> ScoreFact:
    if len(totals) < 2:
        return ScoreFact(measure.title, totals, "")
    is_reliable = abs(totals[-1] - totals[0]) >= measure.reliable_change
    note = (
        f"change of {measure.reliable_change} or more"
        if is_reliable
        else (f"change of less than {measure.reliable_change}")
    )
    return ScoreFact(measure.title, totals, note)


def score_sentences(enrolment: Enrolment, programme: Programme) -> str:
    """How the scores moved, in words for the patient: number, range, change and what it means."""
    totals = person.totals_of(enrolment)
    sentences = []
    for slug in programme.check_in:
        measure, values = programme.measures[slug], totals.get(slug, ())
        if not values:
            continue
        band = measure.band_of(values[-1]).label
        name = measure.patient_title[:1].lower() + measure.patient_title[1:]
        if len(values) == 1:
            sentences.append(
                f"Your score for the {name} is {values[0]} out of {measure.maximum}. "
                f"This is in the {band} range."
            )
            continue
        change = abs(values[-1] - values[0])
        moved = f"That is a change of {change}" if change else "That is the same"
        sentences.append(
            f"Your score for the {name} was {values[0]} out of {measure.maximum} when we started and is "
            f"{values[-1]} now. {moved}, and it is in the {band} range."
        )
    return "\n".join(sentences)


def week_of_review(
    review: Review, programme: Programme, *, since: datetime, now: datetime, zone: str
) -> WeekView:
    """Everything since the last review, as it is shown at the left of the workspace."""
    enrolment = review.enrolment
    shared = person.shared_since(enrolment, since)
    items = plan.items_with_state(review.week) if review.week is not None else []
    return WeekView(
        texts=tuple(_shared_text(one, shared, now, zone) for one in shared.messages),
        has_unread=any(one.read_at is None for one in shared.messages),
        plan=tuple(_plan_line(one, enrolment.patient.zone) for one in items),
        plan_note=_plan_note(items),
        said=tuple(
            PatientWords(one.item.title, one.item.patient_words, f"item:{one.item.id}")
            for one in items
            if one.item.patient_words
        ),
        tools=_tools(shared, programme, now, zone),
        pages=_pages(shared, programme),
        private=_private(shared.private_count),
        reminders=reminder_words(person.reminders_since(enrolment, since), enrolment.patient.called),
    )


def _shared_text(message: Message, shared: SharedSince, now: datetime, zone: str) -> SharedText:
    is_question = message.kind is MessageKind.QUESTION
    return SharedText(
        heading="Question" if is_question else "Message",
        when=moment_words(message.sent_at, now=now, zone=zone),
        words=message.words,
        quote=f"message:{message.id}",
        is_question=is_question,
        is_read_first=shared.is_marked("message", message.id),
    )


def _plan_line(one: ItemNow, zone: str) -> PlanLine:
    item = one.item
    planned = wall_words(item.planned_on, item.planned_time)
    is_step = item.kind is ItemKind.AGREED_STEP
    done = {ItemState.SKIPPED: "Not this time", ItemState.CARRIED_OVER: "Carried over"}.get(
        one.state, "Not done"
    )
    if one.is_done and one.settled_at is not None:
        local = to_local(one.settled_at, zone)
        done = f"{local:%a} {clock_time(local)}"
    return PlanLine(
        kind=item.kind,
        state=_MARK_STATES.get(one.state, "planned"),
        title=f"Agreed: {item.title}" if is_step else item.title,
        planned=f"by {planned}" if is_step else planned,
        done=done,
    )


def _plan_note(items: Sequence[ItemNow]) -> str:
    if not items:
        return ""
    done = sum(1 for one in items if one.is_done)
    has_check_in = any(one.item.kind is ItemKind.CHECK_IN and one.is_done for one in items)
    return f"{done} of {len(items)}, {'with' if has_check_in else 'without'} check-in"


def _tools(shared: SharedSince, programme: Programme, now: datetime, zone: str) -> tuple[ToolView, ...]:
    by_tool: dict[str, list[Entry]] = {}
    for entry in shared.entries:
        by_tool.setdefault(entry.tool, []).append(entry)
    return tuple(
        _tool_view(programme.tools[slug], entries, shared, now, zone)
        for slug, entries in by_tool.items()
        if slug in programme.tools
    )


def _tool_view(
    tool: Tool, entries: Sequence[Entry], shared: SharedSince, now: datetime, zone: str
) -> ToolView:
    compare = tool.compare
    return ToolView(
        icon=tool.icon,
        title=tool.title,
        heading_label=tool.field(tool.heading).label,
        compare_label=compare.label if compare else "",
        maximum=tool.field(compare.before).maximum if compare else 0,
        entries=tuple(_entry_view(tool, entry, shared, now, zone) for entry in entries),
    )


def _entry_view(tool: Tool, entry: Entry, shared: SharedSince, now: datetime, zone: str) -> EntryView:
    pair = before_and_after(tool, entry.fields)
    return EntryView(
        title=heading_of(tool, entry.fields),
        when=moment_words(entry.created_at, now=now, zone=zone),
        day=f"{to_local(entry.created_at, zone):%a}",
        rows=entry_rows(tool, entry),
        before=pair[0] if pair else None,
        after=pair[1] if pair else None,
        quote=f"entry:{entry.id}",
        is_read_first=shared.is_marked("entry", entry.id),
    )


def entry_rows(tool: Tool, entry: Entry) -> tuple[tuple[str, str], ...]:
    """The filled-in fields of an entry, with their questions."""
    asked = (*fields_asked(tool, entry.fields), *tool.afterwards)
    return tuple(
        (field.label, _value_words(field, entry.fields[field.key]))
        for field in asked
        if entry.fields.get(field.key) not in (None, "")
    )


def _value_words(field: ToolField, value: object) -> str:
    if field.kind is FieldKind.FACES and str(value).isdigit() and 0 < int(str(value)) <= len(field.choices):
        return field.choices[int(str(value)) - 1]
    if field.kind is FieldKind.SCALE:
        return f"{value}%" if field.maximum == HUNDREDTHS else f"{value} out of {field.maximum}"
    return str(value)


def _pages(shared: SharedSince, programme: Programme) -> str:
    by_module: dict[str, int] = {}
    for read in shared.pages:
        by_module[read.module] = by_module.get(read.module, 0) + 1
    parts = []
    for slug, count in by_module.items():
        module = programme.module(slug)
        if module is not None:
            parts.append(f"{count} of {len(module.pages)} pages of {module.title}")
    return "; ".join(parts)


def _private(count: int) -> str:
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
