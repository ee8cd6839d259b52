"""Answering and finishing.

An answer that raises an alert and the alert itself are one flush: neither is ever alone.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures import rules
from icbt_support.measures.models import Answer, FinishedCheckIn, Occasion, Questionnaire
from icbt_support.measures.queries import answer_before, finished_check_in, questionnaire_of
from icbt_support.programme.content import Measure, Programme
from icbt_support.programme.library import find_programme
from icbt_support.risk.models import AlertSource, RiskAlert
from icbt_support.risk.operations import hold_course, raise_item_9_alert
from icbt_support.risk.queries import alert_by_key


class NoSuchItem(Exception):
    """The measure has no such item."""


class NoSuchAnswer(Exception):
    """The measure has no such answer."""


class QuestionnaireFinished(Exception):
    """A finished questionnaire keeps its answers and its total; only a positive answer to the risk item is
    still taken.
    """


class CheckInIncomplete(Exception):
    """Items are missing; every answer that was given is kept.

    `missing` is (measure, item) in the order asked.
    """

    def __init__(self, missing: list[tuple[str, int]]) -> None:
        super().__init__(f"{len(missing)} answers are missing")
        self.missing = missing


def start_questionnaire(
    enrolment: Enrolment, measure: Measure, *, occasion: Occasion, week_number: int, by: Actor, now: datetime
) -> Questionnaire:
    """The questionnaire of this measure for this week; begun now if it was not."""
    hold_course(enrolment.id)
    known = questionnaire_of(enrolment, measure.slug, week_number)
    if known is not None:
        return known
    questionnaire = Questionnaire(
        enrolment_id=enrolment.id,
        measure=measure.slug,
        occasion=occasion,
        week_number=week_number,
        started_at=now,
    )
    db.session.add(questionnaire)
    db.session.flush()
    _record("questionnaire_started", questionnaire, enrolment, by, now)
    return questionnaire


def answer_item(
    questionnaire: Questionnaire, item: int, value: int, *, by: Actor, now: datetime
) -> RiskAlert | None:
    """Keeps one answer. A changed answer is a new version; the same answer again is the same row.

    A positive answer to the risk item raises its alert in the same flush and returns it, graded against the
    questionnaire before this one. Going back to 0 leaves the alert as it is. Such an answer is kept also when
    the questionnaire is finished: the total stays, the person is heard.
    """
    measure = measure_of(questionnaire)
    if not 1 <= item <= len(measure.items):
        raise NoSuchItem(item)
    if value not in {option.value for option in measure.options}:
        raise NoSuchAnswer(value)
    _lock(questionnaire)
    is_risk = measure.is_positive_risk(item, value)
    if questionnaire.is_finished and not is_risk:
        raise QuestionnaireFinished
    newest = _newest_answer(questionnaire, item)
    if newest is None or newest.value != value:
        newest = _add_version(questionnaire, item, value, newest, by, now)
    if not is_risk:
        return None
    return raise_item_9_alert(
        questionnaire.enrolment,
        answer=value,
        before=answer_before(questionnaire, item),
        source_key=_source_key(questionnaire, newest),
        by=by,
        now=now,
    )


def alert_of_answer(questionnaire: Questionnaire) -> RiskAlert | None:
    """The alert of the newest answer to the risk item, if that answer is above 0."""
    item = measure_of(questionnaire).risk_item
    newest = _newest_answer(questionnaire, item) if item else None
    if newest is None or newest.value == 0:
        return None
    return alert_by_key(questionnaire.enrolment_id, AlertSource.ITEM_9, _source_key(questionnaire, newest))


def finish_questionnaire(questionnaire: Questionnaire, *, by: Actor, now: datetime) -> None:
    """Computes the total, here and nowhere else. Raises IncompleteForm when an item is missing."""
    _lock(questionnaire)
    if questionnaire.is_finished:
        return
    measure = measure_of(questionnaire)
    questionnaire.total = rules.total_of(questionnaire.current_answers, len(measure.items))
    questionnaire.finished_at = now
    db.session.flush()
    _record("questionnaire_finished", questionnaire, questionnaire.enrolment, by, now)


def finish_check_in_rows(
    enrolment: Enrolment, week_number: int, *, by: Actor, now: datetime
) -> FinishedCheckIn:
    """Finishes every questionnaire of a week (0 is the baseline) and says that the check-in is done; once.

    Raises CheckInIncomplete, and keeps every answer, when one is missing.
    """
    hold_course(enrolment.id)
    known = finished_check_in(enrolment, week_number)
    if known is not None:
        return known
    programme = programme_of(enrolment)
    missing: list[tuple[str, int]] = []
    complete: list[Questionnaire] = []
    for slug in programme.check_in:
        questionnaire = questionnaire_of(enrolment, slug, week_number)
        answers = questionnaire.current_answers if questionnaire else {}
        missing += [
            (slug, item) for item in rules.missing_items(answers, len(programme.measures[slug].items))
        ]
        if questionnaire is not None:
            complete.append(questionnaire)
    if missing:
        raise CheckInIncomplete(missing)
    for questionnaire in complete:
        finish_questionnaire(questionnaire, by=by, now=now)
    done = FinishedCheckIn(enrolment_id=enrolment.id, week_number=week_number, finished_at=now)
    db.session.add(done)
    db.session.flush()
    record(
        "check_in_finished",
        by=by,
        now=now,
        object_kind="check_in",
        object_id=done.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=f"week {week_number}",
    )
    return done


def programme_of(enrolment: Enrolment) -> Programme:
    return find_programme(enrolment.programme_slug, enrolment.programme_version)


def measure_of(questionnaire: Questionnaire) -> Measure:
    return programme_of(questionnaire.enrolment).measures[questionnaire.measure]


def _add_version(
    questionnaire: Questionnaire, item: int, value: int, newest: Answer | None, by: Actor, now: datetime
) -> Answer:
    answer = Answer(
        questionnaire_id=questionnaire.id,
        item=item,
        version=newest.version + 1 if newest else 1,
        value=value,
        answered_at=now,
    )
    db.session.add(answer)
    db.session.flush()
    db.session.expire(questionnaire, ["answers"])
    _record("item_answered", questionnaire, questionnaire.enrolment, by, now, detail=f"item {item}")
    return answer


def _newest_answer(questionnaire: Questionnaire, item: int) -> Answer | None:
    return db.session.scalars(
        select(Answer)
        .where(Answer.questionnaire_id == questionnaire.id, Answer.item == item)
        .order_by(Answer.version.desc())
        .limit(1)
    ).first()


def _source_key(questionnaire: Questionnaire, answer: Answer) -> str:
    """One alert for one stored positive answer: its questionnaire, item and version."""
    return f"questionnaire:{questionnaire.id}:item:{answer.item}:version:{answer.version}"


def _lock(questionnaire: Questionnaire) -> None:
    """Reads the row again and holds it: two posts of one item cannot both add the same version."""
    db.session.scalars(
        select(Questionnaire)
        .options(selectinload(Questionnaire.answers))
        .where(Questionnaire.id == questionnaire.id)
        .with_for_update(of=Questionnaire)
        .execution_options(populate_existing=True)
    ).one()


def _record(
    action: str,
    questionnaire: Questionnaire,
    enrolment: Enrolment,
    by: Actor,
    now: datetime,
    detail: str = "",
) -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind="questionnaire",
        object_id=questionnaire.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=detail,
    )
