"""The demo, built through time by the product's own verbs, shows each role its first minute."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask, g
from sqlalchemy import create_engine, func, select
from werkzeug.test import TestResponse

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.accounts.queries import find_account_by_email
from icbt_support.audit.seals import verify_audit
from icbt_support.cadence import to_local
from icbt_support.db import assert_triggers, commit_with_retry, db
from icbt_support.delivery.mailbox import mails_in_mailbox
from icbt_support.demo.building import NotADemo, build_demo, forget_everything, has_any_data
from icbt_support.demo.clock import CannotJump, move_clock, target_of
from icbt_support.demo.crowd import everybody
from icbt_support.demo.models import DemoState
from icbt_support.demo.people import ADMINISTRATOR, DR_WEISS, PRIYA, SAM, STANDS_AT, ZONE
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.this_week import this_week
from icbt_support.engagement.today import Section, build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.factory import create_app
from icbt_support.job_log.models import JobState
from icbt_support.measures.queries import scores_of
from icbt_support.plan.models import ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders import queries as ledger
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.queries import last_sent, next_review
from icbt_support.risk.models import ReadFirst, RiskAlert
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA
from tests.browsing import PageClient

PATIENTS, WEEKS = 40, 8


@pytest.fixture(scope="module")
def demo_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database of its own."""
    folder: Path = tmp_path_factory.mktemp("demo")
    settings = read_settings(
        {
            "ENVIRONMENT": "test",
            "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite'}",
            "JOURNAL_DIR": str(folder),
            "SCHEDULER": "off",
        }
    )
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert_triggers(connection)
    engine.dispose()
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()
    clock.let_clock_run()


@pytest.fixture(scope="module")
def built(demo_app: Flask) -> Flask:
    with demo_app.app_context():
        build_demo(demo_app, patients=PATIENTS, weeks=WEEKS)
    return demo_app


@pytest.fixture
def demo(built: Flask) -> Iterator[Flask]:
    with built.app_context():
        clock.stop_clock_at(db.session.scalars(select(DemoState.stands_at)).one())
        yield built
        db.session.rollback()
        db.session.remove()


def the_course_of(email: str) -> Enrolment:
    account = find_account_by_email(email)
    assert account is not None
    enrolment = enrolments.for_patient(account)
    assert enrolment is not None
    return enrolment


def count(statement: object) -> int:
    return db.session.scalar(statement) or 0


def test_it_ends_with_something_of_everything(demo: Flask) -> None:
    now = STANDS_AT
    owed = [review for review in db.session.scalars(select(Review)) if review.is_owed]

    assert [review for review in owed if review.state is ReviewState.OPEN and not review.is_late(now)]
    assert [r.enrolment.patient.full_name for r in owed if r.is_late(now)] == ["Ruth Okafor"]
    assert count(select(func.count()).where(ReadFirst.subject == "message", ReadFirst.read_at.is_(None))) == 1
    assert count(select(func.count()).where(RiskAlert.resolved_at.is_(None))) == 1
    for state in (
        EnrolmentState.ONBOARDING,
        EnrolmentState.INVITED,
        EnrolmentState.AWAY,
        EnrolmentState.PAUSED,
    ):
        assert count(select(func.count()).where(Enrolment.state == state)) == 1, state
    codes = set(db.session.scalars(select(Enrolment.end_code).where(Enrolment.state == EnrolmentState.ENDED)))
    assert codes >= {
        EndCode.AGREED,
        EndCode.HAD_WHAT_I_NEEDED,
        EndCode.PATIENT_STOPPED_EARLIER,
        EndCode.NEVER_STARTED,
    }
    assert count(select(func.count()).where(Reminder.state == ReminderState.HELD_BACK)) > 5
    assert count(select(func.count()).where(Week.opened_because == OpenedBecause.REVIEW_LATE)) == 1
    changes = [
        scores["phq-9"][-1].total - scores["phq-9"][0].total
        for scores in scores_of(list(db.session.scalars(select(Enrolment.id)))).values()
    ]
    assert min(changes) <= -6
    assert max(changes) >= 6


