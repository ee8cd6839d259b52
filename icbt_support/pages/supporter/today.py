"""*Today*: who needs a look, in order, why, and how long it takes."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, url_for

from icbt_support.accounts.models import Account, Role
from icbt_support.boosters.queries import boosters_to_read
from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.today import (
    NextDay,
    Queue,
    Section,
    build_queue,
    is_to_write_now,
    is_with_colleague,
    review_to_write,
)
from icbt_support.enrolments import queries as enrolments
from icbt_support.hours.working_day import DutyNow, WorkingDay, load_working_day
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import clock_time, long_day, minutes_words
from icbt_support.pages.reads import note_read
from icbt_support.pages.supporter.today_reasons import Reader
from icbt_support.pages.supporter.today_rows import (
    HEADINGS,
    Address,
    Row,
    make_row,
    summary_parts,
)
from icbt_support.pages.supporter.words import count_words
from icbt_support.service.models import Service

SHOWN_AT_ONCE = 15
WAITING_SHOWN = 8
blueprint = Blueprint("supporter_today", __name__)


@dataclass(frozen=True)
class SectionView:
    """One part of the page: `rows` in sight, `folded` below them, `hidden_count` people more in the caseload."""

    anchor: str
    heading: str
    kind: str
    note: str
    count: int
    rows: list[Row]
    folded: list[Row]
    hidden_count: int


@dataclass(frozen=True)
class DutyBox:
    """Who is on duty, until when, and the number to call."""

    heading: str
    words: str
    phone: str


@dataclass(frozen=True)
class DayMinutes:
    """What today takes against one's protected slots; `excess` is "" while they hold it."""

    words: str
    excess: str


@blueprint.get("/supporting/today")
@allow(Role.SUPPORTER)
def show() -> Any:
    account, now = current_account(), request_time()
    service = current_service(Role.SUPPORTER)
    scope = enrolments.for_supporter(account, now=now)
    people = load_people(scope)
    day = load_working_day(account, service, now=now)
    queue = build_queue(people, account_id=account.id, covers=day.covers, now=now, zone=account.zone)
    reader = Reader(account.id, now, account.zone, day.covers)
    page = render_template(
        "supporter/today.html",
        today=long_day(local_day(now, account.zone)),
        queue=queue,
        sections=_sections(queue, reader),
        summary=summary_parts(queue),
        minutes=_minutes(queue, day),
        duty=_duty_box(day.duty, service, account),
        next_day=next_day_words(queue.next_day, account.zone),
        has_people=bool(people),
        after_course=boosters_to_read(scope),
    )
    note_caseload_read()
    return page


def note_caseload_read() -> None:
    """One audit line for a look at the whole caseload; without it the page is not shown."""
    note_read("read_caseload", by=current_actor(Role.SUPPORTER), now=request_time(), object_kind="caseload")


def _sections(queue: Queue, reader: Reader) -> list[SectionView]:
    first = _first_free(queue, reader)
    views = []
    for section in Section:
        people = queue.sections[section]
        if not people:
            continue
        shown = people[:WAITING_SHOWN] if section is Section.WAITING else people
        rows = [
            make_row(person, section, address_of(person), reader, is_first=person is first)
            for person in shown
        ]
        heading, kind, note = HEADINGS[section]
        views.append(
            SectionView(
                section.value,
                heading,
                kind,
                note,
                len(people),
                rows[:SHOWN_AT_ONCE],
                rows[SHOWN_AT_ONCE:],
                len(people) - len(shown),
            )
        )
    return views


def _first_free(queue: Queue, reader: Reader) -> PersonNow | None:
    """The first person at whom no colleague is: the page's one green button."""
    return next(
        (
            person
            for _, person in queue.to_do()
            if not is_with_colleague(person, account_id=reader.account_id, now=reader.now)
        ),
        None,
    )


