"""Answers, versions, totals; and that stored positives and alerts can never differ."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures import operations as measures
from icbt_support.measures.models import Answer, FinishedCheckIn, Occasion, Questionnaire
from icbt_support.measures.queries import (
    check_in_finished_at,
    check_ins_finished,
    finished,
    item_answers,
    scores_of,
)
from icbt_support.measures.rules import IncompleteForm
from icbt_support.programme.content import Measure
from icbt_support.risk.models import AlertNotice, Grade, RiskAlert, SafetyAnswer
from icbt_support.risk.operations import answer_safety_question, record_assessment
from tests.cast import Cast


def me(enrolment: Enrolment) -> Actor:
    return Actor(ActorKind.PERSON, enrolment.patient_id, Role.PATIENT)


def measure_named(enrolment: Enrolment, slug: str) -> Measure:
    return measures.programme_of(enrolment).measures[slug]


def begin(enrolment: Enrolment, week: int, now: datetime, slug: str = "phq-9") -> Questionnaire:
    occasion = Occasion.CHECK_IN if week else Occasion.BASELINE
    return measures.start_questionnaire(
        enrolment,
        measure_named(enrolment, slug),
        occasion=occasion,
        week_number=week,
        by=me(enrolment),
        now=now,
    )


def answer(questionnaire: Questionnaire, item: int, value: int, now: datetime) -> RiskAlert | None:
    alert = measures.answer_item(questionnaire, item, value, by=me(questionnaire.enrolment), now=now)
    db.session.commit()
    return alert


def fill(enrolment: Enrolment, week: int, now: datetime, *, value: int = 1, item_9: int = 0) -> None:
    for slug in measures.programme_of(enrolment).check_in:
        questionnaire = begin(enrolment, week, now, slug)
        measure = measure_named(enrolment, slug)
        for item in range(1, len(measure.items) + 1):
            answer(questionnaire, item, item_9 if item == measure.risk_item else value, now)


def stored_positives() -> int:
    """Every version of an answer above 0 to item 9 of the PHQ-9."""
    return db.session.scalar(
        select(func.count())
        .select_from(Answer)
        .join(Questionnaire)
        .where(Questionnaire.measure == "phq-9", Answer.item == 9, Answer.value > 0)
    )


def assert_positives_are_alerts() -> None:
    """Trust 65: stored positives are alert rows, and every urgent or same-day one told somebody."""
    assert stored_positives() == db.session.scalar(select(func.count()).select_from(RiskAlert))
    untold = db.session.scalars(
        select(RiskAlert.id).where(
            RiskAlert.grade != Grade.KNOWN, RiskAlert.id.not_in(select(AlertNotice.alert_id))
        )
    ).all()
    assert untold == []
    audited = db.session.scalar(
        select(func.count()).select_from(AuditLine).where(AuditLine.action == "risk_alert_raised")
    )
    assert audited == stored_positives()


# Answers ----------------------------------------------------------------------------------------------------


def test_a_changed_answer_is_a_new_version_and_the_same_one_is_not(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    for value in (1, 1, 2, 2, 1):
        answer(questionnaire, 3, value, now)
    rows = db.session.scalars(select(Answer).order_by(Answer.version)).all()
    assert [(row.version, row.value) for row in rows] == [(1, 1), (2, 2), (3, 1)]
    assert questionnaire.current_answers == {3: 1}


@pytest.mark.parametrize("value", [-1, 4, 99])
def test_only_the_printed_answers_exist(cast: Cast, now: datetime, value: int) -> None:
    with pytest.raises(measures.NoSuchAnswer):
        answer(begin(cast.enrolment, 1, now), 1, value, now)


@pytest.mark.parametrize("item", [0, 10, -1])
def test_only_the_printed_items_exist(cast: Cast, now: datetime, item: int) -> None:
    with pytest.raises(measures.NoSuchItem):
        answer(begin(cast.enrolment, 1, now), item, 1, now)


def test_beginning_twice_is_one_questionnaire(cast: Cast, now: datetime) -> None:
    assert begin(cast.enrolment, 1, now) is begin(cast.enrolment, 1, now)


# Item 9 -----------------------------------------------------------------------------------------------------


def test_the_answer_and_its_alert_are_one_commit(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    db.session.commit()
    measures.answer_item(questionnaire, 9, 2, by=me(cast.enrolment), now=now)
    db.session.rollback()
    assert stored_positives() == 0
    assert db.session.scalar(select(func.count()).select_from(RiskAlert)) == 0
    alert = answer(questionnaire, 9, 2, now)
    assert alert is not None
    assert alert.grade is Grade.SAME_DAY
    assert_positives_are_alerts()


def test_an_abandoned_form_keeps_its_alert(cast: Cast, now: datetime) -> None:
    alert = answer(begin(cast.enrolment, 1, now), 9, 1, now)
    assert alert is not None
    assert db.session.scalars(select(FinishedCheckIn)).all() == []
    assert_positives_are_alerts()


def test_posted_twice_is_one_alert(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    first = answer(questionnaire, 9, 3, now)
    assert answer(questionnaire, 9, 3, now) is first
    assert_positives_are_alerts()


def test_going_back_to_0_leaves_the_alert_and_finishing_raises_no_second(cast: Cast, now: datetime) -> None:
    fill(cast.enrolment, 1, now, item_9=2)
    questionnaire = begin(cast.enrolment, 1, now)
    assert answer(questionnaire, 9, 0, now) is None
    measures.finish_check_in_rows(cast.enrolment, 1, by=me(cast.enrolment), now=now)
    db.session.commit()
    alerts = db.session.scalars(select(RiskAlert)).all()
    assert [(alert.answer, alert.is_open, alert.is_taken) for alert in alerts] == [(2, True, False)]
    assert_positives_are_alerts()


def test_answered_again_after_going_back_is_a_new_alert(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    raised = [answer(questionnaire, 9, value, now) for value in (1, 0, 1, 3)]
    assert raised[1] is None
    assert len({alert.id for alert in raised if alert}) == 3
    assert raised[3] is not None
    assert raised[3].grade is Grade.URGENT
    assert_positives_are_alerts()


def test_a_finished_questionnaire_still_hears_a_positive_answer(cast: Cast, now: datetime) -> None:
    by = me(cast.enrolment)
    for measure, items in (("phq-9", 9), ("gad-7", 7)):
        questionnaire = begin(cast.enrolment, 1, now, measure)
        for item in range(1, items + 1):
            answer(questionnaire, item, 0, now)
    measures.finish_check_in_rows(cast.enrolment, 1, by=by, now=now)
    phq_9 = begin(cast.enrolment, 1, now)
    alert, same = answer(phq_9, 9, 1, now), answer(phq_9, 9, 1, now)
    assert alert is not None
    assert same is alert
    assert phq_9.total == 0
    for item, value in ((9, 0), (1, 3)):
        with pytest.raises(measures.QuestionnaireFinished):
            answer(phq_9, item, value, now)
    assert_positives_are_alerts()


def test_the_answer_before_is_that_of_the_questionnaire_before(cast: Cast, now: datetime) -> None:
    by = Actor(ActorKind.PERSON, cast.clinician.id, Role.CLINICIAN)
    first = answer(begin(cast.enrolment, 0, now), 9, 1, now)
    record_assessment(cast.enrolment, 1, "Passive.", "Weekly look.", by=by, now=now)
    same = answer(begin(cast.enrolment, 1, now), 9, 1, now)
    later = now + timedelta(days=30)
    lapsed = answer(begin(cast.enrolment, 2, now), 9, 1, later)
    assert first is not None
    assert same is not None
    assert lapsed is not None
    assert (first.answer_before, first.grade) == (None, Grade.SAME_DAY)
    assert (same.answer_before, same.grade) == (1, Grade.KNOWN)
    assert (lapsed.answer_before, lapsed.grade) == (1, Grade.SAME_DAY)
    assert_positives_are_alerts()


def test_the_alert_of_the_newest_answer(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    assert measures.alert_of_answer(questionnaire) is None
    alert = answer(questionnaire, 9, 1, now)
    assert measures.alert_of_answer(questionnaire) is alert
    answer_safety_question(alert, SafetyAnswer.YES, posted_key="k", by=me(cast.enrolment), now=now)
    answer(questionnaire, 9, 0, now)
    assert measures.alert_of_answer(questionnaire) is None


def test_other_items_raise_nothing(cast: Cast, now: datetime) -> None:
    assert answer(begin(cast.enrolment, 1, now), 8, 3, now) is None
    assert answer(begin(cast.enrolment, 1, now, "gad-7"), 7, 3, now) is None


# Finishing --------------------------------------------------------------------------------------------------


def test_a_missing_item_is_refused_and_the_answers_are_kept(cast: Cast, now: datetime) -> None:
    fill(cast.enrolment, 1, now)
    db.session.execute(Answer.__table__.delete().where(Answer.item == 4))
    db.session.commit()
    db.session.expire_all()
    with pytest.raises(measures.CheckInIncomplete) as refusal:
        measures.finish_check_in_rows(cast.enrolment, 1, by=me(cast.enrolment), now=now)
    assert refusal.value.missing == [("phq-9", 4), ("gad-7", 4)]
    assert scores_of([cast.enrolment.id]) == {}
    with pytest.raises(IncompleteForm):
        measures.finish_questionnaire(begin(cast.enrolment, 1, now), by=me(cast.enrolment), now=now)


def test_a_check_in_never_begun_is_refused_as_a_whole(cast: Cast, now: datetime) -> None:
    with pytest.raises(measures.CheckInIncomplete) as refusal:
        measures.finish_check_in_rows(cast.enrolment, 1, by=me(cast.enrolment), now=now)
    assert len(refusal.value.missing) == 16


def test_finishing_computes_the_totals_once(cast: Cast, now: datetime) -> None:
    fill(cast.enrolment, 0, now, value=2)
    first = measures.finish_check_in_rows(cast.enrolment, 0, by=me(cast.enrolment), now=now)
    later = now + timedelta(days=7)
    fill(cast.enrolment, 1, later, value=1)
    measures.finish_check_in_rows(cast.enrolment, 1, by=me(cast.enrolment), now=later)
    again = measures.finish_check_in_rows(cast.enrolment, 0, by=me(cast.enrolment), now=later)
    db.session.commit()
    assert again is first
    scores = scores_of([cast.enrolment.id, cast.other_enrolment.id])
    assert set(scores) == {cast.enrolment.id}
    assert [(score.week_number, score.total) for score in scores[cast.enrolment.id]["phq-9"]] == [
        (0, 16),
        (1, 8),
    ]
    assert [(score.week_number, score.total) for score in scores[cast.enrolment.id]["gad-7"]] == [
        (0, 14),
        (1, 7),
    ]
    assert [row.total for row in finished(cast.enrolment, "phq-9")] == [16, 8]
    assert check_in_finished_at([cast.enrolment.id], 1) == {cast.enrolment.id: later}
    assert check_ins_finished([cast.enrolment.id]) == {
        (cast.enrolment.id, 0): now,
        (cast.enrolment.id, 1): later,
    }


def test_a_finished_questionnaire_keeps_its_answers(cast: Cast, now: datetime) -> None:
    fill(cast.enrolment, 1, now)
    measures.finish_check_in_rows(cast.enrolment, 1, by=me(cast.enrolment), now=now)
    with pytest.raises(measures.QuestionnaireFinished):
        answer(begin(cast.enrolment, 1, now), 1, 3, now)


def test_item_answers_are_the_newest_of_each_questionnaire(cast: Cast, now: datetime) -> None:
    questionnaire = begin(cast.enrolment, 1, now)
    for value in (2, 0):
        answer(questionnaire, 9, value, now)
    answer(begin(cast.enrolment, 2, now), 9, 1, now)
    history = item_answers([cast.enrolment.id], "phq-9", 9)[cast.enrolment.id]
    assert [(one.week_number, one.value) for one in history] == [(1, 0), (2, 1)]
