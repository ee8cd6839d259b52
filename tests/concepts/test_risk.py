"""Alerts: raised with their notices, told on and on until a person takes them, closed by a person only."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Account, Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.hours.models import Absence, DutySession, ServiceClosure
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState
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
from icbt_support.risk.rules import who_reads
from tests.cast import Cast, make_person

EVENING = datetime(2026, 11, 18, 20, 20, tzinfo=UTC)
NEXT_MORNING = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


def person(account: Account, role: Role) -> Actor:
    return Actor(ActorKind.PERSON, account.id, role)


def item_9(
    enrolment: Enrolment, answer: int, now: datetime, *, before: int | None = None, key: str = "one"
) -> RiskAlert:
    alert = risk.raise_item_9_alert(
        enrolment,
        answer=answer,
        before=before,
        source_key=key,
        by=person(enrolment.patient, Role.PATIENT),
        now=now,
    )
    db.session.commit()
    return alert


def notices(alert: RiskAlert) -> set[tuple[int, NoticeReason]]:
    rows = db.session.scalars(select(AlertNotice).where(AlertNotice.alert_id == alert.id))
    return {(row.account_id, row.reason) for row in rows}


def emails(alert: RiskAlert) -> dict[int, datetime]:
    rows = db.session.scalars(
        select(Reminder).where(
            Reminder.subject == f"alert:{alert.id}",
            Reminder.channel == Channel.EMAIL,
            Reminder.state == ReminderState.OWED,
        )
    )
    return {row.recipient_id: row.due_at for row in rows}


def second_on_duty(cast: Cast, now: datetime) -> Account:
    second = make_person("Dr Ana Ruiz", Role.CLINICIAN, cast.service, now)
    for weekday in range(5):
        db.session.add(
            DutySession(
                service_id=cast.service.id,
                weekday=weekday,
                starts=time(9),
                ends=time(17),
                position=2,
                clinician_id=second.id,
            )
        )
    db.session.commit()
    return second


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


# Nobody there -----------------------------------------------------------------------------------------------


def test_with_an_empty_duty_list_every_clinician_is_told_and_the_administrator_without_content(
    cast: Cast, now: datetime
) -> None:
    second = make_person("Dr Ana Ruiz", Role.CLINICIAN, cast.service, now)
    db.session.execute(DutySession.__table__.delete().where(DutySession.service_id == cast.service.id))
    alert = item_9(cast.enrolment, 3, now)
    assert {who for who, why in notices(alert) if why is NoticeReason.NOBODY_ON_DUTY} == {
        cast.clinician.id,
        second.id,
    }
    assert alert.escalates_at == now + timedelta(hours=1)
    to_administrator = db.session.scalars(
        select(Reminder).where(Reminder.recipient_id == cast.administrator.id)
    ).all()
    assert {row.kind for row in to_administrator} == {ReminderKind.NOBODY_ON_DUTY}
    assert {row.subject for row in to_administrator} == {f"service:{cast.service.id}"}
    banner = risk_banner_for(cast.administrator, {Role.ADMINISTRATOR}, cast.service.id, now)
    assert banner is not None
    assert banner.words == "Nobody is on duty today."


def test_an_absent_supporters_cover_is_told_too(cast: Cast, now: datetime) -> None:
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 11, 18),
            until_on=date(2026, 11, 20),
            cover_id=cast.colleague.id,
            recorded_at=now,
        )
    )
    alert = item_9(cast.enrolment, 2, now)
    assert (cast.colleague.id, NoticeReason.SUPPORTER) in notices(alert)
    assert (cast.supporter.id, NoticeReason.SUPPORTER) in notices(alert)


def test_a_clinician_who_is_disabled_is_not_the_one_who_is_told(cast: Cast, now: datetime) -> None:
    second = second_on_duty(cast, now)
    cast.clinician.disabled_at = now
    db.session.commit()
    alert = item_9(cast.enrolment, 3, now)
    assert (second.id, NoticeReason.DUTY) in notices(alert)


def test_a_clinician_who_is_disabled_is_not_named_to_the_patient(cast: Cast, now: datetime) -> None:
    cast.clinician.disabled_at = now
    db.session.commit()
    duty = duty_view(cast.service, now, "Europe/London")
    assert (duty.is_duty_time, duty.clinician) == (True, None)
    assert who_reads(duty).startswith("The clinicians of this service are told now.")


# The clock --------------------------------------------------------------------------------------------------


def test_it_goes_to_the_next_on_duty_then_to_everybody_and_never_stops(cast: Cast, now: datetime) -> None:
    second = second_on_duty(cast, now)
    third = make_person("Dr Lin Shaw", Role.CLINICIAN, cast.service, now)
    alert = item_9(cast.enrolment, 3, now)
    assert risk.escalate_due_alerts(now=now + timedelta(minutes=14)) == 0

    at = now + timedelta(minutes=15)
    assert risk.escalate_due_alerts(now=at) == 1
    db.session.commit()
    assert (second.id, NoticeReason.ESCALATION) in notices(alert)
    assert third.id not in {who for who, _ in notices(alert)}
    assert risk.escalate_due_alerts(now=at) == 0

    for turn in range(2, 12):
        at = alert.escalates_at or at
        assert risk.escalate_due_alerts(now=at) == 1
        db.session.commit()
        assert alert.escalation == turn
        newest = db.session.scalars(
            select(AlertNotice.account_id).where(
                AlertNotice.alert_id == alert.id, AlertNotice.escalation == turn
            )
        ).all()
        assert set(newest) == {cast.clinician.id, second.id, third.id}
    assert alert.acknowledged_at is None
    assert alert.resolved_at is None


def test_between_duties_the_clock_stands_still(cast: Cast) -> None:
    alert = item_9(cast.enrolment, 3, datetime(2026, 11, 20, 16, 45, tzinfo=UTC))
    assert alert.escalates_at == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert risk.escalate_due_alerts(now=datetime(2026, 11, 20, 17, 0, 30, tzinfo=UTC)) == 0
    db.session.commit()
    assert alert.escalates_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert len(notices(alert)) == 2
    assert risk.escalate_due_alerts(now=datetime(2026, 11, 23, 9, tzinfo=UTC)) == 1


def test_a_closed_day_stops_the_clock(cast: Cast) -> None:
    db.session.add(ServiceClosure(service_id=cast.service.id, closed_on=date(2026, 11, 20)))
    alert = item_9(cast.enrolment, 3, datetime(2026, 11, 19, 16, 50, tzinfo=UTC))
    assert alert.escalates_at == datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def test_after_an_outage_it_escalates_once_and_goes_on_from_now(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 3, now)
    late = now + timedelta(days=1)
    assert risk.escalate_due_alerts(now=late) == 1
    assert alert.escalates_at == late + timedelta(minutes=15)


def test_when_duty_empties_later_every_clinician_is_told(cast: Cast, now: datetime) -> None:
    alert = item_9(cast.enrolment, 3, now)
    db.session.execute(DutySession.__table__.delete())
    assert risk.escalate_due_alerts(now=now + timedelta(minutes=15)) == 1
    db.session.commit()
    newest = db.session.scalars(
        select(AlertNotice).where(AlertNotice.alert_id == alert.id, AlertNotice.escalation == 1)
    ).all()
    assert {(row.account_id, row.reason) for row in newest} == {
        (cast.clinician.id, NoticeReason.NOBODY_ON_DUTY)
    }


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


def test_read_first_marks_once_and_is_read_by_staff(cast: Cast, now: datetime) -> None:
    by = person(cast.patient, Role.PATIENT)
    assert not risk.mark_read_first(cast.enrolment, "entry", 1, "A calm day", by=by, now=now)
    assert risk.mark_read_first(cast.enrolment, "entry", 1, "I want to die", by=by, now=now)
    assert risk.mark_read_first(cast.enrolment, "entry", 1, "I want to die", by=by, now=now)
    assert len(db.session.scalars(select(ReadFirst)).all()) == 1
    assert risk.mark_read(cast.enrolment, by=person(cast.supporter, Role.SUPPORTER), now=now) == 1
    assert risk.mark_read(cast.enrolment, by=person(cast.supporter, Role.SUPPORTER), now=now) == 0


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
