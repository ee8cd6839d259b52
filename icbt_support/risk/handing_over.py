"""An alert that somebody has taken gets another named person; it stays open, with every word that was written."""

from datetime import datetime

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.risk import notices
from icbt_support.risk.models import RiskAlert


def give_alert_to(alert: RiskAlert, account_id: int, *, by: Actor, now: datetime) -> None:
    """This person sees to a taken alert from now on, and is told. A resolved one stays as it is."""
    db.session.refresh(alert, with_for_update=True)
    if alert.resolved_at is not None or alert.acknowledged_by == account_id:
        return
    alert.acknowledged_by = account_id
    if account_id != by.account_id:
        notices.tell_new_supporter(alert, account_id, now=now)
    record(
        "risk_alert_handed_over",
        by=by,
        now=now,
        object_kind="risk_alert",
        object_id=alert.id,
        enrolment_id=alert.enrolment_id,
        service_id=alert.service_id,
        detail=f"account {account_id}",
    )
    db.session.flush()
