"""What is known about the people and things behind a batch of due reminders: one set query for each kind of
thing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from icbt_support.accounts.models import (
    LinkPurpose,
    PromptLevel,
    Wording,
)
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.feedback.queries import ReportNews, news_of_reports
from icbt_support.jobs import scene_statements as statements
from icbt_support.plan.models import ItemState
from icbt_support.reminders.rules import ReminderClass, ReminderKind
from icbt_support.reminders.verdicts import DueReminder
from icbt_support.reminders.whole_results import WholeResult
from icbt_support.reviews.models import ReviewKind, ReviewState
from icbt_support.reviews.rules import module_of
from icbt_support.service.models import RhythmSettings

_PROMPT, _START_PROMPT = ReminderClass.PROMPT, ReminderKind.START_PROMPT
_CHECK_IN = ReminderKind.CHECK_IN
_WITH_DETAIL = Wording.WITH_DETAIL


class Person(NamedTuple):
    """A recipient: where and how they are written to."""

    id: int
    email: str
    called: str
    full_name: str
    zone: str
    disabled_at: datetime | None
    address_bounced_at: datetime | None
    last_signed_in_at: datetime | None
    wording: Wording | None
    prompts: PromptLevel | None
    quiet_from: time | None
    quiet_until: time | None

    @property
    def wants_detail(self) -> bool:
        return self.wording is _WITH_DETAIL


class Course(NamedTuple):
    """An enrolment, as far as a reminder needs it."""

    id: int
    state: EnrolmentState
    started_at: datetime | None
    starts_on: date | None
    back_at: datetime | None
    patient_id: int
    supporter_id: int
    clinician_id: int
    supporter_called: str
    patient_full_name: str


class House(NamedTuple):
    """A service: its names, zone and numbers."""

    id: int
    name: str
    sender_name: str
    zone: str
    rhythm: RhythmSettings


class Item(NamedTuple):
    id: int
    state: ItemState
    planned_on: date
    planned_time: time | None
    minutes: int
    week_closed_at: datetime | None


class Written(NamedTuple):
    """The newest words between a patient and a person of the service."""

    at: datetime
    author_id: int


class OwedReview(NamedTuple):
    id: int
    kind: ReviewKind
    state: ReviewState
    promised_at: datetime
    read_at: datetime | None
    owner_id: int
    pooled_at: datetime | None
    moved_from_on: date | None
    moved_because: str | None
    owner_called: str
    opens: str | None

    @property
    def writer_called(self) -> str:
        """Who writes or wrote it; empty while it is with the pool."""
        return "" if self.pooled_at is not None else self.owner_called

    @property
    def opens_week(self) -> bool:
        """Whether its letter opened a week: neither a pause nor the last letter does."""
        return module_of(self.opens or "") is not None


class SentMessage(NamedTuple):
    id: int
    read_at: datetime | None
    author_id: int
    author_called: str


class Link(NamedTuple):
    id: int
    account_id: int
    purpose: LinkPurpose
    nonce: str
    expires_at: datetime
    used_at: datetime | None
    withdrawn_at: datetime | None


class Alert(NamedTuple):
    id: int
    raised_at: datetime
    acknowledged_at: datetime | None


class OwedWeek(NamedTuple):
    """The week of a check-in, with the day of its review and who writes that; empty while it is with the pool."""

    closed_at: datetime | None
    review_on: date
    writer_called: str


@dataclass
class Scene:
    """Everything by its number; what is not here is not there any more."""

    people: dict[int, Person] = field(default_factory=dict)
    courses: dict[int, Course] = field(default_factory=dict)
    houses: dict[int, House] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    reviews: dict[int, OwedReview] = field(default_factory=dict)
    messages: dict[int, SentMessage] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    invitations: dict[int, Link] = field(default_factory=dict)
    alerts: dict[int, Alert] = field(default_factory=dict)
    reports: dict[int, ReportNews] = field(default_factory=dict)
    weeks: dict[tuple[int, int], OwedWeek] = field(default_factory=dict)
    check_ins_done: set[tuple[int, int]] = field(default_factory=set)
    written: dict[int, Written] = field(default_factory=dict)
    without_consent: set[int] = field(default_factory=set)

    def house_of(self, row: DueReminder) -> House | None:
        return self.houses.get(row.service_id) if row.service_id is not None else None

    def course_of(self, row: DueReminder) -> Course | None:
        return self.courses.get(number_in(row.context, "enrolment") or 0)


def number_in(reference: str, kind: str) -> int | None:
    """12 in "review:12", when the reference is of that kind."""
    found, _, number = reference.partition(":")
    return int(number) if found == kind and number.isdigit() else None


def check_in_of(subject: str) -> tuple[int, int] | None:
    """The enrolment and week in "check_in:12:3"."""
    kind, *numbers = subject.split(":")
    if kind != "check_in" or len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def load_scene(due: Sequence[DueReminder], now: datetime) -> Scene:
    """Loads what is behind a batch: a fixed number of statements for each kind of thing that is in it."""
    scene = Scene()
    about = _numbers_by_kind({row.subject for row in due} | {row.context for row in due})
    scene.people = _by_id({row.recipient_id for row in due}, _people)
    scene.houses = _by_id({row.service_id for row in due if row.service_id is not None}, _houses)
    scene.courses = _by_id(about["enrolment"], _courses)
    scene.items = _by_id(about["plan_item"], _items)
    scene.reviews = _by_id(about["review"], _reviews)
    scene.messages = _by_id(about["message"], _messages)
    scene.links = _by_id(about["account_link"], _links)
    scene.alerts = _by_id(about["alert"], _alerts)
    scene.reports = _by_id(about["report"] | about["vendor_report"], news_of_reports)
    _load_check_ins(scene, due)
    _load_prompts(scene, due, now)
    _load_invitations(scene, due, now)
    return scene


def load_titles(scene: Scene, item_ids: Iterable[int]) -> None:
    """Titles are encrypted, so they are read only for those who chose to see them in an email."""
    ids = list(item_ids)
    if ids:
        scene.titles.update(dict(_rows(statements.TITLES, ids)))


def _rows(statement: WholeResult, ids: Iterable[int], **values: Any) -> Iterable[tuple[Any, ...]]:
    return statement.rows(db.session.connection(), {"ids": list(ids), **values})


def _numbers_by_kind(references: set[str]) -> defaultdict[str, set[int]]:
    """{"review": {12, 13}} from "review:12" and "review:13"; references of another shape are left out."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for reference in references:
        kind, _, number = reference.partition(":")
        if number.isdigit():
            found[kind].add(int(number))
    return found


