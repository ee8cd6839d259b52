"""Reads of courses. A page starts from one of the scopes below: there is no unscoped look-up.

Nobody works on their own course: a member of staff who is a patient too reads it on the patient's pages alone.
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select, true, union
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from icbt_support.accounts.models import Account, Membership, Role
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.models import (
    SUPPORTER_CHANGED,
    ColleagueAccess,
    Consent,
    ContactSheet,
    Enrolment,
    EnrolmentChange,
    EnrolmentState,
    Goal,
    Purpose,
    SupporterNote,
)
from icbt_support.enrolments.rules import Room, most_room_first, needs_confirming
from icbt_support.hours.capacity import limits_of, weekly_capacity
from icbt_support.hours.queries import first_day_back, is_absent
from icbt_support.hours.working_day import covered_now
from icbt_support.read_once import read_once
from icbt_support.service.models import Service

# Scopes ---------------------------------------------------------------------------------------------------


def for_patient(account: Account) -> Enrolment | None:
    """The person's open course, or the newest one where all have ended."""
    return db.session.scalars(
        select(Enrolment)
        .where(Enrolment.patient_id == account.id)
        .order_by(Enrolment.ended_at.is_not(None), Enrolment.id.desc())
        .limit(1)
    ).first()


def courses_of_patient(account: Account) -> list[int]:
    """The numbers of all courses that this person has or had."""
    return list(
        db.session.scalars(
            select(Enrolment.id).where(Enrolment.patient_id == account.id).order_by(Enrolment.id)
        )
    )


def for_supporter(account: Account, *, now: datetime) -> Select[Enrolment]:
    """The caseload of a supporter, the people whom they cover today, and those who are open to them or to the
    cover pool because something is owed.

    A union of three, each found by an index: one condition with OR makes PostgreSQL read every course there is. The
    condition stands behind it all the same: of a course that a form had to wait for, PostgreSQL judges only that anew.
    """
    ways_in = (
        and_(
            Enrolment.supporter_id == account.id,
            Enrolment.service_id.in_(_service_ids(account, Role.SUPPORTER)),
        ),
        _is_covered(account, now),
        _is_open_to(account, now),
    )
    found = (select(Enrolment.id).where(way).correlate(None) for way in ways_in)
    return select(Enrolment).where(
        Enrolment.patient_id != account.id, Enrolment.id.in_(union(*found)), or_(*ways_in)
    )


def under_cover(account: Account, *, now: datetime) -> Select[Enrolment]:
    """Open courses of supporters who are away today and whom this supporter covers."""
    return select(Enrolment).where(
        _is_covered(account, now),
        Enrolment.supporter_id != account.id,
        Enrolment.patient_id != account.id,
        _is_open(),
    )


def for_clinician(account: Account) -> Select[Enrolment]:
    """Everybody else in the services where the account is a clinician."""
    return select(Enrolment).where(
        Enrolment.service_id.in_(_service_ids(account, Role.CLINICIAN)), Enrolment.patient_id != account.id
    )


def is_of_others(reader_id: int | None) -> ColumnElement[bool]:
    """Whether a course is not the reader's own: nobody who works here reads of themselves. None reads everything."""
    return true() if reader_id is None else Enrolment.patient_id != reader_id


def is_about_others(enrolment_id: InstrumentedAttribute[int], reader_id: int | None) -> ColumnElement[bool]:
    """The same for rows that name a course."""
    own = select(Enrolment.id).where(Enrolment.patient_id == reader_id)
    return true() if reader_id is None else enrolment_id.not_in(own)


def scoped_enrolment(scope: Select[Enrolment], enrolment_id: int) -> Enrolment | None:
    """One course within a scope; None for an unknown one and for somebody else's alike."""
    return db.session.scalars(scope.where(Enrolment.id == enrolment_id)).first()


