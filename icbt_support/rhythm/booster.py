"""A check-in some weeks after an agreed ending: asked once, and read by a named person with a date.

Relapse is most likely in the first months, and a planned look back costs a person five minutes. It is an
offer: the person can say no, and nothing happens if it stays unanswered.
"""

from datetime import datetime, timedelta

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.boosters.queries import booster_of
from icbt_support.boosters.transitions import (
    change_reader,
    close_booster,
    create_booster,
    mark_answered,
    mark_asked,
    mark_read,
    mark_told_late,
)
from icbt_support.cadence import add_working_days, local_day, to_local, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState, Purpose
from icbt_support.enrolments.queries import local_today
from icbt_support.hours.closed_days import closed_days
from icbt_support.measures.operations import finish_check_in_rows
from icbt_support.measures.queries import questionnaires_of_week
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message
from icbt_support.plan.queries import latest_week_of
from icbt_support.plan.words import clock_words, day_words
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind, WallTime
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.weeks import CLOSED_DAYS_AHEAD

GOOD_ENDINGS = (EndCode.AGREED, EndCode.HAD_WHAT_I_NEEDED)
DAYS_OF_A_WEEK = 7


class NoBooster(Exception):
    """There is no check-in after this course that this could be done to now."""


def plan_booster(enrolment: Enrolment, *, by: Actor, now: datetime) -> Booster | None:
    """Plans the check-in after a course that has just ended well; None where the service asks none.

    It falls on a working day, so that somebody is there when it is answered.
    """
    rhythm = enrolment.service.rhythm
    is_wanted = rhythm.booster_after_days > 0 and enrolment.purpose is Purpose.CARE
    latest = latest_week_of(enrolment)
    if not is_wanted or enrolment.end_code not in GOOD_ENDINGS or latest is None:
        return None
    known = booster_of(enrolment)
    if known is not None:
        return known
    earliest_on = local_today(enrolment, now) + timedelta(days=rhythm.booster_after_days)
    closed = closed_days(enrolment.service, earliest_on, earliest_on + CLOSED_DAYS_AHEAD)
    due_on = add_working_days(earliest_on, 0, closed)
    return create_booster(
        enrolment,
        due_on=due_on,
        open_until_on=due_on + timedelta(days=rhythm.booster_open_days),
        week_number=latest.number + max(1, rhythm.booster_after_days // DAYS_OF_A_WEEK),
        by=by,
        now=now,
    )


def decline_booster(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """The patient says no; it can be said until the answers are in. Said twice, it changes nothing."""
    booster = _held(enrolment)
    if booster.state is BoosterState.DECLINED:
        return
    if not booster.can_be_declined:
        raise NoBooster
    close_booster(booster, BoosterState.DECLINED, by=by, now=now)
    _withdraw_prompt(booster, reason="declined", now=now)


def is_booster_open(enrolment: Enrolment, booster: Booster, *, now: datetime) -> bool:
    """Whether it can be answered now.

    One that was begun stays open: an answer that was on its way, above all to the risk item, is never refused.
    """
    if booster.state in (BoosterState.PLANNED, BoosterState.ASKED):
        return booster.due_on <= local_today(enrolment, now)
    return booster.state is BoosterState.LAPSED and _was_begun(enrolment, booster)


def answer_booster(enrolment: Enrolment, *, by: Actor, now: datetime) -> Booster:
    """Every question is answered: a named person is told, and reads it by the promised time.

    Raises `NoBooster` or `measures.operations.CheckInIncomplete`. Done twice, it changes nothing.
    """
    booster = _held(enrolment)
    if booster.state in (BoosterState.ANSWERED, BoosterState.READ):
        return booster
    if not is_booster_open(enrolment, booster, now=now):
        raise NoBooster
    finish_check_in_rows(enrolment, booster.week_number, by=by, now=now)
    mark_answered(
        booster, reader_id=_reader_of(enrolment), promised_at=_read_by(enrolment, now), by=by, now=now
    )
    _withdraw_prompt(booster, reason="answered", now=now)
    _tell_reader(booster, now=now)
    return booster


def read_booster(
    enrolment: Enrolment, words: str, *, posted_key: str, by: Actor, now: datetime
) -> Message | None:
    """A person has read the answers; a few words back to the patient are welcome, and go as a message."""
    booster = _held(enrolment)
    if not booster.waits_for_a_reader:
        raise NoBooster
    mark_read(booster, by=by, now=now)
    mark_thread_read(enrolment, by=by, now=now)
    withdraw_reminders(
        now=now,
        reason="it was read",
        subject=f"booster:{booster.id}",
        kinds=[ReminderKind.STAFF_COURSE_NEWS],
    )
    if not words.strip():
        return None
    return post_message(enrolment, words, kind=MessageKind.MESSAGE, posted_key=posted_key, by=by, now=now)


def give_booster_to(booster: Booster, reader_id: int, *, by: Actor, now: datetime) -> None:
    """Another named person reads the answers, by the day that the patient was told. Raises `NoBooster`."""
    held = _held(booster.enrolment)
    if not held.waits_for_a_reader:
        raise NoBooster
    change_reader(held, reader_id, by=by, now=now)
    _tell_reader(held, now=now)


def move_booster_on(enrolment_id: int, *, by: Actor, now: datetime) -> bool:
    """What time does to one: asks for it, lets it lapse, gives an answer a reader who is still here, and says
    when reading it is late. True if anything changed.
    """
    enrolment = db.session.get_one(Enrolment, enrolment_id)
    booster = _held(enrolment)
    if booster.state is BoosterState.ANSWERED:
        return _watch_reading(booster, by=by, now=now)
    if not booster.can_be_declined:
        return False
    today = local_today(enrolment, now)
    if today > booster.open_until_on:
        close_booster(booster, BoosterState.LAPSED, by=by, now=now)
        _withdraw_prompt(booster, reason="not answered", now=now)
        return True
    if booster.state is BoosterState.PLANNED and booster.due_on <= today:
        _ask(booster, now=now)
        mark_asked(booster, by=by, now=now)
        return True
    return False


def reader_words(enrolment: Enrolment, *, now: datetime) -> str:
    """Who reads the answers of the check-in after the course, and by when, for the patient."""
    booster = booster_of(enrolment)
    if booster is not None and booster.read_at is not None and booster.reader is not None:
        return f"{booster.reader.called} has read your answers."
    if booster is not None and booster.reader is not None and booster.promised_at is not None:
        name, promised_at = booster.reader.called, booster.promised_at
    else:
        reader = db.session.get_one(Account, _reader_of(enrolment))
        name, promised_at = reader.called, _read_by(enrolment, now)
    local = to_local(promised_at, enrolment.patient.zone)
    return f"{name} reads your answers by {day_words(local)}, {clock_words(local)}, not straight away."


def reading_is_late(booster: Booster, *, now: datetime) -> tuple[str, ...]:
    """What the patient's page says when the answers were not read by the promised time."""
    if not booster.is_late(now) or booster.reader is None:
        return ()
    return (
        f"{booster.reader.called} has not read your answers yet. That is on us, not you.",
        "Your answers are safe. A clinician of the service has been told.",
    )


def _held(enrolment: Enrolment) -> Booster:
    hold_and_reread(enrolment)
    booster = booster_of(enrolment)
    if booster is None or enrolment.state is not EnrolmentState.ENDED:
        raise NoBooster
    db.session.refresh(booster)
    return booster


def _was_begun(enrolment: Enrolment, booster: Booster) -> bool:
    return bool(questionnaires_of_week(enrolment, booster.week_number))


def _reader_of(enrolment: Enrolment) -> int:
    """The supporter who knows the person; a clinician of the service where the supporter has left."""
    for person in (enrolment.supporter, enrolment.clinician):
        if person.disabled_at is None:
            return person.id
    others = staff_with_role(enrolment.service_id, Role.CLINICIAN)
    return others[0].id if others else enrolment.clinician_id


def _read_by(enrolment: Enrolment, now: datetime) -> datetime:
    service = enrolment.service
    today = local_day(now, service.zone)
    closed = closed_days(service, today, today + CLOSED_DAYS_AHEAD)
    on = add_working_days(today, service.rhythm.booster_read_working_days, closed)
    return to_utc(on, service.promised_time, service.zone)


def _ask(booster: Booster, *, now: datetime) -> None:
    enrolment = booster.enrolment
    patient = enrolment.patient
    wall = WallTime(local_today(enrolment, now), patient.preferences.check_in_time, patient.zone)
    owe_reminder(
        key=f"booster:{booster.id}",
        kind=ReminderKind.BOOSTER,
        recipient_id=patient.id,
        service_id=booster.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=max(wall.instant(), now),
        wall=wall,
        now=now,
    )


def _withdraw_prompt(booster: Booster, *, reason: str, now: datetime) -> None:
    withdraw_reminders(now=now, reason=reason, key=f"booster:{booster.id}")


def _watch_reading(booster: Booster, *, by: Actor, now: datetime) -> bool:
    has_changed = False
    if booster.reader is not None and booster.reader.disabled_at is not None:
        reader_id = _reader_of(booster.enrolment)
        if reader_id != booster.reader_id:
            change_reader(booster, reader_id, by=by, now=now)
            _tell_reader(booster, now=now)
            has_changed = True
    if booster.is_late(now) and booster.told_late_at is None:
        _tell(booster, booster.enrolment.clinician_id, "booster-late", now)
        mark_told_late(booster, by=by, now=now)
        has_changed = True
    return has_changed


def _tell_reader(booster: Booster, *, now: datetime) -> None:
    if booster.reader_id is not None:
        _tell(booster, booster.reader_id, "booster-answered", now)


def _tell(booster: Booster, account_id: int, what: str, now: datetime) -> None:
    owe_reminder(
        key=f"{what}:{booster.id}:{account_id}",
        kind=ReminderKind.STAFF_COURSE_NEWS,
        recipient_id=account_id,
        service_id=booster.service_id,
        subject=f"booster:{booster.id}",
        context=f"enrolment:{booster.enrolment_id}",
        due_at=now,
        now=now,
    )
