"""The caseload: everybody, filtered and sorted by links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.today import Section, score_change, section_of
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.pages.guards import allow, current_account, request_time
from icbt_support.pages.kit import short_day
from icbt_support.pages.supporter.today import address_of, note_caseload_read
from icbt_support.pages.supporter.today_rows import Reader, Row, make_row

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)
EVERYBODY, BY_NAME = "everybody", "name"
QUIET_DAYS = 7
FILTERS = {
    EVERYBODY: "Everybody",
    "now": "Needs something now",
    "quiet": "Not here for 7 days",
    "starting": "Not started yet",
    "away": "Away or paused",
    "cover": "Under cover",
}
SORTS: dict[str, tuple[str, Callable[[PersonNow], Any]]] = {
    BY_NAME: ("Name", lambda person: person.enrolment.patient.full_name.casefold()),
    "review": ("Next review", lambda person: _next_promise(person)),
    "visit": ("Longest not here", lambda person: person.last_visit_at or LONG_AGO),
    "change": ("Rising scores", lambda person: -(score_change(person) or 0)),
    "week": ("Week", lambda person: person.week.week.number if person.week else 0),
}
blueprint = Blueprint("supporter_caseload", __name__)


@dataclass(frozen=True)
class Choice:
    """One filter or order as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class CaseloadRow:
    row: Row
    next_review: str


@blueprint.get("/supporting/caseload")
@allow(Role.SUPPORTER)
def show() -> Any:
    account, now = current_account(), request_time()
    chosen = request.args.get("show", EVERYBODY)
    chosen = chosen if chosen in FILTERS else EVERYBODY
    order = request.args.get("by", BY_NAME)
    order = order if order in SORTS else BY_NAME
    reader = Reader(account.id, now, account.zone)
    everybody = load_people(enrolments.for_supporter(account, now=now))
    people = [person for person in everybody if _is_shown(person, chosen, reader)]
    page = render_template(
        "supporter/caseload.html",
        rows=[_row(person, reader) for person in sorted(people, key=SORTS[order][1])],
        filters=_filters(chosen, order),
        sorts=_sorts(chosen, order),
        count=len(people),
        total=len(everybody),
    )
    note_caseload_read()
    return page


def _is_shown(person: PersonNow, chosen: str, reader: Reader) -> bool:
    state = person.enrolment.state
    if chosen == "now":
        return _section(person, reader) is not Section.WAITING
    if chosen == "quiet":
        return state is EnrolmentState.ACTIVE and _days_away(person, reader) >= QUIET_DAYS
    if chosen == "starting":
        return state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)
    if chosen == "away":
        return state in (EnrolmentState.AWAY, EnrolmentState.PAUSED)
    if chosen == "cover":
        return person.enrolment.supporter_id != reader.account_id
    return True


def _section(person: PersonNow, reader: Reader) -> Section:
    return section_of(person, account_id=reader.account_id, now=reader.now, zone=reader.zone)


def _days_away(person: PersonNow, reader: Reader) -> int:
    last = person.last_visit_at or person.enrolment.started_at or person.enrolment.invited_at
    return (local_day(reader.now, reader.zone) - local_day(last, reader.zone)) // timedelta(days=1)


def _next_promise(person: PersonNow) -> datetime:
    return person.next_owed.review.promised_at if person.next_owed is not None else FAR_AHEAD


def _row(person: PersonNow, reader: Reader) -> CaseloadRow:
    row = make_row(person, _section(person, reader), address_of(person), reader, is_first=False)
    owed = person.next_owed
    return CaseloadRow(row, short_day(owed.review.due_on) if owed is not None else "none planned")


def _filters(chosen: str, order: str) -> list[Choice]:
    return [
        Choice(label, url_for(".show", show=name, by=order), name == chosen)
        for name, label in FILTERS.items()
    ]


def _sorts(chosen: str, order: str) -> list[Choice]:
    return [
        Choice(label, url_for(".show", show=chosen, by=name), name == order)
        for name, (label, _) in SORTS.items()
    ]