def held_in_scope(scope: Select[Enrolment], enrolment_id: int) -> Enrolment | None:
    """The same for a form: it waits for whoever acts on this course, and a hand-over that came first wins."""
    return scoped_enrolment(scope.with_for_update(of=Enrolment, key_share=True), enrolment_id)


def _service_ids(account: Account, role: Role) -> Select[int]:
    return select(Membership.service_id).where(
        Membership.account_id == account.id, Membership.role == role, Membership.ended_at.is_(None)
    )


@read_once
def _is_covered(account: Account, now: datetime) -> ColumnElement[bool]:
    """Covering somebody opens their caseload in that service, for the days of the absence.

    The pool opens nobody whom the account has handed over.
    """
    away = covered_now(account.id, _service_ids(account, Role.SUPPORTER), now=now)
    if not away:
        return false()
    return or_(
        *(
            and_(
                Enrolment.supporter_id == colleague_id,
                Enrolment.service_id == service_id,
                true() if is_by_name else ~_has_handed_over(account, Enrolment.id),
            )
            for colleague_id, service_id, is_by_name in sorted(away)
        )
    )


def _is_open_to(account: Account, now: datetime) -> ColumnElement[bool]:
    """A review or message is owed of which this colleague, or the cover pool, was told.

    Whoever has handed the person over is not of the pool: they may have been asked to leave.
    """
    is_of_the_pool = and_(
        ColleagueAccess.account_id.is_(None), ~_has_handed_over(account, ColleagueAccess.enrolment_id)
    )
    return Enrolment.id.in_(
        select(ColleagueAccess.enrolment_id).where(
            ColleagueAccess.service_id.in_(_service_ids(account, Role.SUPPORTER)),
            or_(ColleagueAccess.account_id == account.id, is_of_the_pool),
            or_(ColleagueAccess.ended_at.is_(None), ColleagueAccess.ended_at > now),
        )
    )


