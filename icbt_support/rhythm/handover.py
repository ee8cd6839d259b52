"""People change hands: whatever is owed to them goes along, in the same transaction."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import disable_account, end_role
from icbt_support.accounts.queries import open_memberships, roles_of
from icbt_support.audit.models import Actor
from icbt_support.boosters.models import Booster
from icbt_support.boosters.queries import boosters_to_read_by
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import open_enrolments_of_clinician, open_enrolments_of_supporter
from icbt_support.enrolments.transitions import change_clinician, change_supporter
from icbt_support.hours.models import Absence, DutySession
from icbt_support.hours.operations import end_review_slot
from icbt_support.hours.queries import absences_to_cover, is_absent, review_slots_of
from icbt_support.hours.transitions import change_absence_row
from icbt_support.messages.models import Message
from icbt_support.messages.queries import unread_for_staff
from icbt_support.reminders.operations import withdraw_reminders
from icbt_support.reminders.rules import FOR_STAFF
from icbt_support.reviews.claims import end_claims_of
from icbt_support.reviews.models import Review, ReviewClaim, ReviewDraft, ReviewKind
from icbt_support.reviews.operations import check_is_owed
from icbt_support.reviews.queries import OWED, owed_by
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.new_owner import (
    give_review_to,
    return_review_from_pool,
    tell_of_cover,
    tell_of_hand_over,
    tell_of_new_supporter,
)
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import move_alerts_to

OfService = TypeVar("OfService", Enrolment, RiskAlert, Absence, DutySession, Booster)


class NotInThisRole(Exception):
    """The person does not hold the role in this service, or is the patient."""


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
    taken_alerts: tuple[RiskAlert, ...]
    claims: tuple[ReviewClaim, ...]
    covers: tuple[Absence, ...]
    duty: tuple[DutySession, ...]
    boosters: tuple[Booster, ...]

    @property
    def is_nothing(self) -> bool:
        return not any(getattr(self, part.name) for part in fields(self))

    def in_service(self, service_id: int) -> "Hanging":
        """As much of it as somebody may know who works in this service."""
        reviews = tuple(one for one in self.reviews if one.service_id == service_id)
        numbers = {review.id for review in reviews}
        return Hanging(
            patients=_in(service_id, self.patients),
            clinical_patients=_in(service_id, self.clinical_patients),
            reviews=reviews,
            drafts=tuple(one for one in self.drafts if one.review_id in numbers),
            messages=tuple(one for one in self.messages if one.enrolment.service_id == service_id),
            alerts=_in(service_id, self.alerts),
            taken_alerts=_in(service_id, self.taken_alerts),
            claims=tuple(one for one in self.claims if one.review_id in numbers),
            covers=_in(service_id, self.covers),
            duty=_in(service_id, self.duty),
            boosters=_in(service_id, self.boosters),
        )

    @property
    def reviews_of_others(self) -> tuple[Review, ...]:
        """Owed reviews that do not go along with one of this person's own patients."""
        own = {enrolment.id for enrolment in self.patients}
        return tuple(review for review in self.reviews if review.enrolment_id not in own)


def _in(service_id: int, held: tuple[OfService, ...]) -> tuple[OfService, ...]:
    return tuple(one for one in held if one.service_id == service_id)


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
    _check_can_be_given(enrolment, to_supporter, Role.SUPPORTER)
    reviews = _owed_of(enrolment)
    for review in reviews:
        _refuse_absent(to_supporter, review.written_on(to_supporter.zone, now))
    for review in reviews:
        give_review_to(review, to_supporter.id, by=by, now=now)
    _stop_telling(enrolment, enrolment.supporter, now=now)
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
    _check_can_be_given(enrolment, to_clinician, Role.CLINICIAN)
    change_clinician(enrolment, to_clinician, reason=reason, by=by, now=now)


def give_review(review: Review, to: Account, *, by: Actor, now: datetime) -> None:
    """A named colleague owes this one review from now on; the person stays with their supporter.

    The promise stands. The patient is told who writes; where it is late already, they are told once the
    colleague takes it and says when. Raises `AlreadyTheirs`, `NotInThisRole`, `NewOwnerIsAway`,
    `ReviewAlreadySent` or `ReviewNotOwed`.
    """
    hold_and_reread(review.enrolment)
    check_is_owed(review)
    if review.owner_id == to.id and review.pooled_at is None:
        raise AlreadyTheirs
    _check_can_be_given(review.enrolment, to, Role.SUPPORTER)
    _refuse_absent(to, review.written_on(to.zone, now))
    return_review_from_pool(review, by=by, now=now)
    give_review_to(review, to.id, by=by, now=now)
    if to.id != by.account_id:
        tell_of_hand_over(
            to.id,
            service_id=review.service_id,
            subject=f"review:{review.id}",
            context=f"enrolment:{review.enrolment_id}",
            key=f"review:{review.id}:{int(now.timestamp())}",
            now=now,
        )
    if review.kind is not ReviewKind.WELCOME and not review.is_late(now):
        tell_of_cover(review, now=now)


