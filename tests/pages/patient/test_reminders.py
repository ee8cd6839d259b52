"""Reminders as the patient sees them: coming, sent, held back and why, choices, samples."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import ContactPreferences, PromptLevel, Wording
from icbt_support.db import db
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderKind, ReminderState, WallTime
from tests.browsing import PageClient
from tests.cast import Cast

CHOICES = {
    "prompts": "fewer",
    "session_email": "first",
    "session_lead_minutes": "60",
    "check_in_time": "18:00",
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "wording": "with_detail",
}


@pytest.fixture
def patient(client: PageClient, cast: Cast) -> PageClient:
    client.sign_in(cast.patient)
    return client


def owe(
    cast: Cast, key: str, kind: ReminderKind, due_at: datetime, now: datetime, **more: object
) -> Reminder:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=cast.patient.id,
        service_id=cast.service.id,
        subject=f"enrolment:{cast.enrolment.id}",
        context=f"enrolment:{cast.enrolment.id}",
        due_at=due_at,
        now=now,
        channels=[Channel.EMAIL],
        **more,  # type: ignore[arg-type]
    )
    db.session.commit()
    return db.session.scalars(select(Reminder).where(Reminder.key == key)).one()


def preferences(cast: Cast) -> ContactPreferences:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(ContactPreferences, cast.patient.id)


def test_what_is_coming_what_was_sent_and_what_was_held_back_and_why(
    patient: PageClient, cast: Cast, now: datetime
) -> None:
    wall = WallTime((now + timedelta(days=5)).date(), time(18, 30), "Europe/London")
    owe(cast, "session", ReminderKind.SESSION, wall.instant(), now, wall=wall)
    held = owe(cast, "nudge", ReminderKind.NUDGE, now - timedelta(minutes=5), now)
    held.state, held.reason, held.settled_at = ReminderState.HELD_BACK, Reason.PERSON_WROTE, now
    held.reason_about_id, held.reason_at = cast.supporter.id, now - timedelta(minutes=25)
    sent = owe(cast, "check-in", ReminderKind.CHECK_IN, now - timedelta(days=1), now)
    sent.state, sent.settled_at = ReminderState.HANDED_OVER, now - timedelta(days=1)
    news = owe(cast, "message", ReminderKind.MESSAGE, now - timedelta(minutes=24), now)
    news.state, news.settled_at = ReminderState.HANDED_OVER, now - timedelta(minutes=24)
    db.session.commit()
    text = patient.get("/reminders").text
    assert "Your Tuesday session" in text
    assert "Tuesday 24 November, 6.30pm" in text
    assert "Last 7 days: 1 sent, 1 held back" in text
    assert "Because Pat had written to you at 9.40am" in text
    assert "Yesterday, 10.05am" in text
    assert "Pat has written to you" in text
    assert "Today, 9.41am" in text


def test_both_samples_come_from_the_real_templates(patient: PageClient) -> None:
    text = patient.get("/reminders").text
    assert "Your plan for Tuesday" in text
    assert "Tuesday 7pm: planning for low days" in text
    assert "If Tuesday does not suit you, move it with the link below" in text


def test_other_peoples_reminders_are_not_there(patient: PageClient, cast: Cast, now: datetime) -> None:
    theirs = owe(cast, "nudge", ReminderKind.NUDGE, now + timedelta(days=1), now)
    theirs.recipient_id = cast.other_patient.id
    db.session.commit()
    assert "A nudge about your week" not in patient.get("/reminders").text


def test_choices_are_kept(patient: PageClient, cast: Cast) -> None:
    patient.get("/reminders")
    response = patient.post("/reminders", CHOICES)
    assert "Your choices are saved" in response.text
    kept = preferences(cast)
    assert (kept.prompts, kept.wording, kept.session_lead_minutes) == (
        PromptLevel.FEWER,
        Wording.WITH_DETAIL,
        60,
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("wording", "shouting", "Select how much an email should say"),
        ("prompts", "", "Select how many reminders you would like"),
        ("session_email", "", "Select which session we should email about"),
    ],
)
def test_a_missing_choice_is_named(
    patient: PageClient, cast: Cast, field: str, value: str, words: str
) -> None:
    patient.get("/reminders")
    response = patient.post("/reminders", {**CHOICES, field: value})
    assert response.status_code == 400
    assert words in response.text
    assert preferences(cast).session_lead_minutes == 30


def test_a_sample_is_owed_once_however_often_it_is_asked_for(patient: PageClient, cast: Cast) -> None:
    patient.get("/reminders")
    patient.post("/reminders/sample")
    response = patient.post("/reminders/sample")
    assert "A sample is on its way to your email address" in response.text
    owed = db.session.scalars(select(Reminder).where(Reminder.kind == ReminderKind.SAMPLE)).all()
    assert len(owed) == 1


def test_stopping_asks_first_and_then_stops(patient: PageClient, cast: Cast) -> None:
    patient.get("/reminders/stop")
    assert preferences(cast).prompts is PromptLevel.ALL
    patient.post("/reminders/stop")
    assert preferences(cast).prompts is PromptLevel.OFF


def test_supporters_have_no_such_page(client: PageClient, cast: Cast) -> None:
    assert client.sign_in(cast.supporter).get("/reminders").status_code == 404