def test_nothing_of_it_was_written_past_the_verbs(demo: Flask) -> None:
    """Each sent review has its letter and its audit line; the audit's seals hold; SMTP had nothing to do."""
    sent = count(
        select(func.count()).where(Review.state == ReviewState.SENT, Review.kind != ReviewKind.WELCOME)
    )
    assert sent > 40
    assert verify_audit(key=demo.config["SETTINGS"].seal_key, now=clock.real_now()) is None
    assert mails_in_mailbox() == []
    assert count(select(func.count()).where(Reminder.state == ReminderState.HANDED_OVER)) > 100
    assert not count(
        select(func.count()).where(Reminder.state.in_([ReminderState.FAILED, ReminderState.CLAIMED]))
    )


def test_sams_first_minute(demo: Flask) -> None:
    enrolment = the_course_of(SAM)
    week = this_week(enrolment, now=STANDS_AT)

    assert (week.kicker, week.title) == ("Week 3 of 8:", "Doing more of what matters")
    assert week.unread is not None
    assert f"{week.unread.sent_at:%H:%M}" == "09:40"
    assert week.next_item is not None
    assert week.next_item.item.title == "Choose 3 activities for the weekend"
    assert (week.next_item.item.planned_time, week.next_item.item.minutes) == (time(19), 10)
    assert week.next_review_at is not None
    assert f"{week.next_review_at:%A %d %B %H}" == "Thursday 26 November 17"
    assert week.reminders.words == "Reminders: 2 sent, 1 held back because Priya had written"
    done = [one for one in week.items if one.state is ItemState.DONE]
    assert [(one.item.title, f"{one.settled_at:%H:%M}") for one in done] == [
        ("Why doing comes first", "09:55")
    ]
    scores = scores_of([enrolment.id])[enrolment.id]
    assert [score.total for score in scores["phq-9"]] == [17, 14, 11]
    assert [score.total for score in scores["gad-7"]] == [12, 11, 9]


def test_sams_page_says_it(demo: Flask) -> None:
    page = words_of(signed_in(demo, SAM).get("/week"))

    assert "Priya has written to you" in page
    assert "Agreed with Priya: one walk with Mo by Sunday" in page
    assert "because doing comes before feeling like it" in page
    assert "Tonight 7pm · about 10 min" in page
    assert "Thursday 26 November" in page
    assert "2 sent, 1 held back because Priya had written" in page


def test_priyas_first_minute(demo: Flask) -> None:
    priya = find_account_by_email(PRIYA)
    assert priya is not None
    queue = build_queue(
        load_people(enrolments.for_supporter(priya, now=STANDS_AT)),
        account_id=priya.id,
        now=STANDS_AT,
        zone=ZONE,
    )
    names = {
        section: [person.enrolment.patient.full_name for person in people]
        for section, people in queue.sections.items()
    }

    assert names[Section.READ_FIRST] == ["Amira Khan"]
    assert names[Section.LATE] == ["Ruth Okafor"]
    assert names[Section.DUE] == ["Leo Grant", "Nadia Hussain", "Morgan Lee", "Grace Obi"]
    assert (names[Section.WELCOME], names[Section.MESSAGES]) == ([], [])
    assert queue.minutes == 55
    page = words_of(signed_in(demo, PRIYA).get("/supporting/today"))
    assert "1 to read first, 1 late, 4 due, about 55 minutes" in page


def test_leos_letter_is_half_written(demo: Flask) -> None:
    review = next_review(the_course_of("leo.grant@example.org"))
    assert review is not None
    assert review.draft is not None
    assert review.state is ReviewState.DRAFTED
    page = words_of(signed_in(demo, PRIYA).get(f"/supporting/reviews/{review.id}"))
    assert "You went to bed before midnight on three nights" in page


def test_the_clinicians_and_the_administrators_first_minute(demo: Flask) -> None:
    page = words_of(signed_in(demo, DR_WEISS).get("/clinical/engagement"))
    for name in ("Amira Khan", "Dev Patel", "Joe Daniels", "Ruth Okafor"):
        assert name in page
    assert not [state.job for state in db.session.scalars(select(JobState)) if state.last_error]
    due_at = ledger.next_due_at()
    assert due_at is not None
    assert f"{to_local(due_at, ZONE):%d %H:%M}" == "19 18:30"
    assert "next email Today 6.30pm" in words_of(signed_in(demo, ADMINISTRATOR).get("/admin/jobs"))


