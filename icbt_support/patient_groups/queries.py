"""Reads of a service's groups."""

from sqlalchemy import select

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.patient_groups.models import GroupMember, PatientGroup
from icbt_support.service.models import Service


def groups_of(service: Service) -> list[PatientGroup]:
    """Every group that the service has or had, by name."""
    return list(
        db.session.scalars(
            select(PatientGroup)
            .where(PatientGroup.service_id == service.id)
            .order_by(PatientGroup.name, PatientGroup.id)
        )
    )


def group_of(enrolment: Enrolment) -> PatientGroup | None:
    member = member_of(enrolment)
    return member.group if member else None


def member_of(enrolment: Enrolment) -> GroupMember | None:
    return db.session.scalars(
        select(GroupMember).where(GroupMember.enrolment_id == enrolment.id)
    ).one_or_none()


def scoped_group(service: Service, group_id: int) -> PatientGroup | None:
    return db.session.scalars(
        select(PatientGroup).where(PatientGroup.id == group_id, PatientGroup.service_id == service.id)
    ).one_or_none()
