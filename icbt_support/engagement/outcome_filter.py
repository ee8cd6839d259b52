"""Which courses the outcomes are about: care, never training; narrowed by programme, month of ending and group."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func

from icbt_support.cadence import to_utc
from icbt_support.enrolments.models import EndCode, Enrolment, Purpose
from icbt_support.patient_groups.models import GroupMember
from icbt_support.service.models import Service

DROPPED_OUT = (EndCode.PATIENT_STOPPED_EARLIER, EndCode.LOST)
NO_GROUP = 0
_MIDNIGHT = datetime.min.time()


@dataclass(frozen=True)
class OutcomeFilter:
    """Which ended courses: months of ending are their first days; a group of `NO_GROUP` is *not recorded*."""

    programme: str | None = None
    from_month: date | None = None
    until_month: date | None = None
    group_id: int | None = None

    @property
    def whenever_ended(self) -> "OutcomeFilter":
        return replace(self, from_month=None, until_month=None)


def is_wanted(service: Service, wanted: OutcomeFilter) -> ColumnElement[bool]:
    """Courses of care within the filter; the statement joins `GroupMember`."""
    conditions = [Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE]
    if wanted.programme is not None:
        conditions.append(Enrolment.programme_slug == wanted.programme)
    if wanted.from_month is not None:
        conditions.append(Enrolment.ended_at >= month_begins(wanted.from_month, service))
    if wanted.until_month is not None:
        conditions.append(Enrolment.ended_at < month_begins(month_after(wanted.until_month), service))
    if wanted.group_id is not None:
        conditions.append(func.coalesce(GroupMember.group_id, NO_GROUP) == wanted.group_id)
    return and_(*conditions)


def month_begins(first: date, service: Service) -> datetime:
    """The midnight with which a month begins where the service is."""
    return to_utc(first, _MIDNIGHT, service.zone)


def month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
