"""From an owed row to a mail in somebody's hands: what is wanted, what is said, what is held back and why."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import AccountLink, LinkPurpose, PromptLevel, Wording
from icbt_support.db import db
from icbt_support.delivery.channel import Mail
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.jobs.deliver import Deliverer
from icbt_support.plan.models import ItemState
from icbt_support.reminders.models import InboxItem
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import Channel, Reason, ReminderState
from tests.cast import Cast
from tests.jobs.owing import (
    K,
    ListeningServer,
    opened,
    owe,
    owe_session,
    plan_a_session,
    row,
    said,
    write_message,
)


def test_a_due_session_is_emailed_discreetly(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    assert deliverer.deliver_due().sent == 1
    message = opened(server.mails[0])
    assert message["To"] == cast.patient.email
    assert message["From"].addresses[0].display_name == "Online course"
    assert message["Subject"] == "Your plan for Tuesday"
    assert message["List-Unsubscribe"].startswith("<https://course.example.net/reminders/stop/")
    words = said(server.mails[0])
    assert "7pm, about 12 minutes" in words
    assert "https://course.example.net/reminders/move/" in words
    assert "low days" not in words
    assert row(f"session:{item.id}").state is ReminderState.HANDED_OVER


def test_with_detail_names_the_session_and_the_service(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    owe_session(cast, plan_a_session(cast, now), now)
    deliverer.deliver_due()
    message = opened(server.mails[0])
    assert message["Subject"] == "Tuesday 7pm: Planning for low days"
    assert message["From"].addresses[0].display_name == "Northfield"


def test_news_never_holds_the_words_themselves(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    message = write_message(cast, cast.supporter, now)
    owe(cast, f"message:{message.id}", K.MESSAGE, f"message:{message.id}", now)
    done = deliverer.deliver_due()
    assert (done.sent, done.in_app) == (1, 1)
    assert "Pat has written to you" in said(server.mails[0])
    assert "never stand in an email" not in said(server.mails[0])
    assert db.session.scalars(select(InboxItem)).one().account_id == cast.patient.id


def test_a_prompt_is_held_back_when_a_person_has_just_written(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    write_message(cast, cast.supporter, now - timedelta(minutes=25))
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    assert deliverer.deliver_due().held_back == 1
    held = row(f"session:{item.id}")
    assert server.mails == []
    assert (held.state, held.reason) == (ReminderState.HELD_BACK, Reason.PERSON_WROTE)
    assert (held.reason_about_id, held.reason_at) == (cast.supporter.id, now - timedelta(minutes=25))


def test_words_of_the_day_before_yesterday_hold_nothing_back(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    write_message(cast, cast.supporter, now - timedelta(hours=25))
    owe_session(cast, plan_a_session(cast, now), now)
    assert deliverer.deliver_due().sent == 1


def test_what_is_done_is_not_reminded_of(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    item.state = ItemState.DONE
    db.session.commit()
    deliverer.deliver_due()
    assert server.mails == []
    assert row(f"session:{item.id}").reason == Reason.ALREADY_DONE


@pytest.mark.parametrize("state", [EnrolmentState.PAUSED, EnrolmentState.AWAY, EnrolmentState.ENDED])
def test_nobody_is_prompted_whose_course_does_not_run(
    state: EnrolmentState, cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    cast.enrolment.state = state
    db.session.commit()
    deliverer.deliver_due()
    assert server.mails == []
    assert row(f"session:{item.id}").state is ReminderState.WITHDRAWN


def test_prompts_off_holds_prompts_back_and_lets_news_through(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    cast.patient.preferences.prompts = PromptLevel.OFF
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    message = write_message(cast, cast.supporter, now - timedelta(days=2))
    owe(cast, "message", K.MESSAGE, f"message:{message.id}", now)
    deliverer.deliver_due()
    assert [opened(mail)["Subject"] for mail in server.mails] == ["There is a message for you"]
    assert row(f"session:{item.id}").reason == Reason.PROMPTS_OFF


def test_somebody_who_has_been_away_for_a_week_is_not_prompted(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    cast.patient.last_signed_in_at = cast.enrolment.started_at = now - timedelta(days=8)
    cast.enrolment.starts_on = cast.enrolment.started_at.date()
    db.session.commit()
    deliverer.deliver_due()
    assert row(f"session:{item.id}").reason == Reason.QUIET_WEEK


def test_a_week_away_is_counted_in_days_of_the_person(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    """At 10.05am in London it is tomorrow on Kiritimati: there the course began a week ago today."""
    cast.patient.zone = "Pacific/Kiritimati"
    cast.patient.preferences.quiet_from = cast.patient.preferences.quiet_until
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    cast.patient.last_signed_in_at = cast.enrolment.started_at = now - timedelta(days=8)
    cast.enrolment.starts_on = now.date() - timedelta(days=6)
    db.session.commit()
    deliverer.deliver_due()
    assert row(f"session:{item.id}").reason == Reason.QUIET_WEEK


def test_news_waits_for_the_end_of_quiet_hours_and_stands_in_the_app_at_once(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    late = now.replace(hour=22)
    clock.stop_clock_at(late)
    message = write_message(cast, cast.supporter, late)
    owe(cast, "message", K.MESSAGE, f"message:{message.id}", late)
    assert deliverer.deliver_due().in_app == 1
    assert server.mails == []
    morning = (late + timedelta(days=1)).replace(hour=8, minute=0)
    assert row("message").due_at == morning
    clock.stop_clock_at(morning)
    assert deliverer.deliver_due().sent == 1


def test_an_invitation_carries_a_link_that_opens_it(
    app: Flask, cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    link = AccountLink(
        account_id=cast.patient.id,
        purpose=LinkPurpose.INVITATION,
        nonce="n" * 32,
        created_at=now,
        expires_at=now + timedelta(days=14),
    )
    db.session.add(link)
    db.session.commit()
    owe(cast, "account-link:1", K.INVITATION, f"account_link:{link.id}", now)
    deliverer.deliver_due()
    assert f"https://course.example.net/invitation/{link.id}-" in said(server.mails[0])


def test_a_used_link_is_not_sent(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    link = AccountLink(
        account_id=cast.patient.id,
        purpose=LinkPurpose.PASSWORD_RESET,
        nonce="n" * 32,
        created_at=now,
        expires_at=now + timedelta(hours=1),
        used_at=now,
    )
    db.session.add(link)
    db.session.commit()
    owe(cast, "account-link:1", K.PASSWORD_RESET, f"account_link:{link.id}", now)
    deliverer.deliver_due()
    assert server.mails == []


def test_what_is_withdrawn_while_the_batch_goes_out_is_not_sent(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icbt_support.jobs.gate.CHECK_AFTER", 1)
    first = write_message(cast, cast.supporter, now)
    owe(cast, "one", K.STAFF_HAND_OVER, f"enrolment:{cast.enrolment.id}", now, channels=[Channel.EMAIL])
    owe_reminder(
        key="two",
        kind=K.MESSAGE,
        recipient_id=cast.other_patient.id,
        service_id=cast.elsewhere.id,
        subject=f"message:{first.id}",
        context=f"enrolment:{cast.other_enrolment.id}",
        due_at=now + timedelta(seconds=1),
        now=now,
        channels=[Channel.EMAIL],
    )
    db.session.commit()
    clock.stop_clock_at(now + timedelta(seconds=1))

    def withdraw(mail: Mail) -> None:
        withdraw_reminders(now=now, reason="read", key="two")
        db.session.commit()

    server.before_each = withdraw
    deliverer.deliver_due()
    assert [mail.address for mail in server.mails] == [cast.patient.email]
    assert row("two").state is ReminderState.WITHDRAWN


def test_a_change_of_the_day_before_is_worded_from_the_rows_as_they_are_now(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    item.planned_on = now.date() + timedelta(days=1)
    item.minutes = 1
    db.session.commit()
    deliverer.deliver_due()
    assert opened(server.mails[0])["Subject"] == "Your plan for Friday"
    assert "about 1 minute." in said(server.mails[0])
