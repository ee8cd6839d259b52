"""Somebody who never starts, somebody who is quiet for a month and comes back: days pass through the real jobs."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Account, Role
from icbt_support.db import db
from icbt_support.delivery.models import MailboxMail
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.jobs import runner
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.plan.queries import open_week_of
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderClass, ReminderState
from icbt_support.reviews.queries import review_owed
from icbt_support.risk.models import CallLog
from tests.browsing import PageClient
from tests.cast import PASSWORD, Cast
from tests.concepts.beginnings import invite_robin
from tests.concepts.rhythm_steps import acting, at, letter, read_session, send, start_course

OF_THE_HOUSE = ("backup", "purge", "seal", "heartbeat", "recover", "digest")
JOBS = [job.name for job in runner.SCHEDULE if job.name not in OF_THE_HOUSE]
EVENING = 19
SAME_MODULE = "module:getting-started"


@pytest.fixture(autouse=True)
def the_clock_runs_on_afterwards(app: Flask) -> Iterator[None]:
    yield
    runner.runner_of(app).close()
    app.extensions.pop("icbt_jobs", None)


class Days:
    """Passes them: every job runs each evening, what owes first and then what sends."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def to(self, instant: datetime) -> datetime:
        db.session.commit()
        first = clock.now()
        evenings = [
            at(first.date() + timedelta(days=number), EVENING)
            for number in range((instant.date() - first.date()).days + 1)
        ]
        for stop in (*[one for one in evenings if first < one < instant], instant):
            clock.stop_clock_at(stop)
            told = runner.tick(self.app, names=JOBS)
            assert not [did for did in told if "Error" in did[1]], told
        db.session.rollback()
        db.session.expire_all()
        return clock.now()


@pytest.fixture
def days(app: Flask) -> Days:
    return Days(app)


def words(app: Flask, account: Account, path: str) -> str:
    return PageClient(app).sign_in(account).get(path).text


def mails_to(address: str) -> list[EmailMessage]:
    rows = db.session.scalars(
        select(MailboxMail).where(MailboxMail.address == address).order_by(MailboxMail.id)
    )
    return [message_from_bytes(mail.data, policy=policy.default) for mail in rows]  # type: ignore[misc]


def subjects_to(address: str) -> list[str]:
    return [mail["Subject"] for mail in mails_to(address)]


def link_in_newest_mail(address: str) -> str:
    plain = mails_to(address)[-1].get_body(("plain",))
    found = re.search(r"/invitation/[\w-]+", plain.get_content() if plain else "")
    assert found is not None
    return found.group()


def log_call_without_answer(app: Flask, cast: Cast, enrolment: Enrolment) -> None:
    supporter, path = PageClient(app).sign_in(cast.supporter), f"/supporting/patients/{enrolment.id}/contact"
    supporter.get(path)
    supporter.post(path, {"outcome": "no_answer", "about": "0"})


def is_to_be_called(app: Flask, cast: Cast, person: Account) -> bool:
    page = words(app, cast.supporter, "/supporting/today")
    _, _, calls = page.partition('id="calls"')
    return person.full_name in calls.partition('<div id="')[0]


# Never started ------------------------------------------------------------------------------------


def test_somebody_who_never_starts_is_prompted_twice_called_and_invited_again(
    app: Flask, cast: Cast, days: Days
) -> None:
    # Given an invitation that nobody takes up
    enrolment = invite_robin(cast, clock.now())
    robin = enrolment.patient
    db.session.commit()

    # When the supporter has welcomed Robin and a week passes, then the link came once, and prompts on days 2 and 6
    supporter, welcome = (
        PageClient(app).sign_in(cast.supporter),
        f"/supporting/patients/{enrolment.id}/welcome",
    )
    supporter.get(welcome)
    supporter.post(welcome, {"words": "I am Pat. I write on Thursdays.", "posted_key": "welcome"})
    days.to(at(26, 9))
    invitation, welcomed, *prompts = subjects_to(robin.email)
    assert (invitation, welcomed) == ("An invitation for you", "There is a message for you")
    assert prompts == ["Your place is still here"] * 2

    # Day 8: the supporter is asked to call, until two tries are logged
    assert not is_to_be_called(app, cast, robin)
    days.to(at(27, 12))
    assert is_to_be_called(app, cast, robin)
    log_call_without_answer(app, cast, enrolment)
    assert is_to_be_called(app, cast, robin)
    days.to(at(30, 12))
    log_call_without_answer(app, cast, enrolment)
    assert not is_to_be_called(app, cast, robin)
    assert len(db.session.scalars(select(CallLog)).all()) == 2

    # Day 21: nobody was ended by a timer; the clinician closes or invites again
    days.to(at(date(2026, 12, 10), 12))
    assert len(mails_to(robin.email)) == 4
    assert db.session.get_one(Enrolment, enrolment.id).state is EnrolmentState.INVITED
    assert "Decide: close or invite again" in words(app, cast.clinician, "/clinical/caseload")
    clinician = PageClient(app).sign_in(cast.clinician)
    decide = f"/clinical/patients/{enrolment.id}/decide"
    assert "Never started" in clinician.get(decide).text
    clinician.post(f"{decide}/invite-again")

    # Then the days count from now, the newest link works, and Robin begins
    days.to(at(date(2026, 12, 10), 18))
    newest = link_in_newest_mail(robin.email)
    visitor = PageClient(app)
    visitor.get(newest)
    visitor.post(newest, {"password": PASSWORD})
    assert "Before you start" in visitor.page.headings[0]
    visitor.get("/start/consent")
    visitor.post("/start/consent", {"agrees": "y"})
    assert "Decide: close or invite again" not in words(app, cast.clinician, "/clinical/caseload")
    assert "Set up your plan" in visitor.get("/week").text


