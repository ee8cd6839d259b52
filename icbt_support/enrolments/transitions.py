"""Changes of a course's state and people that only `rhythm` may call; each leaves a row and an audit line."""

from collections.abc import Sequence
from datetime import date, datetime

from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import (
    SUPPORTER_CHANGED,
    EndCode,
    Enrolment,
    EnrolmentChange,
    EnrolmentState,
    OnboardingStep,
    Purpose,
)
from icbt_support.enrolments.refusals import NotPossibleNow, UnknownCadence
from icbt_support.service.models import Service

ALLOWED_STATES: dict[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.INVITED: frozenset({EnrolmentState.ONBOARDING, EnrolmentState.ENDED}),
    EnrolmentState.ONBOARDING: frozenset({EnrolmentState.ACTIVE, EnrolmentState.ENDED}),
    EnrolmentState.ACTIVE: frozenset({EnrolmentState.AWAY, EnrolmentState.PAUSED, EnrolmentState.ENDED}),
    EnrolmentState.AWAY: frozenset({EnrolmentState.ACTIVE, EnrolmentState.PAUSED, EnrolmentState.ENDED}),
    EnrolmentState.PAUSED: frozenset({EnrolmentState.ACTIVE, EnrolmentState.ENDED}),
    EnrolmentState.ENDED: frozenset(),
}


def create_enrolment(
    service: Service,
    *,
    patient: Account,
    supporter: Account,
    clinician: Account,
    programme_slug: str,
    programme_version: str,
    pronouns: str,
    purpose: Purpose,
    by: Actor,
    now: datetime,
) -> Enrolment:
    enrolment = Enrolment(
        service=service,
        patient=patient,
        supporter=supporter,
        clinician=clinician,
        programme_slug=programme_slug,
        programme_version=programme_version,
        purpose=purpose,
        pronouns=pronouns,
        invited_at=now,
    )
    db.session.add(enrolment)
    db.session.flush()
    _keep_change(enrolment, "state", "", EnrolmentState.INVITED.value, by=by, now=now)
    return enrolment


def note_supporter_over_limit(
    enrolment: Enrolment, limits: str, *, reason: str, by: Actor, now: datetime
) -> None:
    """Why somebody who has no room was chosen all the same."""
    _keep_change(enrolment, "supporter over limit", "", limits, reason=reason, by=by, now=now)


def change_state(
    enrolment: Enrolment, state: EnrolmentState, *, reason: str = "", by: Actor, now: datetime
) -> None:
    """Moves a course to another state; the same state again changes nothing."""
    if enrolment.state is state:
        return
    if state not in ALLOWED_STATES[enrolment.state]:
        raise NotPossibleNow(enrolment.state, state)
    before = enrolment.state
    enrolment.state = state
    if state is EnrolmentState.ACTIVE and enrolment.started_at is None:
        enrolment.started_at = now
    elif state is EnrolmentState.ACTIVE:
        enrolment.back_at = now
    db.session.flush()
    _keep_change(enrolment, "state", before.value, state.value, reason=reason, by=by, now=now)


def change_supporter(
    enrolment: Enrolment, supporter: Account, *, reason: str, by: Actor, now: datetime
) -> None:
    before = enrolment.supporter_id
    enrolment.supporter = supporter
    db.session.flush()
    _keep_change(enrolment, SUPPORTER_CHANGED, str(before), str(supporter.id), reason=reason, by=by, now=now)


def change_clinician(
    enrolment: Enrolment, clinician: Account, *, reason: str, by: Actor, now: datetime
) -> None:
    before = enrolment.clinician_id
    enrolment.clinician = clinician
    db.session.flush()
    _keep_change(enrolment, "clinician", str(before), str(clinician.id), reason=reason, by=by, now=now)


