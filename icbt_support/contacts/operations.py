"""Deciding about contacts. Only a clinician's yes makes a contact count, and it can be taken back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from icbt_support import audit
from icbt_support.audit.models import Actor
from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.contacts.queries import WaitingContact
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.posted_once import add_once, key_of_post

WRITTEN_DOWN = (ContactKind.ASSESSMENT, ContactKind.MESSAGES)


class NotWrittenDownByHand(Exception):
    """A review or a call is a contact because it was sent or logged, not because somebody says so."""


class NotYet(Exception):
    """A contact that is still to come cannot have happened."""


def confirm_contact(waiting: WaitingContact, *, by: Actor, now: datetime) -> None:
    """This review or call counts. If a colleague has just decided about it, that decision stays."""
    _decide(waiting, is_confirmed=True, by=by, now=now)


def leave_out_contact(waiting: WaitingContact, *, by: Actor, now: datetime) -> None:
    """This review or call does not count. If a colleague has just decided about it, that decision stays."""
    _decide(waiting, is_confirmed=False, by=by, now=now)


def write_down_contact(
    enrolment: Enrolment,
    kind: ContactKind,
    contact_at: datetime,
    minutes: int | None,
    *,
    by: Actor,
    now: datetime,
    posted_key: str = "",
) -> TreatmentContact:
    """An assessment or an exchange of messages, written down and confirmed by a clinician; posted twice, it is one.

    Raises `NotWrittenDownByHand` or `NotYet`.
    """
    if kind not in WRITTEN_DOWN:
        raise NotWrittenDownByHand
    if contact_at > now:
        raise NotYet
    key = key_of_post(posted_key, f"{kind} {contact_at.isoformat()} {minutes}")
    contact = TreatmentContact(
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        kind=kind,
        contact_at=contact_at,
        minutes=minutes,
        recorded_by=_person(by),
        recorded_at=now,
        decided_by=_person(by),
        confirmed_at=now,
        posted_key=key,
    )
    same = select(TreatmentContact).where(
        TreatmentContact.enrolment_id == enrolment.id, TreatmentContact.posted_key == key
    )
    contact, is_new = add_once(contact, same)
    if is_new:
        _record("confirmed_contact", contact, by, now)
    return contact


def change_decision(contact: TreatmentContact, *, by: Actor, now: datetime) -> None:
    """What counted does not count any more, and the other way round."""
    was_confirmed = contact.is_confirmed
    contact.confirmed_at = None if was_confirmed else now
    contact.not_counted_at = now if was_confirmed else None
    contact.decided_by = _person(by)
    db.session.flush()
    _record("left_out_contact" if was_confirmed else "confirmed_contact", contact, by, now)


def _decide(waiting: WaitingContact, *, is_confirmed: bool, by: Actor, now: datetime) -> None:
    is_review = waiting.kind is ContactKind.REVIEW_SENT
    contact = TreatmentContact(
        service_id=waiting.service_id,
        enrolment_id=waiting.enrolment_id,
        kind=waiting.kind,
        contact_at=waiting.contact_at,
        minutes=waiting.minutes,
        review_id=waiting.source_id if is_review else None,
        call_id=None if is_review else waiting.source_id,
        recorded_by=waiting.recorded_by,
        recorded_at=waiting.contact_at,
        decided_by=_person(by),
        confirmed_at=now if is_confirmed else None,
        not_counted_at=None if is_confirmed else now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(contact)
    except IntegrityError:
        return
    _record("confirmed_contact" if is_confirmed else "left_out_contact", contact, by, now)


def _record(action: str, contact: TreatmentContact, by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="treatment_contact",
        object_id=contact.id,
        enrolment_id=contact.enrolment_id,
        service_id=contact.service_id,
        detail=contact.kind.value,
    )


def _person(by: Actor) -> int:
    if by.account_id is None:
        raise ValueError("Only a person decides about a contact.")
    return by.account_id
