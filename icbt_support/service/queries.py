"""Services."""

from sqlalchemy import select

from icbt_support.db import db
from icbt_support.service.models import Service


def find_service(service_id: int) -> Service | None:
    return db.session.get(Service, service_id)


def find_service_by_name(name: str) -> Service | None:
    return db.session.scalar(select(Service).where(Service.name == name))


def all_services() -> list[Service]:
    return list(db.session.scalars(select(Service).order_by(Service.name, Service.id)))


def the_only_service() -> Service | None:
    """The service of an installation that has exactly one."""
    services = list(db.session.scalars(select(Service).order_by(Service.id).limit(2)))
    return services[0] if len(services) == 1 else None
