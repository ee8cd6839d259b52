"""In which service somebody works, and what they may do about its implementation."""

from flask import abort
from flask_login import current_user

from icbt_support.accounts.models import STAFF_ROLES, Role
from icbt_support.accounts.queries import roles_of
from icbt_support.audit import Actor
from icbt_support.implementation.queries import is_implementation_lead
from icbt_support.pages.guards import current_account, current_actor
from icbt_support.service.models import Service


def my_service() -> Service:
    """The service for which the signed-in person works; 404 for anybody else."""
    held = [membership for membership in current_user.memberships if membership.role in STAFF_ROLES]
    if not held:
        abort(404)
    return held[0].service


def staff_actor(service: Service) -> Actor:
    """By the first of the staff roles that the person holds in the service."""
    held = roles_of(current_account(), service.id)
    role = next(role for role in STAFF_ROLES if role in held)
    return current_actor(role, service.id)


def may_see_board(service: Service) -> bool:
    held = roles_of(current_account(), service.id)
    return bool(held & {Role.CLINICIAN, Role.ADMINISTRATOR}) or _leads(service)


def may_lead(service: Service) -> bool:
    """Whether the person sets targets and confirms trainings: the implementation lead, and administrators."""
    return Role.ADMINISTRATOR in roles_of(current_account(), service.id) or _leads(service)


def _leads(service: Service) -> bool:
    return is_implementation_lead(current_account().id, service.id)
