"""What can be counted or dated about one person, as the workspace shows it, in one statement. Reads only."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from icbt_support.activity.models import ActivityEvent, ActivityPerson
from icbt_support.db import UtcDateTime, db
from icbt_support.engagement.known_words import finished_since
from icbt_support.engagement.person import SessionsKept, prompts_by_email
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, PageRead
from icbt_support.measures.models import Answer, FinishedCheckIn, Questionnaire
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.models import KeptText, Review
from icbt_support.risk.models import ReadFirst, RiskAlert

VERSIONS_AT_MOST = 1000


@dataclass(frozen=True)
class PageSeen:
    module: str
    page: str
    last_read_at: datetime


@dataclass(frozen=True)
class FirstEntry:
    """The first entry of a tool that the person shared."""

    tool: str
    at: datetime


@dataclass
class SmallFacts:
    """What can be counted or dated, since the last review where a name says so."""

    scores: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    score_dates: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    risk_answers: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    sessions: SessionsKept = SessionsKept(0, 0)
    private_since: int = 0
    pages: list[PageSeen] = field(default_factory=list)
    marked: set[tuple[str, int]] = field(default_factory=set)
    prompts_sent: list[datetime] = field(default_factory=list)
    prompts_held_back: int = 0
    acts_since: list[tuple[datetime, str]] = field(default_factory=list)
    check_ins: dict[int, datetime] = field(default_factory=dict)
    first_entries: list[FirstEntry] = field(default_factory=list)
    last_visit_at: datetime | None = None
    prompts_owed: int = 0
    last_review_number: int = 0
    last_week_number: int = 0
    open_alerts: int = 0
    kept_texts: int = 0


def load_small_facts(
    enrolment: Enrolment, risk_items: Mapping[str, int], since: datetime, today: date
) -> SmallFacts:
    """Everything that is a number, a date or a name: many small reads that travel as one statement."""
    parts = [
        _scores(enrolment.id),
        _risk_answers(enrolment.id, risk_items),
        _sessions(enrolment.id, since, today),
        _private(enrolment.id, since),
        _pages(enrolment.id),
        _marks(enrolment.id),
        _prompts(enrolment, since),
        _acts(enrolment.id, since),
        _check_ins(enrolment.id),
        _first_entries(enrolment.id),
        _last_visit(enrolment.id),
        _prompts_owed(enrolment, since),
        _last_number(enrolment.id, since),
        _last_week(enrolment.id, since),
        _alerts(enrolment.id, since),
        _kept_texts(enrolment.id, since),
    ]
    rows = union_all(*parts).subquery()
    facts = SmallFacts()
    for what, at, name, number, second in db.session.execute(
        select(rows).order_by(rows.c.at, rows.c.second, rows.c.name)
    ):
        _take(facts, what, at, name, number, second)
    return facts


def _take(facts: SmallFacts, what: str, at: datetime, name: str, number: int, second: int) -> None:
    match what:
        case "score":
            facts.scores[name].append(number)
            facts.score_dates[name].append(at)
        case "risk_answer":
            facts.risk_answers[name][second // VERSIONS_AT_MOST] = number
        case "sessions":
            facts.sessions = SessionsKept(number, second)
        case "private":
            facts.private_since = number
        case "page":
            module, _, page = name.partition("/")
            facts.pages.append(PageSeen(module, page, at))
        case "mark":
            subject, _, subject_id = name.partition("/")
            facts.marked.add((subject, int(subject_id)))
        case "prompt" if name == ReminderState.HANDED_OVER:
            facts.prompts_sent.append(at)
        case "prompt":
            facts.prompts_held_back += 1
        case "act":
            facts.acts_since.append((at, name))
        case "check_in":
            facts.check_ins[number] = at
        case "first_entry":
            facts.first_entries.append(FirstEntry(name, at))
        case "visit":
            facts.last_visit_at = at
        case "prompts_owed":
            facts.prompts_owed = number
        case "last_number":
            facts.last_review_number = number
        case "last_week":
            facts.last_week_number = number
        case "alerts":
            facts.open_alerts = number
        case "kept_texts":
            facts.kept_texts = number


def _fact(what: str, at: Any, name: Any, number: Any, second: Any) -> Select[Any]:
    return select(
        literal(what, String).label("what"),
        at.label("at"),
        name.label("name"),
        cast(number, Integer).label("number"),
        cast(second, Integer).label("second"),
    )


_NO_NAME: ColumnElement[str] = literal("", String)
_NONE: ColumnElement[int] = literal(0, Integer)


def _scores(enrolment_id: int) -> Select[Any]:
    return _fact(
        "score",
        Questionnaire.finished_at,
        Questionnaire.measure,
        Questionnaire.total,
        Questionnaire.week_number,
    ).where(Questionnaire.enrolment_id == enrolment_id, Questionnaire.total.is_not(None))


def _risk_answers(enrolment_id: int, risk_items: Mapping[str, int]) -> Select[Any]:
    """Every version of an answer, finished or not; the highest version of a week's is the one that stands."""
    asked = [
        and_(Questionnaire.measure == measure, Answer.item == item) for measure, item in risk_items.items()
    ]
    order = Questionnaire.week_number * VERSIONS_AT_MOST + Answer.version
    return (
        _fact("risk_answer", Answer.answered_at, Questionnaire.measure, Answer.value, order)
        .join(Questionnaire, Questionnaire.id == Answer.questionnaire_id)
        .where(Questionnaire.enrolment_id == enrolment_id, or_(false(), *asked))
    )


