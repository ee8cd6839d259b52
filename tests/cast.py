"""The cast: a patient, her supporter, her clinician, an administrator; a supporter and a patient elsewhere."""

from dataclasses import dataclass
from datetime import date, datetime, time

from icbt_support.accounts import operations as accounts
from icbt_support.accounts.models import Account, Role
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import (
    ContactSheet,
    Enrolment,
    EnrolmentState,
    OnboardingStep,
    SessionTime,
)
from icbt_support.hours.models import DutySession, ReviewSlot
from icbt_support.programme.library import programmes
from icbt_support.service.models import HelpLine, Service

PROGRAMME = "low-mood"
OPERATOR = Actor.operator("tests")
PASSWORD = "a calm and long passphrase"  # noqa: S105 (of invented people)


@dataclass(frozen=True)
class Cast:
    service: Service
    elsewhere: Service
    patient: Account
    supporter: Account
    colleague: Account
    clinician: Account
    administrator: Account
    other_patient: Account
    other_supporter: Account
    other_clinician: Account
    enrolment: Enrolment
    other_enrolment: Enrolment


def make_cast(*, now: datetime) -> Cast:
    """Alex is with Pat at Northfield, active since a week ago but without a week yet; Kim is with Lee at Southfield."""
    service, elsewhere = make_service("Northfield", now), make_service("Southfield", now)
    people = {
        "patient": make_person("Alex Reed", Role.PATIENT, service, now),
        "supporter": make_person("Pat Lane", Role.SUPPORTER, service, now),
        "colleague": make_person("Chris Moor", Role.SUPPORTER, service, now),
        "clinician": make_person("Dr Jo Field", Role.CLINICIAN, service, now),
        "administrator": make_person("Toni Marsh", Role.ADMINISTRATOR, service, now),
        "other_patient": make_person("Kim Hill", Role.PATIENT, elsewhere, now),
        "other_supporter": make_person("Lee Brook", Role.SUPPORTER, elsewhere, now),
        "other_clinician": make_person("Dr Max Wood", Role.CLINICIAN, elsewhere, now),
    }
    for supporter, where in (("supporter", service), ("colleague", service), ("other_supporter", elsewhere)):
        give_review_slot(people[supporter], where, now)
    give_duty(people["clinician"], service)
    give_duty(people["other_clinician"], elsewhere)
    enrolment = enrol(people["patient"], people["supporter"], people["clinician"], service, now)
    other = enrol(
        people["other_patient"], people["other_supporter"], people["other_clinician"], elsewhere, now
    )
    return Cast(service=service, elsewhere=elsewhere, enrolment=enrolment, other_enrolment=other, **people)


def make_service(name: str, now: datetime) -> Service:
    service = Service(
        name=name,
        created_at=now,
        out_of_hours_words="Nobody here reads messages in the evening or at weekends.",
        contact_words="Call 01632 960000, weekdays 9am to 5pm.",
        duty_phone="01632 960017",
        help_lines=[
            HelpLine(
                position=1,
                title="Call 116 123",
                href="tel:116123",
                words="Samaritans, free, any time",
                checked_on=date(2026, 11, 2),
            )
        ],
    )
    db.session.add(service)
    db.session.flush()
    return service


def make_person(full_name: str, role: Role, service: Service, now: datetime) -> Account:
    words = full_name.replace("Dr ", "").split()
    account = accounts.create_account(
        email=f"{words[0]}.{words[-1]}@example.net".lower(),
        full_name=full_name,
        called=words[0],
        zone="Europe/London",
        by=OPERATOR,
        now=now,
    )
    accounts.give_role(account, role, service_id=service.id, by=OPERATOR, now=now)
    db.session.flush()
    return account


def give_review_slot(supporter: Account, service: Service, now: datetime) -> None:
    """Thursdays 9am to 1pm, 15 minutes a review."""
    db.session.add(
        ReviewSlot(
            service_id=service.id,
            supporter_id=supporter.id,
            weekday=3,
            starts=time(9),
            ends=time(13),
            minutes_per_review=15,
            created_at=now,
        )
    )


def give_duty(clinician: Account, service: Service) -> None:
    """Monday to Friday, 9am to 5pm."""
    for weekday in range(5):
        db.session.add(
            DutySession(
                service_id=service.id,
                weekday=weekday,
                starts=time(9),
                ends=time(17),
                position=1,
                clinician_id=clinician.id,
            )
        )


def enrol(
    patient: Account, supporter: Account, clinician: Account, service: Service, now: datetime
) -> Enrolment:
    enrolment = Enrolment(
        service_id=service.id,
        patient_id=patient.id,
        supporter_id=supporter.id,
        clinician_id=clinician.id,
        programme_slug=PROGRAMME,
        programme_version=programmes()[PROGRAMME].version,
        state=EnrolmentState.ACTIVE,
        onboarding_step=OnboardingStep.DONE,
        invited_at=now,
        starts_on=now.date(),
        started_at=now,
        contact_sheet=ContactSheet(phone="01632 960123", voicemail_ok=False, changed_at=now),
        session_times=[
            SessionTime(position=1, weekday=0, at=time(19)),
            SessionTime(position=2, weekday=1, at=time(19)),
        ],
    )
    db.session.add(enrolment)
    db.session.flush()
    return enrolment
