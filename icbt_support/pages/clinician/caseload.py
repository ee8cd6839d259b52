"""The people of the service: a group, a supporter and an order, each a link that can be shared."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup

from icbt_support.accounts.models import Role
from icbt_support.early_warning.queries import early_warnings_of
from icbt_support.early_warning.rules import EarlyWarning
from icbt_support.engagement.caseload_list import Sort
from icbt_support.engagement.caseloads import (
    Caseload,
    Group,
    Visit,
    caseload_among,
    caseload_of,
    supporters_of,
    watched_people,
)
from icbt_support.engagement.overview import ENOUGH_FOR_A_FINDING
from icbt_support.engagement.people import PersonRow
from icbt_support.engagement.people_strips import strips_of_people
from icbt_support.engagement.status import NextAction
from icbt_support.pages import small_charts
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.pages.reads import note_read
from icbt_support.plan.strip import MARKS as STRIP_MARKS
from icbt_support.plan.strip import StripModel
from icbt_support.read_once import one_page
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_caseload", __name__)
PEOPLE_ON_A_PAGE = 20
GROUP_WORDS = {
    Group.EVERYBODY: "Everybody",
    Group.NEED_A_LOOK: "Need a look",
    Group.IN_RHYTHM: "In rhythm",
    Group.SLIPPING: "Slipping",
    Group.QUIET: "Quiet",
    Group.AWAY: "Away or paused",
    Group.NOT_STARTED: "Not started yet",
    Group.NOT_BENEFITING: "May not be benefiting yet",
}
SORT_WORDS = {
    None: "Who needs a look",
    Sort.NAME: "Name",
    Sort.REVIEW: "Next review",
    Sort.LAST_VISIT: "Longest not here",
    Sort.SCORES: "Rising scores",
    Sort.WEEK: "Week",
}
MARKS = {
    Visit.USED_A_TOOL: small_charts.USED_A_TOOL,
    Visit.HERE: small_charts.SIGNED_IN_ONLY,
    Visit.NOT_HERE: small_charts.DID_NOT_VISIT,
    Visit.NOT_YET: None,
}
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class ChoiceLink:
    """One group, supporter or order as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class Pages:
    """Which people are shown, and the ways to those before and after."""

    words: str
    previous_href: str
    next_href: str


@dataclass(frozen=True)
class Asked:
    group: Group
    supporter_id: int | None
    sort: Sort | None

    def href(self, **changes: Any) -> str:
        """The shortest address that shows this with `changes`: what is usual is left out, and so is the page."""
        asked = {"group": self.group, "supporter": self.supporter_id, "sort": self.sort, **changes}
        kept: dict[str, Any] = {
            name: value for name, value in asked.items() if value not in (None, Group.EVERYBODY)
        }
        return url_for(".show", **kept)


@dataclass(frozen=True)
class ShownPerson:
    row: PersonRow
    strip: StripModel | None
    dots: Markup | None
    next_review: str
    action_href: str
    warning: EarlyWarning | None


@blueprint.get("/clinical/caseload")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    note_read("read_caseload", by=current_actor(Role.CLINICIAN, service.id), now=now)
    asked = Asked(_asked_for("group", Group) or Group.EVERYBODY, _supporter(), _asked_for("sort", Sort))
    with one_page():
        return _page(asked, service, now)


def _page(asked: Asked, service: Service, now: datetime) -> str:
    caseload, warnings = _read(asked, service, now)
    rows = caseload.rows
    first = (max(request.args.get("page", 1, type=int), 1) - 1) * PEOPLE_ON_A_PAGE
    shown = rows[first : first + PEOPLE_ON_A_PAGE]
    strips = strips_of_people([row.person for row in shown], now=now)
    return render_template(
        "clinician/caseload.html",
        heading=_heading(caseload, asked),
        people=[_shown(row, caseload, strips, warnings) for row in shown],
        strip_marks=_marks_of(strips),
        pages=_pages(asked, first, len(shown), len(rows)),
        found=caseload.found,
        shown_of_found=len(rows),
        is_narrowed=asked.group is not Group.EVERYBODY or asked.supporter_id is not None,
        is_cut=caseload.found > len(caseload.rows),
        left_out=caseload.left_out,
        groups=[
            ChoiceLink(words, asked.href(group=one), one is asked.group) for one, words in GROUP_WORDS.items()
        ],
        supporters=_supporter_links(caseload, asked, service),
        sorts=[
            ChoiceLink(words, asked.href(sort=one), one is asked.sort) for one, words in SORT_WORDS.items()
        ],
    )


