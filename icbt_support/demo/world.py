"""The demo's world: its people's ids, its dice, and what they mean to do, in the order of time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import count
from random import Random

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.passwords import HashedPassword
from icbt_support.audit.models import Actor, ActorKind
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.demo.people import ZONE, PersonPlan
from icbt_support.enrolments.models import Enrolment
from icbt_support.programme.content import Module, Programme
from icbt_support.service.models import Service

Act = Callable[[datetime], None]


@dataclass
class Life:
    """One person of the demo: their plan, their own dice, and where their course stands."""

    plan: PersonPlan
    dice: Random
    enrolment_id: int = 0
    planned_week: int = 0
    last_visit_at: datetime | None = None
    is_gone: bool = False

    def enrolment(self) -> Enrolment:
        return db.session.get_one(Enrolment, self.enrolment_id)


@dataclass
class World:
    """Everything that acts need. An act is called with the time, in one transaction, and may plan others."""

    seed: int
    service_id: int
    programme: Programme
    staff: dict[str, int]
    password: HashedPassword
    begins_on: date
    lives: list[Life] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _order: count = field(default_factory=count)
    _keys: count = field(default_factory=count)

    def at(self, instant: datetime, act: Act) -> None:
        heapq.heappush(self._agenda, (instant, next(self._order), act))

    def next_at(self) -> datetime | None:
        return self._agenda[0][0] if self._agenda else None

    def take_next(self) -> Act:
        return heapq.heappop(self._agenda)[2]

    def module(self, slug: str) -> Module:
        return next(module for module in self.programme.modules if module.slug == slug)

    def posted_key(self) -> str:
        return f"demo-{next(self._keys)}"

    def service(self) -> Service:
        return db.session.get_one(Service, self.service_id)

    def member(self, email: str) -> Account:
        return db.session.get_one(Account, self.staff[email])

    def life_of(self, enrolment_id: int) -> Life:
        return next(life for life in self.lives if life.enrolment_id == enrolment_id)

    def as_staff(self, email: str, role: Role) -> Actor:
        return Actor(ActorKind.PERSON, self.staff[email], role, self.service_id)

    def as_supporter(self, account_id: int) -> Actor:
        return Actor(ActorKind.PERSON, account_id, Role.SUPPORTER, self.service_id)

    def as_patient(self, enrolment: Enrolment) -> Actor:
        return Actor(ActorKind.PERSON, enrolment.patient_id, Role.PATIENT, self.service_id)


def wall(on: date, at: time) -> datetime:
    """The instant of a wall time where the demo's people live."""
    return to_utc(on, at, ZONE)


def day_of(instant: datetime) -> date:
    return local_day(instant, ZONE)
