"""The ledger: owing, withdrawing, claiming, folding, settling; on both engines."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.db import commit_with_retry, db
from icbt_support.reminders import queries, settling
from icbt_support.reminders.claims import LEASE, Claim, claim_emails
from icbt_support.reminders.inbox import deliver_to_inboxes
from icbt_support.reminders.models import InboxItem, Mailing, Reminder
from icbt_support.reminders.operations import (
    mark_inbox_read,
    owe_reminder,
    recompute_due_times,
    withdraw_reminders,
)
from icbt_support.reminders.rules import (
    Channel,
    MailingState,
    Reason,
    ReminderKind,
    ReminderState,
    WallTime,
)
from icbt_support.reminders.verdicts import (
    SEND,
    Decision,
    DueReminder,
    Judgement,
    RecipientDay,
    Verdict,
)

K = ReminderKind
TODAY = date(2026, 11, 19)


class EverythingIsWanted:
    """A judge that wants all, for recipients who may have one prompt a day and three a week."""

    def __init__(self, *, on: date = TODAY, verdicts: dict[str, Verdict] | None = None) -> None:
        self.on = on
        self.verdicts = verdicts or {}

    def __call__(self, due: Sequence[DueReminder], now: datetime) -> Judgement:
        return Judgement(
            {row.id: self.verdicts.get(key_of(row), SEND) for row in due},
            {row.recipient_id: RecipientDay(self.on, 1, 3) for row in due},
        )


def owe(key: str, kind: ReminderKind, due_at: datetime, *, recipient: int = 7, **more: object) -> None:
    owe_reminder(
        key=key,
        kind=kind,
        recipient_id=recipient,
        service_id=1,
        subject=more.pop("subject", "plan_item:1"),  # type: ignore[arg-type]
        context="enrolment:1",
        due_at=due_at,
        now=due_at - timedelta(days=1),
        **more,  # type: ignore[arg-type]
    )


def key_of(row: DueReminder) -> str:
    return db.session.scalars(select(Reminder.key).where(Reminder.id == row.id)).one()


def claim(
    now: datetime, *, judge: EverythingIsWanted | None = None, worker: str = "one", limit: int = 100
) -> Claim:
    return commit_with_retry(
        lambda: claim_emails(
            judge or EverythingIsWanted(),
            worker=worker,
            message_domain="course.example.net",
            limit=limit,
            now=now,
            real_now=now,
        )
    )


def are_all_wanted(claimed: Claim) -> bool:
    mailing_ids = [mailing.id for mailing in claimed.mailings]
    ids = [row.id for mailing in claimed.mailings for row in mailing.reminders]
    return settling.are_all_still_wanted(db.session.connection(), ids, mailing_ids, claimed.token)


def settle(claimed: Claim, now: datetime) -> int:
    accepted = [
        settling.Accepted(one.id, tuple(row.id for row in one.reminders), "250 OK")
        for one in claimed.mailings
    ]
    return commit_with_retry(lambda: settling.settle_accepted(accepted, token=claimed.token, now=now))


def states(key: str | None = None) -> dict[tuple[str, str], ReminderState]:
    db.session.rollback()
    db.session.expire_all()
    rows = db.session.scalars(select(Reminder).order_by(Reminder.id)).all()
    return {(row.key, row.channel): row.state for row in rows if key is None or row.key == key}


def only(key: str) -> Reminder:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Reminder).where(Reminder.key == key)).one()


# Owing and withdrawing
# ------------------------------------------------------------------------------------------


def test_owing_twice_under_one_key_is_one_reminder_at_the_newer_time(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    owe("session:1:1:1", K.SESSION, now + timedelta(hours=3))
    row = only_after_commit("session:1:1:1")
    assert row.due_at == now + timedelta(hours=3)


def only_after_commit(key: str) -> Reminder:
    db.session.commit()
    return only(key)


def test_a_withdrawn_reminder_can_be_owed_again_but_a_sent_one_cannot(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    assert withdraw_reminders(now=now, reason="moved", subject="plan_item:1") == 1
    owe("session:1:1:1", K.SESSION, now)
    assert only_after_commit("session:1:1:1").state is ReminderState.OWED
    settle(claim(now), now)
    owe("session:1:1:1", K.SESSION, now + timedelta(days=1))
    row = only_after_commit("session:1:1:1")
    assert (row.state, row.due_at) == (ReminderState.HANDED_OVER, now)


def test_news_stands_in_the_app_and_goes_out_by_email(app: Flask, now: datetime) -> None:
    owe("message:4", K.MESSAGE, now, subject="message:4")
    db.session.commit()
    assert set(states()) == {("message:4", "inbox"), ("message:4", "email")}
    assert withdraw_reminders(now=now, reason="read", subject="message:4") == 1


def test_withdrawing_needs_something_to_withdraw_by(app: Flask, now: datetime) -> None:
    with pytest.raises(ValueError, match="Name the subject"):
        withdraw_reminders(now=now, reason="whatever")


def test_withdrawing_one_kind_leaves_the_others(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    owe("check-in:1:1", K.CHECK_IN, now, subject="check_in:1:1")
    assert withdraw_reminders(now=now, reason="done", context="enrolment:1", kinds=[K.CHECK_IN]) == 1
    db.session.commit()
    assert states()["session:1:1:1", "email"] is ReminderState.OWED


def test_a_change_of_zone_moves_what_was_planned_by_wall_time(app: Flask, now: datetime) -> None:
    wall = WallTime(date(2026, 11, 24), time(18, 30), "Europe/London")
    owe("session:1:1:1", K.SESSION, wall.instant(), wall=wall)
    owe("message:4", K.MESSAGE, now + timedelta(days=1), subject="message:4", channels=[Channel.EMAIL])
    assert recompute_due_times(7, zone="America/New_York", now=now) == 1
    row = only_after_commit("session:1:1:1")
    assert row.due_at - wall.instant() == timedelta(hours=5)
    assert row.expires_at is not None
    assert row.expires_at > row.due_at


# Claiming and settling
# ------------------------------------------------------------------------------------------


def test_only_what_is_due_is_claimed(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now + timedelta(seconds=1))
    db.session.commit()
    assert claim(now).mailings == []
    assert len(claim(now + timedelta(seconds=1)).mailings) == 1


def test_one_email_carries_all_news_that_is_due_to_a_person(app: Flask, now: datetime) -> None:
    owe("review-ready:1", K.REVIEW_READY, now, subject="review:1", channels=[Channel.EMAIL])
    owe("message:4", K.MESSAGE, now, subject="message:4", channels=[Channel.EMAIL])
    owe("session:1:1:1", K.SESSION, now)
    owe("message:5", K.MESSAGE, now, recipient=8, subject="message:5", channels=[Channel.EMAIL])
    db.session.commit()
    claimed = claim(now, limit=1)
    assert [[row.kind for row in one.reminders] for one in claimed.mailings] == [
        [K.REVIEW_READY, K.MESSAGE, K.SESSION]
    ]


def test_urgent_and_account_mail_is_never_folded(app: Flask, now: datetime) -> None:
    owe("risk:1:7:0", K.RISK_ALERT, now, subject="alert:1", channels=[Channel.EMAIL])
    owe("account-link:1", K.INVITATION, now, subject="account_link:1")
    owe("message:4", K.MESSAGE, now, subject="message:4", channels=[Channel.EMAIL])
    db.session.commit()
    assert sorted(len(one.reminders) for one in claim(now).mailings) == [1, 1, 1]


def test_of_several_prompts_due_the_most_important_goes_and_the_others_say_why_not(
    app: Flask, now: datetime
) -> None:
    owe("session:1:1:1", K.SESSION, now)
    owe("check-in:1:1", K.CHECK_IN, now, subject="check_in:1:1")
    owe("agreed:1", K.AGREED_STEP, now)
    db.session.commit()
    claimed = claim(now)
    assert [row.kind for one in claimed.mailings for row in one.reminders] == [K.AGREED_STEP]
    assert only("session:1:1:1").reason == Reason.ONE_A_DAY
    assert only("check-in:1:1").state is ReminderState.HELD_BACK


def test_one_prompt_a_day_and_three_in_seven_days(app: Flask, now: datetime) -> None:
    sent = []
    for day in range(9):
        on, at = TODAY + timedelta(days=day), now + timedelta(days=day)
        for number in (1, 2):
            owe(f"session:1:{day}:{number}", K.SESSION, at + timedelta(hours=number))
            db.session.commit()
            claimed = claim(at + timedelta(hours=number), judge=EverythingIsWanted(on=on))
            settle(claimed, at + timedelta(hours=number))
            sent += [day] * len(claimed.mailings)
    assert sent == [0, 1, 2, 7, 8]
    assert only("session:1:0:2").reason == Reason.ONE_A_DAY
    assert only("session:1:3:1").reason == Reason.ENOUGH_THIS_WEEK


def test_a_claimed_mailing_is_not_claimed_twice(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    assert len(claim(now).mailings) == 1
    assert claim(now, worker="two").mailings == []


def test_settling_needs_the_token(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    first = claim(now)
    later = now + LEASE + timedelta(seconds=1)
    assert commit_with_retry(lambda: settling.recover_leases(real_now=later)) == 1
    second = claim(later, worker="two")
    assert settle(first, later) == 0
    assert settle(second, later) == 1
    assert first.mailings[0].message_id == second.mailings[0].message_id


def test_what_was_handed_over_is_settled_if_nobody_has_taken_it_up_since(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    first = claim(now)
    later = now + LEASE + timedelta(seconds=1)
    commit_with_retry(lambda: settling.recover_leases(real_now=later))
    assert settle(first, later) == 1
    assert claim(later, worker="two").mailings == []


def test_a_lease_that_runs_is_left_alone(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    claim(now)
    assert commit_with_retry(lambda: settling.recover_leases(real_now=now + LEASE / 2)) == 0


def test_a_claimed_reminder_can_be_withdrawn_before_it_is_sent(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    claimed = claim(now)
    ids = [row.id for row in claimed.mailings[0].reminders]
    assert settling.still_wanted(db.session.connection(), ids, claimed.token) == set(ids)
    assert are_all_wanted(claimed)
    commit_with_retry(lambda: withdraw_reminders(now=now, reason="done", subject="plan_item:1"))
    assert settling.still_wanted(db.session.connection(), ids, claimed.token) == set()
    assert not are_all_wanted(claimed)
    commit_with_retry(lambda: settling.drop_empty([claimed.mailings[0].id], token=claimed.token))
    mailing = db.session.scalars(select(Mailing)).one()
    assert (mailing.state, mailing.prompt_on) == (MailingState.DROPPED, None)


def test_what_another_worker_has_taken_over_is_not_sent(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    db.session.commit()
    claimed = claim(now)
    commit_with_retry(lambda: settling.recover_leases(real_now=now + 2 * LEASE))
    assert not are_all_wanted(claimed)
    taken_over = claim(now, worker="two")
    assert are_all_wanted(taken_over)
    assert not are_all_wanted(claimed)


def test_a_retry_sends_the_same_rows_under_the_same_message_id(app: Flask, now: datetime) -> None:
    owe("message:4", K.MESSAGE, now, subject="message:4", channels=[Channel.EMAIL])
    db.session.commit()
    first = claim(now)
    refusal = settling.Refusal(first.mailings[0].id, 1, "451 later")
    commit_with_retry(lambda: settling.put_off([refusal], token=first.token, now=now))
    owe("message:5", K.MESSAGE, now, subject="message:5", channels=[Channel.EMAIL])
    db.session.commit()
    assert [key_of(row) for one in claim(now).mailings for row in one.reminders] == ["message:5"]
    again = claim(now + timedelta(minutes=2))
    assert [key_of(row) for one in again.mailings for row in one.reminders] == ["message:4"]
    assert again.mailings[0].message_id == first.mailings[0].message_id
    assert again.mailings[0].attempt == 2


def test_after_a_day_of_tries_it_is_given_up(app: Flask, now: datetime) -> None:
    owe("account-link:1", K.INVITATION, now, subject="account_link:1")
    db.session.commit()
    at, tries = now, 0
    while only("account-link:1").state is ReminderState.OWED:
        at = only("account-link:1").due_at
        claimed = claim(at)
        tries += 1
        refusal = settling.Refusal(claimed.mailings[0].id, claimed.mailings[0].attempt, "451 later")
        token = claimed.token
        commit_with_retry(
            lambda refusal=refusal, token=token, at=at: settling.put_off([refusal], token=token, now=at)
        )
    assert only("account-link:1").state is ReminderState.FAILED
    assert tries == 9
    assert at - now >= timedelta(hours=24)


def test_stale_mail_is_never_sent(app: Flask, now: datetime) -> None:
    owe("session:1:1:1", K.SESSION, now)
    owe("risk:1:7:0", K.RISK_ALERT, now, subject="alert:1", channels=[Channel.EMAIL])
    db.session.commit()
    claimed = claim(now + timedelta(days=3))
    assert [row.kind for one in claimed.mailings for row in one.reminders] == [K.RISK_ALERT]
    assert only("session:1:1:1").state is ReminderState.EXPIRED


def test_quiet_hours_put_it_off_and_only_move_its_due_time(app: Flask, now: datetime) -> None:
    owe("message:4", K.MESSAGE, now, subject="message:4", channels=[Channel.EMAIL])
    db.session.commit()
    morning = now + timedelta(hours=10)
    put_off = Verdict(Decision.PUT_OFF, Reason.QUIET_HOURS, until=morning)
    assert claim(now, judge=EverythingIsWanted(verdicts={"message:4": put_off})).put_off == 1
    row = only("message:4")
    assert (row.state, row.due_at, row.first_due_at) == (ReminderState.OWED, morning, now)
    assert recompute_due_times(7, zone="Europe/London", now=now) == 1
    assert only_after_commit("message:4").due_at == now


# In the app
# -----------------------------------------------------------------------------------------------------


def test_an_inbox_item_arrives_once_with_its_settled_reminder(app: Flask, now: datetime) -> None:
    owe("message:4", K.MESSAGE, now, subject="message:4")
    db.session.commit()
    judge = EverythingIsWanted()
    assert commit_with_retry(lambda: deliver_to_inboxes(judge, limit=10, now=now)) == (1, 1)
    assert commit_with_retry(lambda: deliver_to_inboxes(judge, limit=10, now=now)) == (0, 0)
    assert states()["message:4", "inbox"] is ReminderState.HANDED_OVER
    assert states()["message:4", "email"] is ReminderState.OWED
    assert [item.subject for item in queries.inbox_of(7)] == ["message:4"]
    assert queries.unread_count(7) == 1
    assert mark_inbox_read(7, now=now, subject="message:4") == 1
    assert queries.unread_count(7) == 0


def test_a_failed_transaction_leaves_neither_item_nor_settled_reminder(app: Flask, now: datetime) -> None:
    owe("message:4", K.MESSAGE, now, subject="message:4", channels=[Channel.INBOX])
    db.session.commit()

    def fail() -> None:
        deliver_to_inboxes(EverythingIsWanted(), limit=10, now=now)
        raise RuntimeError("the machine goes away")

    with pytest.raises(RuntimeError):
        commit_with_retry(fail)
    assert db.session.scalars(select(InboxItem)).all() == []
    assert only("message:4").state is ReminderState.OWED


def test_the_next_due_row_and_the_age_of_the_oldest(app: Flask, now: datetime) -> None:
    assert queries.next_due_at() is None
    owe("session:1:1:1", K.SESSION, now + timedelta(hours=1))
    owe("message:4", K.MESSAGE, now - timedelta(minutes=5), subject="message:4")
    db.session.commit()
    assert queries.next_due_at() == now - timedelta(minutes=5)
    assert queries.oldest_due_seconds(now) == 300
    assert queries.queue_health(now=now, failures_since=now - timedelta(days=1)).due == 2
