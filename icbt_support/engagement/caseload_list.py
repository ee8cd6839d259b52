"""Filters and orders of a caseload: what each of them means, in the open. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from icbt_support.cadence import local_day
from icbt_support.engagement.caseload import PersonNow
from icbt_support.engagement.status import PHQ9_CHANGE
from icbt_support.engagement.today import Section, score_change, section_of
from icbt_support.enrolments.models import EnrolmentState

QUIET_DAYS = 7
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)


class Show(StrEnum):
    EVERYBODY = "everybody"
    NOW = "now"
    LATE = "late"
    WRITTEN = "written"
    RISING = "rising"
    QUIET = "quiet"
    STARTING = "starting"
    AWAY = "away"
    COVER = "cover"


class Sort(StrEnum):
    NAME = "name"
    REVIEW = "review"
    LAST_VISIT = "last-visit"
    SCORES = "scores"
    WEEK = "week"


@dataclass(frozen=True)
class Looking:
    """Who looks, when, and in which zone."""

    account_id: int
    now: datetime
    zone: str

    def section(self, person: PersonNow) -> Section:
        return section_of(person, account_id=self.account_id, now=self.now, zone=self.zone)


def listed(people: Iterable[PersonNow], show: Show, sort: Sort, looking: Looking) -> list[PersonNow]:
    """The people whom `show` keeps, as `sort` orders them; those who are equal stay by name."""
    kept = [person for person in people if is_shown(person, show, looking)]
    return sorted(kept, key=lambda person: order_of(person, sort))


def counts(people: Iterable[PersonNow], looking: Looking) -> dict[Show, int]:
    """How many people each filter keeps."""
    everybody = list(people)
    return {show: sum(is_shown(person, show, looking) for person in everybody) for show in Show}


def is_shown(person: PersonNow, show: Show, looking: Looking) -> bool:
    state = person.enrolment.state
    match show:
        case Show.NOW:
            return looking.section(person) is not Section.WAITING
        case Show.LATE:
            return looking.section(person) is Section.LATE
        case Show.WRITTEN:
            return bool(person.unread or person.questions)
        case Show.RISING:
            return (score_change(person) or 0) >= PHQ9_CHANGE
        case Show.QUIET:
            return state is EnrolmentState.ACTIVE and _days_away(person, looking) >= QUIET_DAYS
        case Show.STARTING:
            return state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)
        case Show.AWAY:
            return state in (EnrolmentState.AWAY, EnrolmentState.PAUSED)
        case Show.COVER:
            return person.enrolment.supporter_id != looking.account_id
        case Show.EVERYBODY:
            return True


def _days_away(person: PersonNow, looking: Looking) -> int:
    last = person.last_visit_at or person.enrolment.started_at or person.enrolment.invited_at
    return (local_day(looking.now, looking.zone) - local_day(last, looking.zone)) // timedelta(days=1)


def order_of(person: PersonNow, sort: Sort) -> tuple[Any, str]:
    """What `sort` orders people by, then their name."""
    name = person.enrolment.patient.full_name.casefold()
    match sort:
        case Sort.NAME:
            return 0, name
        case Sort.REVIEW:
            return person.next_owed.review.promised_at if person.next_owed else _FAR_AHEAD, name
        case Sort.LAST_VISIT:
            return person.last_visit_at or _LONG_AGO, name
        case Sort.SCORES:
            return -(score_change(person) or 0), name
        case Sort.WEEK:
            return person.week.week.number if person.week else 0, name
