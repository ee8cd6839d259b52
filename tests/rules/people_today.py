"""People as Today sees them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from icbt_support.accounts.models import Account
from icbt_support.engagement.caseload import (
    OpenAlert,
    OwedReview,
    PersonNow,
    WaitingMessage,
    WeekNow,
)
from icbt_support.engagement.today import (
    Section,
    section_of,
)
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.messages.models import MessageKind
from icbt_support.pages.supporter.today_reasons import Reader
from icbt_support.pages.supporter.today_rows import Address, Row, make_row
from icbt_support.plan.models import ItemState, PlanItem, Week
from icbt_support.programme.library import programmes
from icbt_support.reviews.models import Review, ReviewClaim, ReviewKind, ReviewState
from icbt_support.risk.models import AlertSource, CallOutcome, Grade, RiskAlert
from icbt_support.service.models import Service

NOW = datetime(2026, 11, 19, 9, 35, tzinfo=UTC)


TODAY = date(2026, 11, 19)


ZONE = "Europe/London"


ME, COLLEAGUE = 7, 8


def make_person(name: str = "Ruth Okafor", *, number: int = 1, **changes: object) -> PersonNow:
    enrolment = Enrolment(
        id=number,
        supporter_id=ME,
        state=EnrolmentState.ACTIVE,
        invited_at=NOW - timedelta(days=30),
        programme_slug="low-mood",
        programme_version=programmes()["low-mood"].version,
    )
    enrolment.patient = Account(full_name=name, called=name.split()[0], zone=ZONE)
    enrolment.supporter = Account(full_name="Priya Nair", called="Priya")
    person = PersonNow(enrolment, None, (), None, (), (), (), (), NOW - timedelta(days=1))
    return replace(person, **changes)  # type: ignore[arg-type]


def of_colleague(**changes: object) -> PersonNow:
    person = make_person(**changes)  # type: ignore[arg-type]
    person.enrolment.supporter_id = COLLEAGUE
    return person


def owed(
    *, promised_at: datetime, slot_at: datetime | None = None, owner: int = ME,
    kind: ReviewKind = ReviewKind.WEEKLY, drafted: datetime | None = None, told: datetime | None = None,
) -> OwedReview:  # fmt: skip
    review = Review(
        id=1, kind=kind, owner_id=owner, state=ReviewState.OPEN, promised_at=promised_at, slot_at=slot_at,
        due_on=promised_at.date(), told_late_at=told, number=2,
    )  # fmt: skip
    review.owner = Account(full_name="Chris Moor", called="Chris")
    return OwedReview(review, drafted, 12 if slot_at else None)


def due_at(hour: int, minute: int = 0, **changes: object) -> OwedReview:
    slot = NOW.replace(hour=hour, minute=minute)
    return owed(promised_at=NOW.replace(hour=17, minute=0), slot_at=slot, **changes)  # type: ignore[arg-type]


def alert(grade: Grade, **changes: object) -> OpenAlert:
    values = {
        "source": AlertSource.ITEM_9,
        "answer": 1,
        "answer_before": 0,
        "raised_at": NOW - timedelta(hours=1),
    }
    return OpenAlert(
        RiskAlert(grade=grade, **{**values, **changes}), "Dr Hana Weiss", NOW - timedelta(minutes=33)
    )


def open_week(*, step: ItemState | None = None, checked_in: bool = False) -> WeekNow:
    week = Week(number=4, opened_at=NOW - timedelta(days=7))
    item = PlanItem(state=step, planned_on=TODAY + timedelta(days=2)) if step else None
    return WeekNow(week, item, NOW - timedelta(hours=14) if checked_in else None)


def where(person: PersonNow) -> Section:
    return section_of(person, account_id=ME, now=NOW, zone=ZONE)


def row_of(person: PersonNow) -> Row:
    address = Address(
        "/person", "/review", "/welcome", "/messages", "/contact", "/start", "/release", "/take"
    )
    reader = Reader(ME, NOW, ZONE, {COLLEAGUE: date(2026, 12, 3)})
    return make_row(person, where(person), address, reader, is_first=False)


def quiet_for(days: int, *calls: CallOutcome, state: EnrolmentState = EnrolmentState.ACTIVE) -> PersonNow:
    """Somebody of a service with the product's numbers who was last here (or was invited) so many days ago."""
    rang_at = NOW - timedelta(days=1)
    since = NOW - timedelta(days=days)
    person = make_person(owed=(LATER,), last_visit_at=since, calls=tuple((rang_at, one) for one in calls))
    person.enrolment.purpose = Purpose.CARE
    person.enrolment.service = Service(rhythm_settings={})
    person.enrolment.state = state
    person.enrolment.invited_at = since
    return person


def claimed(by: int, *, minutes_ago: int) -> OwedReview:
    one = due_at(10)
    moment = NOW - timedelta(minutes=minutes_ago)
    claim = ReviewClaim(account_id=by, claimed_at=moment, last_active_at=moment)
    claim.account = Account(full_name="Chris Moor", called="Chris")
    return replace(one, claim=claim)


LATE = owed(promised_at=NOW - timedelta(hours=16, minutes=35), told=NOW - timedelta(hours=16, minutes=35))


LATER = owed(promised_at=NOW + timedelta(days=7))


UNREAD = WaitingMessage(MessageKind.MESSAGE, NOW - timedelta(hours=2), is_read=False)


UNREAD_TOO_LONG = WaitingMessage(MessageKind.MESSAGE, NOW - timedelta(days=3), is_read=False, is_late=True)
