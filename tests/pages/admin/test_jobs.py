"""Jobs as the administrator sees them: real rows, no names, no other service."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.job_log.models import JobState
from icbt_support.jobs.runner import tick
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Reason, ReminderKind, ReminderState
from tests.browsing import PageClient
from tests.cast import Cast


@pytest.fixture
def admin(client: PageClient, cast: Cast) -> PageClient:
    client.sign_in(cast.administrator)
    return client


def owe(cast: Cast, key: str, due_at: datetime, *, service_id: int) -> None:
    owe_reminder(
        key=key,
        kind=ReminderKind.SESSION,
        recipient_id=cast.patient.id,
        service_id=service_id,
        subject="plan_item:1",
        context=f"enrolment:{cast.enrolment.id}",
        due_at=due_at,
        now=due_at,
    )
    db.session.commit()


def test_before_any_job_has_run_it_says_so(admin: PageClient) -> None:
    text = admin.get("/admin/jobs").text
    assert "No job has run yet" in text
    assert "Nothing is waiting" in text


def test_every_job_stands_with_its_purpose_and_what_it_did(app: Flask, admin: PageClient) -> None:
    tick(app, names=[job.name for job in SCHEDULE if job.name not in ("backup", "purge")])
    text = admin.get("/admin/jobs").text
    assert "Sends what is due, or holds it back with a reason" in text
    assert "jobs have run on time" in text
    assert "every 30 seconds" in text


def test_a_failed_job_is_red_and_counted(app: Flask, admin: PageClient) -> None:
    tick(app, names=["seal", "risk"])
    db.session.execute(
        db.update(JobState).where(JobState.job == "seal").values(last_error="OperationalError")
    )
    db.session.commit()
    text = admin.get("/admin/jobs").text
    assert "1 of 2 jobs need a look" in text
    assert "OperationalError" in text


def test_the_queue_shows_rows_with_state_and_reason_and_no_names(
    admin: PageClient, cast: Cast, now: datetime
) -> None:
    owe(cast, "later", now + timedelta(days=5), service_id=cast.service.id)
    owe(cast, "held", now - timedelta(minutes=5), service_id=cast.service.id)
    held = db.session.scalars(select(Reminder).where(Reminder.key == "held")).one()
    held.state, held.reason, held.settled_at = ReminderState.HELD_BACK, Reason.PERSON_WROTE, now
    held.reason_at = now - timedelta(minutes=25)
    db.session.commit()
    text = admin.get("/admin/jobs").text
    assert "The supporter had written at 9.40am" in text
    assert f"Person {cast.enrolment.id}" in text
    assert "Alex" not in text
    assert "Showing 2 of 2" in text


def test_another_services_rows_are_not_there(admin: PageClient, cast: Cast, now: datetime) -> None:
    owe(cast, "theirs", now + timedelta(days=1), service_id=cast.elsewhere.id)
    assert "Nothing is waiting" in admin.get("/admin/jobs").text


def test_supporters_have_no_such_page(client: PageClient, cast: Cast) -> None:
    assert client.sign_in(cast.supporter).get("/admin/jobs").status_code == 404
