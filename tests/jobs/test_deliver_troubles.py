"""Mails that a server refuses, or puts off, or cannot take at all."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.delivery.channel import Result
from icbt_support.delivery.models import MailboxMail
from icbt_support.jobs import wording
from icbt_support.jobs.deliver import Deliverer
from icbt_support.reminders.models import InboxItem, Mailing
from icbt_support.reminders.rules import Channel, MailingState, ReminderState
from tests.cast import Cast
from tests.jobs.owing import K, ListeningServer, owe, owe_session, plan_a_session, row


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


def test_example_org_never_leaves_the_house(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    cast.patient.email = "patient@example.org"
    owe_session(cast, plan_a_session(cast, now), now)
    db.session.commit()
    assert deliverer.deliver_due().sent == 1
    assert server.mails == []
    assert db.session.scalars(select(MailboxMail)).one().address == "patient@example.org"


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


def test_a_mail_that_cannot_be_written_holds_up_no_other_and_is_not_lost(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = plan_a_session(cast, now)
    owe_session(cast, item, now)
    owe(cast, "z", K.PASSWORD_RESET, "account_link:0", now, channels=[Channel.EMAIL])
    owe(cast, "a", K.SAMPLE, "account:1", now)
    with monkeypatch.context() as for_now:
        for_now.setitem(wording._FACTS, K.SESSION, a_mistake_of_ours)
        done = deliverer.deliver_due()
    assert (done.sent, done.unwritten) == (1, 1)
    assert "1 could not be written" in done.words
    again = row(f"session:{item.id}")
    assert again.state is ReminderState.OWED
    assert again.due_at > now
    clock.stop_clock_at(now + timedelta(minutes=2))
    assert deliverer.deliver_due().sent == 1


def a_mistake_of_ours(*_given: object) -> dict[str, object]:
    raise KeyError("a mistake of ours")


def database_is_away(*_given: object, **_named: object) -> int:
    raise OperationalError("UPDATE mailings", {}, OSError("away"))
