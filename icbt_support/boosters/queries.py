"""Reads of the check-ins after a course."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment

TO_BE_ASKED = (BoosterState.PLANNED, BoosterState.ASKED)


def booster_of(enrolment: Enrolment) -> Booster | None:
    """The check-in after this course, whatever became of it."""
    return db.session.scalars(select(Booster).where(Booster.enrolment_id == enrolment.id)).one_or_none()


def due_boosters(before: date) -> list[int]:
    """Courses whose check-in may be due or over by this day, and those with an answer that waits, by id."""
    return list(
        db.session.scalars(
            select(Booster.enrolment_id)
            .where(
                (Booster.state.in_(TO_BE_ASKED) & (Booster.due_on <= before))
                | (Booster.state == BoosterState.ANSWERED)
            )
            .order_by(Booster.enrolment_id)
        )
    )


def boosters_to_read(scope: Select[Enrolment]) -> list[Booster]:
    """Answered check-ins of the courses in `scope` that nobody has read yet, by their promise."""
    ids = scope.order_by(None).with_only_columns(Enrolment.id)
    return list(
        db.session.scalars(
            select(Booster)
            .where(Booster.enrolment_id.in_(ids), Booster.state == BoosterState.ANSWERED)
            .options(joinedload(Booster.enrolment).joinedload(Enrolment.patient), joinedload(Booster.reader))
            .order_by(Booster.promised_at, Booster.id)
        )
    )


def boosters_to_read_by(account_id: int) -> list[Booster]:
    """Answered check-ins that this person promised to read and has not."""
    return list(
        db.session.scalars(
            select(Booster)
            .where(Booster.reader_id == account_id, Booster.state == BoosterState.ANSWERED)
            .options(joinedload(Booster.enrolment).joinedload(Enrolment.patient))
            .order_by(Booster.promised_at, Booster.id)
        )
    )


def boosters_of(enrolment_ids: Collection[int]) -> dict[int, Booster]:
    """Course to its check-in, in one statement."""
    rows = db.session.scalars(select(Booster).where(Booster.enrolment_id.in_(enrolment_ids)))
    return {booster.enrolment_id: booster for booster in rows}
