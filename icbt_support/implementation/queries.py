"""Leads, trainings and targets of a service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, select

from icbt_support.accounts.models import STAFF_ROLES, Account, Membership, Role
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.implementation.models import ServiceLead, ServiceTargets, Training, TrainingCompletion
from icbt_support.implementation.rules import (
    COUNTS_AS_TRAINED,
    MAY_BE_LEAD,
    ROLES_THAT_NEED,
    WEEKLY_EMAIL_TO,
    Figure,
    LeadKind,
    Targets,
    TrainingState,
    expires_on,
    training_state,
)
from icbt_support.service.models import Service


@dataclass(frozen=True)
class TrainingOfPerson:
    """One training that a person needs, and how it stands on a day."""

    training: Training
    account: Account
    completion: TrainingCompletion | None
    state: TrainingState
    expires_on: date | None


def leads_of(service_id: int) -> dict[LeadKind, Account]:
    """Whoever is named now, still holds a role that fits, and can sign in."""
    rows = db.session.execute(
        select(ServiceLead.kind, Account, Membership.role)
        .join(Account, Account.id == ServiceLead.account_id)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            ServiceLead.service_id == service_id,
            ServiceLead.ended_at.is_(None),
            Membership.service_id == service_id,
            Membership.ended_at.is_(None),
            Account.disabled_at.is_(None),
        )
    )
    found = {kind: account for kind, account, role in rows if role in MAY_BE_LEAD[kind]}
    return {kind: found[kind] for kind in LeadKind if kind in found}


def leads_service(account_id: int, service_id: int) -> bool:
    """Whether the person is now one of those who get the weekly email."""
    return any(account.id == account_id for account in readers_of_weekly(service_id))


def readers_of_weekly(service_id: int) -> list[Account]:
    leads = leads_of(service_id)
    found = {leads[kind].id: leads[kind] for kind in WEEKLY_EMAIL_TO if kind in leads}
    return [found[number] for number in sorted(found)]


def is_implementation_lead(account_id: int, service_id: int) -> bool:
    lead = leads_of(service_id).get(LeadKind.IMPLEMENTATION_LEAD)
    return lead is not None and lead.id == account_id


def targets_of(service_id: int) -> Targets:
    stored = db.session.get(ServiceTargets, service_id)
    return stored.targets if stored is not None else Targets()


def trainings_of(service_id: int) -> Sequence[Training]:
    return db.session.scalars(
        select(Training)
        .where(Training.service_id == service_id, Training.ended_at.is_(None))
        .order_by(Training.title, Training.id)
    ).all()


def training_of(service_id: int, training_id: int) -> Training | None:
    return db.session.scalar(
        select(Training).where(
            Training.id == training_id, Training.service_id == service_id, Training.ended_at.is_(None)
        )
    )


def completion_of(service_id: int, completion_id: int) -> TrainingCompletion | None:
    return db.session.scalar(
        select(TrainingCompletion)
        .join(Training)
        .where(TrainingCompletion.id == completion_id, Training.service_id == service_id)
    )


def unconfirmed_of(service_id: int) -> Sequence[TrainingCompletion]:
    """What people say they have done and nobody has confirmed yet, oldest first."""
    return db.session.scalars(
        select(TrainingCompletion)
        .join(Training)
        .where(Training.service_id == service_id, TrainingCompletion.confirmed_at.is_(None))
        .order_by(TrainingCompletion.recorded_at, TrainingCompletion.id)
    ).all()


class TrainingBook:
    """Who needs and has done what in a service, loaded once (three statements) and read for any day.

    It is about the people who work there now, by the roles that they hold now.
    """

    def __init__(self, service: Service) -> None:
        self._zone = service.zone
        self._trainings = trainings_of(service.id)
        self._people: dict[int, Account] = {}
        self._roles: dict[int, set[Role]] = {}
        for account, role in _staff(service.id):
            self._people[account.id] = account
            self._roles.setdefault(account.id, set()).add(role)
        self._done: dict[tuple[int, int], list[TrainingCompletion]] = {}
        for one in _completions([training.id for training in self._trainings]):
            self._done.setdefault((one.training_id, one.account_id), []).append(one)

    def on(self, day: date) -> list[TrainingOfPerson]:
        """Every training on the list that somebody needs, as it stood on that day."""
        return [
            self._standing(training, account, day)
            for training in self._trainings
            if local_day(training.added_at, self._zone) <= day
            for account in self._people.values()
            if self._roles[account.id].intersection(ROLES_THAT_NEED[training.needed_by])
        ]

    def trained_on(self, day: date) -> Figure:
        """Of the trainings that people need, how many were confirmed and in date."""
        rows = self.on(day)
        return Figure(sum(row.state in COUNTS_AS_TRAINED for row in rows), len(rows))

    def _standing(self, training: Training, account: Account, day: date) -> TrainingOfPerson:
        """By what is worth most: confirmed and in date, then waiting to be confirmed, then the newest."""
        done = [one for one in self._done.get((training.id, account.id), []) if one.completed_on <= day]
        standings = [(self._state_of(one, training, day), one) for one in done]
        for wanted in (*COUNTS_AS_TRAINED, TrainingState.TO_CONFIRM, TrainingState.EXPIRED):
            for state, one in standings:
                if state is wanted:
                    until = expires_on(one.completed_on, training.valid_months)
                    return TrainingOfPerson(training, account, one, state, until)
        return TrainingOfPerson(training, account, None, TrainingState.NOT_DONE, None)

    def _state_of(self, one: TrainingCompletion, training: Training, day: date) -> TrainingState:
        confirmed_on = local_day(one.confirmed_at, self._zone) if one.confirmed_at else None
        return training_state(one.completed_on, confirmed_on, training.valid_months, day)


def _staff(service_id: int) -> Sequence[Row[Account, Role]]:
    return db.session.execute(
        select(Account, Membership.role)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.service_id == service_id,
            Membership.role.in_(STAFF_ROLES),
            Membership.ended_at.is_(None),
            Account.disabled_at.is_(None),
        )
        .order_by(Account.full_name, Account.id)
    ).all()


def _completions(training_ids: list[int]) -> Sequence[TrainingCompletion]:
    """Newest first."""
    return db.session.scalars(
        select(TrainingCompletion)
        .where(TrainingCompletion.training_id.in_(training_ids))
        .order_by(TrainingCompletion.completed_on.desc(), TrainingCompletion.id.desc())
    ).all()