def take_from_pool(review: Review, taker: Account, *, by: Actor, now: datetime) -> None:
    """One of the pool writes it, on the day that the patient was told.

    Raises what `give_review` raises, and `AlreadyTheirs` where a colleague has taken it meanwhile.
    """
    hold_and_reread(review.enrolment)
    check_is_owed(review)
    if review.pooled_at is None and review.owner_id != review.enrolment.supporter_id:
        raise AlreadyTheirs
    give_review(review, taker, by=by, now=now)


def give_cover(absence: Absence, to: Account | None, *, by: Actor, now: datetime) -> None:
    """Somebody else (None: the pool) covers an absence, and hears of it. Raises `NotInThisRole` or
    `NewOwnerIsAway`.
    """
    if to is not None and Role.SUPPORTER not in roles_of(to, absence.service_id):
        raise NotInThisRole
    if to is not None:
        _refuse_absent(to, max(absence.from_on, local_day(now, to.zone)))
    change_absence_row(
        absence,
        from_on=absence.from_on,
        until_on=absence.until_on,
        cover_id=to.id if to is not None else None,
        by=by,
        now=now,
    )
    if to is not None:
        tell_of_hand_over(
            to.id,
            service_id=absence.service_id,
            subject=f"account:{absence.account_id}",
            context=f"service:{absence.service_id}",
            key=f"cover:{absence.id}:{int(now.timestamp())}",
            now=now,
        )


def what_hangs_on(account: Account, *, now: datetime) -> Hanging:
    """Everything for which this account is the named owner, in every service."""
    patients = open_enrolments_of_supporter(account.id)
    ids = [enrolment.id for enrolment in patients]
    reviews = owed_by([account.id], now=now)
    alerts = db.session.scalars(
        select(RiskAlert)
        .where(
            RiskAlert.resolved_at.is_(None),
            RiskAlert.enrolment_id.in_(ids) | (RiskAlert.acknowledged_by == account.id),
        )
        .options(joinedload(RiskAlert.enrolment).joinedload(Enrolment.patient))
        .order_by(RiskAlert.id)
    ).all()
    claims = db.session.scalars(
        select(ReviewClaim)
        .join(Review, Review.id == ReviewClaim.review_id)
        .where(
            ReviewClaim.account_id == account.id,
            ReviewClaim.released_at.is_(None),
            Review.owner_id == account.id,
        )
        .order_by(ReviewClaim.id)
    )
    duty = db.session.scalars(
        select(DutySession).where(DutySession.clinician_id == account.id).order_by(DutySession.id)
    )
    return Hanging(
        patients=tuple(patients),
        clinical_patients=tuple(open_enrolments_of_clinician(account.id)),
        reviews=tuple(reviews),
        drafts=tuple(review.draft for review in reviews if review.draft is not None),
        messages=tuple(message for unread in unread_for_staff(ids).values() for message in unread),
        alerts=tuple(alert for alert in alerts if alert.enrolment_id in ids),
        taken_alerts=tuple(alert for alert in alerts if alert.acknowledged_by == account.id),
        claims=tuple(claims),
        covers=tuple(absences_to_cover(account.id, local_day(now, account.zone))),
        duty=tuple(duty),
        boosters=tuple(boosters_to_read_by(account.id)),
    )


def close_account(account: Account, *, by: Actor, now: datetime) -> None:
    """Closes a staff account once nothing hangs on it: roles end, protected slots end, every sign-in ends, and
    no mail goes there any more. Raises `StillHangs` or `accounts.operations.LastAdministrator`.
    """
    hanging = what_hangs_on(account, now=now)
    if not hanging.is_nothing:
        raise StillHangs(hanging)
    disable_account(account, by=by, now=now)
    for membership in open_memberships(account):
        end_claims_of(account.id, membership.service_id, now=now)
        for slot in review_slots_of(account.id, membership.service_id):
            end_review_slot(slot, by=by, now=now)
        end_role(account, membership.role, service_id=membership.service_id, by=by, now=now)
    withdraw_reminders(now=now, reason="the account is closed", recipient_id=account.id)


def _stop_telling(enrolment: Enrolment, former: Account, *, now: datetime) -> None:
    """Mail that still waits would go to somebody who may not open the course any more; a clinician may."""
    if Role.CLINICIAN not in roles_of(former, enrolment.service_id):
        withdraw_reminders(
            now=now,
            reason="handed over",
            context=f"enrolment:{enrolment.id}",
            recipient_id=former.id,
            kinds=FOR_STAFF,
        )


def _check_can_be_given(enrolment: Enrolment, to: Account, role: Role) -> None:
    """To somebody in the role, and never to the patient."""
    if role not in roles_of(to, enrolment.service_id) or to.id == enrolment.patient_id:
        raise NotInThisRole


def _refuse_absent(account: Account, on: date) -> None:
    absence = is_absent(account.id, on)
    if absence is not None:
        raise NewOwnerIsAway(absence, on)


def _owed_of(enrolment: Enrolment) -> list[Review]:
    return list(
        db.session.scalars(
            select(Review)
            .where(Review.enrolment_id == enrolment.id, Review.state.in_(OWED))
            .order_by(Review.promised_at, Review.id)
        )
    )
