"""Finished check-ins for the tests of scores."""

from collections.abc import Mapping
from datetime import datetime

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.operations import finish_check_in_rows
from tests.pages.patient.home_states import patient


def finish_check_ins(enrolment: Enrolment, finished_at: Mapping[int, datetime]) -> None:
    """Finishes the questionnaires that were answered, by week number."""
    for number, now in finished_at.items():
        finish_check_in_rows(enrolment, week_number=number, by=patient(enrolment), now=now)
    db.session.commit()
