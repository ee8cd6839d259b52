"""State changes that only `rhythm` may make: the row and its audit line, no reminders."""

from datetime import date, datetime

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment


def create_booster(
    enrolment: Enrolment, *, due_on: date, open_until_on: date, week_number: int, by: Actor, now: datetime
) -> Booster:
    booster = Booster(
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        week_number=week_number,
        due_on=due_on,
        open_until_on=open_until_on,
        planned_at=now,
    )
    db.session.add(booster)
    db.session.flush()
    _record("planned_booster", booster, by=by, now=now, detail=f"for {due_on}")
    return booster


def mark_asked(booster: Booster, *, by: Actor, now: datetime) -> None:
    """The one email that asks for it is owed."""
    booster.state = BoosterState.ASKED
    booster.asked_at = now
    db.session.flush()
    _record("asked_booster", booster, by=by, now=now)


def mark_answered(
    booster: Booster, *, reader_id: int, promised_at: datetime, by: Actor, now: datetime
) -> None:
    """The answers are in; a named person reads them by the promised time."""
    booster.state = BoosterState.ANSWERED
    booster.answered_at = now
    booster.reader_id = reader_id
    booster.promised_at = promised_at
    booster.closed_at = None
    db.session.flush()
    _record("answered_booster", booster, by=by, now=now, detail=f"reader {reader_id}")


def change_reader(booster: Booster, reader_id: int, *, by: Actor, now: datetime) -> None:
    booster.reader_id = reader_id
    db.session.flush()
    db.session.refresh(booster, ["reader"])
    _record("changed_reader_of_booster", booster, by=by, now=now, detail=f"reader {reader_id}")


def mark_told_late(booster: Booster, *, by: Actor, now: datetime) -> None:
    """The patient's page and the clinician were told that it is late."""
    booster.told_late_at = now
    db.session.flush()
    _record("told_late_booster", booster, by=by, now=now)


def mark_read(booster: Booster, *, by: Actor, now: datetime) -> None:
    booster.state = BoosterState.READ
    booster.read_at = now
    booster.read_by = by.account_id
    booster.closed_at = now
    db.session.flush()
    _record("read_booster", booster, by=by, now=now)


def close_booster(booster: Booster, state: BoosterState, *, by: Actor, now: datetime) -> None:
    """Declined by the person, or lapsed without an answer."""
    booster.state = state
    booster.closed_at = now
    db.session.flush()
    _record(f"{state.value}_booster", booster, by=by, now=now)


def _record(action: str, booster: Booster, *, by: Actor, now: datetime, detail: str = "") -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind="booster",
        object_id=booster.id,
        enrolment_id=booster.enrolment_id,
        service_id=booster.service_id,
        detail=detail,
    )
