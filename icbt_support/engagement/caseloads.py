"""The people of a service, or of one supporter in it, as clinicians look through them: a group, in an order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityPerson
from icbt_support.activity.rules import week_number
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.engagement.caseload_list import Sort, order_of
from icbt_support.engagement.figures import WEEKS_SHOWN, Standing, has_standing, is_of_care
from icbt_support.engagement.people import PersonRow, rows_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.queries import is_of_others
from icbt_support.id_lists import among
from icbt_support.service.models import Service

MOST_SHOWN = 200
MOST_LOOKED_AT = 2000
"""So that one page of a very large service does not hold up everybody else's."""


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


_LONGEST_AWAY_FIRST = (ActivityPerson.last_at.is_not(None), ActivityPerson.last_at, Enrolment.id)


@dataclass(frozen=True)
class Caseload:
    """`found` people fit the group and the supporter; `rows` stand in the order asked for.

    Of everybody, or of a standing, at most 200 stand here: those who have not been here for longest. Who needs a
    look or may not be benefiting is looked for among 2,000, by the same order; `left_out` are more than those.
    `weeks` are each person's last eight calendar weeks, oldest first; the last one runs until today.
    """

    rows: tuple[PersonRow, ...]
    found: int
    weeks: dict[int, tuple[Visit, ...]]
    left_out: int = 0


def supporters_of(service: Service, *, reader_id: int | None = None) -> tuple[SupporterPeople, ...]:
    """Everybody who has people of this service now, by name; a reader is not among the people."""
    rows = db.session.execute(
        select(Account.id, Account.full_name, func.count())
        .join(Enrolment, Enrolment.supporter_id == Account.id)
        .where(*_asked_for(service, None, reader_id))
        .group_by(Account.id, Account.full_name)
        .order_by(Account.full_name, Account.id)
    )
    return tuple(SupporterPeople(account_id, name, people) for account_id, name, people in rows)


def watched_people(
    service: Service, supporter_id: int | None, *, reader_id: int | None = None
) -> tuple[Sequence[Enrolment], int]:
    """Whose course runs now, to be looked through for early warnings, at most 2,000; and how many more there are.

    One statement.
    """
    read = db.session.execute(
        select(Enrolment, func.count().over().label("found"))
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .where(*_asked_for(service, supporter_id, reader_id), Enrolment.state == EnrolmentState.ACTIVE)
        .order_by(*_LONGEST_AWAY_FIRST)
        .limit(MOST_LOOKED_AT)
    ).all()
    return [row[0] for row in read], _left_out(read)


def caseload_of(
    service: Service,
    group: Group,
    supporter_id: int | None,
    sort: Sort | None,
    *,
    now: datetime,
    reader_id: int | None = None,
) -> Caseload:
    """The people, those who need a look first unless `sort` says otherwise; a fixed number of statements."""
    people = _people(service, supporter_id, reader_id)
    if group is Group.NEED_A_LOOK:
        return _those_who_need_a_look(people, service, sort, now)
    if group.value in _STANDINGS:
        people = people.where(has_standing(Standing(group.value), service, now=now))
    read = db.session.execute(people.limit(MOST_SHOWN)).all()
    rows = rows_of(_scope([row.id for row in read]), now=now)
    return Caseload(_sorted(rows, sort), read[0].found if read else 0, _weeks_of(read, service, now))


def caseload_among(
    numbers: Collection[int],
    service: Service,
    supporter_id: int | None,
    sort: Sort | None,
    *,
    left_out: int,
    now: datetime,
    reader_id: int | None = None,
) -> Caseload:
    """All people of these courses; the caller has chosen them, so that none is left out."""
    read = db.session.execute(
        _people(service, supporter_id, reader_id).where(among(Enrolment.id, numbers))
    ).all()
    rows = rows_of(_scope([row.id for row in read]), now=now)
    return Caseload(_sorted(rows, sort), len(rows), _weeks_of(read, service, now), left_out)


def _those_who_need_a_look(
    people: Select[*tuple[Any, ...]], service: Service, sort: Sort | None, now: datetime
) -> Caseload:
    """Who needs a look is known only once somebody has been looked at: nobody is left out before, up to 2,000."""
    read = db.session.execute(people.limit(MOST_LOOKED_AT)).all()
    looked_at = rows_of(_scope([row.id for row in read]), now=now)
    rows = _sorted(tuple(row for row in looked_at if row.status.needs_a_look), sort)
    return Caseload(rows, len(rows), _weeks_of(read, service, now), _left_out(read))


def _people(service: Service, supporter_id: int | None, reader_id: int | None) -> Select[*tuple[Any, ...]]:
    """Open courses with their visits, those who have not been here for longest first, and how many there are."""
    return (
        select(Enrolment.id, ActivityPerson, func.count().over().label("found"))
        .outerjoin(ActivityPerson, ActivityPerson.enrolment_id == Enrolment.id)
        .where(*_asked_for(service, supporter_id, reader_id))
        .order_by(*_LONGEST_AWAY_FIRST)
    )


def _left_out(read: Sequence[Any]) -> int:
    return read[0].found - len(read) if read else 0


def _asked_for(
    service: Service, supporter_id: int | None, reader_id: int | None
) -> tuple[ColumnElement[bool], ...]:
    are_open = *is_of_care(service), Enrolment.state != EnrolmentState.ENDED, is_of_others(reader_id)
    return are_open if supporter_id is None else (*are_open, Enrolment.supporter_id == supporter_id)


def _scope(ids: Sequence[int]) -> Select[Enrolment]:
    return select(Enrolment).where(among(Enrolment.id, ids))


def _sorted(rows: tuple[PersonRow, ...], sort: Sort | None) -> tuple[PersonRow, ...]:
    return rows if sort is None else tuple(sorted(rows, key=lambda row: order_of(row.person, sort)))


def _weeks_of(read: Sequence[Row[Any]], service: Service, now: datetime) -> dict[int, tuple[Visit, ...]]:
    this = week_number(local_day(now, service.zone))
    return {row.id: _weeks(row.ActivityPerson, this) for row in read if row.ActivityPerson is not None}


def _weeks(person: ActivityPerson, this: int) -> tuple[Visit, ...]:
    return tuple(_visit(person, week) for week in range(this - WEEKS_SHOWN + 1, this + 1))


def _visit(person: ActivityPerson, week: int) -> Visit:
    if person.used_a_tool(week):
        return Visit.USED_A_TOOL
    if person.was_here(week):
        return Visit.HERE
    return Visit.NOT_HERE if week > week_number(date.fromordinal(person.first_day)) else Visit.NOT_YET
