"""News about a course itself: paused, going on, at another pace, ended. The page says what; the email does not."""

from datetime import datetime

from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind


def tell_patient_of_change(enrolment: Enrolment, what: str, *, now: datetime) -> None:
    """One email a day for one kind of change; `what` is a word of our own, such as "paused"."""
    _owe(
        enrolment,
        ReminderKind.COURSE_NEWS,
        enrolment.patient_id,
        f"course-{what}:{enrolment.id}:{local_today(enrolment, now)}",
        now,
    )


def tell_staff_of_finish(enrolment: Enrolment, *, now: datetime) -> None:
    """The supporter and the clinician hear that a person has said: I have what I need."""
    for account_id in sorted({enrolment.supporter_id, enrolment.clinician_id}):
        key = f"finished:{enrolment.id}:{account_id}"
        _owe(enrolment, ReminderKind.STAFF_COURSE_NEWS, account_id, key, now)


def _owe(enrolment: Enrolment, kind: ReminderKind, recipient_id: int, key: str, now: datetime) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=recipient_id,
        service_id=enrolment.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )
