"""A service with 50,000 courses and as many events a person as one asks for, written by the database itself.

Three hundred people come from `supporter_service`, with their weeks, letters and scores; the others have accounts,
courses and weeks. Two in five courses are open. Everybody was here on 40 days of 14 weeks, in the order of the
days, so that one person's events lie far apart; afterwards the figures are built by the product's own rebuilding.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, insert, text

from benchmarks.supporter_service import FIRST_OTHER, FIRST_PATIENT, NOW, OTHERS, TODAY, fill_service
from icbt_support.accounts.models import Account
from icbt_support.activity.models import Act, ActivityEvent
from icbt_support.db import db
from icbt_support.engagement.models import ServiceDay
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState, OnboardingStep, Purpose
from icbt_support.programme.library import programmes

SHOWN_PEOPLE = 300
DAYS_HERE = 40
SPAN_DAYS = 98
WEEKS_EACH = 14
EVENTS_MOST = 400
EVENTS_FEW = 40
CHUNK = 5_000
_ACTS = (Act.SIGNED_IN, Act.READ_PAGE, Act.READ_PAGE, Act.ANSWERED_EXERCISE, Act.SAVED_ENTRY)


def fill_with_events(people: int, events_each: int) -> None:
    """`events_each` is 40 or 400; the figures are not built yet."""
    fill_service(SHOWN_PEOPLE)
    for start in range(SHOWN_PEOPLE, people, CHUNK):
        numbers = range(start, min(start + CHUNK, people))
        with db.engine.begin() as connection:
            connection.execute(insert(Account), [_account(number) for number in numbers])
            connection.execute(insert(Enrolment), [_enrolment(number) for number in numbers])
    with db.engine.begin() as connection:
        _make_helping_tables(connection, events_each)
        _add_weeks(connection)
        _add_days(connection)
        _add_events(connection)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _set_sequences(connection)


def analyse() -> None:
    """Statistics, as a server has them after a while."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_postgresql = connection.dialect.name == "postgresql"
        connection.exec_driver_sql("VACUUM ANALYZE" if is_postgresql else "ANALYZE")


def count_events() -> int:
    with db.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM activity_events").scalar_one())


def _account(number: int) -> dict[str, Any]:
    return {
        "id": FIRST_PATIENT + number,
        "email": f"p{FIRST_PATIENT + number}@bench.example.net",
        "full_name": f"Person Number{number}",
        "called": "Person",
        "created_at": NOW - timedelta(days=400),
        "last_signed_in_at": NOW - timedelta(days=1),
    }


def _enrolment(number: int) -> dict[str, Any]:
    is_open = number % 5 < 2
    programme = programmes()["low-mood"]
    started_at = NOW - timedelta(days=_began_days_ago(number))
    return {
        "id": number + 1,
        "service_id": 1,
        "patient_id": FIRST_PATIENT + number,
        "supporter_id": FIRST_OTHER + number % OTHERS,
        "clinician_id": 3,
        "programme_slug": programme.slug,
        "programme_version": programme.version,
        "purpose": Purpose.CARE,
        "state": _open_state(number) if is_open else EnrolmentState.ENDED,
        "onboarding_step": OnboardingStep.DONE,
        "invited_at": started_at - timedelta(days=3),
        "started_at": started_at,
        "starts_on": started_at.date(),
        "ended_at": None if is_open else started_at + timedelta(days=SPAN_DAYS),
        "end_code": None if is_open else EndCode.AGREED,
    }


def _open_state(number: int) -> EnrolmentState:
    return EnrolmentState.AWAY if number % 50 == 0 else EnrolmentState.ACTIVE


def _began_days_ago(number: int) -> int:
    """Open courses end today or up to three weeks ago with their last act; the others ended in two years."""
    return SPAN_DAYS + (number % 21 if number % 5 < 2 else number * 7 % 630)


# What the database writes itself -------------------------------------------------------------------------------


