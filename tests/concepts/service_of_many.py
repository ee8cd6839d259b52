"""People, weeks, reviews and visits as plain rows, so that figures can be counted by hand."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from icbt_support.accounts.models import Account, Role
from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.journal.models import PageRead
from icbt_support.measures.models import Occasion, Questionnaire
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from tests.cast import Cast, enrol, make_person


def at(on: date, hour: int = 17) -> datetime:
    return datetime.combine(on, time(hour), UTC)


@dataclass
class ManyPeople:
    """Adds people to the cast's service."""

    cast: Cast
    now: datetime
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def person(self, name: str = "", *, state: EnrolmentState = EnrolmentState.ACTIVE) -> Enrolment:
        """Somebody who was invited and began 60 days ago and was here this morning."""
        number = next(self.numbers)
        account = make_person(name or f"Person {number:03}", Role.PATIENT, self.cast.service, self.now)
        enrolment = self._enrol(account, state)
        visit(enrolment, self.now)
        return enrolment

    def _enrol(self, account: Account, state: EnrolmentState) -> Enrolment:
        cast, long_ago = self.cast, self.now - timedelta(days=60)
        enrolment = enrol(account, cast.supporter, cast.clinician, cast.service, long_ago)
        enrolment.state = state
        if state in (EnrolmentState.INVITED, EnrolmentState.ONBOARDING):
            enrolment.starts_on = enrolment.started_at = None
        if state is EnrolmentState.ENDED:
            enrolment.ended_at = self.now
        db.session.flush()
        return enrolment


def visit(enrolment: Enrolment, at_: datetime, act: Act = Act.SIGNED_IN, subject: str = "") -> None:
    record_activity(
        act,
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        on=at_.date(),
        now=at_,
        subject=subject,
    )


def open_week(
    enrolment: Enrolment, number: int, on: date, because: OpenedBecause = OpenedBecause.REVIEW_SENT
) -> Week:
    week = Week(
        enrolment_id=enrolment.id,
        number=number,
        module="getting-started",
        opened_on=on,
        review_on=on + timedelta(days=7),
        opened_at=at(on, 9),
        opened_because=because,
    )
    db.session.add(week)
    db.session.flush()
    return week


def session_on(week: Week, on: date, state: ItemState) -> None:
    db.session.add(
        PlanItem(
            week_id=week.id,
            enrolment_id=week.enrolment_id,
            kind=ItemKind.SESSION,
            title="A session",
            planned_on=on,
            planned_time=time(19),
            minutes=20,
            state=state,
        )
    )
    db.session.flush()


def review(
    enrolment: Enrolment,
    number: int,
    promised: date,
    *,
    state: ReviewState = ReviewState.SCHEDULED,
    kind: ReviewKind = ReviewKind.WEEKLY,
    sent_at: datetime | None = None,
    closed_at: datetime | None = None,
    told_late_at: datetime | None = None,
    first_promised: date | None = None,
) -> Review:
    row = Review(
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        kind=kind,
        number=number,
        owner_id=enrolment.supporter_id,
        due_on=promised,
        promised_at=at(promised),
        first_promised_at=at(first_promised or promised),
        state=ReviewState.SENT if sent_at else state,
        sent_at=sent_at,
        closed_at=closed_at,
        told_late_at=told_late_at,
        created_at=at(promised, 1),
    )
    db.session.add(row)
    db.session.flush()
    return row


def read_module(enrolment: Enrolment, module: str, when: datetime) -> None:
    db.session.add(
        PageRead(enrolment_id=enrolment.id, module=module, page="p", first_read_at=when, last_read_at=when)
    )
    visit(enrolment, when, Act.READ_PAGE, f"page:{module}/p")


def score(enrolment: Enrolment, week_number: int, total: int, when: datetime) -> None:
    db.session.add(
        Questionnaire(
            enrolment_id=enrolment.id,
            measure="phq-9",
            occasion=Occasion.CHECK_IN if week_number else Occasion.BASELINE,
            week_number=week_number,
            started_at=when,
            finished_at=when,
            total=total,
        )
    )
    db.session.flush()


def reminder(
    enrolment: Enrolment, key: str, kind: ReminderKind, due_at: datetime, state: ReminderState
) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=due_at,
        now=due_at,
    )
    db.session.flush()
    db.session.execute(db.update(Reminder).where(Reminder.key == key).values(state=state))
