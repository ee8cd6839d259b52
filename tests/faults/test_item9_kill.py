"""Kill -9 between any two statements of a positive answer: never an answer without its alert, nor an alert
unheard.

Two transactions lost 22 of 32 alerts in a sample application. Here a real process runs the whole request, and
every one of its statements and commits is once the last thing that it does.
"""

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.measures.models import Answer, Questionnaire
from icbt_support.messages.models import Message
from icbt_support.plan.models import OpenedBecause, Week
from icbt_support.reminders.models import Reminder
from icbt_support.risk.models import AlertNotice, AlertSource, Grade, RiskAlert
from tests.cast import Cast
from tests.faults.item9_runner import ITEM_9, NOT_SAFE

ROOT = Path(__file__).parents[2]
FEWEST_KILLS = 20


@pytest.fixture
def tries(app: Flask, cast: Cast, now: datetime, database_url: str) -> list[dict[str, object]]:
    """Every try of the runner, on this test's database."""
    db.session.add(
        Week(
            enrolment_id=cast.enrolment.id,
            number=1,
            module="getting-started",
            opened_on=date(2026, 11, 13),
            review_on=date(2026, 11, 20),
            opened_at=now - timedelta(days=6),
            opened_because=OpenedBecause.START,
        )
    )
    db.session.commit()
    account_id = cast.patient.id
    db.session.rollback()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.item9_runner", database_url, str(account_id)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    db.session.expire_all()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_positive_answer_and_its_alert_live_and_die_together(tries: list[dict[str, object]]) -> None:
    for path in (ITEM_9, NOT_SAFE):
        outcomes = [one["through"] for one in tries if one["path"] == path]
        assert outcomes[-1] is True, f"{path} never got through"
        assert outcomes.count(False) >= FEWEST_KILLS

    positives = db.session.execute(
        select(Questionnaire.id, Answer.version, Answer.value)
        .join(Questionnaire)
        .where(Questionnaire.measure == "phq-9", Answer.item == 9, Answer.value > 0)
    ).all()
    alerts = db.session.scalars(select(RiskAlert).where(RiskAlert.source == AlertSource.ITEM_9)).all()
    assert positives
    assert {(f"questionnaire:{q}:item:9:version:{version}", value) for q, version, value in positives} == {
        (alert.source_key, alert.answer) for alert in alerts
    }

    messages = db.session.scalars(select(Message.id)).all()
    stated = db.session.scalars(
        select(RiskAlert.source_key).where(RiskAlert.source == AlertSource.STATED)
    ).all()
    assert messages
    assert sorted(stated) == sorted(f"message:{message_id}" for message_id in messages)

    _assert_everybody_was_told()


def _assert_everybody_was_told() -> None:
    loud = set(db.session.scalars(select(RiskAlert.id).where(RiskAlert.grade != Grade.KNOWN)))
    notices = db.session.execute(
        select(AlertNotice.alert_id, AlertNotice.account_id, AlertNotice.escalation)
    ).all()
    assert {alert_id for alert_id, _, _ in notices} == loud
    assert all(sum(one.alert_id == alert_id for one in notices) == 2 for alert_id in loud)
    owed = set(db.session.scalars(select(Reminder.key).where(Reminder.key.like("risk:%"))))
    assert owed == {f"risk:{one.alert_id}:{one.account_id}:{one.escalation}" for one in notices}
    audited = db.session.scalar(
        select(func.count()).select_from(AuditLine).where(AuditLine.action == "risk_alert_raised")
    )
    assert audited == len(loud)
