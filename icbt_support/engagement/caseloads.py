"""The people of a service, or of one supporter in it, as clinicians look through them: a group, in an order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Select, func, select

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityPerson
from icbt_support.activity.rules import week_number
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.engagement.caseload_list import Sort, order_of
from icbt_support.engagement.figures import WEEKS_SHOWN, Standing, has_standing, is_of_care
from icbt_support.engagement.people import PersonRow, rows_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.service.models import Service

MOST_SHOWN = 200


class Group(StrEnum):
    """Whom a clinician may ask for alone; the five in the middle are the service page's standings."""

    EVERYBODY = "everybody"
    NEED_A_LOOK = "need-a-look"
    IN_RHYTHM = "in-rhythm"
    SLIPPING = "slipping"
    QUIET = "quiet"
    AWAY = "away"
    NOT_STARTED = "not-started"
    NOT_BENEFITING = "not-benefiting"


_STANDINGS = frozenset(Standing)


class Visit(StrEnum):
    """What one week of a person holds; before their first visit there is nothing to say."""

    USED_A_TOOL = "used a tool"
    HERE = "here"
    NOT_HERE = "not here"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class SupporterPeople:
    account_id: int
    name: str
    people: int


@dataclass(frozen=True)
class Caseload:
    """`found` people fit the group and the supporter; `rows` are at most 200 of them, in the order asked for.

    Where more fit, those stand here who have not been here for longest. `weeks` are each person's last eight calendar
    weeks, oldest first; the last one runs until today.
    """

    rows: tuple[PersonRow, ...]
    found: int
    weeks: dict[int, tuple[Visit, ...]]


def supporters_of(service: Service) -> tuple[SupporterPeople, ...]:
    """Everybody who has people of this service now, by name."""
    rows = db.session.execute(
        select(Account.id, Account.full_name, func.count())
        .join(Enrolment, Enrolment.supporter_id == Account.id)
        .where(*is_of_care(service), Enrolment.state != EnrolmentState.ENDED)
        .group_by(Account.id, Account.full_name)
        .order_by(Account.full_name, Account.id)
    )
    return tuple(SupporterPeople(account_id, name, people) for account_id, name, people in rows)


def caseload_of(
    service: Service, group: Group, supporter_id: int | None, sort: Sort | None, *, now: datetime
) -> Caseload:
    """The people, those who need a look first unless `sort` says otherwise; a fixed number of statements."""
    chosen = (
        select(Enrolment.id, ActivityPerson, func.count().over().label("found"))
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .where(*is_of_care(service), Enrolment.state != EnrolmentState.ENDED)
        .order_by(ActivityPerson.last_at.is_not(None), ActivityPerson.last_at, Enrolment.id)
        .limit(MOST_SHOWN)
    )
    if supporter_id is not None:
        chosen = chosen.where(Enrolment.supporter_id == supporter_id)
    if group.value in _STANDINGS:
        chosen = chosen.where(has_standing(Standing(group.value), service, now=now))
    found = db.session.execute(chosen).all()
    rows = rows_of(_scope([row.id for row in found]), now=now)
    if group is Group.NEED_A_LOOK:
        rows = tuple(row for row in rows if row.status.needs_a_look)
    if sort is not None:
        rows = tuple(sorted(rows, key=lambda row: order_of(row.person, sort)))
    this = week_number(local_day(now, service.zone))
    return Caseload(
        rows,
        found[0].found if found else 0,
        {row.id: _weeks(row.ActivityPerson, this) for row in found if row.ActivityPerson is not None},
    )


def _scope(ids: Sequence[int]) -> Select[Enrolment]:
    return select(Enrolment).where(Enrolment.id.in_(ids))


def _weeks(person: ActivityPerson, this: int) -> tuple[Visit, ...]:
    return tuple(_visit(person, week) for week in range(this - WEEKS_SHOWN + 1, this + 1))


def _visit(person: ActivityPerson, week: int) -> Visit:
    if person.used_a_tool(week):
        return Visit.USED_A_TOOL
    if person.was_here(week):
        return Visit.HERE
    return Visit.NOT_HERE if week > week_number(date.fromordinal(person.first_day)) else Visit.NOT_YET
