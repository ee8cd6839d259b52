"""Alerts as the tests raise them, and who is told."""

from datetime import UTC, datetime, time

from sqlalchemy import select

from icbt_support.accounts.models import Account, Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.models import DutySession
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderState
from icbt_support.risk import operations as risk
from icbt_support.risk.models import (
    AlertNotice,
    NoticeReason,
    RiskAlert,
)
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