def change_cadence_days(enrolment: Enrolment, days: int, *, reason: str, by: Actor, now: datetime) -> None:
    if days not in (7, 14):
        raise UnknownCadence
    before = enrolment.cadence_days
    enrolment.cadence_days = days
    db.session.flush()
    _keep_change(enrolment, "cadence", str(before), str(days), reason=reason, by=by, now=now)


def set_modules_ahead(
    enrolment: Enrolment, modules: Sequence[str], *, reason: str, by: Actor, now: datetime
) -> None:
    """The modules that come after the one that is open, in this order; none means that it is the last."""
    before = enrolment.modules_ahead
    enrolment.modules_ahead = list(modules)
    db.session.flush()
    said = ("the programme's order" if before is None else ", ".join(before), ", ".join(modules) or "no more")
    _keep_change(enrolment, "order of modules", *said, reason=reason, by=by, now=now)


def set_sessions_a_week(
    enrolment: Enrolment, sessions: int | None, *, reason: str, by: Actor, now: datetime
) -> None:
    """The most sessions that a week holds from now on; None: all of its module."""
    before = enrolment.sessions_a_week
    enrolment.sessions_a_week = sessions
    db.session.flush()
    said = (str(before or "all"), str(sessions or "all"))
    _keep_change(enrolment, "sessions a week", *said, reason=reason, by=by, now=now)


def set_onboarding_step(enrolment: Enrolment, step: OnboardingStep, *, by: Actor, now: datetime) -> None:
    if enrolment.onboarding_step is step:
        return
    before = enrolment.onboarding_step
    enrolment.onboarding_step = step
    db.session.flush()
    _keep_change(enrolment, "onboarding step", before.value, step.value, by=by, now=now)


def set_start_day(enrolment: Enrolment, starts_on: date, *, by: Actor, now: datetime) -> None:
    before = enrolment.starts_on
    enrolment.starts_on = starts_on
    db.session.flush()
    _keep_change(enrolment, "start day", str(before) if before else "", str(starts_on), by=by, now=now)


def set_away_until(enrolment: Enrolment, until_on: date | None, *, by: Actor, now: datetime) -> None:
    """The last day away; None when the person is back."""
    before = enrolment.away_until_on
    enrolment.away_until_on = until_on
    db.session.flush()
    _keep_change(
        enrolment,
        "away until",
        str(before) if before else "",
        str(until_on) if until_on else "",
        by=by,
        now=now,
    )


def invite_again(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """Counts the days of the invitation from now."""
    before = enrolment.invited_at
    enrolment.invited_at = now
    db.session.flush()
    _keep_change(enrolment, "invited", before.isoformat(), now.isoformat(), by=by, now=now)


def end_enrolment(enrolment: Enrolment, code: EndCode, *, reason: str, by: Actor, now: datetime) -> None:
    """Ends a course with its code and the reason in words."""
    before = enrolment.state
    if EnrolmentState.ENDED not in ALLOWED_STATES[before]:
        raise NotPossibleNow(before, EnrolmentState.ENDED)
    enrolment.state = EnrolmentState.ENDED
    enrolment.ended_at = now
    enrolment.end_code = code
    enrolment.end_reason = reason or None
    enrolment.away_until_on = None
    db.session.flush()
    _keep_change(enrolment, "state", before.value, EnrolmentState.ENDED.value, reason=reason, by=by, now=now)
    _keep_change(enrolment, "end code", "", code.value, by=by, now=now)


def _keep_change(
    enrolment: Enrolment,
    what: str,
    from_value: str,
    to_value: str,
    *,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> None:
    db.session.add(
        EnrolmentChange(
            enrolment_id=enrolment.id,
            what=what,
            from_value=from_value[:60],
            to_value=to_value[:60],
            reason=reason or None,
            changed_at=now,
            changed_by=by.account_id,
        )
    )
    record(
        f"changed_{what.replace(' ', '_')}",
        by=by,
        now=now,
        object_kind="enrolment",
        object_id=enrolment.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=f"{from_value} to {to_value}" if from_value else to_value,
    )
    db.session.flush()
