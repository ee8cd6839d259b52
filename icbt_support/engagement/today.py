"""Who a supporter looks at today, in which order, and how long it takes. Pure: the reads are in `caseload`."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from icbt_support.cadence import local_day
from icbt_support.engagement.caseload import OpenAlert, OwedReview, PersonNow
from icbt_support.reviews.models import ReviewKind
from icbt_support.rhythm.quiet import QuietPerson, QuietReason, QuietTask, quiet_person
from icbt_support.risk.models import CallOutcome, Grade

MINUTES_WITHOUT_A_SLOT = 15
MINUTES_TO_READ_FIRST = 2
MINUTES_FOR_A_MESSAGE = 5
MINUTES_FOR_A_CALL = 15
_GRADE_ORDER = {Grade.URGENT: 0, Grade.SAME_DAY: 1, Grade.KNOWN: 2}


class Section(StrEnum):
    """The parts of *Today*, from the top. A person stands in the first that fits."""

    READ_FIRST = "read-first"
    LATE = "late"
    DUE = "due"
    POOL = "pool"
    MESSAGES = "messages"
    CALLS = "calls"
    NOTES = "notes"
    WELCOME = "welcome"
    WAITING = "waiting"


@dataclass(frozen=True)
class CallToMake:
    """Why somebody is rung: quiet for long, or an address that refuses our email since `bounced_at`."""

    quiet: QuietPerson | None
    bounced_at: datetime | None


@dataclass(frozen=True)
class NextDay:
    """The next day on which reviews are planned, how many, and when the first one begins."""

    on: date
    count: int
    first_at: datetime | None


@dataclass(frozen=True)
class Queue:
    """*Today*, sorted; `minutes` is what everything in it takes, `next_day` what comes after today."""

    sections: Mapping[Section, tuple[PersonNow, ...]]
    minutes: int
    next_day: NextDay | None

    def count(self, section: Section) -> int:
        return len(self.sections[section])

    @property
    def is_clear(self) -> bool:
        return not any(self.sections[section] for section in Section if section is not Section.WAITING)

    def to_do(self) -> Iterator[tuple[Section, PersonNow]]:
        """Everybody who asks for something, in order."""
        for section in Section:
            if section is not Section.WAITING:
                yield from ((section, person) for person in self.sections[section])


def build_queue(
    people: Iterable[PersonNow], *, account_id: int, covers: Container[int], now: datetime, zone: str
) -> Queue:
    """Sorts what `account_id` sees; `zone` is the zone in which the supporter's days begin.

    `covers` are the colleagues whom this supporter covers today. What nobody has taken yet costs no minutes.
    """
    found: dict[Section, list[PersonNow]] = {section: [] for section in Section}
    everybody = [as_seen_by(person, account_id=account_id, covers=covers) for person in people]
    minutes = 0
    for person in everybody:
        section = section_of(person, account_id=account_id, now=now, zone=zone)
        found[section].append(person)
        is_mine = not waits_for_a_taker(person, account_id=account_id)
        if is_mine and not is_with_colleague(person, account_id=account_id, now=now):
            minutes += minutes_for(person, section, account_id=account_id, now=now, zone=zone) or 0
    sections = {
        Section.READ_FIRST: sorted(found[Section.READ_FIRST], key=_by_risk),
        Section.LATE: sorted(found[Section.LATE], key=lambda one: _late_since(one, account_id, now)),
        Section.DUE: sorted(found[Section.DUE], key=lambda one: _slot_of(one, account_id)),
        Section.POOL: sorted(found[Section.POOL], key=_by_promise),
        Section.MESSAGES: sorted(found[Section.MESSAGES], key=lambda one: one.unread[0].sent_at),
        Section.CALLS: sorted(found[Section.CALLS], key=lambda one: _call_since(one, now)),
        Section.NOTES: sorted(found[Section.NOTES], key=_by_promise),
        Section.WELCOME: sorted(found[Section.WELCOME], key=_by_promise),
        Section.WAITING: sorted(found[Section.WAITING], key=_by_promise),
    }
    return Queue(
        sections={section: tuple(sections[section]) for section in Section},
        minutes=minutes,
        next_day=_next_day(everybody, account_id=account_id, now=now, zone=zone),
    )


def as_seen_by(person: PersonNow, *, account_id: int, covers: Container[int]) -> PersonNow:
    """What of this person is for `account_id` to see to: all of it for the supporter, and for who covers them.

    A guest was let in because of one review or message, and sees to that alone.
    """
    supporter_id = person.enrolment.supporter_id
    if supporter_id == account_id:
        return person
    is_covering = supporter_id in covers
    opened = {one.subject for one in person.opened_to if one.account_id in (account_id, None)}
    reviews = (one.review for one in person.owed)
    open_reviews = frozenset(
        review.id
        for review in reviews
        if (is_covering and review.owner_id == supporter_id) or f"review:{review.id}" in opened
    )
    has_message = any(subject.startswith("message:") for subject in opened)
    return replace(
        person,
        open_reviews=open_reviews,
        messages=person.messages if is_covering or has_message else (),
        is_guests=not is_covering,
    )


def section_of(person: PersonNow, *, account_id: int, now: datetime, zone: str) -> Section:
    if person.read_first or alerts_to_read(person):
        return Section.READ_FIRST
    owed = review_to_write(person, account_id=account_id)
    if person.late_messages or (owed is not None and owed.review.is_late(now)):
        return Section.LATE
    is_welcome = owed is not None and owed.review.kind is ReviewKind.WELCOME
    if waits_for_a_taker(person, account_id=account_id):
        return Section.POOL
    if owed is not None and not is_welcome and is_due(owed, now=now, zone=zone):
        return Section.DUE
    if person.unread:
        return Section.MESSAGES
    if call_to_make(person, now=now) is not None:
        return Section.CALLS
    if note_to_write(person, now=now) is not None:
        return Section.NOTES
    return Section.WELCOME if is_welcome else Section.WAITING


def alerts_to_read(person: PersonNow) -> tuple[OpenAlert, ...]:
    """Open alerts that ask for a look now; a *known* answer is shown first in the review instead.

    One that a clinician has taken rests once a letter was sent after it was raised: it was read by then.
    """
    written_at = person.last_sent.sent_at if person.last_sent is not None else None
    return tuple(
        one for one in person.alerts if one.alert.grade is not Grade.KNOWN and not _rests(one, written_at)
    )


def _rests(one: OpenAlert, written_at: datetime | None) -> bool:
    return one.alert.is_taken and written_at is not None and written_at > one.alert.raised_at


def review_to_write(person: PersonNow, *, account_id: int) -> OwedReview | None:
    """The first owed review that `account_id` writes or may take: an own one, or one that is open to them."""
    for owed in person.owed:
        if owed.review.owner_id == account_id or owed.review.id in person.open_reviews:
            return owed
    return None


def waits_for_a_taker(person: PersonNow, *, account_id: int) -> bool:
    """Whether the review is with the pool: it is nobody's until a named person takes it.

    So is one of a guest's person: its owner has not written, and the pool was told.
    """
    owed = review_to_write(person, account_id=account_id)
    if owed is None or owed.review.owner_id == account_id:
        return False
    return owed.review.pooled_at is not None or person.is_guests


def call_to_make(person: PersonNow, *, now: datetime) -> CallToMake | None:
    """The call that is due to this person, if one is; a clinician's decision is not a call, nor is a guest's."""
    if person.is_guests:
        return None
    quiet = quiet_person(person.enrolment, last_act=person.last_visit_at, calls=person.calls, now=now)
    if quiet is not None and quiet.task is QuietTask.CALL:
        return CallToMake(quiet, None)
    bounced_at = person.enrolment.patient.address_bounced_at
    if bounced_at is None or not person.enrolment.is_open:
        return None
    has_spoken = any(at >= bounced_at and outcome is CallOutcome.SPOKE for at, outcome in person.calls)
    return None if has_spoken else CallToMake(None, bounced_at)


def note_to_write(person: PersonNow, *, now: datetime) -> QuietPerson | None:
    """Somebody who was not here for a week, until a message or letter goes to them after that; else None."""
    if person.is_guests:
        return None
    quiet = quiet_person(person.enrolment, last_act=person.last_visit_at, calls=person.calls, now=now)
    if quiet is None or quiet.reason is not QuietReason.NOT_SEEN or quiet.was_reached:
        return None
    rhythm, zone = person.enrolment.service.rhythm, person.enrolment.patient.zone
    if not rhythm.quiet_prompts_stop_days <= quiet.days < rhythm.quiet_call_days:
        return None
    note_on = quiet.since_on + timedelta(days=rhythm.quiet_prompts_stop_days)
    last_sent_at = person.last_sent.sent_at if person.last_sent is not None else None
    written = [local_day(at, zone) for at in (person.last_message_at, last_sent_at) if at is not None]
    return None if written and max(written) >= note_on else quiet


def is_due(owed: OwedReview, *, now: datetime, zone: str) -> bool:
    """Whether its slot or its promised day is today or behind us."""
    return _day_of(owed, zone) <= local_day(now, zone) or owed.review.due_on <= local_day(now, zone)


def is_to_write_now(person: PersonNow, *, account_id: int, now: datetime, zone: str) -> bool:
    """Whether a review (not a welcome) of this person is late or due today."""
    owed = review_to_write(person, account_id=account_id)
    if owed is None or owed.review.kind is ReviewKind.WELCOME:
        return False
    return owed.review.is_late(now) or is_due(owed, now=now, zone=zone)


def is_with_colleague(person: PersonNow, *, account_id: int, now: datetime) -> bool:
    """Whether somebody else is writing this person's review at this moment."""
    owed = review_to_write(person, account_id=account_id)
    claim = owed.claim if owed is not None else None
    return claim is not None and claim.account_id != account_id and claim.is_active(now)


