"""One writer at a time on a course, deciding on what is true now."""

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.risk.operations import hold_course


def hold_and_reread(enrolment: Enrolment) -> None:
    """Waits for whoever acts on this course and reads it again: rules are checked on what is true now."""
    hold_course(enrolment.id)
    db.session.refresh(enrolment)