def test_what_was_held_back_says_why(demo: Flask) -> None:
    rows = ledger.ledger_of(
        since=STANDS_AT - timedelta(days=1), until=STANDS_AT, recipient_id=the_course_of(SAM).patient_id
    )
    held = [row for row in rows if row.state is ReminderState.HELD_BACK]
    assert [(row.kind, row.reason, row.channel) for row in held] == [
        (ReminderKind.SESSION, Reason.PERSON_WROTE, Channel.EMAIL)
    ]
    assert last_sent(the_course_of(SAM)) is not None


def test_to_this_evening_one_email_arrives(demo: Flask) -> None:
    """Also: the four reviews that nobody wrote are late, and the patients' pages say so."""
    client = signed_in(demo, ADMINISTRATOR)
    page = words_of(client.post("/development/clock", {"to": "evening"}))

    assert "It is now Thursday 19 November, 7pm" in page
    assert [to_local(mail.arrived_at, ZONE).time() for mail in mails_in_mailbox()] == [time(18, 30)]
    assert [mail.address for mail in mails_in_mailbox()] == ["kofi.mensah@example.org"]
    assert db.session.scalars(select(DemoState.stands_at)).one() == clock.now()
    leo = this_week(the_course_of("leo.grant@example.org"), now=clock.now())
    assert leo.late[0] == "Priya's review is not here yet. That is on us, not you."
    with pytest.raises(CannotJump):
        move_clock(demo, STANDS_AT)
    with pytest.raises(CannotJump):
        target_of("yesterday", clock.now())


def test_other_jumps(demo: Flask) -> None:
    client = signed_in(demo, SAM)
    assert client.post("/development/clock", {"to": "nonsense"}).status_code == 400
    forget_requests()
    client.post("/development/clock", {"to": "morning"})
    assert to_local(clock.now(), ZONE).time() == time(9)
    forget_requests()
    client.post("/development/clock", {"to": "review"})
    assert to_local(clock.now(), ZONE).strftime("%A %H:%M") == "Monday 17:00"
    before = clock.now()
    forget_requests()
    client.post("/development/clock", {"to": (before + timedelta(hours=3)).isoformat()})
    assert clock.now() == before + timedelta(hours=3)


def test_the_same_seed_gives_the_same_people(demo_app: Flask) -> None:
    assert everybody(30, 8, 7) == everybody(30, 8, 7)
    assert everybody(30, 8, 7) != everybody(30, 8, 8)


def test_a_build_that_was_killed_begins_again(app: Flask) -> None:
    commit_with_retry(lambda: db.session.add(DemoState(seed=1, stands_at=STANDS_AT)))
    commit_with_retry(lambda: db.session.add(_stranger()))
    assert not has_any_data()

    build_demo(app, patients=1, weeks=2)
    first = fingerprint()
    assert has_any_data()
    with pytest.raises(NotADemo):
        build_demo(app, patients=1, weeks=2)

    forget_everything()
    assert not has_any_data()
    build_demo(app, patients=1, weeks=2)
    assert fingerprint() == first
    clock.stop_clock_at(STANDS_AT)


def test_it_is_not_built_over_other_data(app: Flask) -> None:
    commit_with_retry(lambda: db.session.add(_stranger()))
    with pytest.raises(NotADemo):
        build_demo(app, patients=1, weeks=1)


def _stranger() -> Account:
    return Account(
        email="someone@example.net",
        full_name="Some One",
        called="Some",
        created_at=datetime(2026, 9, 1, tzinfo=UTC),
    )


def fingerprint() -> list[object]:
    """Everything that a seed decides, in one list."""
    return [
        *db.session.execute(select(Week.enrolment_id, Week.number, Week.opened_at, Week.module)).all(),
        *db.session.execute(select(PlanItem.title, PlanItem.state, PlanItem.settled_at)).all(),
        *db.session.execute(
            select(Reminder.key, Reminder.state, Reminder.reason, Reminder.due_at).order_by(
                Reminder.key, Reminder.channel
            )
        ).all(),
        *db.session.execute(select(Review.number, Review.state, Review.sent_at)).all(),
    ]


def signed_in(app: Flask, email: str) -> PageClient:
    """A browser of this person; what an earlier request of the same test left in `g` is forgotten."""
    forget_requests()
    account = find_account_by_email(email)
    assert account is not None
    return PageClient(app).sign_in(account)


def forget_requests() -> None:
    for name in list(g):
        g.pop(name)


def words_of(response: TestResponse) -> str:
    """A page's words, without its tags."""
    without_tags = re.sub(r"<[^>]+>", "", response.get_data(as_text=True))
    return " ".join(unescape(without_tags).split())
