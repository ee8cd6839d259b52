"""Steps that the tests of invitation, onboarding, away, handover and ending begin with."""

from datetime import UTC, datetime

from sqlalchemy import select

from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor, ActorKind, AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import ContactDetails
from icbt_support.measures.models import FinishedCheckIn
from icbt_support.plan.models import Week
from icbt_support.programme.library import programmes
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderState
from icbt_support.rhythm.invite import invite_patient
from icbt_support.rhythm.weeks import book_review, open_first_week
from tests.cast import PROGRAMME, Cast

THURSDAY_AT_NINE = datetime(2026, 11, 26, 9, tzinfo=UTC)


def acting(account: Account, role: str, service_id: int) -> Actor:
    return Actor(ActorKind.PERSON, account_id=account.id, role=role, service_id=service_id)


def as_clinician(cast: Cast) -> Actor:
    return acting(cast.clinician, "clinician", cast.service.id)


def as_patient(cast: Cast) -> Actor:
    return acting(cast.patient, "patient", cast.service.id)


def invite_robin(cast: Cast, now: datetime, **changes: object) -> Enrolment:
    """A new person at Northfield, invited by the clinician, with Pat."""
    values = {
        "email": "robin.dale@example.net",
        "full_name": "Robin Dale",
        "called": "Robin",
        "pronouns": "they",
        "contact": ContactDetails(phone="01632 960555", voicemail_ok=True),
        "supporter": cast.supporter,
        "clinician": cast.clinician,
        "programme": programmes()[PROGRAMME],
        "by": as_clinician(cast),
        "now": now,
    }
    return invite_patient(cast.service, **(values | changes))


def open_week_1(cast: Cast, now: datetime, review_at: datetime = THURSDAY_AT_NINE) -> Week:
    """Alex's first week, with its review in Pat's slot."""
    book_review(cast.enrolment, review_at, number=1, by=as_clinician(cast), now=now)
    return open_first_week(cast.enrolment, by=as_clinician(cast), now=now)


def answer_baseline(enrolment: Enrolment, now: datetime) -> None:
    db.session.add(FinishedCheckIn(enrolment_id=enrolment.id, week_number=0, finished_at=now))
    db.session.flush()


def owed_kinds(account: Account) -> list[str]:
    """The kinds of what this person's inbox is owed, each reminder once, in order of their due times."""
    rows = db.session.execute(
        select(Reminder.key, Reminder.kind, Reminder.due_at)
        .where(Reminder.recipient_id == account.id, Reminder.state == ReminderState.OWED)
        .distinct()
        .order_by(Reminder.due_at, Reminder.key)
    )
    return [row.kind.value for row in rows]


def audited() -> list[str]:
    return list(db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)))
