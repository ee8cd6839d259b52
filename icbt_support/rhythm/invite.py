"""Week 0: a person is invited, and a welcome is owed to them from that moment."""

from datetime import date, datetime, time, timedelta

from icbt_support.accounts.models import Account, AccountLink, LinkPurpose, Role
from icbt_support.accounts.operations import create_account, give_role, owe_account_link
from icbt_support.audit.models import Actor
from icbt_support.cadence import add_working_days, local_day, to_local, to_utc
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.enrolments.operations import ContactDetails, save_contact_sheet
from icbt_support.enrolments.queries import has_open_course, rooms_of_supporters
from icbt_support.enrolments.rules import Limit
from icbt_support.enrolments.transitions import (
    create_enrolment,
    invite_again,
    note_supporter_over_limit,
)
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.duty_rota import duty_count
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import is_absent
from icbt_support.programme.content import Programme
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind, WallTime
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.queries import welcome_of
from icbt_support.reviews.transitions import schedule_review
from icbt_support.service.models import Service
from icbt_support.service.rules import missing_before_inviting

START_PROMPT_TIME = time(10)
WELCOME_NUMBER = 0


class ServiceNotReady(Exception):
    """The service cannot invite yet; `sentences` say what is missing."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class AlreadyEnrolled(Exception):
    """The person has an open course in this service."""


class SupporterIsAway(Exception):
    """The supporter is away on the day by which the welcome is owed."""

    def __init__(self, absence: Absence) -> None:
        super().__init__(f"away until {absence.until_on}")
        self.absence = absence


class OverLimit(Exception):
    """One more person passes limits of this supporter (`limits`), and nobody said why that is right."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        super().__init__(", ".join(limits))
        self.limits = limits


class OwnCourse(Exception):
    """Nobody is the supporter or the clinician of their own course."""


class AlreadyStarted(Exception):
    """The person has begun: there is nobody to invite again."""


def invite_patient(
    service: Service,
    *,
    email: str,
    full_name: str,
    called: str,
    pronouns: str,
    contact: ContactDetails,
    supporter: Account,
    clinician: Account,
    programme: Programme,
    by: Actor,
    now: datetime,
    purpose: Purpose = Purpose.CARE,
    over_limit_reason: str = "",
) -> Enrolment:
    """Invites a person: account, course, contact sheet, the link, two prompts and the welcome that is owed.

    A supporter whose limits are passed by it is chosen with a reason, which is kept. Raises `ServiceNotReady`,
    `AlreadyEnrolled`, `OwnCourse`, `SupporterIsAway`, `OverLimit` or `accounts.rules.NotAnAddress`.
    """
    missing = missing_before_inviting(service, duty_count(service))
    if missing:
        raise ServiceNotReady(list(missing))
    welcome_on = welcome_due_on(service, now)
    absence = is_absent(supporter.id, welcome_on)
    if absence is not None:
        raise SupporterIsAway(absence)
    passed = _limits_passed(service, supporter, welcome_on, now)
    if passed and not over_limit_reason:
        raise OverLimit(passed)
    patient = create_account(
        email=email, full_name=full_name, called=called, zone=service.zone, by=by, now=now
    )
    if has_open_course(patient.id, service.id):
        raise AlreadyEnrolled
    if patient.id in (supporter.id, clinician.id):
        raise OwnCourse
    give_role(patient, Role.PATIENT, service_id=service.id, by=by, now=now)
    enrolment = create_enrolment(
        service,
        patient=patient,
        supporter=supporter,
        clinician=clinician,
        programme_slug=programme.slug,
        programme_version=programme.version,
        pronouns=pronouns,
        purpose=purpose,
        by=by,
        now=now,
    )
    save_contact_sheet(enrolment, contact, by=by, now=now)
    if passed:
        note_supporter_over_limit(enrolment, ", ".join(passed), reason=over_limit_reason, by=by, now=now)
    _owe_invitation(enrolment, by=by, now=now)
    _owe_welcome(enrolment, welcome_on, by=by, now=now)
    return enrolment


def _limits_passed(
    service: Service, supporter: Account, welcome_on: date, now: datetime
) -> tuple[Limit, ...]:
    """Only of supporters for whom the service has set what they can hold: slots or a limit."""
    rooms = rooms_of_supporters(service, welcome_on=welcome_on, now=now)
    room = next((room for room in rooms if room.supporter_id == supporter.id), None)
    return room.passed_by_one_more if room is not None else ()


def reinvite(enrolment: Enrolment, *, by: Actor, now: datetime) -> AccountLink:
    """A new link to the same address; the days of the invitation count from now."""
    if not can_be_invited_again(enrolment):
        raise AlreadyStarted
    _withdraw_start_prompts(enrolment, now)
    invite_again(enrolment, by=by, now=now)
    return _owe_invitation(enrolment, by=by, now=now)


def can_be_invited_again(enrolment: Enrolment) -> bool:
    return enrolment.state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)


def welcome_due_on(service: Service, now: datetime) -> date:
    """The working day by which a person invited now is owed a welcome."""
    today = local_day(now, service.zone)
    closed = closed_days(service, today, today + timedelta(days=30))
    return add_working_days(today, service.rhythm.welcome_working_days, closed)


def _owe_invitation(enrolment: Enrolment, *, by: Actor, now: datetime) -> AccountLink:
    service, patient = enrolment.service, enrolment.patient
    today = local_day(now, patient.zone)
    expires_at = to_utc(
        today + timedelta(days=service.rhythm.invitation_days),
        to_local(now, patient.zone).time().replace(tzinfo=None),
        patient.zone,
    )
    link = owe_account_link(
        patient, LinkPurpose.INVITATION, service_id=service.id, expires_at=expires_at, by=by, now=now
    )
    for day in service.rhythm.invitation_prompt_days:
        wall = WallTime(today + timedelta(days=day), START_PROMPT_TIME, patient.zone)
        owe_reminder(
            key=f"start-prompt:{enrolment.id}:{day}:{link.id}",
            kind=ReminderKind.START_PROMPT,
            recipient_id=patient.id,
            service_id=service.id,
            subject=f"enrolment:{enrolment.id}",
            context=f"enrolment:{enrolment.id}",
            due_at=wall.instant(),
            wall=wall,
            expires_at=expires_at,
            now=now,
        )
    return link


def _owe_welcome(enrolment: Enrolment, due_on: date, *, by: Actor, now: datetime) -> Review:
    known = welcome_of(enrolment)
    if known is not None:
        return known
    service = enrolment.service
    return schedule_review(
        enrolment,
        number=WELCOME_NUMBER,
        due_on=due_on,
        promised_at=to_utc(due_on, service.promised_time, service.zone),
        owner_id=enrolment.supporter_id,
        kind=ReviewKind.WELCOME,
        by=by,
        now=now,
    )


def _withdraw_start_prompts(enrolment: Enrolment, now: datetime) -> None:
    withdraw_reminders(
        now=now,
        reason="a new invitation was sent",
        context=f"enrolment:{enrolment.id}",
        kinds=[ReminderKind.START_PROMPT],
    )
