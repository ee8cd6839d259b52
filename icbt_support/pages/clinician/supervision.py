"""Supervision: the supporters, and for each the list of people to talk about, with the reasons."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.cadence import to_local
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import (
    allow,
    current_account,
    current_actor,
    current_service,
    refuse_record,
    request_time,
)
from icbt_support.pages.kit import long_day, short_day_and_time
from icbt_support.pages.reads import note_read
from icbt_support.pages.supervision_words import reason_lines
from icbt_support.service.models import Service
from icbt_support.supervision.listing import supervision_list
from icbt_support.supervision.models import SupervisionMeeting
from icbt_support.supervision.operations import start_meeting
from icbt_support.supervision.queries import meetings_of, supporter_rows

blueprint = Blueprint("clinician_supervision", __name__)


@blueprint.get("/clinical/supervision")
@allow(Role.CLINICIAN)
def index() -> str:
    service = current_service(Role.CLINICIAN)
    rows = supporter_rows(
        staff_with_role(service.id, Role.SUPPORTER), service, reader_id=current_account().id
    )
    return render_template(
        "clinician/supervision.html",
        rows=[(row, _day(row.last_meeting), _day(row.open_meeting)) for row in rows],
    )


@blueprint.get("/clinical/supervision/<id:account_id>")
@allow(Role.CLINICIAN)
def show(account_id: int) -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    supporter = _supporter_or_404(account_id, service)
    _note_read(supporter, service)
    meetings = meetings_of(supporter.id, service)
    listed = supervision_list(supporter.id, service, now=now, reader_id=current_account().id)
    return render_template(
        "clinician/supervision_list.html",
        supporter=supporter,
        listed=listed,
        people=[
            (person, reason_lines([(one.reason, one.words) for one in person.reasons]))
            for person in listed.people
        ],
        open_meeting=next((one for one in meetings if one.is_open), None),
        meetings=[
            (one, short_day_and_time(to_local(one.started_at, current_account().zone)))
            for one in meetings
            if not one.is_open
        ],
    )


@blueprint.post("/clinical/supervision/<id:account_id>/start")
@allow(Role.CLINICIAN)
@commits
def start(account_id: int) -> Any:
    service = current_service(Role.CLINICIAN)
    supporter = _supporter_or_404(account_id, service)
    by = current_actor(Role.CLINICIAN, service.id)
    meeting = start_meeting(supporter, service, by=by, now=request_time())
    return redirect(url_for("clinician_supervision_meeting.show", meeting_id=meeting.id))


def _supporter_or_404(account_id: int, service: Service) -> Account:
    supporters = {one.id: one for one in staff_with_role(service.id, Role.SUPPORTER)}
    if account_id not in supporters:
        refuse_record("supporter", account_id, Role.CLINICIAN)
    return supporters[account_id]


def _note_read(supporter: Account, service: Service) -> None:
    """One audit line for a look at a whole list, by the supporter whose people it shows."""
    note_read(
        "read_supervision_list",
        by=current_actor(Role.CLINICIAN, service.id),
        now=request_time(),
        object_kind="account",
        object_id=supporter.id,
    )


def _day(meeting: SupervisionMeeting | None) -> str:
    return long_day(to_local(meeting.started_at, current_account().zone)) if meeting else ""
