"""Keeping the list of groups, and putting a person in one."""

from datetime import datetime

from sqlalchemy import select

from icbt_support import audit
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.patient_groups.models import GroupMember, PatientGroup
from icbt_support.patient_groups.queries import member_of
from icbt_support.service.models import Service


class OtherService(Exception):
    """A group belongs to one service."""


def add_group(service: Service, name: str, *, by: Actor, now: datetime) -> PatientGroup:
    """A group with this name; one that was removed comes back, one that is there stays."""
    name = name.strip()
    group = db.session.scalars(
        select(PatientGroup).where(PatientGroup.service_id == service.id, PatientGroup.name == name)
    ).one_or_none()
    if group is None:
        group = PatientGroup(service_id=service.id, name=name, created_at=now)
        db.session.add(group)
    elif group.removed_at is None:
        return group
    group.removed_at = None
    db.session.flush()
    _record("added_patient_group", group, by, now)
    return group


def remove_group(group: PatientGroup, *, by: Actor, now: datetime) -> None:
    """Nobody new is put in it; who is in it stays, so that figures of the past stay as they were."""
    if group.removed_at is not None:
        return
    group.removed_at = now
    db.session.flush()
    _record("removed_patient_group", group, by, now)


def set_group(enrolment: Enrolment, group: PatientGroup | None, *, by: Actor, now: datetime) -> None:
    """Puts a person in a group; None: not recorded. Raises `OtherService`."""
    if group is not None and group.service_id != enrolment.service_id:
        raise OtherService
    member = member_of(enrolment)
    if (member.group_id if member else None) == (group.id if group else None):
        return
    if group is None:
        db.session.delete(member)
    elif member is None:
        db.session.add(GroupMember(enrolment_id=enrolment.id, group_id=group.id, set_at=now))
    else:
        member.group_id, member.set_at = group.id, now
    db.session.flush()
    audit.record(
        "set_patient_group",
        by=by,
        now=now,
        object_kind="patient_group",
        object_id=group.id if group else None,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
    )


def _record(action: str, group: PatientGroup, by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="patient_group",
        object_id=group.id,
        service_id=group.service_id,
    )
