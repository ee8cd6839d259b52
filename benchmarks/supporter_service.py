"""A service with as many patients as one asks for, written by fast inserts: two supporters' people among them.

Everybody has three weeks of history; one of the measured people has a year, one has a week.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert

from icbt_support.accounts.models import Account, ContactPreferences, Membership, Role
from icbt_support.activity.models import Act, ActivityDay, ActivityEvent
from icbt_support.db import db
from icbt_support.enrolments.models import (
    ContactSheet,
    Enrolment,
    EnrolmentState,
    Goal,
    OnboardingStep,
    Purpose,
    SessionTime,
    SupporterNote,
)
from icbt_support.hours.models import DutySession, ReviewSlot, SlotBooking
from icbt_support.journal.models import Entry, PageRead
from icbt_support.links import new_nonce
from icbt_support.measures.models import Answer, FinishedCheckIn, Occasion, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.programme.content import Programme
from icbt_support.programme.library import programmes
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState, class_of
from icbt_support.reviews.models import Review, ReviewKind, ReviewLetter, ReviewState
from icbt_support.risk.models import CallLog, CallOutcome
from icbt_support.service.models import Service

NOW = datetime(2026, 11, 19, 9, 35, tzinfo=UTC)
TODAY = date(2026, 11, 19)
MEASURED, LARGE_CASELOAD, CLINICIAN, FIRST_OTHER = 1, 2, 3, 4
OTHERS = 500
FIRST_PATIENT = 1_000
OWN_PEOPLE = 100
LARGE = 200
DUE_TODAY = 8
YEAR, WEEK = 0, 1
WEEKS_OF = {YEAR: 52, WEEK: 1}
USUAL_WEEKS = 3
CHUNK = 2_500
Rows = dict[Table, list[dict[str, Any]]]


def fill_service(patients: int) -> None:
    """Supporter `MEASURED` has the first hundred people; `LARGE_CASELOAD` the next two hundred, if there are."""
    programme = programmes()["low-mood"]
    with db.engine.begin() as connection:
        _write(connection, _staff())
    for start in range(0, patients, CHUNK):
        rows: Rows = defaultdict(list)
        for number in range(start, min(start + CHUNK, patients)):
            for table, row in _life(number, programme):
                rows[table].append(row)
        with db.engine.begin() as connection:
            _write(connection, rows)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def enrolment_of(number: int) -> int:
    return number + 1


def supporter_of(number: int) -> int:
    if number < OWN_PEOPLE:
        return MEASURED
    return LARGE_CASELOAD if number < OWN_PEOPLE + LARGE else FIRST_OTHER + number % OTHERS


def _write(connection: Connection, rows: Rows) -> None:
    """Parents before children, as the metadata sorts them."""
    for table in db.metadata.sorted_tables:
        if rows.get(table):
            connection.execute(insert(table), rows[table])
            if connection.dialect.name == "postgresql" and "id" in table.c:
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "  # noqa: S608
                    f"(SELECT max(id) FROM {table.name}))"
                )


def _staff() -> Rows:
    rows: Rows = defaultdict(list)
    rows[Service.__table__].append(
        {"id": 1, "name": "Northfield", "created_at": NOW, "duty_phone": "01632 960017"}
    )
    for number in range(1, FIRST_OTHER + OTHERS):
        role = Role.CLINICIAN if number == CLINICIAN else Role.SUPPORTER
        rows[Account.__table__].append(_account(number, f"Staff Member{number}"))
        rows[Membership.__table__].append(
            {"id": number, "account_id": number, "service_id": 1, "role": role, "given_at": NOW}
        )
        for weekday in (1, 3):
            rows[ReviewSlot.__table__].append(
                {
                    "id": number * 2 + weekday // 2,
                    "service_id": 1,
                    "supporter_id": number,
                    "weekday": weekday,
                    "starts": time(9),
                    "ends": time(13),
                    "created_at": NOW - timedelta(days=400),
                }
            )
    for weekday in range(5):
        rows[DutySession.__table__].append(
            {
                "service_id": 1,
                "weekday": weekday,
                "starts": time(9),
                "ends": time(17),
                "clinician_id": CLINICIAN,
            }
        )
    return rows


def _account(number: int, name: str) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"p{number}@bench.example.net",
        "full_name": name,
        "called": name.split()[0],
        "created_at": NOW - timedelta(days=400),
        "last_signed_in_at": NOW - timedelta(days=1),
    }


def _life(number: int, programme: Programme) -> Iterator[tuple[Table, dict[str, Any]]]:
    """One person: their course, and every week of it so far; the last one is open."""
    weeks = WEEKS_OF.get(number, USUAL_WEEKS)
    patient_id, enrolment_id = FIRST_PATIENT + number, enrolment_of(number)
    started_at = NOW - timedelta(days=7 * weeks)
    yield Account.__table__, _account(patient_id, f"Person Number{number}")
    yield ContactPreferences.__table__, {"account_id": patient_id, "changed_at": started_at}
    yield (
        Membership.__table__,
        {"account_id": patient_id, "service_id": 1, "role": Role.PATIENT, "given_at": started_at},
    )
    yield (
        Enrolment.__table__,
        {
            "id": enrolment_id,
            "service_id": 1,
            "patient_id": patient_id,
            "supporter_id": supporter_of(number),
            "clinician_id": CLINICIAN,
            "programme_slug": programme.slug,
            "programme_version": programme.version,
            "purpose": Purpose.CARE,
            "state": EnrolmentState.ACTIVE,
            "onboarding_step": OnboardingStep.DONE,
            "invited_at": started_at - timedelta(days=3),
            "started_at": started_at,
            "starts_on": started_at.date(),
        },
    )
    for position in (1, 2):
        yield (
            SessionTime.__table__,
            {"enrolment_id": enrolment_id, "position": position, "weekday": position, "at": time(19)},
        )
    yield (
        ContactSheet.__table__,
        {"enrolment_id": enrolment_id, "phone": "01632 960123", "changed_at": NOW, "confirmed_at": NOW},
    )
    yield Goal.__table__, {"enrolment_id": enrolment_id, "words": "Walk again", "written_at": started_at}
    yield from _check_in(number, 0, started_at)
    for week in range(1, weeks + 1):
        yield from _week(number, week, started_at + timedelta(days=7 * (week - 1)), week == weeks, programme)


def _week(
    number: int, week: int, opened_at: datetime, is_open: bool, programme: Programme
) -> Iterator[tuple[Table, dict[str, Any]]]:
    enrolment_id, week_id = enrolment_of(number), number * 60 + week
    module = programme.modules[min(week - 1, len(programme.modules) - 1)]
    due_at = opened_at + timedelta(days=7)
    is_due = number < DUE_TODAY or OWN_PEOPLE <= number < OWN_PEOPLE + DUE_TODAY
    if is_open and not is_due:
        due_at += timedelta(days=5)
    yield (
        Week.__table__,
        {
            "id": week_id,
            "enrolment_id": enrolment_id,
            "number": week,
            "module": module.slug,
            "opened_on": opened_at.date(),
            "review_on": due_at.date(),
            "opened_at": opened_at,
            "opened_because": OpenedBecause.REVIEW_SENT if week > 1 else OpenedBecause.START,
            "closed_at": None if is_open else due_at,
        },
    )
    for place, kind in enumerate((ItemKind.SESSION, ItemKind.PRACTICE, ItemKind.AGREED_STEP)):
        yield (
            PlanItem.__table__,
            {
                "week_id": week_id,
                "enrolment_id": enrolment_id,
                "kind": kind,
                "subject": f"session:{module.slug}/{module.sessions[0].slug}" if place == 0 else "",
                "title": "One walk with Mo",
                "planned_on": opened_at.date() + timedelta(days=1 + place),
                "planned_time": time(19),
                "minutes": 12,
                "state": ItemState.PLANNED if is_open and place else ItemState.DONE,
            },
        )
    yield from _review(number, week, week_id, due_at, is_open, module.slug)
    yield from _doings(number, week, opened_at, module.slug, module.pages[0].slug)
    if not is_open or is_due:
        yield from _check_in(number, week, opened_at + timedelta(days=5))


def _review(
    number: int, week: int, week_id: int, due_at: datetime, is_open: bool, module: str
) -> Iterator[tuple[Table, dict[str, Any]]]:
    enrolment_id, owner_id = enrolment_of(number), supporter_of(number)
    slot_at = datetime.combine(due_at.date(), time(9), UTC) + timedelta(minutes=15 * (number % 12))
    promised_at = datetime.combine(due_at.date(), time(17), UTC)
    has_place = is_open and number < OWN_PEOPLE + LARGE and number % OWN_PEOPLE < DUE_TODAY
    if has_place:
        yield (
            SlotBooking.__table__,
            {
                "id": week_id,
                "slot_id": owner_id * 2 + 1,
                "supporter_id": owner_id,
                "starts_at": slot_at + timedelta(weeks=number // OWN_PEOPLE),
                "enrolment_id": enrolment_id,
                "booked_at": NOW,
            },
        )
    yield (
        Review.__table__,
        {
            "id": week_id,
            "service_id": 1,
            "enrolment_id": enrolment_id,
            "week_id": week_id,
            "kind": ReviewKind.WEEKLY,
            "number": week,
            "owner_id": owner_id,
            "booking_id": week_id if has_place else None,
            "slot_at": slot_at,
            "due_on": due_at.date(),
            "promised_at": promised_at,
            "first_promised_at": promised_at,
            "state": ReviewState.OPEN if is_open else ReviewState.SENT,
            "created_at": due_at - timedelta(days=7),
            "sent_at": None if is_open else due_at,
            "sent_by": None if is_open else owner_id,
            "minutes": None if is_open else 14,
            "read_at": None if is_open else due_at + timedelta(hours=3),
        },
    )
    if is_open:
        return
    yield (
        ReviewLetter.__table__,
        {
            "review_id": week_id,
            "sections": [{"heading": "What I noticed", "words": "You went for the walk on Sunday. " * 20}],
            "step_what": "One walk with Mo",
            "step_why": "doing comes before feeling like it",
            "step_by_on": due_at.date() + timedelta(days=3),
            "opens": f"module:{module}",
            "next_review_on": due_at.date() + timedelta(days=7),
            "sent_at": due_at,
            "author_id": owner_id,
        },
    )


def _doings(
    number: int, week: int, opened_at: datetime, module: str, page: str
) -> Iterator[tuple[Table, dict[str, Any]]]:
    """What one does in a week: four visits, entries and a message each way, and the reminders of it."""
    enrolment_id, patient_id = enrolment_of(number), FIRST_PATIENT + number
    for day in (1, 2, 4, 6):
        at = opened_at + timedelta(days=day, hours=9)
        if at > NOW:
            continue
        about = {"service_id": 1, "enrolment_id": enrolment_id, "act": Act.SIGNED_IN, "acted_on": at.date()}
        yield ActivityEvent.__table__, {**about, "at": at}
        yield ActivityDay.__table__, {**about, "count": 1, "last_at": at}
    if week <= 8:
        yield (
            PageRead.__table__,
            {
                "enrolment_id": enrolment_id,
                "module": module,
                "page": page,
                "first_read_at": opened_at + timedelta(days=1),
                "last_read_at": opened_at + timedelta(days=1),
            },
        )
    for place, tool in enumerate(("thought-record", "mood-diary")):
        written_at = opened_at + timedelta(days=2 + place)
        yield (
            Entry.__table__,
            {
                "enrolment_id": enrolment_id,
                "tool": tool,
                "fields": {"situation": "At the bus stop", "thought": "They do not like me"},
                "is_shared": True,
                "posted_key": f"{week}-{place}",
                "created_at": written_at,
                "changed_at": written_at,
                "finished_at": written_at,
            },
        )
    for place, author_id in enumerate((patient_id, supporter_of(number))):
        sent_at = opened_at + timedelta(days=3, hours=place)
        yield (
            Message.__table__,
            {
                "enrolment_id": enrolment_id,
                "author_id": author_id,
                "kind": MessageKind.MESSAGE,
                "words": "I liked the part about small steps.",
                "posted_key": f"{week}-{place}",
                "sent_at": sent_at,
                "read_at": sent_at + timedelta(hours=5),
            },
        )
    if week % 4 == 0:
        yield (
            SupporterNote.__table__,
            {
                "enrolment_id": enrolment_id,
                "words": "Prefers calls after four.",
                "written_by": supporter_of(number),
                "written_at": opened_at,
            },
        )
        yield (
            CallLog.__table__,
            {
                "enrolment_id": enrolment_id,
                "outcome": CallOutcome.SPOKE,
                "called_at": opened_at + timedelta(days=1),
                "called_by": supporter_of(number),
            },
        )
    for kind in (ReminderKind.REVIEW_READY, ReminderKind.SESSION, ReminderKind.CHECK_IN):
        yield Reminder.__table__, _reminder(number, week, kind, opened_at + timedelta(days=1))


def _reminder(number: int, week: int, kind: ReminderKind, due_at: datetime) -> dict[str, Any]:
    return {
        "key": f"{kind}:{number}:{week}",
        "channel": Channel.EMAIL,
        "kind": kind,
        "reminder_class": class_of(kind),
        "recipient_id": FIRST_PATIENT + number,
        "service_id": 1,
        "subject": f"enrolment:{enrolment_of(number)}",
        "context": f"enrolment:{enrolment_of(number)}",
        "due_at": due_at,
        "first_due_at": due_at,
        "state": ReminderState.HANDED_OVER,
        "nonce": new_nonce(),
        "owed_at": due_at - timedelta(days=1),
        "settled_at": due_at,
    }


def _check_in(number: int, week: int, at: datetime) -> Iterator[tuple[Table, dict[str, Any]]]:
    enrolment_id = enrolment_of(number)
    for place, (measure, items) in enumerate((("phq-9", 9), ("gad-7", 7))):
        questionnaire_id = (number * 60 + week) * 2 + place + 1
        yield (
            Questionnaire.__table__,
            {
                "id": questionnaire_id,
                "enrolment_id": enrolment_id,
                "measure": measure,
                "occasion": Occasion.CHECK_IN if week else Occasion.BASELINE,
                "week_number": week,
                "started_at": at,
                "finished_at": at,
                "total": items - 1,
            },
        )
        if number < OWN_PEOPLE:
            for item in range(1, items + 1):
                yield (
                    Answer.__table__,
                    {
                        "questionnaire_id": questionnaire_id,
                        "item": item,
                        "version": 1,
                        "value": 0 if item == 9 else 1,
                        "answered_at": at,
                    },
                )
    yield (
        FinishedCheckIn.__table__,
        {"enrolment_id": enrolment_id, "week_number": week, "finished_at": at},
    )
