"""Building the demo: a service, its staff, and people who live through weeks by the product's own verbs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import Connection, delete, event, select, text

from icbt_support import clock
from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import (
    change_preferences,
    create_account,
    describe_supporter,
    give_role,
    set_password,
)
from icbt_support.accounts.passwords import HashedPassword, hash_password
from icbt_support.accounts.rules import PreferenceChoices
from icbt_support.audit.models import Actor
from icbt_support.db import Base, assert_triggers, commit_with_retry, db, declared_triggers
from icbt_support.delivery.models import MailboxMail
from icbt_support.demo.crowd import email_of, everybody, more_slots, supporters_needed
from icbt_support.demo.living import Days
from icbt_support.demo.models import DemoState
from icbt_support.demo.people import (
    DR_WEISS,
    FRIDAY,
    MORE_SUPPORTERS,
    SERVICE_NAME,
    SLOTS,
    STAFF,
    STANDS_AT,
    STANDS_ON,
    StaffMember,
)
from icbt_support.demo.world import Life, World, wall
from icbt_support.hours.operations import add_review_slot, set_duty_session
from icbt_support.jobs.runner import tick
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.programme.library import programmes
from icbt_support.service.models import Brand, Service
from icbt_support.service.operations import change_service, create_service, set_help_lines
from icbt_support.service.rules import ENGLAND_HELP_LINES, ServiceDetails

PASSWORD = "demo-password"  # noqa: S105 (of invented people, in development only)
SEED = 20261119
PROGRAMME = "low-mood"
OPERATOR = Actor.operator("flask demo")
# A backup of what can be built again, and nightly clearing, wait for a real night.
NOT_IN_THE_LAST_TICK = ("backup", "purge")
MOST_SEALING_ROUNDS = 200
USUALLY_COLLECTED = gc.get_threshold()
SELDOM_COLLECTED = (50_000, 20, 20)


class NotADemo(Exception):
    """The database holds something else than a demo: nothing is built over it."""


def has_any_data() -> bool:
    """Whether there is anything to keep; a demo that was killed while it was being built is not."""
    state = db.session.scalars(select(DemoState)).first()
    if state is not None:
        return state.finished_at is not None
    return any(
        db.session.scalars(select(kind.id).limit(1)).first() is not None for kind in (Account, Service)
    )


def build_demo(app: Flask, *, patients: int = 40, weeks: int = 8, seed: int = SEED) -> None:
    """Builds the demo and leaves the clock standing at its Thursday, 10.05am.

    The same seed gives the same people. Raises `NotADemo` if there is other data, or a finished demo.
    """
    if has_any_data():
        raise NotADemo
    if db.session.scalars(select(DemoState)).first() is not None:
        forget_everything()
    db.session.rollback()
    begins_on = STANDS_ON - timedelta(weeks=weeks)
    with _in_a_hurry():
        clock.stop_clock_at(wall(begins_on, time(8)))
        commit_with_retry(lambda: db.session.add(DemoState(seed=seed, stands_at=STANDS_AT)))
        world = _begin(patients, weeks, seed, begins_on)
        Days(app, world).live_until(STANDS_AT)
        _finish(app)


def _begin(patients: int, weeks: int, seed: int, begins_on: date) -> World:
    password = hash_password(PASSWORD)
    now = clock.now()
    service_id, staff = commit_with_retry(lambda: _make_service(patients, password, now))
    return World(
        seed=seed,
        service_id=service_id,
        programme=programmes()[PROGRAMME],
        staff=staff,
        password=password,
        begins_on=begins_on,
        lives=[Life(plan, Random(f"{seed}:{plan.email}")) for plan in everybody(patients, weeks, seed)],
    )


def _finish(app: Flask) -> None:
    """The last tick, every audit line sealed, an empty mailbox, and the demo is done."""
    names = {job.name for job in SCHEDULE} - set(NOT_IN_THE_LAST_TICK)
    tick(app, at=STANDS_AT, names=names)
    for _ in range(MOST_SEALING_ROUNDS):
        if tick(app, at=STANDS_AT, names={"seal"}) == [("seal", "nothing to do")]:
            break

    def finish() -> None:
        db.session.execute(delete(MailboxMail))
        state = db.session.scalars(select(DemoState)).one()
        state.stands_at = STANDS_AT
        state.finished_at = clock.real_now()

    commit_with_retry(finish)
    clock.stop_clock_at(STANDS_AT)


# The house --------------------------------------------------------------------------------------------------


def _make_service(patients: int, password: HashedPassword, now: datetime) -> tuple[int, dict[str, int]]:
    service = create_service(SERVICE_NAME, by=OPERATOR, now=now)
    details = ServiceDetails(
        name=SERVICE_NAME,
        product_name="Online CBT",
        sender_name="Online course",
        brand=Brand.TEAL,
        duty_phone="01632 960 017",
        contact_words="Call 01632 960 000, Monday to Friday, 9am to 5pm.",
        out_of_hours_words="In the evening and at weekends nobody here reads messages.",
        out_of_hours_contact="",
    )
    change_service(service, details, by=OPERATOR, now=now)
    set_help_lines(
        service, ENGLAND_HELP_LINES, checked_on=STANDS_ON - timedelta(days=80), by=OPERATOR, now=now
    )
    extra = supporters_needed(patients)
    members = [*STAFF, *(_more_staff(name) for name in MORE_SUPPORTERS[:extra])]
    staff = {member.email: _make_member(service, member, password, now) for member in members}
    for slot in (*SLOTS, *more_slots(extra)):
        add_review_slot(
            staff[slot.supporter],
            service_id=service.id,
            weekday=slot.weekday,
            starts=slot.starts,
            ends=slot.ends,
            minutes_per_review=slot.minutes,
            by=OPERATOR,
            now=now,
        )
    for weekday in range(FRIDAY + 1):
        set_duty_session(
            service,
            weekday=weekday,
            starts=time(9),
            ends=time(17),
            clinician_id=staff[DR_WEISS],
            by=OPERATOR,
            now=now,
        )
    return service.id, staff


def _more_staff(name: str) -> StaffMember:
    return StaffMember(email_of(name), name, name.split()[0], Role.SUPPORTER, quiet_from=time(15))


def _make_member(service: Service, member: StaffMember, password: HashedPassword, now: datetime) -> int:
    account = create_account(
        email=member.email,
        full_name=member.full_name,
        called=member.called,
        zone=service.zone,
        by=OPERATOR,
        now=now,
    )
    give_role(account, member.role, service_id=service.id, by=OPERATOR, now=now)
    set_password(account, password, by=OPERATOR, now=now)
    change_preferences(account, PreferenceChoices(quiet_from=member.quiet_from), by=OPERATOR, now=now)
    if member.role is Role.SUPPORTER:
        describe_supporter(
            account, job_title=member.job_title or "Supporter", about=member.about, by=OPERATOR, now=now
        )
    return account.id


# Forgetting -------------------------------------------------------------------------------------------------


def forget_everything() -> None:
    """Empties every table, append-only ones too. For demos and tests: nothing of it comes back."""
    db.session.rollback()
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in Base.metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            return
        _drop_triggers(connection)
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        assert_triggers(connection)


def _drop_triggers(connection: Connection) -> None:
    for trigger in declared_triggers():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger.name}"))


@contextmanager
def _in_a_hurry() -> Iterator[None]:
    """A demo can be built again: while it is being built, SQLite does not wait for the disk at every commit.

    Its many short transactions leave little in circles: looking for those seldom saves an eighth of the time.
    """
    gc.set_threshold(*SELDOM_COLLECTED)
    try:
        with _no_waiting_for_the_disk():
            yield
    finally:
        gc.set_threshold(*USUALLY_COLLECTED)


@contextmanager
def _no_waiting_for_the_disk() -> Iterator[None]:
    engine = db.engine
    if engine.dialect.name != "sqlite":
        yield
        return

    def do_not_wait(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
        dbapi_connection.execute("PRAGMA synchronous = OFF")

    event.listen(engine, "checkout", do_not_wait)
    try:
        yield
    finally:
        db.session.remove()
        event.remove(engine, "checkout", do_not_wait)
        engine.dispose()