def minutes_for(
    person: PersonNow, section: Section, *, account_id: int, now: datetime, zone: str
) -> int | None:
    """How long this row takes: the slot's minutes for a review; None where nothing is to be done."""
    if section is Section.WAITING:
        return None
    if section is Section.CALLS:
        return MINUTES_FOR_A_CALL
    first = MINUTES_TO_READ_FIRST if section is Section.READ_FIRST else 0
    if section is Section.POOL or is_to_write_now(person, account_id=account_id, now=now, zone=zone):
        owed = review_to_write(person, account_id=account_id)
        return first + ((owed.slot_minutes if owed else None) or MINUTES_WITHOUT_A_SLOT)
    return first or MINUTES_FOR_A_MESSAGE


def opened_nothing_this_week(person: PersonNow) -> bool:
    """Whether the person has not been here since the open week opened."""
    if person.week is None:
        return False
    return person.last_visit_at is None or person.last_visit_at < person.week.week.opened_at


def is_ready_for_more(person: PersonNow) -> bool:
    """Whether the person said so this week; it promises nothing."""
    return person.week is not None and person.week.week.told_ready_at is not None


def score_change(person: PersonNow) -> int | None:
    """The newest score less the first; None with fewer than two."""
    return person.scores[-1] - person.scores[0] if len(person.scores) > 1 else None


