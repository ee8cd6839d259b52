"""The thread: posted once, told of, read, late; and *I need someone to know I am not safe*."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support.accounts.models import Account, Role
from icbt_support.activity.models import Act, ActivityEvent
from icbt_support.audit import Actor, ActorKind
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.transitions import record_absence_row
from icbt_support.messages import operations as messages
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.queries import (
    late_message_sentences,
    late_since,
    messages_unread_too_long,
    open_question_counts,
    open_questions,
    reading_days_words,
    thread,
    unread_for_patient,
    unread_for_staff,
)
from icbt_support.messages.rules import NOT_SAFE_WORDS
from icbt_support.messages.rules import reading_days_words as words_of_days
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.risk.models import AlertNotice, Grade, ReadFirst, RiskAlert
from tests.cast import Cast


def actor(account: Account, role: Role) -> Actor:
    return Actor(ActorKind.PERSON, account.id, role)


def post(
    cast: Cast,
    words: str,
    now: datetime,
    *,
    from_staff: bool = False,
    kind: MessageKind = MessageKind.MESSAGE,
    key: str = "k1",
) -> Message:
    by = actor(cast.supporter, Role.SUPPORTER) if from_staff else actor(cast.patient, Role.PATIENT)
    message = messages.post_message(cast.enrolment, words, kind=kind, posted_key=key, by=by, now=now)
    db.session.commit()
    return message


def owed(message: Message) -> set[tuple[ReminderKind, int]]:
    rows = db.session.scalars(
        select(Reminder).where(
            Reminder.subject == f"message:{message.id}", Reminder.state == ReminderState.OWED
        )
    )
    return {(row.kind, row.recipient_id) for row in rows}


def test_a_double_post_is_one_message_and_other_words_are_another(cast: Cast, now: datetime) -> None:
    first = post(cast, "Hello Pat", now)
    assert post(cast, "Hello Pat", now) is first
    assert post(cast, "Hello again", now).id != first.id
    assert post(cast, "Hello Pat", now, key="k2").id != first.id
    assert len(thread(cast.enrolment)) == 3


@pytest.mark.parametrize("words", ["", "  \n"])
def test_nothing_written_is_refused(cast: Cast, now: datetime, words: str) -> None:
    with pytest.raises(messages.NothingWritten):
        post(cast, words, now)


def test_news_goes_to_the_other_side(cast: Cast, now: datetime) -> None:
    assert owed(post(cast, "A question", now)) == {(ReminderKind.STAFF_MESSAGE, cast.supporter.id)}
    reply = post(cast, "An answer", now, from_staff=True, key="k2")
    assert owed(reply) == {(ReminderKind.MESSAGE, cast.patient.id)}
    welcome = post(cast, "Hello", now, from_staff=True, kind=MessageKind.WELCOME, key="k3")
    assert owed(welcome) == set()


def test_only_what_a_patient_writes_is_activity(cast: Cast, now: datetime) -> None:
    post(cast, "One", now)
    post(cast, "Two", now, from_staff=True, key="k2")
    acts = db.session.scalars(select(ActivityEvent.act)).all()
    assert acts == [Act.WROTE_MESSAGE]


def test_each_side_reads_what_the_other_wrote(cast: Cast, now: datetime) -> None:
    mine = post(cast, "From the patient", now)
    theirs = post(cast, "From the supporter", now, from_staff=True, key="k2")
    assert unread_for_patient(cast.enrolment) == 1
    assert unread_for_staff([cast.enrolment.id]) == {cast.enrolment.id: [mine]}
    assert messages.mark_thread_read(cast.enrolment, by=actor(cast.patient, Role.PATIENT), now=now) == 1
    db.session.commit()
    assert (theirs.read_at, mine.read_at) == (now, None)
    assert owed(theirs) == set()
    assert unread_for_patient(cast.enrolment) == 0
    assert messages.mark_thread_read(cast.enrolment, by=actor(cast.supporter, Role.SUPPORTER), now=now) == 1
    db.session.commit()
    assert mine.read_by == cast.supporter.id
    assert messages.mark_thread_read(cast.enrolment, by=actor(cast.supporter, Role.SUPPORTER), now=now) == 0


def test_a_question_stays_until_it_is_answered(cast: Cast, now: datetime) -> None:
    question = post(cast, "Why does doing come first?", now, kind=MessageKind.QUESTION)
    by = actor(cast.supporter, Role.SUPPORTER)
    messages.mark_thread_read(cast.enrolment, by=by, now=now)
    db.session.commit()
    assert open_questions(cast.enrolment) == [question]
    assert open_question_counts([cast.enrolment.id, cast.other_enrolment.id]) == {cast.enrolment.id: 1}
    messages.mark_question_answered(question, by=by, now=now)
    db.session.commit()
    assert open_questions(cast.enrolment) == []


def test_words_never_change(cast: Cast, now: datetime) -> None:
    post(cast, "As it was", now)
    for statement in (Message.__table__.update().values(words="other"), Message.__table__.delete()):
        with pytest.raises(Exception, match="append-only"):
            db.session.execute(statement)
        db.session.rollback()


# Late -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "is_late"),
    [(0, False), (1, False), (4, False), (5, True)],  # sent on a Thursday: Monday is the second working day
)
def test_unread_for_two_working_days_is_late(cast: Cast, now: datetime, days: int, is_late: bool) -> None:
    message = post(cast, "Hello", now)
    late = messages_unread_too_long(now + timedelta(days=days))
    assert late == ([message] if is_late else [])


def test_read_or_told_messages_are_not_late_again(cast: Cast, now: datetime) -> None:
    told, read = post(cast, "One", now), post(cast, "Two", now, key="k2")
    post(cast, "From staff", now, from_staff=True, key="k3")
    told.told_late_at = now
    read.read_at = now
    db.session.commit()
    assert messages_unread_too_long(now + timedelta(days=6)) == []


LATE = timedelta(days=5)
SYSTEM = Actor.system("messages")


def late_news() -> list[tuple[ReminderKind, int]]:
    rows = db.session.execute(
        select(Reminder.kind, Reminder.recipient_id, Reminder.key)
        .where(
            Reminder.kind.in_([ReminderKind.MESSAGE_LATE, ReminderKind.STAFF_MESSAGE_LATE]),
            Reminder.state == ReminderState.OWED,
        )
        .distinct()
        .order_by(Reminder.key)
    )
    return sorted((row.kind, row.recipient_id) for row in rows)


def test_a_late_message_is_told_to_the_patient_the_supporter_and_the_pool_once(
    cast: Cast, now: datetime
) -> None:
    message = post(cast, "Hello", now)
    assert messages.tell_of_late_messages(by=SYSTEM, now=now + timedelta(days=4)) == 0
    assert messages.tell_of_late_messages(by=SYSTEM, now=now + LATE) == 1
    db.session.commit()
    assert message.told_late_at == now + LATE
    assert late_news() == sorted(
        [
            (ReminderKind.MESSAGE_LATE, cast.patient.id),
            (ReminderKind.STAFF_MESSAGE_LATE, cast.supporter.id),
            (ReminderKind.STAFF_MESSAGE_LATE, cast.colleague.id),
        ]
    )
    assert messages.tell_of_late_messages(by=SYSTEM, now=now + LATE + timedelta(minutes=15)) == 0
    told = db.session.scalars(select(AuditLine).where(AuditLine.action == "told_late_message")).one()
    assert (told.object_id, told.enrolment_id) == (message.id, cast.enrolment.id)
    assert "on us, not you" in " ".join(late_message_sentences(cast.enrolment))


def test_a_second_message_in_a_late_thread_is_no_second_email(cast: Cast, now: datetime) -> None:
    post(cast, "Hello", now)
    second = post(cast, "Are you there?", now + timedelta(days=1), key="k2")
    messages.tell_of_late_messages(by=SYSTEM, now=now + LATE)
    before = late_news()
    assert messages.tell_of_late_messages(by=SYSTEM, now=now + LATE + timedelta(days=1)) == 1
    db.session.commit()
    assert second.told_late_at is not None
    assert late_news() == before
    assert late_since([cast.enrolment.id]) == {cast.enrolment.id: now}


def test_reading_ends_the_lateness_and_withdraws_the_news(cast: Cast, now: datetime) -> None:
    post(cast, "Hello", now)
    messages.tell_of_late_messages(by=SYSTEM, now=now + LATE)
    messages.mark_thread_read(cast.enrolment, by=actor(cast.supporter, Role.SUPPORTER), now=now + LATE)
    db.session.commit()
    assert late_news() == []
    assert late_since([cast.enrolment.id]) == {}
    assert late_message_sentences(cast.enrolment) == ()


def test_nobody_is_told_after_the_course_has_ended(cast: Cast, now: datetime) -> None:
    post(cast, "Hello", now)
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    assert messages.tell_of_late_messages(by=SYSTEM, now=now + LATE) == 0
    assert late_news() == []


def test_a_colleague_who_is_away_is_not_asked(cast: Cast, now: datetime) -> None:
    message = post(cast, "Hello", now)
    today = (now + LATE).date()
    record_absence_row(
        cast.colleague.id,
        service_id=cast.service.id,
        from_on=today,
        until_on=today,
        cover_id=None,
        by=SYSTEM,
        now=now,
    )
    messages.tell_of_late_messages(by=SYSTEM, now=now + LATE)
    db.session.commit()
    assert message.told_late_at is not None
    assert (ReminderKind.STAFF_MESSAGE_LATE, cast.colleague.id) not in late_news()
    assert (ReminderKind.STAFF_MESSAGE_LATE, cast.supporter.id) in late_news()


def test_the_days_on_which_messages_are_read(cast: Cast, now: datetime) -> None:
    assert reading_days_words(cast.enrolment, now=now) == "Pat reads messages on Thursdays"
    assert words_of_days("Pat", [4, 0, 2, 0]) == "Pat reads messages on Mondays, Wednesdays and Fridays"
    assert words_of_days("Pat", []) == "Pat reads messages on working days, not straight away"


@pytest.mark.parametrize("is_covered", [True, False])
def test_while_the_supporter_is_away_it_says_who_reads(cast: Cast, now: datetime, is_covered: bool) -> None:
    today = now.date()
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=today,
        until_on=today + timedelta(days=8),
        cover_id=cast.colleague.id if is_covered else None,
        by=SYSTEM,
        now=now,
    )
    reader = cast.colleague.called if is_covered else "The team"
    away = f"Pat is away until Friday 27 November. {reader} reads messages meanwhile"
    assert reading_days_words(cast.enrolment, now=now) == away
    back = now + timedelta(days=9)
    assert reading_days_words(cast.enrolment, now=back) == "Pat reads messages on Thursdays"


def test_it_says_the_team_while_the_cover_is_away_too_and_one_last_day_of_two_times_away(
    cast: Cast, now: datetime
) -> None:
    today = now.date()

    def be_away(account: Account, first: int, last: int) -> None:
        record_absence_row(
            account.id,
            service_id=cast.service.id,
            from_on=today + timedelta(days=first),
            until_on=today + timedelta(days=last),
            cover_id=cast.colleague.id if account is cast.supporter else None,
            by=SYSTEM,
            now=now,
        )

    be_away(cast.supporter, 0, 1)
    be_away(cast.supporter, 2, 8)
    be_away(cast.supporter, 11, 12)
    words = "Pat is away until Friday 27 November. {} reads messages meanwhile"
    assert reading_days_words(cast.enrolment, now=now) == words.format("Chris")
    be_away(cast.colleague, 0, 0)
    assert reading_days_words(cast.enrolment, now=now) == words.format("The team")
    assert reading_days_words(cast.enrolment, now=now + timedelta(days=1)) == words.format("Chris")


# Not safe ---------------------------------------------------------------------------------------------------


def test_not_safe_is_a_message_and_an_urgent_alert_together(cast: Cast, now: datetime) -> None:
    by = actor(cast.patient, Role.PATIENT)
    alert = messages.post_not_safe(cast.enrolment, "", posted_key="k", by=by, now=now)
    again = messages.post_not_safe(cast.enrolment, "", posted_key="k", by=by, now=now)
    db.session.commit()
    assert again is alert
    assert alert.grade is Grade.URGENT
    assert [message.words for message in thread(cast.enrolment)] == [NOT_SAFE_WORDS]
    assert db.session.scalar(select(func.count()).select_from(RiskAlert)) == 1
    told = set(db.session.scalars(select(AlertNotice.account_id)))
    assert told == {cast.supporter.id, cast.clinician.id}


def test_not_safe_leaves_nothing_half_done(cast: Cast, now: datetime) -> None:
    messages.post_not_safe(
        cast.enrolment, "Please call", posted_key="k", by=actor(cast.patient, Role.PATIENT), now=now
    )
    db.session.rollback()
    assert thread(cast.enrolment) == []
    assert db.session.scalar(select(func.count()).select_from(RiskAlert)) == 0


def test_a_phrase_of_the_service_moves_the_message_to_read_first(cast: Cast, now: datetime) -> None:
    cast.service.read_first_phrases = ["dark place"]
    db.session.commit()
    post(cast, "I am in a dark place", now)
    post(cast, "I want to die", now, key="k2")
    assert len(db.session.scalars(select(ReadFirst)).all()) == 1
    assert db.session.scalar(select(func.count()).select_from(RiskAlert)) == 0
    messages.mark_thread_read(
        cast.enrolment, by=actor(cast.supporter, Role.SUPPORTER), now=datetime(2026, 11, 20, 9, tzinfo=UTC)
    )
    assert db.session.scalars(select(ReadFirst)).one().read_by == cast.supporter.id
