"""Week 0: what inviting a person writes and owes, and who is called or decided about when nobody begins."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import AccountLink, Role
from icbt_support.accounts.queries import roles_of
from icbt_support.accounts.rules import NotAnAddress
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.duty_rota import duty_sessions
from icbt_support.hours.operations import remove_duty_session
from icbt_support.hours.transitions import record_absence_row
from icbt_support.messages.models import Message, MessageKind
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import ReviewKind, ReviewState
from icbt_support.reviews.queries import owed_by, welcome_of
from icbt_support.reviews.rules import ReviewAlreadySent
from icbt_support.rhythm.invite import (
    AlreadyEnrolled,
    AlreadyStarted,
    ServiceNotReady,
    SupporterIsAway,
    reinvite,
)
from icbt_support.rhythm.quiet import QuietReason, call_tasks, decisions_due
from icbt_support.rhythm.welcome import NotAWelcome, send_welcome
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call
from tests.concepts.beginnings import (
    acting,
    as_clinician,
    audited,
    invite_robin,
    open_week_1,
    owed_kinds,
)


def start_prompts(enrolment):
    return db.session.execute(
        select(Reminder.due_at, Reminder.state)
        .where(Reminder.kind == ReminderKind.START_PROMPT, Reminder.recipient_id == enrolment.patient_id)
        .distinct()
        .order_by(Reminder.due_at)
    ).all()


def test_inviting_writes_the_person_the_course_and_the_contact_sheet(cast, now):
    enrolment = invite_robin(cast, now)
    assert enrolment.state is EnrolmentState.INVITED
    assert roles_of(enrolment.patient, cast.service.id) == {Role.PATIENT}
    assert enrolment.contact_sheet.phone == "01632 960555"
    assert enrolment.contact_sheet.confirmed_at is None
    assert "changed_state" in audited()


def test_inviting_owes_the_invitation_for_14_days_and_two_prompts(cast, now):
    enrolment = invite_robin(cast, now)
    link = db.session.scalars(select(AccountLink).where(AccountLink.account_id == enrolment.patient_id)).one()
    assert link.expires_at == now + timedelta(days=14)
    assert owed_kinds(enrolment.patient) == ["invitation", "start_prompt", "start_prompt"]
    assert [row.due_at for row in start_prompts(enrolment)] == [
        datetime(2026, 11, 21, 10, tzinfo=UTC),
        datetime(2026, 11, 25, 10, tzinfo=UTC),
    ]


def test_a_welcome_is_owed_within_two_working_days_over_the_weekend(cast, now):
    enrolment = invite_robin(cast, now)
    welcome = welcome_of(enrolment)
    assert (welcome.kind, welcome.number, welcome.owner_id) == (ReviewKind.WELCOME, 0, cast.supporter.id)
    assert welcome.due_on == date(2026, 11, 23)
    assert welcome.promised_at == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert welcome in owed_by([cast.supporter.id], now=now)


def test_a_service_without_duty_help_lines_or_words_cannot_invite(cast, now):
    for session in duty_sessions(cast.service):
        remove_duty_session(session, by=as_clinician(cast), now=now)
    cast.service.out_of_hours_words = ""
    with pytest.raises(ServiceNotReady) as refusal:
        invite_robin(cast, now)
    assert len(refusal.value.sentences) == 2


def test_a_person_with_an_open_course_is_not_invited_twice(cast, now):
    invite_robin(cast, now)
    with pytest.raises(AlreadyEnrolled):
        invite_robin(cast, now, email="ROBIN.dale@example.net ")


def test_a_wrong_address_is_refused(cast, now):
    with pytest.raises(NotAnAddress):
        invite_robin(cast, now, email="robin at home")


def test_a_supporter_who_is_away_on_the_day_of_the_welcome_is_refused(cast, now):
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=date(2026, 11, 23),
        until_on=date(2026, 11, 23),
        cover_id=None,
        by=as_clinician(cast),
        now=now,
    )
    with pytest.raises(SupporterIsAway):
        invite_robin(cast, now)


def test_inviting_again_sends_a_new_link_and_counts_the_days_from_now(cast, now):
    enrolment = invite_robin(cast, now)
    later = now + timedelta(days=21)
    reinvite(enrolment, by=as_clinician(cast), now=later)
    links = db.session.scalars(select(AccountLink).order_by(AccountLink.id)).all()
    assert [link.withdrawn_at is None for link in links] == [False, True]
    assert enrolment.invited_at == later
    assert [row.state.value for row in start_prompts(enrolment)] == ["withdrawn", "withdrawn", "owed", "owed"]
    assert welcome_of(enrolment).state is ReviewState.SCHEDULED


def test_nobody_who_has_started_is_invited_again(cast, now):
    with pytest.raises(AlreadyStarted):
        reinvite(cast.enrolment, by=as_clinician(cast), now=now)


def test_the_welcome_is_a_message_and_tells_the_patient_once(cast, now):
    enrolment = invite_robin(cast, now)
    by = acting(cast.supporter, "supporter", cast.service.id)
    send_welcome(welcome_of(enrolment), "Hello Robin", posted_key="k1", by=by, now=now)
    message = db.session.scalars(select(Message)).one()
    assert (message.kind, message.words) == (MessageKind.WELCOME, "Hello Robin")
    assert welcome_of(enrolment).state is ReviewState.SENT
    assert owed_kinds(enrolment.patient).count("welcome") == 1
    assert "message" not in owed_kinds(enrolment.patient)
    with pytest.raises(ReviewAlreadySent):
        send_welcome(welcome_of(enrolment), "Hello again", posted_key="k2", by=by, now=now)


def test_a_weekly_review_is_not_sent_as_a_welcome(cast, now):
    week = open_week_1(cast, now)
    review = owed_by([cast.supporter.id], now=now)[0]
    assert review.week is week
    with pytest.raises(NotAWelcome):
        send_welcome(review, "Hello", posted_key="k", by=as_clinician(cast), now=now)


@pytest.mark.parametrize(
    ("day", "is_call", "is_decision"),
    [(7, False, False), (8, True, False), (20, True, False), (21, False, True), (60, False, True)],
)
def test_day_8_is_a_call_and_day_21_a_decision(cast, now, day, is_call, is_decision):
    enrolment = invite_robin(cast, now)
    later = now + timedelta(days=day)
    calls = [p for p in call_tasks([cast.service.id], now=later) if p.enrolment is enrolment]
    decisions = [p for p in decisions_due([cast.service.id], now=later) if p.enrolment is enrolment]
    assert (bool(calls), bool(decisions)) == (is_call, is_decision)
    assert enrolment.state is EnrolmentState.INVITED


@pytest.mark.parametrize(
    ("outcomes", "is_left"),
    [
        ([], True),
        ([CallOutcome.NO_ANSWER], True),
        ([CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL], False),
        ([CallOutcome.SPOKE], False),
    ],
)
def test_two_tries_or_one_talk_settle_a_call(cast, now, outcomes, is_left):
    enrolment = invite_robin(cast, now)
    later = now + timedelta(days=9)
    for outcome in outcomes:
        log_call(enrolment, outcome, "", None, by=as_clinician(cast), now=later)
    left = [p.enrolment for p in call_tasks([cast.service.id], now=later)]
    assert (enrolment in left) is is_left


def test_a_person_in_the_course_is_quiet_from_the_last_sign_in(cast, now):
    cast.patient.last_signed_in_at = now
    (person,) = call_tasks([cast.service.id], now=now + timedelta(days=14))
    assert (person.enrolment, person.reason, person.days) == (cast.enrolment, QuietReason.NOT_SEEN, 14)
    assert call_tasks([cast.service.id], now=now + timedelta(days=13)) == []
    assert decisions_due([cast.service.id], now=now + timedelta(days=21))[0].enrolment is cast.enrolment


def test_the_lists_hold_only_the_services_that_are_asked_for(cast, now):
    late = now + timedelta(days=30)
    assert {p.enrolment.service_id for p in decisions_due([cast.elsewhere.id], now=late)} == {
        cast.elsewhere.id
    }
