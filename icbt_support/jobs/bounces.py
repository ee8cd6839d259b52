"""An address that a mail server refuses for good: marked, and the people around the patient told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from icbt_support.accounts.models import Account
from icbt_support.audit import Actor, record
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.service.models import Service

DELIVER = Actor.system("deliver")


def note_refused_addresses(account_ids: Sequence[int], *, now: datetime) -> None:
    """Marks the accounts and gives each patient's supporter a call task: the person cannot be reached by
    email.
    """
    if not account_ids:
        return
    db.session.execute(
        update(Account)
        .where(Account.id.in_(account_ids), Account.address_bounced_at.is_(None))
        .values(address_bounced_at=now)
        .execution_options(synchronize_session=False)
    )
    for account_id in account_ids:
        record("address_refused", by=DELIVER, now=now, object_kind="account", object_id=account_id)
    courses = db.session.execute(
        select(Enrolment.id, Enrolment.supporter_id, Enrolment.service_id, Service.zone)
        .join(Service, Service.id == Enrolment.service_id)
        .where(Enrolment.patient_id.in_(account_ids), Enrolment.state != EnrolmentState.ENDED)
        .order_by(Enrolment.id)
    )
    for course in courses.all():
        owe_reminder(
            key=f"refused-address:{course.id}:{local_day(now, course.zone).isoformat()}",
            kind=ReminderKind.STAFF_CALL_TASK,
            recipient_id=course.supporter_id,
            service_id=course.service_id,
            subject=f"enrolment:{course.id}",
            context=f"enrolment:{course.id}",
            due_at=now,
            now=now,
        )
