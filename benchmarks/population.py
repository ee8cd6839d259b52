"""A database full of people: accounts, courses, weeks, plans and messages, and the reminders that they are
due.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from icbt_support.accounts.models import Account, ContactPreferences, PromptLevel, SessionEmail, Wording
from icbt_support.db import Base, assert_triggers, db
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep, Purpose
from icbt_support.links import new_nonce
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState, class_of
from icbt_support.service.models import Service

STAFF = 20
FIRST_PATIENT = 1_000
CHUNK = 5_000
NOW = datetime.now(UTC).replace(microsecond=0)
NEWS = 4


def populate(people: int, reminders_each: int) -> None:
    """`people` patients with one due session reminder each; with five each, four messages go with it."""
    with db.engine.begin() as connection:
        Base.metadata.create_all(connection)
        assert_triggers(connection)
        connection.execute(insert(Service), [_service()])
        connection.execute(
            insert(Account), [_account(number, f"Staff {number}") for number in range(1, STAFF + 1)]
        )
    for start in range(0, people, CHUNK):
        numbers = range(start, min(start + CHUNK, people))
        with db.engine.begin() as connection:
            _add_patients(connection, numbers)
            _add_plans(connection, numbers)
            rows = [_session_reminder(number) for number in numbers]
            rows += [_future_reminder(number) for number in numbers]
            if reminders_each > 1:
                _add_messages(connection, numbers)
                rows += [_message_reminder(number, n) for number in numbers for n in range(NEWS)]
            _insert(connection, Reminder.__table__, rows)
    _tidy()


def owe_again() -> None:
    """Everything that was sent is owed again, as if nothing had happened."""
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE reminders SET state = 'owed', mailing_id = NULL, attempt = 0, settled_at = NULL "
                "WHERE state <> 'owed'"
            )
        )
        connection.execute(text("DELETE FROM mailings"))
    _tidy()


def _tidy() -> None:
    """Statistics and checkpoints outside any transaction, as a server has them after a while."""
    is_postgresql = db.engine.dialect.name == "postgresql"
    connection = db.engine.raw_connection()
    try:
        if is_postgresql:
            connection.driver_connection.autocommit = True  # type: ignore[union-attr]
        cursor = connection.cursor()
        for statement in (
            ("VACUUM ANALYZE",) if is_postgresql else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
        ):
            cursor.execute(statement)
        cursor.close()
        if is_postgresql:
            connection.driver_connection.autocommit = False  # type: ignore[union-attr]
    finally:
        connection.close()


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)


def _service() -> dict[str, Any]:
    return {
        "id": 1,
        "name": "Northfield",
        "product_name": "Online course",
        "sender_name": "Online course",
        "brand_colour": "#0b4a53",
        "zone": "Europe/London",
        "country": "GB-ENG",
        "duty_phone": "",
        "contact_words": "",
        "out_of_hours_words": "",
        "out_of_hours_contact": "",
        "read_first_phrases": [],
        "rhythm_settings": {},
        "created_at": NOW,
    }


def _account(number: int, name: str) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"p{max(0, number - FIRST_PATIENT)}@bench.example.net"
        if number >= FIRST_PATIENT
        else f"s{number}@bench.example.net",
        "full_name": name,
        "called": name.split()[0],
        "zone": "Europe/London",
        "created_at": NOW,
        "last_signed_in_at": NOW - timedelta(days=1),
    }


def _add_patients(connection: Connection, numbers: range) -> None:
    _insert(
        connection,
        Account.__table__,
        [_account(FIRST_PATIENT + number, f"Person Number{number}") for number in numbers],
    )
    _insert(
        connection,
        ContactPreferences.__table__,
        [
            {
                "account_id": FIRST_PATIENT + number,
                "wording": Wording.WITH_DETAIL if number % 2 else Wording.DISCREET,
                "prompts": PromptLevel.ALL,
                "session_email": SessionEmail.EVERY,
                "session_lead_minutes": 30,
                "check_in_time": time(18),
                "quiet_from": time(0),
                "quiet_until": time(0),
                "changed_at": NOW,
            }
            for number in numbers
        ],
    )
    _insert(
        connection,
        Enrolment.__table__,
        [
            {
                "id": number + 1,
                "service_id": 1,
                "patient_id": FIRST_PATIENT + number,
                "supporter_id": number % STAFF + 1,
                "clinician_id": 1,
                "programme_slug": "low-mood",
                "programme_version": "1",
                "purpose": Purpose.CARE,
                "state": EnrolmentState.ACTIVE,
                "onboarding_step": OnboardingStep.DONE,
                "pronouns": "",
                "cadence_days": 7,
                "invited_at": NOW - timedelta(days=20),
                "started_at": NOW - timedelta(days=14),
                "starts_on": (NOW - timedelta(days=14)).date(),
            }
            for number in numbers
        ],
    )


def _add_plans(connection: Connection, numbers: range) -> None:
    _insert(
        connection,
        Week.__table__,
        [
            {
                "id": number + 1,
                "enrolment_id": number + 1,
                "number": 3,
                "module": "doing-more",
                "opened_on": NOW.date(),
                "review_on": NOW.date() + timedelta(days=7),
                "opened_at": NOW,
                "opened_because": OpenedBecause.REVIEW_SENT,
            }
            for number in numbers
        ],
    )
    _insert(
        connection,
        PlanItem.__table__,
        [
            {
                "id": number + 1,
                "week_id": number + 1,
                "enrolment_id": number + 1,
                "kind": ItemKind.SESSION,
                "subject": "session:doing-more/planning",
                "title": "Planning for low days",
                "why": "",
                "planned_on": NOW.date(),
                "planned_time": time(19),
                "minutes": 12,
                "is_emailed": True,
                "state": ItemState.PLANNED,
                "patient_words": "",
            }
            for number in numbers
        ],
    )


def _add_messages(connection: Connection, numbers: range) -> None:
    """Written two days ago and not read: they hold nothing back any more."""
    _insert(
        connection,
        Message.__table__,
        [
            {
                "id": number * NEWS + n + 1,
                "enrolment_id": number + 1,
                "author_id": number % STAFF + 1,
                "kind": MessageKind.MESSAGE,
                "words": "Words.",
                "posted_key": f"{number}-{n}",
                "sent_at": NOW - timedelta(days=2),
            }
            for number in numbers
            for n in range(NEWS)
        ],
    )


def _reminder(
    number: int, key: str, kind: ReminderKind, subject: str, due_at: datetime, order: int
) -> dict[str, Any]:
    return {
        "key": key,
        "channel": Channel.EMAIL,
        "kind": kind,
        "reminder_class": class_of(kind),
        "recipient_id": FIRST_PATIENT + number,
        "service_id": 1,
        "subject": subject,
        "context": f"enrolment:{number + 1}",
        "due_at": due_at,
        "first_due_at": due_at,
        "expires_at": due_at + timedelta(days=30),
        "state": ReminderState.OWED,
        "reason": "",
        "attempt": 0,
        "nonce": new_nonce(),
        "owed_at": NOW - timedelta(days=1, seconds=order),
    }


def _session_reminder(number: int) -> dict[str, Any]:
    return _reminder(number, f"session:{number}", ReminderKind.SESSION, f"plan_item:{number + 1}", NOW, 0)


def _message_reminder(number: int, n: int) -> dict[str, Any]:
    subject = f"message:{number * NEWS + n + 1}"
    return _reminder(number, f"message:{number}:{n}", ReminderKind.MESSAGE, subject, NOW, n)


def _future_reminder(number: int) -> dict[str, Any]:
    """What is not due yet, so that the index has something to skip."""
    later = NOW + timedelta(days=1 + number % 7)
    return _reminder(number, f"later:{number}", ReminderKind.SESSION, f"plan_item:{number + 1}", later, 0)
