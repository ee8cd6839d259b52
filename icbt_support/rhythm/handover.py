"""People change hands: whatever is owed to them goes along, in the same transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import disable_account
from icbt_support.accounts.queries import roles_of
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import open_enrolments_of_clinician, open_enrolments_of_supporter
from icbt_support.enrolments.transitions import change_clinician, change_supporter
from icbt_support.hours.models import Absence, DutySession
from icbt_support.hours.queries import is_absent
from icbt_support.messages.models import Message
from icbt_support.messages.queries import unread_for_staff
from icbt_support.reviews.models import Review, ReviewDraft, ReviewKind
from icbt_support.reviews.queries import OWED, owed_by
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.new_owner import give_review_to, tell_of_hand_over, tell_of_new_supporter
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import move_alerts_to


class NotInThisRole(Exception):
    """The person does not hold the role in this service."""


class AlreadyTheirs(Exception):
    """The person has this patient already."""


class NewOwnerIsAway(Exception):
    """The new supporter is away on a day on which a review is owed."""

    def __init__(self, absence: Absence, on: date) -> None:
        super().__init__(f"away on {on}")
        self.absence = absence
        self.on = on


@dataclass(frozen=True)
class HandedOver:
    """What went along with the person."""

    reviews: int
    messages: int
    alerts: int


@dataclass(frozen=True)
class Hanging:
    """What still has this account as its named owner."""

    patients: tuple[Enrolment, ...]
    clinical_patients: tuple[Enrolment, ...]
    reviews: tuple[Review, ...]
    drafts: tuple[ReviewDraft, ...]
    messages: tuple[Message, ...]
    alerts: tuple[RiskAlert, ...]
    duty: tuple[DutySession, ...]

    @property
    def is_nothing(self) -> bool:
        return not (
            self.patients
            or self.clinical_patients
            or self.reviews
            or self.drafts
            or self.messages
            or self.alerts
            or self.duty
        )


class StillHangs(Exception):
    """The account cannot close: something has no new named owner yet."""

    def __init__(self, hanging: Hanging) -> None:
        super().__init__("something still hangs on this account")
        self.hanging = hanging


def hand_over(
    enrolment: Enrolment, to_supporter: Account, *, reason: str = "", by: Actor, now: datetime
) -> HandedOver:
    """Gives a person another supporter; owed reviews, drafts, unread messages and open alerts go along.

    The old supporter's access ends with this transaction. The patient is told who reads and writes from now on,
    unless the welcome, which says so, is still owed. Raises `AlreadyTheirs`, `NotInThisRole` or
    `NewOwnerIsAway`.
    """
    hold_and_reread(enrolment)
    if enrolment.supporter_id == to_supporter.id:
        raise AlreadyTheirs
    if Role.SUPPORTER not in roles_of(to_supporter, enrolment.service_id):
        raise NotInThisRole
    reviews = _owed_of(enrolment)
    for review in reviews:
        absence = is_absent(to_supporter.id, review.due_on)
        if absence is not None:
            raise NewOwnerIsAway(absence, review.due_on)
    for review in reviews:
        give_review_to(review, to_supporter.id, by=by, now=now)
    alerts = move_alerts_to(enrolment, to_supporter.id, by=by, now=now)
    unread = unread_for_staff([enrolment.id]).get(enrolment.id, [])
    change_supporter(enrolment, to_supporter, reason=reason, by=by, now=now)
    tell_of_hand_over(
        to_supporter.id,
        service_id=enrolment.service_id,
        subject=f"enrolment:{enrolment.id}",
        context=f"enrolment:{enrolment.id}",
        key=f"enrolment:{enrolment.id}:{int(now.timestamp())}",
        now=now,
    )
    if not any(review.kind is ReviewKind.WELCOME for review in reviews):
        tell_of_new_supporter(enrolment, now=now)
    return HandedOver(len(reviews), len(unread), alerts)


def give_to_clinician(
    enrolment: Enrolment, to_clinician: Account, *, reason: str = "", by: Actor, now: datetime
) -> None:
    """Names another clinician. Raises `AlreadyTheirs` or `NotInThisRole`."""
    if enrolment.clinician_id == to_clinician.id:
        raise AlreadyTheirs
    if Role.CLINICIAN not in roles_of(to_clinician, enrolment.service_id):
        raise NotInThisRole
    change_clinician(enrolment, to_clinician, reason=reason, by=by, now=now)


def what_hangs_on(account: Account, *, now: datetime) -> Hanging:
    """Everything for which this account is the named owner, in every service."""
    patients = open_enrolments_of_supporter(account.id)
    ids = [enrolment.id for enrolment in patients]
    drafts = db.session.scalars(
        select(ReviewDraft)
        .join(Review, Review.id == ReviewDraft.review_id)
        .where(ReviewDraft.author_id == account.id, Review.state.in_(OWED))
        .order_by(ReviewDraft.id)
    )
    alerts = db.session.scalars(
        select(RiskAlert)
        .where(
            RiskAlert.resolved_at.is_(None),
            RiskAlert.enrolment_id.in_(ids) | (RiskAlert.acknowledged_by == account.id),
        )
        .order_by(RiskAlert.id)
    )
    duty = db.session.scalars(
        select(DutySession).where(DutySession.clinician_id == account.id).order_by(DutySession.id)
    )
    return Hanging(
        patients=tuple(patients),
        clinical_patients=tuple(open_enrolments_of_clinician(account.id)),
        reviews=tuple(owed_by([account.id], now=now)),
        drafts=tuple(drafts),
        messages=tuple(message for unread in unread_for_staff(ids).values() for message in unread),
        alerts=tuple(alerts),
        duty=tuple(duty),
    )


def close_account(account: Account, *, by: Actor, now: datetime) -> None:
    """Disables a staff account once nothing hangs on it. Raises `StillHangs`."""
    hanging = what_hangs_on(account, now=now)
    if not hanging.is_nothing:
        raise StillHangs(hanging)
    disable_account(account, by=by, now=now)


def _owed_of(enrolment: Enrolment) -> list[Review]:
    return list(
        db.session.scalars(
            select(Review)
            .where(Review.enrolment_id == enrolment.id, Review.state.in_(OWED))
            .order_by(Review.promised_at, Review.id)
        )
    )
