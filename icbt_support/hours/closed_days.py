"""Days on which nobody works: bank holidays of the service's country, and days on which it is closed itself."""

from datetime import date, timedelta
from functools import lru_cache

import holidays
from sqlalchemy import select

from icbt_support.cadence import add_working_days
from icbt_support.db import db
from icbt_support.hours.models import ServiceClosure
from icbt_support.read_once import read_once
from icbt_support.service.models import Service

LONGEST_CLOSED = timedelta(days=60)


@lru_cache(maxsize=64)
def _bank_holidays_of(country: str, year: int) -> frozenset[date]:
    name, _, part = country.partition("-")
    return frozenset(holidays.country_holidays(name, subdiv=part or None, years=year))


def bank_holidays(service: Service, year: int) -> frozenset[date]:
    return _bank_holidays_of(service.country, year)


def bank_holidays_between(service: Service, from_on: date, until_on: date) -> frozenset[date]:
    return frozenset(
        on
        for year in range(from_on.year, until_on.year + 1)
        for on in bank_holidays(service, year)
        if from_on <= on <= until_on
    )


@read_once
def closed_days(service: Service, from_on: date, until_on: date) -> frozenset[date]:
    """Bank holidays of the service's country and days on which the service itself is closed."""
    closures = db.session.scalars(
        select(ServiceClosure.closed_on).where(
            ServiceClosure.service_id == service.id, ServiceClosure.closed_on.between(from_on, until_on)
        )
    )
    return bank_holidays_between(service, from_on, until_on).union(closures)


def first_open_day(service: Service, on: date) -> date:
    """The first working day from `on` on which the service is not closed."""
    return add_working_days(on, 0, closed_days(service, on, on + LONGEST_CLOSED))


def closures_of(service: Service, from_on: date) -> list[ServiceClosure]:
    return list(
        db.session.scalars(
            select(ServiceClosure)
            .where(ServiceClosure.service_id == service.id, ServiceClosure.closed_on >= from_on)
            .order_by(ServiceClosure.closed_on)
        )
    )
