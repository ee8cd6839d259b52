"""Contacts that wait for a clinician, and those that are decided: each a fixed number of statements."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, union_all
from sqlalchemy.orm import joinedload

from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.enrolments.queries import is_of_others
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.risk.models import CallLog, CallOutcome
from icbt_support.service.models import Service

MOST_DIGITS = 18


@dataclass(frozen=True)
class WaitingContact:
    """A sent review or an answered call about which no clinician has decided yet."""

    kind: ContactKind
    source_id: int
    service_id: int
    enrolment_id: int
    contact_at: datetime
    minutes: int | None
    recorded_by: int

    @property
    def key(self) -> str:
        """How a form names it: "review_sent-12"."""
        return f"{self.kind.value}-{self.source_id}"


def waiting_contacts(enrolment_ids: Collection[int]) -> list[WaitingContact]:
    """What waits for a clinician in these courses, oldest first. A welcome is not a treatment contact."""
    return _waiting(Enrolment.id.in_(enrolment_ids), Enrolment.id.in_(enrolment_ids))


def waiting_among(
    service: Service, keys: Collection[str], *, reader_id: int | None = None
) -> list[WaitingContact]:
    """Those of the named contacts that are this service's, not the reader's own, and still wait."""
    sources: dict[str, list[int]] = {kind.value: [] for kind in ContactKind}
    for key in keys:
        kind, _, number = key.partition("-")
        if kind in sources and number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
            sources[kind].append(int(number))
    is_ours = and_(Enrolment.service_id == service.id, is_of_others(reader_id))
    return _waiting(
        and_(is_ours, Review.id.in_(sources[ContactKind.REVIEW_SENT.value])),
        and_(is_ours, CallLog.id.in_(sources[ContactKind.CALL_ANSWERED.value])),
    )


def _waiting(which_reviews: ColumnElement[bool], which_calls: ColumnElement[bool]) -> list[WaitingContact]:
    reviews = db.session.execute(
        select(
            Review.id,
            Enrolment.service_id,
            Enrolment.id,
            Review.sent_at,
            Review.minutes,
            func.coalesce(Review.sent_by, Review.owner_id),
        )
        .join(Enrolment, Enrolment.id == Review.enrolment_id)
        .where(which_reviews, Enrolment.purpose == Purpose.CARE, is_waiting_review())
    )
    calls = db.session.execute(
        select(
            CallLog.id,
            Enrolment.service_id,
            Enrolment.id,
            CallLog.called_at,
            CallLog.minutes,
            CallLog.called_by,
        )
        .join(Enrolment, Enrolment.id == CallLog.enrolment_id)
        .where(which_calls, Enrolment.purpose == Purpose.CARE, is_waiting_call())
    )
    found = [
        WaitingContact(ContactKind.REVIEW_SENT, number, service_id, enrolment_id, sent_at, minutes, sent_by)
        for number, service_id, enrolment_id, sent_at, minutes, sent_by in reviews
        if sent_at is not None
    ]
    found += [WaitingContact(ContactKind.CALL_ANSWERED, *row) for row in calls]
    return sorted(found, key=lambda one: (one.enrolment_id, one.contact_at, one.key))


def decided_contacts(enrolment_ids: Collection[int]) -> list[TreatmentContact]:
    """Contacts that count and those that do not, oldest first."""
    return list(
        db.session.scalars(
            select(TreatmentContact)
            .options(joinedload(TreatmentContact.recorder), joinedload(TreatmentContact.decider))
            .where(TreatmentContact.enrolment_id.in_(enrolment_ids))
            .order_by(TreatmentContact.enrolment_id, TreatmentContact.contact_at, TreatmentContact.id)
        )
    )


def courses_with_waiting_contacts(
    service: Service, *, offset: int, limit: int, reader_id: int | None = None
) -> list[Enrolment]:
    """Courses in which something waits, those that ended last first, then those that go on."""
    waiting = union_all(
        select(Review.enrolment_id).where(Review.service_id == service.id, is_waiting_review()),
        select(CallLog.enrolment_id).where(is_waiting_call()),
    ).subquery()
    return list(
        db.session.scalars(
            select(Enrolment)
            .options(joinedload(Enrolment.patient), joinedload(Enrolment.supporter))
            .where(
                Enrolment.id.in_(select(waiting.c.enrolment_id)),
                Enrolment.service_id == service.id,
                Enrolment.purpose == Purpose.CARE,
                is_of_others(reader_id),
            )
            .order_by(Enrolment.ended_at.is_(None), Enrolment.ended_at.desc(), Enrolment.id)
            .offset(offset)
            .limit(limit)
        ).unique()
    )


def confirmed_contacts_by_course(service: Service) -> Select[int, int, datetime]:
    """By course: how many contacts a clinician confirmed (`contacts`), and when the first was (`first_at`)."""
    return (
        select(
            TreatmentContact.enrolment_id,
            func.count().label("contacts"),
            func.min(TreatmentContact.contact_at).label("first_at"),
        )
        .where(TreatmentContact.service_id == service.id, TreatmentContact.confirmed_at.is_not(None))
        .group_by(TreatmentContact.enrolment_id)
    )


def scoped_contact(scope: Select[Enrolment], contact_id: int) -> TreatmentContact | None:
    """A decided contact of a course within a scope."""
    courses = scope.with_only_columns(Enrolment.id)
    return db.session.scalars(
        select(TreatmentContact).where(
            TreatmentContact.id == contact_id, TreatmentContact.enrolment_id.in_(courses)
        )
    ).one_or_none()


def is_waiting_review() -> ColumnElement[bool]:
    return and_(
        Review.sent_at.is_not(None),
        Review.kind != ReviewKind.WELCOME,
        ~exists().where(TreatmentContact.review_id == Review.id),
    )


def is_waiting_call() -> ColumnElement[bool]:
    return and_(
        CallLog.outcome == CallOutcome.SPOKE,
        ~exists().where(TreatmentContact.call_id == CallLog.id),
    )