def address_of(person: PersonNow) -> Address:
    """`review` is the one that the signed-in person would write, else the next that is owed."""
    enrolment_id = person.enrolment.id
    owed = review_to_write(person, account_id=current_account().id) or person.next_owed
    whole = url_for("supporter_patient.show", enrolment_id=enrolment_id)
    review = url_for("supporter_review.show", review_id=owed.review.id) if owed is not None else whole
    return Address(
        person=whole,
        review=review,
        welcome=review,
        messages=url_for("supporter_messages.show", enrolment_id=enrolment_id),
        contact=url_for("supporter_contact.show", enrolment_id=enrolment_id),
        start=url_for("supporter_claims.start", review_id=owed.review.id) if owed is not None else "",
        release=url_for("supporter_claims.release", review_id=owed.review.id) if owed is not None else "",
        take=url_for("supporter_hours.take", review_id=owed.review.id) if owed is not None else "",
    )


# What comes next ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NextUp:
    """The next one in the queue: its button's words, and where it goes. `is_start` is a post that claims it."""

    words: str
    href: str
    is_start: bool


def next_in_queue(queue: Queue, *, apart_from: int) -> NextUp | None:
    """The next person to do something for, as *Today* orders them, whom no colleague is writing to now.

    `apart_from` is the course that was just done. "Next: Tom Baker, due 10.15am · about 15 minutes".
    """
    account, now = current_account(), request_time()
    reader = Reader(account.id, now, account.zone)
    for section, person in queue.to_do():
        if person.enrolment.id == apart_from:
            continue
        if is_with_colleague(person, account_id=account.id, now=now):
            continue
        row = make_row(person, section, address_of(person), reader, is_first=True)
        details = [_when_due(person, section, row, account)]
        words = f"Next: {row.name}, {', '.join(details)}"
        if row.minutes:
            words = f"{words} · {minutes_words(row.minutes)}"
        return NextUp(words, row.start_href or row.action_href, bool(row.start_href))
    return None


def _when_due(person: PersonNow, section: Section, row: Row, account: Account) -> str:
    simple = {
        Section.READ_FIRST: "to read first",
        Section.MESSAGES: "a message",
        Section.POOL: "to take from the pool",
        Section.CALLS: "a call",
        Section.NOTES: "a kind note",
        Section.WELCOME: "a welcome",
    }
    if section in simple:
        return simple[section]
    if section is Section.DUE and row.slot:
        return f"due {row.slot}"
    is_review = is_to_write_now(person, account_id=account.id, now=request_time(), zone=account.zone)
    return ("late" if is_review else "a late message") if section is Section.LATE else "due today"


def next_day_words(day: NextDay | None, zone: str) -> str:
    """Next: Thursday 26 November, 6 reviews, the first at 9am."""
    if day is None:
        return "No review is planned yet."
    words = f"Next: {long_day(day.on)}, {count_words(day.count, 'review')}"
    if day.first_at is None:
        return f"{words}."
    at = clock_time(to_local(day.first_at, zone))
    return f"{words}, at {at}." if day.count == 1 else f"{words}, the first at {at}."


# Minutes and duty ---------------------------------------------------------------------------------


def _minutes(queue: Queue, day: WorkingDay) -> DayMinutes:
    if not queue.minutes:
        return DayMinutes("", "")
    slots = f"; your slots today hold {day.slot_minutes}" if day.slot_minutes else ""
    words = f"{minutes_words(queue.minutes)}{slots}"
    left = day.slot_minutes_left(request_time())
    has_reviews = queue.count(Section.DUE) + queue.count(Section.LATE) > 0
    if queue.minutes <= left or not has_reviews:
        return DayMinutes(words, "")
    if not day.slot_minutes:
        return DayMinutes(words, "You have no review times today.")
    over = count_words(queue.minutes - left, "minute")
    return DayMinutes(words, f"That is {over} more than is left in your review times today.")


def _duty_box(duty: DutyNow, service: Service, account: Account) -> DutyBox:
    if duty.until is not None:
        heading = f"Duty clinician: {duty.clinician}"
        return DutyBox(heading, f"until {clock_time(duty.until)}", service.duty_phone)
    if duty.next_start is None:
        return DutyBox("Nobody is on duty", "No duty hours are set", service.duty_phone)
    local = to_local(duty.next_start, account.zone)
    return DutyBox(
        "Nobody is on duty now", f"next {long_day(local)}, {clock_time(local)}", service.duty_phone
    )
