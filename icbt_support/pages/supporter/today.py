"""*Today*: who needs a look, in order, and how long it takes."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, url_for

from icbt_support import audit
from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import find_account
from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.today import Queue, Section, build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.hours import queries as hours
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter.today_rows import (
    HEADINGS,
    Address,
    Reader,
    Row,
    make_row,
    summary_minutes,
    summary_parts,
)
from icbt_support.service.models import Service

WAITING_SHOWN = 8
blueprint = Blueprint("supporter_today", __name__)


@dataclass(frozen=True)
class SectionView:
    """One part of the page; `hidden_count` people more are in the caseload."""

    anchor: str
    heading: str
    kind: str
    note: str
    count: int
    rows: list[Row]
    hidden_count: int


@dataclass(frozen=True)
class DutyBox:
    """Who is on duty, until when, and the number to call."""

    heading: str
    words: str
    phone: str


@blueprint.get("/supporting/today")
@allow(Role.SUPPORTER)
def show() -> Any:
    account, now = current_account(), request_time()
    service = current_service(Role.SUPPORTER)
    people = load_people(enrolments.for_supporter(account, now=now))
    queue = build_queue(people, account_id=account.id, now=now, zone=account.zone)
    page = render_template(
        "supporter/today.html",
        today=long_day(local_day(now, account.zone)),
        queue=queue,
        sections=_sections(queue, account),
        summary=summary_parts(queue),
        minutes=summary_minutes(queue),
        duty=duty_box(service, account),
        has_people=bool(people),
    )
    note_caseload_read()
    return page


def note_caseload_read() -> None:
    """One audit line for a look at the whole caseload; without it the page is not shown."""
    audit.record_apart(
        "read_caseload", by=current_actor(Role.SUPPORTER), now=request_time(), object_kind="caseload"
    )


def _sections(queue: Queue, account: Account) -> list[SectionView]:
    reader = Reader(account.id, request_time(), account.zone)
    first = next((section for section in Section if queue.count(section)), None)
    views = []
    for section in Section:
        people = queue.sections[section]
        shown = people[:WAITING_SHOWN] if section is Section.WAITING else people
        heading, kind, note = HEADINGS[section]
        rows = [
            make_row(
                person,
                section,
                address_of(person),
                reader,
                is_first=section is first and place == 0,
            )
            for place, person in enumerate(shown)
        ]
        if rows:
            hidden = len(people) - len(shown)
            views.append(SectionView(section.value, heading, kind, note, len(people), rows, hidden))
    return views


def address_of(person: PersonNow) -> Address:
    enrolment_id = person.enrolment.id
    owed = person.next_owed
    whole = url_for("supporter_patient.show", enrolment_id=enrolment_id)
    return Address(
        person=whole,
        review=url_for("supporter_review.show", review_id=owed.review.id) if owed is not None else whole,
        welcome=url_for("supporter_review.show", review_id=owed.review.id) if owed is not None else whole,
        messages=url_for("supporter_messages.show", enrolment_id=enrolment_id),
    )


def duty_box(service: Service, account: Account) -> DutyBox:
    now = request_time()
    running = hours.duty_now(service, now)
    phone = service.duty_phone
    if running:
        clinician = find_account(running[0].clinician_id)
        name = clinician.full_name if clinician is not None else ""
        return DutyBox(f"Duty clinician: {name}", f"until {clock_time(running[0].ends)}", phone)
    starts_at = hours.next_duty_start(service, now)
    if starts_at is None:
        return DutyBox("Nobody is on duty", "No duty hours are set", phone)
    local = to_local(starts_at, account.zone)
    return DutyBox("Nobody is on duty now", f"next {long_day(local)}, {clock_time(local)}", phone)