def _by_id(ids: set[int], load: Callable[[list[int]], Iterable[Any]]) -> dict[int, Any]:
    return {found.id: found for found in load(sorted(ids))} if ids else {}


def _people(ids: list[int]) -> Iterable[Person]:
    return map(Person._make, _rows(statements.PEOPLE, ids))


def _courses(ids: list[int]) -> Iterable[Course]:
    return map(Course._make, _rows(statements.COURSES, ids))


def _houses(ids: list[int]) -> Iterable[House]:
    for service_id, name, sender_name, zone, numbers in _rows(statements.HOUSES, ids):
        yield House(service_id, name, sender_name, zone, RhythmSettings.from_json(numbers))


def _items(ids: list[int]) -> Iterable[Item]:
    return map(Item._make, _rows(statements.ITEMS, ids))


def _reviews(ids: list[int]) -> Iterable[OwedReview]:
    return map(OwedReview._make, _rows(statements.REVIEWS, ids))


def _messages(ids: list[int]) -> Iterable[SentMessage]:
    return map(SentMessage._make, _rows(statements.MESSAGES, ids))


def _links(ids: list[int]) -> Iterable[Link]:
    return map(Link._make, _rows(statements.LINKS, ids))


def _alerts(ids: list[int]) -> Iterable[Alert]:
    return map(Alert._make, _rows(statements.ALERTS, ids))


def _load_check_ins(scene: Scene, due: Sequence[DueReminder]) -> None:
    asked = {found for row in due if row.kind is _CHECK_IN and (found := check_in_of(row.subject))}
    if not asked:
        return
    enrolment_ids = {enrolment_id for enrolment_id, _ in asked}
    numbers = {number for _, number in asked}
    weeks = _rows(statements.WEEKS, enrolment_ids, numbers=numbers)
    for enrolment_id, number, closed_at, review_on, called in weeks:
        scene.weeks[enrolment_id, number] = OwedWeek(closed_at, review_on, called or "")
    done = _rows(statements.CHECK_INS_DONE, enrolment_ids, numbers=numbers)
    scene.check_ins_done = {(enrolment_id, number) for enrolment_id, number in done}


def _load_prompts(scene: Scene, due: Sequence[DueReminder], now: datetime) -> None:
    """Who wrote last, and whose consent was withdrawn: only prompts ask for it."""
    ids = {
        number
        for row in due
        if row.reminder_class is _PROMPT and (number := number_in(row.context, "enrolment"))
    }
    if not ids:
        return
    hours = max((house.rhythm.held_back_after_writing_hours for house in scene.houses.values()), default=24)
    since = now - timedelta(hours=hours)
    newest: dict[int, list[Written]] = defaultdict(list)
    for statement in (statements.NEWEST_MESSAGES, statements.NEWEST_REVIEWS):
        for enrolment_id, author_id, at in _rows(statement, ids, since=since):
            newest[enrolment_id].append(Written(at, author_id))
    scene.written = {enrolment_id: max(words) for enrolment_id, words in newest.items()}
    scene.without_consent = {row[0] for row in _rows(statements.WITHOUT_CONSENT, ids)}


def _load_invitations(scene: Scene, due: Sequence[DueReminder], now: datetime) -> None:
    """A start prompt carries the newest invitation that is still open, if there is one."""
    people = {row.recipient_id for row in due if row.kind is _START_PROMPT}
    if people:
        open_ones = map(Link._make, _rows(statements.INVITATIONS, people, now=now))
        scene.invitations = {link.account_id: link for link in open_ones}
