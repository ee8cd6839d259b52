"""Verbs: name a lead, keep the list of trainings, record and confirm that one was done, set targets."""

from datetime import date, datetime

from sqlalchemy import select

from icbt_support import audit
from icbt_support.accounts.models import Account
from icbt_support.accounts.queries import holds_role
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.implementation.models import ServiceLead, ServiceTargets, Training, TrainingCompletion
from icbt_support.implementation.rules import MAY_BE_LEAD, LeadKind, NeededBy, Targets
from icbt_support.posted_once import add_once


class NotOfTheService(Exception):
    """Whoever leads holds a role that fits, in the service."""


class NotYetPossible(Exception):
    """Nobody has done a training on a day that is still to come."""


class OwnTraining(Exception):
    """Somebody else confirms what a person has done."""


def name_lead(service_id: int, kind: LeadKind, account: Account | None, *, by: Actor, now: datetime) -> None:
    """Names one person, or nobody; whoever was named before is ended. Raises `NotOfTheService`."""
    current = db.session.scalar(
        select(ServiceLead).where(
            ServiceLead.service_id == service_id, ServiceLead.kind == kind, ServiceLead.ended_at.is_(None)
        )
    )
    if account is not None and not any(
        holds_role(account.id, service_id, role) for role in MAY_BE_LEAD[kind]
    ):
        raise NotOfTheService
    if (current.account_id if current else None) == (account.id if account else None):
        return
    if current is not None:
        current.ended_at = now
        db.session.flush()
    if account is not None:
        db.session.add(ServiceLead(service_id=service_id, kind=kind, account_id=account.id, named_at=now))
    db.session.flush()
    _record("named_lead", by, now, service_id, object_id=account.id if account else None, detail=kind.value)


def add_training(
    service_id: int,
    title: str,
    *,
    needed_by: NeededBy,
    valid_months: int | None,
    posted_key: str,
    by: Actor,
    now: datetime,
) -> Training:
    """Puts a training on the service's list; posted twice, it is one."""
    training = Training(
        service_id=service_id,
        title=title,
        needed_by=needed_by,
        valid_months=valid_months,
        posted_key=posted_key,
        added_at=now,
    )
    same = select(Training).where(Training.service_id == service_id, Training.posted_key == posted_key)
    training, is_new = add_once(training, same)
    if is_new:
        _record("added_training", by, now, service_id, object_id=training.id)
    return training


def end_training(training: Training, *, by: Actor, now: datetime) -> None:
    """Takes it off the list; who has done it is kept."""
    if training.ended_at is not None:
        return
    training.ended_at = now
    db.session.flush()
    _record("ended_training", by, now, training.service_id, object_id=training.id)


def record_completion(
    training: Training, account: Account, completed_on: date, *, today: date, by: Actor, now: datetime
) -> TrainingCompletion:
    """The person says that they have done it; said twice for a day, it is one. Raises `NotYetPossible`."""
    if completed_on > today:
        raise NotYetPossible
    completion = TrainingCompletion(
        training_id=training.id, account_id=account.id, completed_on=completed_on, recorded_at=now
    )
    same = select(TrainingCompletion).where(
        TrainingCompletion.training_id == training.id,
        TrainingCompletion.account_id == account.id,
        TrainingCompletion.completed_on == completed_on,
    )
    completion, is_new = add_once(completion, same)
    if is_new:
        _record("recorded_training", by, now, training.service_id, object_id=completion.id)
    return completion


def confirm_completion(completion: TrainingCompletion, *, by: Actor, now: datetime) -> None:
    """Somebody else has seen that it was done. Raises `OwnTraining` for one's own."""
    if completion.confirmed_at is not None:
        return
    if completion.account_id == by.account_id:
        raise OwnTraining
    completion.confirmed_at, completion.confirmed_by = now, by.account_id
    db.session.flush()
    _record("confirmed_training", by, now, completion.training.service_id, object_id=completion.id)


def set_targets(service_id: int, targets: Targets, *, by: Actor, now: datetime) -> None:
    stored = db.session.get(ServiceTargets, service_id)
    if stored is None:
        stored = ServiceTargets(service_id=service_id, stored={}, changed_at=now)
        db.session.add(stored)
    if stored.stored == targets.to_json():
        return
    stored.stored, stored.changed_at = targets.to_json(), now
    db.session.flush()
    _record("set_targets", by, now, service_id)


def _record(
    action: str, by: Actor, now: datetime, service_id: int, *, object_id: int | None = None, detail: str = ""
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="implementation",
        object_id=object_id,
        service_id=service_id,
        detail=detail,
    )
