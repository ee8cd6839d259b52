"""What each role may read and do: one table."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from icbt_support.accounts.models import Role


class Permission(StrEnum):
    """One thing that a role may do. Where it says *own*, the scoped queries draw the line."""

    FOLLOW_OWN_COURSE = "follow_own_course"
    READ_CASELOAD_RECORDS = "read_caseload_records"
    WRITE_REVIEWS = "write_reviews"
    RAISE_CONCERNS = "raise_concerns"
    KEEP_OWN_HOURS = "keep_own_hours"
    READ_SERVICE_RECORDS = "read_service_records"
    INVITE_PATIENTS = "invite_patients"
    ANSWER_ALERTS = "answer_alerts"
    DECIDE_ENDINGS = "decide_endings"
    READ_ENGAGEMENT = "read_engagement"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SERVICE = "manage_service"
    MANAGE_DUTY = "manage_duty"
    READ_JOBS = "read_jobs"
    READ_AUDIT = "read_audit"
    ANSWER_FEEDBACK = "answer_feedback"


P = Permission

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.PATIENT: frozenset({P.FOLLOW_OWN_COURSE}),
        Role.SUPPORTER: frozenset(
            {P.READ_CASELOAD_RECORDS, P.WRITE_REVIEWS, P.RAISE_CONCERNS, P.KEEP_OWN_HOURS}
        ),
        Role.CLINICIAN: frozenset(
            {
                P.READ_SERVICE_RECORDS,
                P.READ_ENGAGEMENT,
                P.INVITE_PATIENTS,
                P.RAISE_CONCERNS,
                P.ANSWER_ALERTS,
                P.DECIDE_ENDINGS,
            }
        ),
        Role.ADMINISTRATOR: frozenset(
            {P.MANAGE_PEOPLE, P.MANAGE_SERVICE, P.MANAGE_DUTY, P.READ_JOBS, P.READ_AUDIT}
        ),
        Role.VENDOR: frozenset({P.ANSWER_FEEDBACK}),
    }
)
READS_CLINICAL_CONTENT = frozenset({P.FOLLOW_OWN_COURSE, P.READ_CASELOAD_RECORDS, P.READ_SERVICE_RECORDS})


def may(roles: Iterable[Role], permission: Permission) -> bool:
    return any(permission in PERMISSIONS[role] for role in roles)


def may_read_clinical_content(roles: Iterable[Role]) -> bool:
    """Whether any of the roles shows what patients wrote, answered or scored."""
    return any(PERMISSIONS[role] & READS_CLINICAL_CONTENT for role in roles)
