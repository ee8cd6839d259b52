"""What people add to a course: consent, goals, times, the contact sheet, notes between staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import delete, select

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments import queries
from icbt_support.enrolments.models import Consent, ContactSheet, Enrolment, Goal, SessionTime, SupporterNote
from icbt_support.posted_once import add_once, key_of_post

MOST_GOALS = 3


class NoGoals(Exception):
    """At least one goal is needed."""


class TooManyGoals(Exception):
    """Three goals are enough at a time."""


class NoSessionTimes(Exception):
    """At least one day and time is needed."""


class SameSessionTimeTwice(Exception):
    """Two sessions at the same day and time."""


@dataclass(frozen=True)
class WeeklyTime:
    """A weekday (Monday is 0) and a wall time in the patient's zone."""

    weekday: int
    at: time


@dataclass(frozen=True)
class ContactDetails:
    """How to reach a person when it matters."""

    phone: str = ""
    voicemail_ok: bool | None = None
    safe_times: str = ""
    gp: str = ""
    emergency_contact: str = ""
    usually_at: str = ""


def give_consent(enrolment: Enrolment, version: str, *, by: Actor, now: datetime) -> Consent:
    """A yes to one version; the same version again is the same yes."""
    known = queries.current_consent(enrolment)
    if known is not None and known.version == version:
        return known
    consent = Consent(enrolment_id=enrolment.id, version=version, given_at=now)
    db.session.add(consent)
    db.session.flush()
    _record("gave_consent", enrolment, by, now, detail=f"version {version}")
    return consent


def choose_session_times(
    enrolment: Enrolment, times: Sequence[WeeklyTime], *, by: Actor, now: datetime
) -> None:
    """Replaces the days and times at which the person plans to work."""
    if not times:
        raise NoSessionTimes
    if len(set(times)) != len(times):
        raise SameSessionTimeTwice
    db.session.execute(delete(SessionTime).where(SessionTime.enrolment_id == enrolment.id))
    db.session.expire(enrolment, ["session_times"])
    ordered = sorted(times, key=lambda chosen: (chosen.weekday, chosen.at))
    db.session.add_all(
        SessionTime(enrolment_id=enrolment.id, position=position, weekday=chosen.weekday, at=chosen.at)
        for position, chosen in enumerate(ordered, start=1)
    )
    db.session.flush()
    db.session.expire(enrolment, ["session_times"])
    _record("chose_session_times", enrolment, by, now)


def save_contact_sheet(
    enrolment: Enrolment, details: ContactDetails, *, by: Actor, now: datetime
) -> ContactSheet:
    """Writes or replaces the contact sheet; what is saved has to be confirmed by the patient again."""
    sheet = queries.contact_sheet_of(enrolment)
    if sheet is None:
        sheet = ContactSheet(enrolment_id=enrolment.id, changed_at=now)
        db.session.add(sheet)
    sheet.phone = details.phone
    sheet.voicemail_ok = details.voicemail_ok
    sheet.safe_times = details.safe_times
    sheet.gp = details.gp
    sheet.emergency_contact = details.emergency_contact
    sheet.usually_at = details.usually_at
    sheet.changed_at = now
    sheet.confirmed_at = None
    db.session.flush()
    _record("changed_the_contact_sheet", enrolment, by, now)
    return sheet


def confirm_contact_sheet(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """The patient says that the contact sheet is right."""
    sheet = queries.contact_sheet_of(enrolment)
    if sheet is None:
        sheet = save_contact_sheet(enrolment, ContactDetails(), by=by, now=now)
    sheet.confirmed_at = now
    db.session.flush()
    _record("confirmed_the_contact_sheet", enrolment, by, now)


def set_goals(enrolment: Enrolment, wishes: Sequence[str], *, by: Actor, now: datetime) -> list[Goal]:
    """What the person wants now, in their own words: one to three. A goal that is not named again is kept as
    replaced; the same goals again change nothing. Raises `NoGoals` or `TooManyGoals`.
    """
    wanted = list(dict.fromkeys(words.strip() for words in wishes if words.strip()))
    if not wanted:
        raise NoGoals
    if len(wanted) > MOST_GOALS:
        raise TooManyGoals
    kept = {goal.words: goal for goal in queries.current_goals(enrolment)}
    if list(kept) == wanted:
        return list(kept.values())
    for words, goal in kept.items():
        if words not in wanted:
            goal.replaced_at = now
    goals = [
        kept.get(words) or Goal(enrolment_id=enrolment.id, words=words, written_at=now) for words in wanted
    ]
    db.session.add_all(goals)
    db.session.flush()
    _record("set_goals", enrolment, by, now, detail=f"{len(goals)} goals")
    return goals


def add_note(
    enrolment: Enrolment, words: str, *, by: Actor, now: datetime, posted_key: str = ""
) -> SupporterNote:
    """A note between staff; never shown to the patient in the product. Posted twice, it is one."""
    key = key_of_post(posted_key, words)
    note = SupporterNote(
        enrolment_id=enrolment.id, words=words, written_by=by.account_id, written_at=now, posted_key=key
    )
    same = select(SupporterNote).where(
        SupporterNote.enrolment_id == enrolment.id, SupporterNote.posted_key == key
    )
    note, is_new = add_once(note, same)
    if not is_new:
        return note
    _record("added_a_note", enrolment, by, now, object_kind="supporter_note", object_id=note.id)
    return note


def _record(
    action: str,
    enrolment: Enrolment,
    by: Actor,
    now: datetime,
    *,
    object_kind: str = "enrolment",
    object_id: int | None = None,
    detail: str = "",
) -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind=object_kind,
        object_id=object_id if object_id is not None else enrolment.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=detail,
    )