def _make_helping_tables(connection: Connection, events_each: int) -> None:
    """Days of the calendar, and the events of one course: on which of its days, when, what."""
    connection.exec_driver_sql("CREATE TEMPORARY TABLE calendar (number INTEGER PRIMARY KEY, on_day DATE)")
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE begun (enrolment_id INTEGER PRIMARY KEY, number INTEGER)"
    )
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE lived (place INTEGER PRIMARY KEY, day INTEGER, clock TEXT, act TEXT, "
        "subject TEXT)"
    )
    days = range(TODAY.toordinal() - 800, TODAY.toordinal() + 1)
    connection.execute(
        text("INSERT INTO calendar VALUES (:number, :on_day)"),
        [{"number": day, "on_day": date.fromordinal(day).isoformat()} for day in days]
        if connection.dialect.name == "sqlite"
        else [{"number": day, "on_day": date.fromordinal(day)} for day in days],
    )
    everybody = connection.execute(text("SELECT id FROM enrolments ORDER BY id")).scalars().all()
    connection.execute(
        text("INSERT INTO begun VALUES (:id, :number)"),
        [{"id": one, "number": TODAY.toordinal() - _began_days_ago(one - 1)} for one in everybody],
    )
    connection.execute(
        text("INSERT INTO lived VALUES (:place, :day, :clock, :act, :subject)"),
        [_event(place, events_each) for place in range(events_each)],
    )


def _event(place: int, events_each: int) -> dict[str, Any]:
    a_day = events_each // DAYS_HERE
    here, in_day = divmod(place, a_day)
    day = here * SPAN_DAYS // DAYS_HERE
    act = _ACTS[in_day % len(_ACTS)] if a_day > 1 else _ACTS[here % len(_ACTS)]
    module = programmes()["low-mood"].modules[min(day // 12, 7)]
    subject = f"page:{module.slug}/page-{in_day}" if act is Act.READ_PAGE else ""
    clock = f"{8 + in_day:02}:{here:02}:00.000000"
    return {"place": place, "day": day, "clock": clock, "act": act.value, "subject": subject}


def _add_weeks(connection: Connection) -> None:
    at = _instant(connection, "c.on_day", "'09:00:00.000000'")
    connection.exec_driver_sql(
        "INSERT INTO weeks (enrolment_id, number, module, opened_on, review_on, opened_at, opened_because) "  # noqa: S608
        f"SELECT b.enrolment_id, w.n, 'm' || w.n, c.on_day, c.on_day, {at}, 'review_sent' "
        "FROM begun b CROSS JOIN (SELECT place + 1 AS n FROM lived WHERE place < "
        f"{WEEKS_EACH}) w JOIN calendar c ON c.number = b.number + 7 * (w.n - 1) "
        f"WHERE b.enrolment_id > {SHOWN_PEOPLE}"
    )


def _add_days(connection: Connection) -> None:
    connection.execute(
        insert(ServiceDay),
        [
            {
                "service_id": 1,
                "day": TODAY - timedelta(days=ago),
                "prompts_sent": 6_000,
                "prompts_followed": 3_500,
                "prompts_held_back": 800,
                "prompts_withdrawn": 900,
                "reviews_on_time": 2_600,
                "reviews_late": 200,
                "sessions_planned": 5_000,
                "sessions_done": 3_000,
            }
            for ago in range(70)
        ],
    )


def _add_events(connection: Connection) -> None:
    """Indexes are made afterwards, as for any large import."""
    indexes = list(ActivityEvent.__table__.indexes)  # type: ignore[attr-defined]
    for index in indexes:
        index.drop(connection)
    connection.exec_driver_sql(
        "INSERT INTO activity_events (service_id, enrolment_id, act, subject, at, acted_on) "  # noqa: S608
        f"SELECT 1, b.enrolment_id, l.act, l.subject, {_instant(connection, 'c.on_day', 'l.clock')}, c.on_day "
        "FROM lived l CROSS JOIN begun b JOIN calendar c ON c.number = b.number + l.day"
    )
    for index in indexes:
        index.create(connection)


def _instant(connection: Connection, day: str, clock: str) -> str:
    if connection.dialect.name == "sqlite":
        return f"{day} || ' ' || {clock}"
    return f"({day} + CAST({clock} AS time)) AT TIME ZONE 'UTC'"


def _set_sequences(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    for table in ("accounts", "enrolments", "weeks", "activity_events"):
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
        )
