"""Who a supporter looks at today, and in which order. Pure: the reads are in `caseload`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from icbt_support.cadence import local_day
from icbt_support.engagement.caseload import OpenAlert, OwedReview, PersonNow
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.reviews.models import ReviewKind
from icbt_support.risk.models import Grade

MINUTES_WITHOUT_A_SLOT = 15
_GRADE_ORDER = {Grade.URGENT: 0, Grade.SAME_DAY: 1, Grade.KNOWN: 2}


class Section(StrEnum):
    """The parts of *Today*, from the top. A person stands in the first that fits."""

    READ_FIRST = "read-first"
    LATE = "late"
    DUE = "due"
    WELCOME = "welcome"
    MESSAGES = "messages"
    WAITING = "waiting"


@dataclass(frozen=True)
class NextDay:
    """The next day on which reviews are planned, and how many."""

    on: date
    count: int


@dataclass(frozen=True)
class Queue:
    """*Today*, sorted; `minutes` is what was planned for its reviews, `next_day` what comes after today."""

    sections: Mapping[Section, tuple[PersonNow, ...]]
    minutes: int
    next_day: NextDay | None

    def count(self, section: Section) -> int:
        return len(self.sections[section])

    @property
    def is_clear(self) -> bool:
        return not any(self.sections[section] for section in Section if section is not Section.WAITING)


def build_queue(people: Iterable[PersonNow], *, account_id: int, now: datetime, zone: str) -> Queue:
    """Sorts the caseload of `account_id`; `zone` is the zone in which the supporter's days begin."""
    found: dict[Section, list[PersonNow]] = {section: [] for section in Section}
    everybody = list(people)
    for person in everybody:
        found[section_of(person, account_id=account_id, now=now, zone=zone)].append(person)
    sections = {
        Section.READ_FIRST: sorted(found[Section.READ_FIRST], key=_by_risk),
        Section.LATE: sorted(found[Section.LATE], key=_by_promise),
        Section.DUE: sorted(found[Section.DUE], key=_by_slot),
        Section.WELCOME: sorted(found[Section.WELCOME], key=_by_promise),
        Section.MESSAGES: sorted(found[Section.MESSAGES], key=lambda one: one.unread[0].sent_at),
        Section.WAITING: sorted(found[Section.WAITING], key=_by_promise),
    }
    to_write = (*sections[Section.READ_FIRST], *sections[Section.LATE], *sections[Section.DUE])
    return Queue(
        sections={section: tuple(people) for section, people in sections.items()},
        minutes=sum(planned_minutes(person, now=now, zone=zone) or 0 for person in to_write),
        next_day=_next_day(everybody, account_id=account_id, now=now, zone=zone),
    )


def section_of(person: PersonNow, *, account_id: int, now: datetime, zone: str) -> Section:
    if person.read_first or alerts_to_read(person):
        return Section.READ_FIRST
    owed = review_to_write(person, account_id=account_id)
    if owed is not None and owed.review.is_late(now):
        return Section.LATE
    if owed is not None and owed.review.kind is ReviewKind.WELCOME:
        return Section.WELCOME
    if owed is not None and is_due(owed, now=now, zone=zone):
        return Section.DUE
    if person.unread:
        return Section.MESSAGES
    return Section.WAITING


def alerts_to_read(person: PersonNow) -> tuple[OpenAlert, ...]:
    """Open alerts that ask for a look now; a *known* answer is shown first in the review instead."""
    return tuple(one for one in person.alerts if one.alert.grade is not Grade.KNOWN)


def review_to_write(person: PersonNow, *, account_id: int) -> OwedReview | None:
    """The first owed review that `account_id` writes: an own one, or one of a person whom they cover."""
    if person.enrolment.state in (EnrolmentState.PAUSED, EnrolmentState.AWAY):
        return None
    is_own_patient = person.enrolment.supporter_id == account_id
    for owed in person.owed:
        if owed.review.owner_id == account_id or not is_own_patient:
            return owed
    return None


def is_due(owed: OwedReview, *, now: datetime, zone: str) -> bool:
    """Whether its slot or its promised day is today or behind us."""
    return _day_of(owed, zone) <= local_day(now, zone) or owed.review.due_on <= local_day(now, zone)


def planned_minutes(person: PersonNow, *, now: datetime, zone: str) -> int | None:
    """The minutes planned for the review that is due or late; None when none is."""
    owed = person.next_owed
    if owed is None or owed.review.kind is ReviewKind.WELCOME:
        return None
    if not owed.review.is_late(now) and not is_due(owed, now=now, zone=zone):
        return None
    return owed.slot_minutes or MINUTES_WITHOUT_A_SLOT


def opened_nothing_this_week(person: PersonNow) -> bool:
    """Whether the person has not been here since the open week opened."""
    if person.week is None:
        return False
    return person.last_visit_at is None or person.last_visit_at < person.week.week.opened_at


def score_change(person: PersonNow) -> int | None:
    """The newest score less the first; None with fewer than two."""
    return person.scores[-1] - person.scores[0] if len(person.scores) > 1 else None


def _day_of(owed: OwedReview, zone: str) -> date:
    return local_day(owed.review.slot_at or owed.review.promised_at, zone)


def _by_risk(person: PersonNow) -> tuple[int, datetime, int]:
    grades = [_GRADE_ORDER[one.alert.grade] for one in alerts_to_read(person)]
    moments = [one.alert.raised_at for one in alerts_to_read(person)] + list(person.read_first)
    return (min(grades, default=len(_GRADE_ORDER)), min(moments), person.enrolment.id)


def _by_promise(person: PersonNow) -> tuple[bool, datetime, int]:
    owed = person.next_owed
    moment = owed.review.promised_at if owed else person.enrolment.invited_at
    return (owed is None, moment, person.enrolment.id)


def _by_slot(person: PersonNow) -> tuple[datetime, int]:
    owed = person.owed[0].review
    return (owed.slot_at or owed.promised_at, person.enrolment.id)


def _next_day(people: Iterable[PersonNow], *, account_id: int, now: datetime, zone: str) -> NextDay | None:
    today = local_day(now, zone)
    days = Counter(
        _day_of(owed, zone)
        for person in people
        if (owed := review_to_write(person, account_id=account_id)) is not None
        and _day_of(owed, zone) > today
    )
    return NextDay(min(days), days[min(days)]) if days else None
