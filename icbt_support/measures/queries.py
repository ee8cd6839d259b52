"""Reads of questionnaires, by course."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.models import Answer, FinishedCheckIn, Occasion, Questionnaire


@dataclass(frozen=True)
class Score:
    """One finished questionnaire's total; week 0 is the baseline."""

    week_number: int
    total: int
    at: datetime


@dataclass(frozen=True)
class ItemAnswer:
    """The newest answer to one item in one questionnaire, finished or not."""

    week_number: int
    value: int
    at: datetime


def questionnaire_of(enrolment: Enrolment, measure: str, week_number: int) -> Questionnaire | None:
    return db.session.scalars(
        select(Questionnaire)
        .options(selectinload(Questionnaire.answers))
        .where(
            Questionnaire.enrolment_id == enrolment.id,
            Questionnaire.measure == measure,
            Questionnaire.week_number == week_number,
        )
    ).one_or_none()


def questionnaires_of_week(enrolment: Enrolment, week_number: int) -> dict[str, Questionnaire]:
    """The questionnaires begun for a week (0 is the baseline), by measure, with their answers."""
    rows = db.session.scalars(
        select(Questionnaire)
        .options(selectinload(Questionnaire.answers))
        .where(Questionnaire.enrolment_id == enrolment.id, Questionnaire.week_number == week_number)
        .order_by(Questionnaire.id)
    )
    return {row.measure: row for row in rows}


def finished(enrolment: Enrolment, measure: str) -> list[Questionnaire]:
    """Finished questionnaires of one measure, oldest first."""
    return list(
        db.session.scalars(
            select(Questionnaire)
            .where(
                Questionnaire.enrolment_id == enrolment.id,
                Questionnaire.measure == measure,
                Questionnaire.finished_at.is_not(None),
            )
            .order_by(Questionnaire.week_number, Questionnaire.id)
        )
    )


def scores_of(enrolment_ids: Collection[int]) -> dict[int, dict[str, list[Score]]]:
    """Totals by course and measure, oldest first, in one statement."""
    found: dict[int, dict[str, list[Score]]] = {}
    rows = db.session.execute(
        select(
            Questionnaire.enrolment_id,
            Questionnaire.measure,
            Questionnaire.week_number,
            Questionnaire.total,
            Questionnaire.finished_at,
        )
        .where(Questionnaire.enrolment_id.in_(enrolment_ids), Questionnaire.total.is_not(None))
        .order_by(Questionnaire.enrolment_id, Questionnaire.measure, Questionnaire.week_number)
    )
    for enrolment_id, measure, week_number, total, at in rows:
        if total is not None and at is not None:
            found.setdefault(enrolment_id, {}).setdefault(measure, []).append(Score(week_number, total, at))
    return found


def check_in_finished_at(enrolment_ids: Collection[int], week_number: int) -> dict[int, datetime]:
    """When the check-in of a week was finished, for those who did."""
    rows = db.session.execute(
        select(FinishedCheckIn.enrolment_id, FinishedCheckIn.finished_at).where(
            FinishedCheckIn.enrolment_id.in_(enrolment_ids), FinishedCheckIn.week_number == week_number
        )
    )
    return dict(rows.all())


def check_ins_finished(enrolment_ids: Collection[int]) -> dict[tuple[int, int], datetime]:
    """When each check-in was finished, by (course, week number), in one statement."""
    rows = db.session.execute(
        select(FinishedCheckIn.enrolment_id, FinishedCheckIn.week_number, FinishedCheckIn.finished_at).where(
            FinishedCheckIn.enrolment_id.in_(enrolment_ids)
        )
    )
    return {(enrolment_id, week_number): at for enrolment_id, week_number, at in rows}


def finished_check_in(enrolment: Enrolment, week_number: int) -> FinishedCheckIn | None:
    return db.session.scalars(
        select(FinishedCheckIn).where(
            FinishedCheckIn.enrolment_id == enrolment.id, FinishedCheckIn.week_number == week_number
        )
    ).one_or_none()


def begun_week(enrolment: Enrolment) -> int | None:
    """The newest week (not the baseline) of which a questionnaire was begun and not finished."""
    return db.session.scalar(
        select(func.max(Questionnaire.week_number)).where(
            Questionnaire.enrolment_id == enrolment.id,
            Questionnaire.finished_at.is_(None),
            Questionnaire.occasion == Occasion.CHECK_IN,
        )
    )


def item_answers(enrolment_ids: Collection[int], measure: str, item: int) -> dict[int, list[ItemAnswer]]:
    """The newest answer to one item in every questionnaire, finished or not, oldest first, by course."""
    found: dict[int, dict[int, ItemAnswer]] = {}
    rows = db.session.execute(
        select(Questionnaire.enrolment_id, Questionnaire.week_number, Answer.value, Answer.answered_at)
        .join(Questionnaire.answers)
        .where(
            Questionnaire.enrolment_id.in_(enrolment_ids),
            Questionnaire.measure == measure,
            Answer.item == item,
        )
        .order_by(Questionnaire.enrolment_id, Questionnaire.week_number, Answer.version)
    )
    for enrolment_id, week_number, value, at in rows:
        found.setdefault(enrolment_id, {})[week_number] = ItemAnswer(week_number, value, at)
    return {enrolment_id: list(by_week.values()) for enrolment_id, by_week in found.items()}


def answer_before(questionnaire: Questionnaire, item: int) -> int | None:
    """The newest answer to this item in the questionnaire before this one;

    None when it was never answered.
    """
    history = item_answers([questionnaire.enrolment_id], questionnaire.measure, item)
    earlier = [
        answer.value
        for answer in history.get(questionnaire.enrolment_id, [])
        if answer.week_number < questionnaire.week_number
    ]
    return earlier[-1] if earlier else None
