"""Deciding on a warning: adapt, or leave things as they are for now."""

from datetime import datetime

from icbt_support import audit
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.queries import early_warning_for
from icbt_support.early_warning.rules import Sign, WarningChoice
from icbt_support.enrolments.models import Enrolment
from icbt_support.rhythm.holding import hold_and_reread


class NothingToDecide(Exception):
    """Nobody is pointed out any more: somebody has just decided, or the facts have changed."""


def decide_on_warning(
    enrolment: Enrolment, choice: WarningChoice, note: str, *, by: Actor, now: datetime
) -> EarlyWarningDecision:
    """Keeps what a person decided, with the signs and facts as they were. Raises `NothingToDecide`.

    It changes nothing in the course: the call, the pace and the module are changed where they always are.
    """
    hold_and_reread(enrolment)
    warning = early_warning_for(enrolment, now=now)
    if warning is None:
        raise NothingToDecide
    decision = EarlyWarningDecision(
        enrolment_id=enrolment.id,
        signs=",".join(sign for sign in Sign if sign in warning.signs),
        facts=list(warning.facts),
        choice=choice,
        note=note,
        decided_at=now,
        decided_by=by.account_id,
    )
    db.session.add(decision)
    db.session.flush()
    audit.record(
        "decided_on_early_warning",
        by=by,
        now=now,
        object_kind="early_warning_decision",
        object_id=decision.id,
        enrolment_id=enrolment.id,
        detail=choice.value,
    )
    return decision
