"""Alerts when nobody is there, and as the clock runs."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.hours.models import Absence, DutySession, ServiceClosure
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.risk import operations as risk
from icbt_support.risk.models import (
    AlertNotice,
    NoticeReason,
)
from icbt_support.risk.queries import duty_view, risk_banner_for
from icbt_support.risk.rules import who_reads
from tests.cast import Cast, make_person
from tests.concepts.risk_steps import item_9, notices, second_on_duty

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