def _has_handed_over(account: Account, enrolment_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether the account was the supporter of this course before somebody else was."""
    return exists().where(
        EnrolmentChange.enrolment_id == enrolment_id,
        EnrolmentChange.what == SUPPORTER_CHANGED,
        EnrolmentChange.from_value == str(account.id),
    )


def _is_open() -> ColumnElement[bool]:
    return Enrolment.state != EnrolmentState.ENDED


# One course -----------------------------------------------------------------------------------------------


def patient_zone(enrolment: Enrolment) -> str:
    return enrolment.patient.zone


def local_today(enrolment: Enrolment, now: datetime) -> date:
    """The day it is where the patient is."""
    return local_day(now, patient_zone(enrolment))


def current_consent(enrolment: Enrolment) -> Consent | None:
    return db.session.scalars(
        select(Consent)
        .where(Consent.enrolment_id == enrolment.id, Consent.withdrawn_at.is_(None))
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()


def current_goals(enrolment: Enrolment) -> list[Goal]:
    return list(
        db.session.scalars(
            select(Goal)
            .where(Goal.enrolment_id == enrolment.id, Goal.replaced_at.is_(None))
            .order_by(Goal.written_at, Goal.id)
        )
    )


def replaced_goals(enrolment: Enrolment) -> list[Goal]:
    """What this person wanted before, newest first."""
    return list(
        db.session.scalars(
            select(Goal)
            .where(Goal.enrolment_id == enrolment.id, Goal.replaced_at.is_not(None))
            .order_by(Goal.replaced_at.desc(), Goal.id.desc())
        )
    )


def is_contact_sheet_due(enrolment: Enrolment, *, now: datetime) -> bool:
    """Whether the patient is asked if the contact sheet is still right: in week 1, and every four weeks."""
    sheet = contact_sheet_of(enrolment)
    every_days = enrolment.service.rhythm.contact_sheet_confirm_days
    return needs_confirming(sheet.confirmed_at if sheet else None, every_days, now)


def contact_sheet_of(enrolment: Enrolment) -> ContactSheet | None:
    return db.session.scalars(select(ContactSheet).where(ContactSheet.enrolment_id == enrolment.id)).first()


def changes_of(enrolment: Enrolment) -> list[EnrolmentChange]:
    """What changed in this course, oldest first."""
    return list(
        db.session.scalars(
            select(EnrolmentChange)
            .where(EnrolmentChange.enrolment_id == enrolment.id)
            .order_by(EnrolmentChange.changed_at, EnrolmentChange.id)
        )
    )


def notes_on(enrolment: Enrolment) -> list[SupporterNote]:
    return list(
        db.session.scalars(
            select(SupporterNote)
            .where(SupporterNote.enrolment_id == enrolment.id)
            .order_by(SupporterNote.written_at.desc(), SupporterNote.id.desc())
        )
    )


# Many courses ---------------------------------------------------------------------------------------------


def open_enrolments_of_supporter(supporter_id: int) -> list[Enrolment]:
    return list(
        db.session.scalars(
            select(Enrolment)
            .where(Enrolment.supporter_id == supporter_id, _is_open())
            .options(selectinload(Enrolment.patient))
            .order_by(Enrolment.id)
        )
    )


def open_enrolments_of_clinician(clinician_id: int) -> list[Enrolment]:
    return list(
        db.session.scalars(
            select(Enrolment)
            .where(Enrolment.clinician_id == clinician_id, _is_open())
            .options(selectinload(Enrolment.patient))
            .order_by(Enrolment.id)
        )
    )


def has_open_course(account_id: int, service_id: int) -> bool:
    return (
        db.session.scalar(
            select(Enrolment.id)
            .where(Enrolment.patient_id == account_id, Enrolment.service_id == service_id, _is_open())
            .limit(1)
        )
        is not None
    )


def has_open_course_anywhere(account_id: int) -> bool:
    return (
        db.session.scalar(select(Enrolment.id).where(Enrolment.patient_id == account_id, _is_open()).limit(1))
        is not None
    )


def not_started(service_ids: Iterable[int]) -> list[Enrolment]:
    """Courses whose person was invited and has not begun their first week, longest invited first."""
    return list(
        db.session.scalars(
            select(Enrolment)
            .where(
                Enrolment.service_id.in_(list(service_ids)),
                Enrolment.state.in_([EnrolmentState.INVITED, EnrolmentState.ONBOARDING]),
                Enrolment.purpose == Purpose.CARE,
                Enrolment.starts_on.is_(None),
            )
            .options(selectinload(Enrolment.patient), selectinload(Enrolment.service))
            .order_by(Enrolment.invited_at, Enrolment.id)
        )
    )


def rooms_of_supporters(service: Service, *, welcome_on: date, now: datetime) -> list[Room]:
    """Every supporter with a protected slot, whoever has room first; away means away when the welcome is due."""
    people = {
        supporter_id: (count, fortnightly)
        for supporter_id, count, fortnightly in db.session.execute(
            select(
                Enrolment.supporter_id,
                func.count(),
                func.sum(case((Enrolment.cadence_days == 14, 1), else_=0)),
            )
            .where(Enrolment.service_id == service.id, _is_open())
            .group_by(Enrolment.supporter_id)
        )
    }
    capacities = weekly_capacity(service.id, now=now)
    limits = limits_of(capacities, service.id)
    rooms = []
    for supporter_id, capacity in capacities.items():
        count, fortnightly = people.get(supporter_id, (0, 0))
        limit = limits.get(supporter_id)
        is_away = is_absent(supporter_id, welcome_on) is not None
        rooms.append(
            Room(
                supporter_id,
                places=capacity.places,
                people=count,
                fortnightly=fortnightly,
                minutes_a_review=capacity.minutes_a_review,
                most_people=limit.people if limit else None,
                most_minutes=limit.minutes_a_week if limit else None,
                free_weekdays=capacity.free_weekdays,
                back_on=first_day_back(supporter_id, welcome_on, service=service) if is_away else None,
            )
        )
    return most_room_first(rooms)