def _read(asked: Asked, service: Service, now: datetime) -> tuple[Caseload, dict[int, EarlyWarning]]:
    """Who may not be benefiting is looked for among everybody, before anybody is left out."""
    supporter_id, sort, me = asked.supporter_id, asked.sort, current_account().id
    if asked.group is not Group.NOT_BENEFITING:
        return caseload_of(service, asked.group, supporter_id, sort, now=now, reader_id=me), {}
    watched, left_out = watched_people(service, supporter_id, reader_id=me)
    warnings = early_warnings_of(watched, now=now)
    caseload = caseload_among(warnings, service, supporter_id, sort, left_out=left_out, now=now, reader_id=me)
    return caseload, warnings


def _asked_for(name: str, kind: type[Choice]) -> Choice | None:
    try:
        return kind(request.args.get(name, ""))
    except ValueError:
        return None


def _supporter() -> int | None:
    asked = request.args.get("supporter", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def _heading(caseload: Caseload, asked: Asked) -> str:
    """A count of everybody who was asked for, where it rests on enough people; else the question."""
    everybody = len(caseload.rows)
    if asked.group is not Group.EVERYBODY or caseload.found != everybody or everybody < ENOUGH_FOR_A_FINDING:
        return "Who needs a look?"
    look = sum(row.status.needs_a_look for row in caseload.rows)
    return f"{look} of {everybody} people need a look"


def _supporter_links(caseload: Caseload, asked: Asked, service: Service) -> list[ChoiceLink]:
    """Everybody with people of this service, if there is a choice; where one is chosen, that one and the way back."""
    everyone = ChoiceLink("All supporters", asked.href(supporter=None), asked.supporter_id is None)
    if asked.supporter_id is not None:
        names = {row.person.enrolment.supporter.full_name for row in caseload.rows}
        chosen = ChoiceLink(next(iter(names), "This supporter"), asked.href(), is_current=True)
        return [everyone, chosen]
    supporters = supporters_of(service, reader_id=current_account().id)
    if len(supporters) < 2:
        return []
    return [
        everyone,
        *(
            ChoiceLink(f"{one.name} ({one.people})", asked.href(supporter=one.account_id), is_current=False)
            for one in supporters
        ),
    ]


def _marks_of(strips: dict[int, StripModel]) -> list[str]:
    """What any of the strips draws, in the order of the key; the compact size has the check-in's bar alone."""
    drawn = {mark for strip in strips.values() for mark in strip.marks} - {"check_in"}
    return [mark for mark in STRIP_MARKS if mark in drawn]


def _pages(asked: Asked, first: int, shown: int, people: int) -> Pages | None:
    """None where everybody stands on one page."""
    if people <= PEOPLE_ON_A_PAGE or not shown:
        return None
    page, last = first // PEOPLE_ON_A_PAGE + 1, first + shown
    before = None if page == 2 else page - 1
    return Pages(
        f"Showing {first + 1} to {last} of {people}",
        asked.href(page=before) if page > 1 else "",
        asked.href(page=page + 1) if last < people else "",
    )


def _shown(
    row: PersonRow, caseload: Caseload, strips: dict[int, StripModel], warnings: dict[int, EarlyWarning]
) -> ShownPerson:
    number, owed = row.person.enrolment.id, row.person.next_owed
    return ShownPerson(
        row,
        strips.get(number),
        _dots(caseload.weeks[number]) if number in caseload.weeks else None,
        short_day(owed.review.due_on) if owed is not None else "none planned",
        _address_of(row),
        warnings.get(number),
    )


@lru_cache(maxsize=1024)
def _dots(weeks: tuple[Visit, ...]) -> Markup:
    """Many people have had the same eight weeks."""
    return small_charts.dot_strip([MARKS[week] for week in weeks], f"Weeks, oldest first: {', '.join(weeks)}")


def _address_of(row: PersonRow) -> str:
    """Where the one action of a person leads."""
    number, action = row.person.enrolment.id, row.status.action
    if action is NextAction.OPEN_ALERT:
        return url_for("clinician_risk.show", alert_id=row.person.alerts[0].alert.id)
    if action is NextAction.LOG_CALL:
        return url_for("clinician_contact.show", enrolment_id=number)
    if action is NextAction.LOOK:
        return url_for("clinician_patient.show", enrolment_id=number)
    return url_for("clinician_decisions.show", enrolment_id=number)