def _day_of(owed: OwedReview, zone: str) -> date:
    return local_day(owed.review.slot_at or owed.review.promised_at, zone)


def _by_risk(person: PersonNow) -> tuple[int, datetime, int]:
    grades = [_GRADE_ORDER[one.alert.grade] for one in alerts_to_read(person)]
    moments = [one.alert.raised_at for one in alerts_to_read(person)] + list(person.read_first)
    return (min(grades, default=len(_GRADE_ORDER)), min(moments), person.enrolment.id)


def _late_since(person: PersonNow, account_id: int, now: datetime) -> tuple[datetime, int]:
    owed = review_to_write(person, account_id=account_id)
    is_review_late = owed is not None and owed.review.is_late(now)
    moments = [owed.review.promised_at] if owed is not None and is_review_late else []
    moments += [message.sent_at for message in person.late_messages]
    return (min(moments), person.enrolment.id)


def _slot_of(person: PersonNow, account_id: int) -> tuple[datetime, int]:
    owed = review_to_write(person, account_id=account_id)
    moment = owed.review.slot_at or owed.review.promised_at if owed else person.enrolment.invited_at
    return (moment, person.enrolment.id)


def _call_since(person: PersonNow, now: datetime) -> tuple[int, int]:
    call = call_to_make(person, now=now)
    return (-call.quiet.days if call is not None and call.quiet is not None else 0, person.enrolment.id)


def _by_promise(person: PersonNow) -> tuple[bool, datetime, int]:
    owed = person.next_owed
    moment = owed.review.promised_at if owed else person.enrolment.invited_at
    return (owed is None, moment, person.enrolment.id)


def _next_day(people: Iterable[PersonNow], *, account_id: int, now: datetime, zone: str) -> NextDay | None:
    """The welcomes that are owed are no plan of a day: they may be written at any time before."""
    today = local_day(now, zone)
    days: dict[date, list[datetime | None]] = {}
    for person in people:
        owed = review_to_write(person, account_id=account_id)
        if owed is None or owed.review.kind is ReviewKind.WELCOME or _day_of(owed, zone) <= today:
            continue
        if waits_for_a_taker(person, account_id=account_id):
            continue
        days.setdefault(_day_of(owed, zone), []).append(owed.review.slot_at)
    if not days:
        return None
    on = min(days)
    return NextDay(on, len(days[on]), min((at for at in days[on] if at is not None), default=None))
