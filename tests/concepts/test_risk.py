"""Alerts: raised with their notices, taken and closed by a person only."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.risk import operations as risk
from icbt_support.risk.models import (
    AlertNotice,
    AlertSource,
    CallOutcome,
    Grade,
    NoticeReason,
    ReadFirst,
    RiskAlert,
    SafetyAnswer,
)
from icbt_support.risk.queries import (
    duty_view,
    open_alert_count,
    open_alerts,
    open_alerts_by_enrolment,
    risk_banner_for,
    unacknowledged,
)
from icbt_support.risk.read_first import mark_read, mark_read_first
from tests.cast import Cast
from tests.concepts.risk_steps import EVENING, NEXT_MORNING, emails, item_9, notices, person

# Raising ----------------------------------------------------------------------------------------------------


def test_an_alert_tells_the_supporter_and_the_clinician_on_duty_at_once(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    assert alert.grade is Grade.SAME_DAY
    assert notices(alert) == {
        (cast.supporter.id, NoticeReason.SUPPORTER),
        (cast.clinician.id, NoticeReason.DUTY),
    }
    assert emails(alert) == {cast.supporter.id: now, cast.clinician.id: now}
    assert alert.escalates_at == now + timedelta(minutes=120)


def test_out_of_hours_nobody_is_emailed_before_the_next_duty(cast: Cast) -> None:
    alert = item_9(cast.enrolment, 3, EVENING)
    assert alert.grade is Grade.URGENT
    assert len(notices(alert)) == 2
    assert set(emails(alert).values()) == {NEXT_MORNING}
    assert alert.escalates_at == NEXT_MORNING + timedelta(minutes=15)


def test_a_staffed_contact_is_emailed_out_of_hours(cast: Cast) -> None:
    cast.service.out_of_hours_contact = cast.clinician.email
    alert = item_9(cast.enrolment, 3, EVENING)
    assert emails(alert)[cast.clinician.id] == EVENING


def test_the_same_key_raises_one_alert(cast: Cast, now: datetime) -> None:
    first = item_9(cast.enrolment, 1, now)
    assert item_9(cast.enrolment, 1, now) is first
    assert len(notices(first)) == 2


def test_a_known_answer_is_a_row_without_a_notice_or_a_clock(cast: Cast, now: datetime) -> None:
    by = person(cast.clinician, Role.CLINICIAN)
    risk.record_assessment(
        cast.enrolment, 1, "Passive thoughts, no plan.", "Safety plan, weekly look.", by=by, now=now
    )
    alert = item_9(cast.enrolment, 1, now + timedelta(days=7), before=1)
    assert alert.grade is Grade.KNOWN
    assert not notices(alert)
    assert alert.escalates_at is None
    assert open_alerts([cast.service.id]) == [alert]
    assert open_alert_count([cast.service.id]) == 0


def test_not_sure_makes_it_urgent_and_tells_again(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    later = now + timedelta(minutes=1)
    by = person(cast.patient, Role.PATIENT)
    same = risk.answer_safety_question(alert, SafetyAnswer.NOT_SURE, posted_key="k", by=by, now=later)
    db.session.commit()
    assert same is alert
    assert alert.grade is Grade.URGENT
    assert alert.escalates_at == later + timedelta(minutes=15)
    told = db.session.scalars(select(AlertNotice).where(AlertNotice.alert_id == alert.id)).all()
    assert len(told) == 4


def test_yes_afterwards_never_lowers_the_grade(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    by = person(cast.patient, Role.PATIENT)
    risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="k", by=by, now=now)
    risk.answer_safety_question(alert, SafetyAnswer.YES, posted_key="k", by=by, now=now)
    assert alert.grade is Grade.URGENT


def test_no_after_somebody_took_the_alert_raises_a_new_one(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    risk.acknowledge_alert(alert, "Calling at 10.30am", by=person(cast.clinician, Role.CLINICIAN), now=now)
    by = person(cast.patient, Role.PATIENT)
    new = risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="k", by=by, now=now)
    db.session.commit()
    assert new.id != alert.id
    assert (new.source, new.grade) == (AlertSource.STATED, Grade.URGENT)
    assert len(notices(new)) == 2
    assert risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="k", by=by, now=now) is new


def test_no_said_again_after_somebody_took_the_alert_is_told_again(cast: Cast, now: datetime) -> None:
    by, clinician = person(cast.patient, Role.PATIENT), person(cast.clinician, Role.CLINICIAN)
    alert = item_9(cast.enrolment, 1, now)
    risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="first", by=by, now=now)
    risk.acknowledge_alert(alert, "Calling at 10.30am", by=clinician, now=now)
    again = risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="second", by=by, now=now)
    risk.acknowledge_alert(again, "Calling again", by=clinician, now=now)
    later = risk.answer_safety_question(alert, SafetyAnswer.NO, posted_key="third", by=by, now=now)
    db.session.commit()
    assert len({alert.id, again.id, later.id}) == 3
    assert (later.grade, later.is_taken, len(notices(later))) == (Grade.URGENT, False, 2)


def test_a_concern_is_told_and_does_not_tell_the_one_who_raised_it(cast: Cast, now: datetime) -> None:
    by = person(cast.supporter, Role.SUPPORTER)
    alert = risk.raise_concern(
        cast.enrolment, "Did not sound like herself.", Grade.SAME_DAY, posted_key="k", by=by, now=now
    )
    again = risk.raise_concern(
        cast.enrolment, "Did not sound like herself.", Grade.SAME_DAY, posted_key="k", by=by, now=now
    )
    assert again is alert
    assert notices(alert) == {(cast.clinician.id, NoticeReason.DUTY)}
    with pytest.raises(risk.NoteMissing):
        risk.raise_concern(cast.enrolment, "  ", Grade.URGENT, posted_key="x", by=by, now=now)


# What people do ---------------------------------------------------------------------------------------------


def test_taking_it_needs_a_person_and_words_and_stops_the_clock(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 3, now)
    by = person(cast.clinician, Role.CLINICIAN)
    with pytest.raises(risk.OnlyAPersonMay):
        risk.acknowledge_alert(alert, "words", by=Actor.system("risk clock"), now=now)
    with pytest.raises(risk.NoteMissing):
        risk.acknowledge_alert(alert, " ", by=by, now=now)
    risk.acknowledge_alert(alert, "Calling at 10.30am", by=by, now=now)
    db.session.commit()
    assert alert.escalates_at is None
    assert emails(alert) == {}
    assert unacknowledged([alert.id]) == set()
    assert risk.escalate_due_alerts(now=now + timedelta(days=3)) == 0
    with pytest.raises(risk.AlreadyTaken):
        risk.acknowledge_alert(alert, "Me too", by=person(cast.supporter, Role.SUPPORTER), now=now)
    assert alert.acknowledgement == "Calling at 10.30am"


@pytest.mark.parametrize("answers", [("", "b", "c"), ("a", " ", "c"), ("a", "b", "")])
def test_resolving_asks_all_three(cast: Cast, now: datetime, answers: tuple[str, str, str]) -> None:
    alert = item_9(cast.enrolment, 1, now)
    with pytest.raises(risk.NoteMissing):
        risk.resolve_alert(alert, *answers, by=person(cast.clinician, Role.CLINICIAN), now=now)
    assert alert.resolved_at is None


def test_resolving_keeps_who_and_what(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    by = person(cast.clinician, Role.CLINICIAN)
    risk.resolve_alert(alert, "Alex, by phone", "A call on Friday", "The GP", by=by, now=now)
    db.session.commit()
    db.session.expire_all()
    assert (alert.spoken_to, alert.agreed, alert.others_told) == (
        "Alex, by phone",
        "A call on Friday",
        "The GP",
    )
    assert alert.acknowledged_by == alert.resolved_by == cast.clinician.id
    assert open_alerts([cast.service.id]) == []
    with pytest.raises(risk.AlreadyResolved):
        risk.resolve_alert(alert, "a", "b", "c", by=by, now=now)


def test_nothing_but_a_person_closes_an_alert(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 3, now)
    cast.enrolment.state = EnrolmentState.ENDED
    cast.enrolment.ended_at = now
    cast.supporter.disabled_at = now
    cast.clinician.disabled_at = now
    db.session.commit()
    assert risk.escalate_due_alerts(now=now + timedelta(days=90)) == 1
    db.session.commit()
    assert open_alerts([cast.service.id]) == [alert]
    assert not alert.is_taken


def test_a_new_supporter_is_told_of_every_open_alert(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    by = person(cast.clinician, Role.CLINICIAN)
    assert risk.move_alerts_to(cast.enrolment, cast.colleague.id, by=by, now=now) == 1
    db.session.commit()
    assert (cast.colleague.id, NoticeReason.SUPPORTER) in notices(alert)
    assert alert.is_open
    assert alert.escalates_at is not None


def test_the_database_refuses_to_delete_an_alert_or_change_its_answer(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 2, now)
    for statement in (
        RiskAlert.__table__.delete().where(RiskAlert.id == alert.id),
        RiskAlert.__table__.update().where(RiskAlert.id == alert.id).values(answer=0),
        AlertNotice.__table__.delete(),
    ):
        with pytest.raises(Exception, match="append-only"):
            db.session.execute(statement)
        db.session.rollback()


def test_a_call_is_logged_with_its_alert(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 1, now)
    by = person(cast.clinician, Role.CLINICIAN)
    call = risk.log_call(
        cast.enrolment, CallOutcome.NO_ANSWER, "Try again at 3pm", 2, alert=alert, by=by, now=now
    )
    assert (call.alert_id, call.called_by, call.called_at) == (alert.id, cast.clinician.id, now)


def test_a_call_posted_twice_is_one_try_and_another_call_is_another(cast: Cast, now: datetime) -> None:
    by = person(cast.clinician, Role.CLINICIAN)
    first, again, other = (
        risk.log_call(cast.enrolment, outcome, "", None, posted_key="a", by=by, now=now)
        for outcome in (CallOutcome.NO_ANSWER, CallOutcome.NO_ANSWER, CallOutcome.SPOKE)
    )
    assert first is again
    assert other is not first


def test_read_first_marks_once_and_is_read_by_staff(cast: Cast, now: datetime) -> None:
    by = person(cast.patient, Role.PATIENT)
    assert not mark_read_first(cast.enrolment, "entry", 1, "A calm day", by=by, now=now)
    assert mark_read_first(cast.enrolment, "entry", 1, "I want to die", by=by, now=now)
    assert mark_read_first(cast.enrolment, "entry", 1, "I want to die", by=by, now=now)
    assert len(db.session.scalars(select(ReadFirst)).all()) == 1
    assert mark_read(cast.enrolment, by=person(cast.supporter, Role.SUPPORTER), now=now) == 1
    assert mark_read(cast.enrolment, by=person(cast.supporter, Role.SUPPORTER), now=now) == 0


# Reads ------------------------------------------------------------------------------------------------------


def test_alerts_stay_within_their_service(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 3, now)
    assert open_alerts([cast.elsewhere.id]) == []
    assert open_alert_count([cast.service.id]) == 1
    assert open_alerts_by_enrolment([cast.enrolment.id, cast.other_enrolment.id]) == {
        cast.enrolment.id: [alert]
    }


def test_the_banner_of_each_role_has_no_clinical_words(cast: Cast, now: datetime) -> None:
    for account, role in ((cast.clinician, Role.CLINICIAN), (cast.supporter, Role.SUPPORTER)):
        assert risk_banner_for(account, {role}, cast.service.id, now) is None
    alert = item_9(cast.enrolment, 3, now)
    clinician = risk_banner_for(cast.clinician, {Role.CLINICIAN}, cast.service.id, now)
    supporter = risk_banner_for(cast.supporter, {Role.SUPPORTER}, cast.service.id, now)
    assert clinician is not None
    assert supporter is not None
    assert clinician.words == "1 alert waits for someone to take it."
    assert supporter.words == "1 alert waits in your caseload."
    assert risk_banner_for(cast.colleague, {Role.SUPPORTER}, cast.service.id, now) is None
    assert risk_banner_for(cast.administrator, {Role.ADMINISTRATOR}, cast.service.id, now) is None
    risk.acknowledge_alert(alert, "Calling", by=person(cast.clinician, Role.CLINICIAN), now=now)
    assert risk_banner_for(cast.clinician, {Role.CLINICIAN}, cast.service.id, now) is None


def test_duty_as_a_reader_elsewhere_sees_it(cast: Cast, now: datetime) -> None:
    in_duty = duty_view(cast.service, now, "Europe/London")
    assert in_duty.is_duty_time
    assert in_duty.clinician == "Dr Jo Field"
    assert in_duty.until == datetime(2026, 11, 19, 17, tzinfo=UTC)
    in_paris = duty_view(cast.service, EVENING, "Europe/Paris")
    assert not in_paris.is_duty_time
    assert in_paris.next_start is not None
    assert in_paris.next_start.hour == 10
