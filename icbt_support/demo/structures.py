"""What makes a service work around the course: who leads, who has learned what, what was reported and answered,
and which contacts count. By the product's verbs, on the days on which it is told.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.contacts.operations import confirm_contact
from icbt_support.contacts.queries import waiting_contacts
from icbt_support.db import db
from icbt_support.demo.people import ADMINISTRATOR, DR_WEISS, PRIYA, STANDS_ON, TOM, VENDOR
from icbt_support.demo.stories import KOFI, day_before
from icbt_support.demo.world import World, day_of, wall
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.feedback.models import ProblemReport
from icbt_support.feedback.operations import (
    answer_report,
    close_report,
    mark_answer_read,
    report_problem,
    triage_report,
)
from icbt_support.feedback.rules import AnswerKind, AnswerSide, ReportKind, ReportState
from icbt_support.implementation.models import Training
from icbt_support.implementation.operations import (
    add_training,
    confirm_completion,
    name_lead,
    record_completion,
)
from icbt_support.implementation.rules import LeadKind, NeededBy
from icbt_support.settings import PRODUCT_VERSION

LEADS = (
    (LeadKind.IMPLEMENTATION_LEAD, ADMINISTRATOR),
    (LeadKind.CLINICAL_CHAMPION, DR_WEISS),
    (LeadKind.VENDOR_CONTACT, VENDOR),
)
TRAININGS = (
    ("Writing reviews in online CBT", NeededBy.SUPPORTERS, 24),
    ("Risk in messages and questionnaires", NeededBy.EVERYBODY, 12),
)
TRAINED = ((PRIYA, True), (TOM, False))
"""Who says that they have done the first training, and whether a colleague has confirmed it."""
TRAINED_DAYS_AFTER = 10
TOMS_REPORT = (
    "On my phone, the keys below the line of the week take three rows before I see the plan. "
    "Could they fold away?"
)
FOR_THE_VENDOR = "On a phone, the key below the week's line takes three rows. Could it fold away?"
VENDORS_ANSWER = "Yes. From the next version the key is folded on small screens. Thank you for telling us."
SAID, DID = (
    "The key below the week's line takes much room on a phone.",
    "It folds away from the next version.",
)
KOFIS_IDEA = "It would help me to choose two different times on weekends."


def plan_structures(world: World) -> None:
    """Everything of it; what would lie before the demo begins is left out."""
    world.at(wall(world.begins_on, time(8, 40)), partial(_name_leads, world))
    world.at(wall(world.begins_on, time(8, 45)), partial(_keep_trainings, world))
    _at(world, world.begins_on + timedelta(days=TRAINED_DAYS_AFTER), time(16, 10), _do_training)
    _at(world, day_before(13), time(11, 50), _tom_reports)
    _at(world, day_before(10), time(14, 5), _triage_toms_report)
    _at(world, day_before(8), time(10, 20), _vendor_answers)
    _at(world, day_before(7), time(12, 30), _tom_reads_and_it_ends)
    _at(world, day_before(2), time(18, 20), _kofi_has_an_idea)
    _at(world, day_before(1), time(15, 30), _confirm_contacts)


def _at(world: World, on: date, at: time, act: Callable[[World, datetime], None]) -> None:
    if world.begins_on < on < STANDS_ON:
        world.at(wall(on, at), partial(act, world))


def _administrator(world: World) -> Actor:
    return world.as_staff(ADMINISTRATOR, Role.ADMINISTRATOR)


def _name_leads(world: World, now: datetime) -> None:
    for kind, email in LEADS:
        name_lead(world.service_id, kind, world.member(email), by=_administrator(world), now=now)


def _keep_trainings(world: World, now: datetime) -> None:
    for title, needed_by, months in TRAININGS:
        add_training(
            world.service_id,
            title,
            needed_by=needed_by,
            valid_months=months,
            posted_key=world.posted_key(),
            by=_administrator(world),
            now=now,
        )


def _do_training(world: World, now: datetime) -> None:
    training = db.session.scalars(select(Training).order_by(Training.id)).first()
    if training is None:
        return
    today = day_of(now)
    for email, is_confirmed in TRAINED:
        by = world.as_staff(email, Role.SUPPORTER)
        done = record_completion(training, world.member(email), today, today=today, by=by, now=now)
        if is_confirmed:
            confirm_completion(done, by=_administrator(world), now=now)


# Reports ----------------------------------------------------------------------------------------------------


def _tom_reports(world: World, now: datetime) -> None:
    report_problem(
        TOMS_REPORT,
        page="/supporting/today",
        product_version=PRODUCT_VERSION,
        service_id=world.service_id,
        reported_as=Role.SUPPORTER,
        posted_key=world.posted_key(),
        by=world.as_staff(TOM, Role.SUPPORTER),
        now=now,
    )


def _toms_report(world: World) -> ProblemReport | None:
    return db.session.scalars(
        select(ProblemReport).where(ProblemReport.reported_by == world.staff[TOM])
    ).first()


def _triage_toms_report(world: World, now: datetime) -> None:
    report = _toms_report(world)
    if report is not None:
        owner = world.member(ADMINISTRATOR)
        triage_report(report, owner=owner, vendor_words=FOR_THE_VENDOR, by=_administrator(world), now=now)


def _vendor_answers(world: World, now: datetime) -> None:
    report = _toms_report(world)
    if report is None or report.triaged_at is None:
        return
    answer_report(
        report,
        VENDORS_ANSWER,
        kind=AnswerKind.TO_REPORTER,
        side=AnswerSide.VENDOR,
        posted_key=world.posted_key(),
        by=world.as_staff(VENDOR, Role.VENDOR),
        now=now,
    )


def _tom_reads_and_it_ends(world: World, now: datetime) -> None:
    report = _toms_report(world)
    if report is None or report.triaged_at is None:
        return
    mark_answer_read(report, by=world.as_staff(TOM, Role.SUPPORTER), now=now)
    close_report(
        report,
        ReportState.RESOLVED,
        closing_words="The vendor has it in the next version.",
        said_words=SAID,
        did_words=DID,
        by=_administrator(world),
        now=now,
    )


def _kofi_has_an_idea(world: World, now: datetime) -> None:
    life = next((life for life in world.lives if life.plan.email == KOFI and life.enrolment_id), None)
    if life is None:
        return
    report_problem(
        KOFIS_IDEA,
        page="/week",
        product_version=PRODUCT_VERSION,
        service_id=world.service_id,
        kind=ReportKind.IDEA,
        reported_as=Role.PATIENT,
        posted_key=world.posted_key(),
        by=world.as_patient(life.enrolment()),
        now=now,
    )


# Contacts ---------------------------------------------------------------------------------------------------


def _confirm_contacts(world: World, now: datetime) -> None:
    """Dr Weiss confirms what counts in the courses that have ended; those that go on wait."""
    ended = db.session.scalars(
        select(Enrolment.id).where(
            Enrolment.state == EnrolmentState.ENDED, Enrolment.end_code != EndCode.NEVER_STARTED
        )
    )
    for waiting in waiting_contacts(ended.all()):
        confirm_contact(waiting, by=world.as_staff(DR_WEISS, Role.CLINICIAN), now=now)
