"""From an owed row to a mail in somebody's hands: what is wanted, what is said, what is held back and why."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from icbt_support import clock
from icbt_support.accounts.models import Account, AccountLink, LinkPurpose, PromptLevel, Wording
from icbt_support.db import db
from icbt_support.delivery.channel import ChannelAway, IsStillWanted, Mail, Outcome, Result
from icbt_support.delivery.models import MailboxMail
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.jobs.deliver import Deliverer
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import InboxItem, Mailing, Reminder
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import Channel, MailingState, Reason, ReminderKind, ReminderState
from tests.cast import Cast

K = ReminderKind


class ListeningServer:
    """A channel that writes down what it is given, and can be told how to answer."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.answers: dict[str, Result] = {}
        self.is_away = False
        self.before_each = lambda mail: None

    def open(self) -> None:
        if self.is_away:
            raise ChannelAway("The mail server does not answer.")

    def close(self) -> None:
        pass

    def deliver(self, mails: Iterable[Mail], is_still_wanted: IsStillWanted) -> Iterator[Outcome]:
        for mail in mails:
            self.before_each(mail)
            if self.is_away:
                raise ChannelAway("421 later")
            self.mails.append(mail)
            yield Outcome(mail.reference, self.answers.get(mail.address, Result.ACCEPTED), "250 OK")


@pytest.fixture
def server() -> ListeningServer:
    return ListeningServer()


@pytest.fixture
def deliverer(app: Flask, server: ListeningServer) -> Iterator[Deliverer]:
    hands = Deliverer(app.config["SETTINGS"], smtp=server)
    yield hands
    hands.close()


def plan_a_session(cast: Cast, now: datetime, *, minutes: int = 12) -> PlanItem:
    week = Week(
        enrolment_id=cast.enrolment.id,
        number=1,
        module="doing-more",
        opened_on=now.date(),
        review_on=now.date() + timedelta(days=7),
        opened_at=now,
        opened_because=OpenedBecause.START,
    )
    item = PlanItem(
        week=week,
        enrolment_id=cast.enrolment.id,
        kind=ItemKind.SESSION,
        title="Planning for low days",
        why="",
        planned_on=now.date() + timedelta(days=5),
        planned_time=time(19),
        minutes=minutes,
        patient_words="",
        is_emailed=True,
    )
    db.session.add(item)
    db.session.commit()
    return item


def owe_session(cast: Cast, item: PlanItem, due_at: datetime) -> None:
    owe(cast, f"session:{item.id}", K.SESSION, f"plan_item:{item.id}", due_at)


def owe(cast: Cast, key: str, kind: ReminderKind, subject: str, due_at: datetime, **more: object) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=cast.patient.id,
        service_id=cast.service.id,
        subject=subject,
        context=f"enrolment:{cast.enrolment.id}",
        due_at=due_at,
        now=due_at,
        **more,  # type: ignore[arg-type]
    )
    db.session.commit()


def write_message(cast: Cast, author: Account, at: datetime) -> Message:
    message = Message(
        enrolment_id=cast.enrolment.id,
        author_id=author.id,
        kind=MessageKind.MESSAGE,
        words="The words that never stand in an email",
        posted_key=f"{author.id}-{at.timestamp()}",
        sent_at=at,
    )
    db.session.add(message)
    db.session.commit()
    return message


def row(key: str, channel: Channel = Channel.EMAIL) -> Reminder:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Reminder).where(Reminder.key == key, Reminder.channel == channel)).one()


def opened(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.data, policy=policy.default)  # type: ignore[return-value]


def said(mail: Mail) -> str:
    message = opened(mail)
    parts = [message.get_body(("plain",)), message.get_body(("html",))]
    return "\n".join(part.get_content() for part in parts if part is not None)


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


def test_a_refused_address_is_marked_and_the_supporter_told(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    server.answers[cast.patient.email] = Result.ADDRESS_REFUSED
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    assert deliverer.deliver_due().refused == 1
    assert row(f"session:{item.id}").state is ReminderState.FAILED
    assert db.session.get(Account, cast.patient.id).address_bounced_at == now  # type: ignore[union-attr]
    deliverer.deliver_due()
    told = db.session.scalars(select(InboxItem)).one()
    assert (told.account_id, told.kind) == (cast.supporter.id, K.STAFF_CALL_TASK)


def test_a_temporary_refusal_is_tried_again_under_the_same_message_id(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    server.answers[cast.patient.email] = Result.LATER
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    assert deliverer.deliver_due().later == 1
    server.answers.clear()
    clock.stop_clock_at(now + timedelta(minutes=2))
    assert deliverer.deliver_due().sent == 1
    assert server.mails[0].message_id == server.mails[1].message_id


def test_a_server_that_is_away_pauses_the_channel_and_blames_no_mail(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    owe_session(cast, plan_a_session(cast, now), now)
    server.is_away = True
    done = deliverer.deliver_due()
    assert "email is paused" in done.words
    assert db.session.scalars(select(Mailing)).all() == []


def test_a_server_that_goes_away_half_way_loses_nothing(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    server.before_each = lambda mail: setattr(server, "is_away", True)
    deliverer.deliver_due()
    waiting = db.session.scalars(select(Mailing)).one()
    assert (waiting.state, waiting.attempt) == (MailingState.WAITING, 0)
    assert row(f"session:{item.id}").state is ReminderState.OWED


def test_what_could_not_be_settled_is_not_forgotten_by_the_next_run(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe_session(cast, plan_a_session(cast, now), now)
    with monkeypatch.context() as at_first:
        at_first.setattr("icbt_support.jobs.deliver.settling.settle_accepted", database_is_away)
        with pytest.raises(OperationalError):
            deliverer.deliver_due()
    owe(cast, "one", K.STAFF_HAND_OVER, f"enrolment:{cast.enrolment.id}", now, channels=[Channel.EMAIL])
    deliverer.deliver_due()
    db.session.rollback()
    assert set(db.session.scalars(select(Mailing.state))) == {MailingState.HANDED_OVER}
    assert len(server.mails) == 2


def database_is_away(*_given: object, **_named: object) -> int:
    raise OperationalError("UPDATE mailings", {}, OSError("away"))


def test_example_org_never_leaves_the_house(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    cast.patient.email = "patient@example.org"
    owe_session(cast, plan_a_session(cast, now), now)
    db.session.commit()
    assert deliverer.deliver_due().sent == 1
    assert server.mails == []
    assert db.session.scalars(select(MailboxMail)).one().address == "patient@example.org"


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