def _sessions(enrolment_id: int, since: datetime, today: date) -> Select[Any]:
    kept = func.coalesce(func.sum(case((PlanItem.state == ItemState.DONE, 1), else_=0)), 0)
    return _fact("sessions", literal(since, UtcDateTime), _NO_NAME, kept, func.count(PlanItem.id)).where(
        PlanItem.enrolment_id == enrolment_id,
        PlanItem.kind == ItemKind.SESSION,
        PlanItem.state != ItemState.CARRIED_OVER,
        or_(PlanItem.planned_on <= today, PlanItem.state == ItemState.DONE),
    )


def _private(enrolment_id: int, since: datetime) -> Select[Any]:
    return _fact("private", literal(since, UtcDateTime), _NO_NAME, func.count(Entry.id), _NONE).where(
        Entry.enrolment_id == enrolment_id, Entry.is_shared.is_(False), *finished_since(since)
    )


def _pages(enrolment_id: int) -> Select[Any]:
    name = PageRead.module + "/" + PageRead.page
    return _fact("page", PageRead.last_read_at, name, _NONE, _NONE).where(
        PageRead.enrolment_id == enrolment_id
    )


def _marks(enrolment_id: int) -> Select[Any]:
    """A mark's number is that of its text, too large for the column of numbers on some engines: it goes as text."""
    name = ReadFirst.subject + "/" + cast(ReadFirst.subject_id, String)
    return _fact("mark", ReadFirst.marked_at, name, _NONE, _NONE).where(
        ReadFirst.enrolment_id == enrolment_id, ReadFirst.read_at.is_(None)
    )


def _prompts(enrolment: Enrolment, since: datetime) -> Select[Any]:
    return _fact("prompt", Reminder.settled_at, cast(Reminder.state, String), _NONE, _NONE).where(
        *prompts_by_email(enrolment),
        Reminder.settled_at > since,
        Reminder.state.in_([ReminderState.HANDED_OVER, ReminderState.HELD_BACK]),
    )


def _acts(enrolment_id: int, since: datetime) -> Select[Any]:
    return _fact("act", ActivityEvent.at, cast(ActivityEvent.act, String), _NONE, _NONE).where(
        ActivityEvent.enrolment_id == enrolment_id, ActivityEvent.at > since
    )


def _check_ins(enrolment_id: int) -> Select[Any]:
    return _fact("check_in", FinishedCheckIn.finished_at, _NO_NAME, FinishedCheckIn.week_number, _NONE).where(
        FinishedCheckIn.enrolment_id == enrolment_id
    )


def _first_entries(enrolment_id: int) -> Select[Any]:
    return (
        _fact("first_entry", func.min(Entry.created_at), Entry.tool, _NONE, _NONE)
        .where(Entry.enrolment_id == enrolment_id, Entry.is_shared, Entry.finished_at.is_not(None))
        .group_by(Entry.tool)
    )


def _last_visit(enrolment_id: int) -> Select[Any]:
    return _fact("visit", ActivityPerson.last_at, _NO_NAME, _NONE, _NONE).where(
        ActivityPerson.enrolment_id == enrolment_id
    )


def _prompts_owed(enrolment: Enrolment, since: datetime) -> Select[Any]:
    return _fact("prompts_owed", literal(since, UtcDateTime), _NO_NAME, func.count(Reminder.id), _NONE).where(
        *prompts_by_email(enrolment), Reminder.state == ReminderState.OWED
    )


def _last_number(enrolment_id: int, since: datetime) -> Select[Any]:
    number = func.coalesce(func.max(Review.number), 0)
    return _fact("last_number", literal(since, UtcDateTime), _NO_NAME, number, _NONE).where(
        Review.enrolment_id == enrolment_id
    )


def _last_week(enrolment_id: int, since: datetime) -> Select[Any]:
    number = func.coalesce(func.max(Week.number), 0)
    return _fact("last_week", literal(since, UtcDateTime), _NO_NAME, number, _NONE).where(
        Week.enrolment_id == enrolment_id
    )


def _alerts(enrolment_id: int, since: datetime) -> Select[Any]:
    """How many alerts nobody has resolved."""
    return _fact("alerts", literal(since, UtcDateTime), _NO_NAME, func.count(RiskAlert.id), _NONE).where(
        RiskAlert.enrolment_id == enrolment_id, RiskAlert.resolved_at.is_(None)
    )


def _kept_texts(enrolment_id: int, since: datetime) -> Select[Any]:
    """How many texts could not be saved in any of this person's reviews."""
    return (
        _fact("kept_texts", literal(since, UtcDateTime), _NO_NAME, func.count(KeptText.id), _NONE)
        .join(Review, Review.id == KeptText.review_id)
        .where(Review.enrolment_id == enrolment_id)
    )
