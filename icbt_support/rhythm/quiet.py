"""Who has gone quiet: calls to make and decisions to take. Derived lists; no timer ends anybody."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from icbt_support.activity.models import ActivityDay
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.enrolments.queries import not_started
from icbt_support.risk.models import CallLog, CallOutcome

TRIES_FOR_A_CALL = 2


class QuietReason(StrEnum):
    NEVER_STARTED = "never_started"
    NOT_SEEN = "not_seen"


class QuietTask(StrEnum):
    """What is due about a quiet person: a call, later a decision of the clinician."""

    CALL = "call"
    DECIDE = "decide"


@dataclass(frozen=True)
class QuietPerson:
    """A course quiet for `days` days, since `since_on`; `tries` calls were logged since then."""

    enrolment: Enrolment
    reason: QuietReason
    since_on: date
    days: int
    tries: int
    was_reached: bool

    @property
    def task(self) -> QuietTask | None:
        """The call until two tries or one talk; the decision from its own day on."""
        if self.days >= _decision_day(self):
            return QuietTask.DECIDE
        is_tried = self.was_reached or self.tries >= TRIES_FOR_A_CALL
        return QuietTask.CALL if self.days >= _call_day(self) and not is_tried else None


def quiet_people(service_ids: Iterable[int], *, now: datetime) -> list[QuietPerson]:
    """Everybody not begun or in rhythm with their quiet days, longest first; a fixed number of statements."""
    services = list(service_ids)
    waiting = not_started(services)
    begun = list(
        db.session.scalars(
            select(Enrolment)
            .where(
                Enrolment.service_id.in_(services),
                Enrolment.state == EnrolmentState.ACTIVE,
                Enrolment.purpose == Purpose.CARE,
            )
            .options(selectinload(Enrolment.patient), selectinload(Enrolment.service))
            .order_by(Enrolment.id)
        )
    )
    last_acts = _last_acts([enrolment.id for enrolment in begun])
    since = {
        enrolment.id: local_day(enrolment.invited_at, enrolment.patient.zone) for enrolment in waiting
    } | {enrolment.id: _last_seen_on(enrolment, last_acts.get(enrolment.id)) for enrolment in begun}
    calls = _calls(list(since))
    people = [
        _describe(enrolment, reason, since[enrolment.id], calls.get(enrolment.id, []), now)
        for enrolments, reason in ((waiting, QuietReason.NEVER_STARTED), (begun, QuietReason.NOT_SEEN))
        for enrolment in enrolments
    ]
    return sorted(people, key=lambda person: (-person.days, person.enrolment.id))


def call_tasks(service_ids: Iterable[int], *, now: datetime) -> list[QuietPerson]:
    """People to call: invited 8 days ago and not begun, or not seen for 14; until two tries or one talk."""
    return [person for person in quiet_people(service_ids, now=now) if person.task is QuietTask.CALL]


def decisions_due(service_ids: Iterable[int], *, now: datetime) -> list[QuietPerson]:
    """People on whom a clinician decides: 21 days invited and not begun, or not seen for 21 days."""
    return [person for person in quiet_people(service_ids, now=now) if person.task is QuietTask.DECIDE]


def _call_day(person: QuietPerson) -> int:
    rhythm = person.enrolment.service.rhythm
    return (
        rhythm.never_started_call_day
        if person.reason is QuietReason.NEVER_STARTED
        else rhythm.quiet_call_days
    )


def _decision_day(person: QuietPerson) -> int:
    rhythm = person.enrolment.service.rhythm
    if person.reason is QuietReason.NEVER_STARTED:
        return rhythm.never_started_close_day
    return rhythm.quiet_decide_days


def _describe(
    enrolment: Enrolment, reason: QuietReason, since_on: date, calls: list[CallLog], now: datetime
) -> QuietPerson:
    zone = enrolment.patient.zone
    later = [call for call in calls if call.called_at >= to_utc(since_on, datetime.min.time(), zone)]
    outcomes = Counter(call.outcome for call in later)
    return QuietPerson(
        enrolment=enrolment,
        reason=reason,
        since_on=since_on,
        days=(local_day(now, zone) - since_on).days,
        tries=len(later),
        was_reached=outcomes[CallOutcome.SPOKE] > 0,
    )


def _last_seen_on(enrolment: Enrolment, last_act: datetime | None) -> date:
    zone = enrolment.patient.zone
    seen = [
        local_day(instant, zone)
        for instant in (last_act, enrolment.patient.last_signed_in_at, enrolment.started_at)
        if instant is not None
    ]
    if enrolment.starts_on is not None:
        seen.append(enrolment.starts_on)
    return max(seen)


def _last_acts(enrolment_ids: list[int]) -> dict[int, datetime]:
    rows = db.session.execute(
        select(ActivityDay.enrolment_id, func.max(ActivityDay.last_at))
        .where(ActivityDay.enrolment_id.in_(enrolment_ids))
        .group_by(ActivityDay.enrolment_id)
    )
    return {row[0]: row[1] for row in rows}


def _calls(enrolment_ids: list[int]) -> dict[int, list[CallLog]]:
    calls: dict[int, list[CallLog]] = {}
    rows = db.session.scalars(
        select(CallLog).where(CallLog.enrolment_id.in_(enrolment_ids)).order_by(CallLog.called_at, CallLog.id)
    )
    for call in rows:
        calls.setdefault(call.enrolment_id, []).append(call)
    return calls