def test_closing_somebody_who_never_started_counts_them_as_that(app: Flask, cast: Cast, days: Days) -> None:
    enrolment = invite_robin(cast, clock.now())
    robin = enrolment.patient
    days.to(at(20, 12))
    clinician, decide = PageClient(app).sign_in(cast.clinician), f"/clinical/patients/{enrolment.id}/decide"
    clinician.get(decide)
    clinician.post(f"{decide}/end", {"end_code": "never_started", "end_reason": "No answer to two calls"})
    sent = subjects_to(robin.email)
    days.to(at(26, 12))

    # Nothing more is sent, nothing is owed, and the page is kind to whoever signs in after all
    assert subjects_to(robin.email) == sent
    assert "Never started" in words(app, cast.clinician, f"/after-course/{enrolment.id}")
    assert "It is fine to come back" in words(app, robin, "/week")


# A quiet month ------------------------------------------------------------------------------------


def emails(cast: Cast, reminder_class: ReminderClass, state: ReminderState) -> list[Reminder]:
    return list(
        db.session.scalars(
            select(Reminder)
            .where(
                Reminder.recipient_id == cast.patient.id,
                Reminder.reminder_class == reminder_class,
                Reminder.channel == Channel.EMAIL,
                Reminder.state == state,
            )
            .order_by(Reminder.settled_at)
            .execution_options(populate_existing=True)
        )
    )


def send_short_letter(cast: Cast, day: date) -> None:
    """The supporter's part in a quiet week: a kind line, one step, the date."""
    send(
        review_owed(cast.enrolment),
        letter(
            opens=SAME_MODULE,
            next_review_at=at(day + timedelta(days=7), 9),
            by_on=day + timedelta(days=3),
            words="What got in the way? One page is enough for this week.",
        ),
        by=acting(cast.supporter, Role.SUPPORTER),
        now=clock.now(),
    )


def test_a_quiet_month_and_a_return(app: Flask, cast: Cast, days: Days) -> None:
    # Given a first week in which the first session is read on its first evening
    course, alex = cast.enrolment, cast.patient
    start_course(course, review_at=at(26, 9), now=clock.now())
    read_session(course, "getting-started", 0, now=days.to(at(19, 19)))

    # When a week goes by without a visit
    days.to(at(26, 9, 30))
    send_short_letter(cast, date(2026, 11, 26))
    before = emails(cast, ReminderClass.PROMPT, ReminderState.HANDED_OVER)
    assert before

    # Then prompts stop with their reason, news from people goes on, and staff are asked for one note
    days.to(at(date(2026, 12, 3), 9, 30))
    assert emails(cast, ReminderClass.PROMPT, ReminderState.HANDED_OVER) == before
    held = emails(cast, ReminderClass.PROMPT, ReminderState.HELD_BACK)
    assert Reason.QUIET_WEEK in {row.reason for row in held}
    assert len(emails(cast, ReminderClass.NEWS, ReminderState.HANDED_OVER)) == 1
    keys = db.session.scalars(select(Reminder.key).where(Reminder.recipient_id == cast.supporter.id)).all()
    assert f"quiet-note:{course.id}:20261119" in keys
    supporter, thread = PageClient(app).sign_in(cast.supporter), f"/supporting/patients/{course.id}/messages"
    supporter.get(thread)
    supporter.post(thread, {"words": "Thinking of you. One page is enough.", "posted_key": "note"})
    send_short_letter(cast, date(2026, 12, 3))

    # Two weeks: a call, two logged tries. Three: the clinician decides, and nobody is ended by a timer
    assert is_to_be_called(app, cast, alex)
    log_call_without_answer(app, cast, course)
    log_call_without_answer(app, cast, course)
    assert not is_to_be_called(app, cast, alex)
    days.to(at(date(2026, 12, 10), 9, 30))
    send_short_letter(cast, date(2026, 12, 10))
    days.to(at(date(2026, 12, 11), 10))
    assert "Decide: close, pause or go on" in words(app, cast.clinician, "/clinical/caseload")
    days.to(at(date(2026, 12, 15), 10))
    assert db.session.get_one(Enrolment, course.id).state is EnrolmentState.ACTIVE

    # When Alex comes back, the page welcomes, starts where Alex is, and offers days that lie ahead
    visitor = PageClient(app).sign_in(alex)
    home = visitor.get("/week").text
    assert "It is fine to come back" in home
    assert "We start where you are." in home
    for word in ("overdue", "failed", "should"):
        assert word not in home.lower()
    week = open_week_of(course)
    assert (week.number, week.module) == (4, "getting-started")
    assert "Nothing has changed yet" in visitor.get("/week/new-days").text
    visitor.post("/week/new-days")
    ahead = _planned(week)
    assert ahead
    assert all(item.planned_on >= date(2026, 12, 15) for item in ahead)
    again = visitor.get("/week").text
    assert "had a day that has passed" not in again

    # Then the session that was read counts, and once something is done, prompts come again
    assert "session:getting-started/one" not in {item.subject for item in ahead}
    read_session(course, "getting-started", 1, now=clock.now())
    alex.last_signed_in_at = clock.now()
    days.to(at(date(2026, 12, 17), 9))
    sent = emails(cast, ReminderClass.PROMPT, ReminderState.HANDED_OVER)
    assert len(sent) > len(before)
    assert "It is fine to come back" not in words(app, alex, "/week")
    assert "Decide: close, pause or go on" not in words(app, cast.clinician, "/clinical/caseload")


def _planned(week: Week) -> list[PlanItem]:
    db.session.expire_all()
    return [
        item for item in week.items if item.kind is not ItemKind.CHECK_IN and item.state.value == "planned"
    ]
