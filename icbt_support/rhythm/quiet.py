"""Who has gone quiet: calls to make and decisions to take. Derived lists; no timer ends anybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import selectinload

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityPerson
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


def quiet_people(
    service_ids: Iterable[int], *, now: datetime, signed_in_before: datetime | None = None
) -> list[QuietPerson]:
    """Everybody not begun or in rhythm with their quiet days, longest first; a fixed number of statements.

    With `signed_in_before`, people in rhythm who have signed in since then are left out.
    """
    services = list(service_ids)
    waiting = not_started(services)
    signed_in_at = Account.last_signed_in_at
    if signed_in_before is None:
        chosen: ColumnElement[bool] = true()
    else:
        chosen = signed_in_at.is_(None) | (signed_in_at < signed_in_before)
    begun = list(
        db.session.scalars(
            select(Enrolment)
            .join(Account, Account.id == Enrolment.patient_id)
            .where(
                Enrolment.service_id.in_(services),
                Enrolment.state == EnrolmentState.ACTIVE,
                Enrolment.purpose == Purpose.CARE,
                chosen,
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


def quiet_person(
    enrolment: Enrolment,
    *,
    last_act: datetime | None,
    calls: Sequence[tuple[datetime, CallOutcome]],
    now: datetime,
) -> QuietPerson | None:
    """One course's quiet days from what is loaded already: when its person last did something, and the calls.

    None for a course that is neither waiting for its start nor in rhythm, and for training.
    """
    if enrolment.purpose is not Purpose.CARE:
        return None
    if enrolment.state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING):
        invited_on = local_day(enrolment.invited_at, enrolment.patient.zone)
        is_waiting = enrolment.starts_on is None
        return _describe(enrolment, QuietReason.NEVER_STARTED, invited_on, calls, now) if is_waiting else None
    if enrolment.state is not EnrolmentState.ACTIVE:
        return None
    return _describe(enrolment, QuietReason.NOT_SEEN, _last_seen_on(enrolment, last_act), calls, now)


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
    enrolment: Enrolment,
    reason: QuietReason,
    since_on: date,
    calls: Sequence[tuple[datetime, CallOutcome]],
    now: datetime,
) -> QuietPerson:
    zone = enrolment.patient.zone
    since = to_utc(since_on, datetime.min.time(), zone)
    later = [outcome for called_at, outcome in calls if called_at >= since]
    return QuietPerson(
        enrolment=enrolment,
        reason=reason,
        since_on=since_on,
        days=(local_day(now, zone) - since_on).days,
        tries=len(later),
        was_reached=CallOutcome.SPOKE in later,
    )


def _last_seen_on(enrolment: Enrolment, last_act: datetime | None) -> date:
    zone = enrolment.patient.zone
    seen = [
        local_day(instant, zone)
        for instant in (
            last_act,
            enrolment.patient.last_signed_in_at,
            enrolment.started_at,
            enrolment.back_at,
        )
        if instant is not None
    ]
    if enrolment.starts_on is not None:
        seen.append(enrolment.starts_on)
    return max(seen)


def _last_acts(enrolment_ids: list[int]) -> dict[int, datetime]:
    rows = db.session.execute(
        select(ActivityPerson.enrolment_id, ActivityPerson.last_at).where(
            ActivityPerson.enrolment_id.in_(enrolment_ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def _calls(enrolment_ids: list[int]) -> dict[int, list[tuple[datetime, CallOutcome]]]:
    calls: dict[int, list[tuple[datetime, CallOutcome]]] = {}
    rows = db.session.execute(
        select(CallLog.enrolment_id, CallLog.called_at, CallLog.outcome)
        .where(CallLog.enrolment_id.in_(enrolment_ids))
        .order_by(CallLog.called_at, CallLog.id)
    )
    for enrolment_id, called_at, outcome in rows:
        calls.setdefault(enrolment_id, []).append((called_at, outcome))
    return calls
