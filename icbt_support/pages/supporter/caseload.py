"""The caseload: everybody, filtered and sorted by links that can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.early_warning.queries import early_warnings_of
from icbt_support.early_warning.rules import EarlyWarning
from icbt_support.engagement.caseload import PersonNow, load_people
from icbt_support.engagement.caseload_list import Looking, Show, Sort, counts, listed
from icbt_support.engagement.today import as_seen_by
from icbt_support.enrolments import queries as enrolments
from icbt_support.hours.working_day import load_working_day
from icbt_support.pages.early_warnings import WarningPanel, panel_of
from icbt_support.pages.guards import allow, current_account, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.pages.supporter.today import address_of, note_caseload_read
from icbt_support.pages.supporter.today_reasons import Reader
from icbt_support.pages.supporter.today_rows import Row, make_row
from icbt_support.read_once import one_page

SHOW_WORDS = {
    Show.EVERYBODY: "Everybody",
    Show.NOW: "Needs something now",
    Show.LATE: "Late",
    Show.WRITTEN: "Wrote to you",
    Show.RISING: "PHQ-9 up 6 or more",
    Show.QUIET: "Not here for 7 days",
    Show.STARTING: "Not started yet",
    Show.AWAY: "Away or paused",
    Show.COVER: "Under cover",
}
SORT_WORDS = {
    Sort.NAME: "Name",
    Sort.REVIEW: "Next review",
    Sort.LAST_VISIT: "Longest not here",
    Sort.SCORES: "Rising scores",
    Sort.WEEK: "Week",
}
Choice = TypeVar("Choice", bound=StrEnum)
blueprint = Blueprint("supporter_caseload", __name__)


@dataclass(frozen=True)
class ChoiceLink:
    """One filter or order as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class CaseloadRow:
    row: Row
    next_review: str
    early_warning: WarningPanel | None


@blueprint.get("/supporting/caseload")
@allow(Role.SUPPORTER)
def show() -> Any:
    with one_page():
        return _page()


def _page() -> str:
    account, now = current_account(), request_time()
    shown, sorted_by = _asked_for("show", Show.EVERYBODY), _asked_for("sort", Sort.NAME)
    looking = Looking(account.id, now, account.zone)
    covers = load_working_day(account, current_service(Role.SUPPORTER), now=now).covers
    everybody = [
        as_seen_by(person, account_id=account.id, covers=covers)
        for person in load_people(enrolments.for_supporter(account, now=now))
    ]
    people = listed(everybody, shown, sorted_by, looking)
    warnings = early_warnings_of([person.enrolment for person in people], now=now)
    how_many = counts(everybody, looking)
    page = render_template(
        "supporter/caseload.html",
        rows=[_row(person, warnings.get(person.enrolment.id), looking, covers) for person in people],
        filters=[
            ChoiceLink(f"{words} ({how_many[one]})", _address(one, sorted_by), one is shown)
            for one, words in SHOW_WORDS.items()
            if how_many[one] or one in (shown, Show.EVERYBODY)
        ],
        sorts=[
            ChoiceLink(words, _address(shown, one), one is sorted_by) for one, words in SORT_WORDS.items()
        ],
        count=len(people),
        total=len(everybody),
    )
    note_caseload_read()
    return page


def _asked_for(name: str, usual: Choice) -> Choice:
    """What the address asks for; the usual one where it asks for nothing that there is."""
    try:
        return type(usual)(request.args.get(name, usual.value))
    except ValueError:
        return usual


def _address(show: Show, sort: Sort) -> str:
    """The shortest address that shows this: what is usual is left out."""
    values: dict[str, Any] = {"show": show.value} if show is not Show.EVERYBODY else {}
    values |= {"sort": sort.value} if sort is not Sort.NAME else {}
    return url_for(".show", **values)


def _row(
    person: PersonNow, warning: EarlyWarning | None, looking: Looking, covers: Mapping[int, date]
) -> CaseloadRow:
    reader = Reader(looking.account_id, looking.now, looking.zone, covers)
    row = make_row(person, looking.section(person), address_of(person), reader, is_first=False)
    owed = person.next_owed
    href = url_for("supporter_early_warning.show", enrolment_id=person.enrolment.id, back="caseload")
    return CaseloadRow(
        row,
        short_day(owed.review.due_on) if owed is not None else "none planned",
        panel_of(warning, href) if warning is not None else None,
    )
