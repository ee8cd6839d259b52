"""After a good ending: days pass, the check-in is asked once, answered, and read by a named person."""

from datetime import date

import pytest
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.boosters.queries import booster_of
from icbt_support.db import db
from icbt_support.engagement.five_answers import HomeState
from icbt_support.engagement.this_week import this_week
from icbt_support.enrolments.models import EndCode
from icbt_support.jobs import runner
from icbt_support.measures.models import Occasion
from icbt_support.measures.operations import CheckInIncomplete, answer_item, start_questionnaire
from icbt_support.messages.queries import thread
from icbt_support.programme.library import find_programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.queries import review_owed
from icbt_support.rhythm.booster import (
    NoBooster,
    answer_booster,
    decline_booster,
    give_booster_to,
    read_booster,
    reading_is_late,
)
from icbt_support.rhythm.ending import end_course, finish_with_what_i_needed
from icbt_support.rhythm.handover import what_hangs_on
from icbt_support.risk.models import RiskAlert
from tests.cast import make_person
from tests.concepts.rhythm_steps import acting, at, letter, send, start_course

JOBS = ("weeks", "reviews", "messages", "aways", "boosters", "quiet", "invitations", "risk")


def pass_to(app, instant):
    db.session.commit()
    clock.stop_clock_at(instant)
    assert not [did for did in runner.tick(app, names=JOBS) if "Error" in did[1]]
    db.session.rollback()
    return instant


def answer_all(cast, value, *, item_9, now):
    course, by = cast.enrolment, acting(cast.patient, Role.PATIENT)
    programme = find_programme(course.programme_slug, course.programme_version)
    alert = None
    for slug in programme.check_in:
        measure = programme.measures[slug]
        questionnaire = start_questionnaire(
            course,
            measure,
            occasion=Occasion.BOOSTER,
            week_number=booster_of(course).week_number,
            by=by,
            now=now,
        )
        for item in range(1, len(measure.items) + 1):
            given = item_9 if item == measure.risk_item else value
            alert = answer_item(questionnaire, item, given, by=by, now=now) or alert
    db.session.commit()
    return alert


def prompts(cast):
    return db.session.scalars(select(Reminder).where(Reminder.kind == ReminderKind.BOOSTER)).all()


def told(account):
    rows = db.session.scalars(
        select(Reminder.key).where(
            Reminder.kind == ReminderKind.STAFF_COURSE_NEWS, Reminder.recipient_id == account.id
        )
    )
    return sorted({key.partition(":")[0] for key in rows})


@pytest.fixture
def ended(app, cast):
    """The last review ends the course on Thursday 26 November."""
    start_course(cast.enrolment, review_at=at(26, 9), now=pass_to(app, at(19, 10)))
    now = pass_to(app, at(26, 9, 30))
    last = letter(opens="last", by_on=date(2026, 11, 29))
    send(review_owed(cast.enrolment), last, by=acting(cast.supporter, Role.SUPPORTER), now=now)
    return cast


def test_it_is_asked_once_answered_and_read_by_the_day_that_was_promised(app, ended):
    course, patient = ended.enrolment, acting(ended.patient, Role.PATIENT)
    booster = booster_of(course)
    # Four weeks after the end is Christmas Eve, a Thursday.
    assert (booster.state, booster.due_on, booster.week_number) == (
        BoosterState.PLANNED,
        date(2026, 12, 24),
        5,
    )
    pass_to(app, at(date(2026, 12, 23), 20))
    assert not prompts(ended)
    pass_to(app, at(date(2026, 12, 24), 9))
    now = pass_to(app, at(date(2026, 12, 24), 10))
    (prompt,) = prompts(ended)
    assert (prompt.reminder_class.value, prompt.due_at) == ("prompt", at(date(2026, 12, 24), 18))
    assert this_week(course, now=now).state is HomeState.ENDED

    # Item 9 above 0 is an alert with its clock, though the course has ended; the form may be left half-way.
    now = pass_to(app, at(date(2026, 12, 24), 11))
    with pytest.raises(CheckInIncomplete):
        answer_booster(course, by=patient, now=now)
    db.session.rollback()
    alert = answer_all(ended, 1, item_9=1, now=now)
    assert alert.escalates_at is not None
    assert [notice.account_id for notice in alert.notices].count(ended.clinician.id) == 1

    # The 25th and the 28th are bank holidays: two working days on is the 30th.
    answer_booster(course, by=patient, now=now)
    answer_booster(course, by=patient, now=now)
    db.session.commit()
    assert (booster.state, booster.reader_id) == (BoosterState.ANSWERED, ended.supporter.id)
    assert booster.promised_at == at(date(2026, 12, 30), 17)
    assert told(ended.supporter) == ["booster-answered"]
    assert {row.state.value for row in prompts(ended)} == {"withdrawn"}

    # Nobody reads it: at the promised time the page says so, and the clinician is told, once.
    pass_to(app, at(date(2026, 12, 30), 16, 59))
    assert reading_is_late(booster, now=clock.now()) == ()
    pass_to(app, at(date(2026, 12, 30), 17))
    now = pass_to(app, at(date(2026, 12, 30), 18))
    assert "Pat has not read your answers yet. That is on us, not you." in reading_is_late(booster, now=now)
    assert told(ended.clinician) == ["booster-late"]

    words = "Thank you. It is good to hear from you."
    read_booster(course, words, posted_key="k", by=acting(ended.clinician, Role.CLINICIAN), now=now)
    db.session.commit()
    assert (booster.state, booster.read_by) == (BoosterState.READ, ended.clinician.id)
    assert thread(course)[-1].words == words
    with pytest.raises(NoBooster):
        read_booster(course, "", posted_key="l", by=acting(ended.supporter, Role.SUPPORTER), now=now)
    assert db.session.scalars(select(RiskAlert)).one().resolved_at is None


def test_no_is_an_answer_and_silence_is_one_too(app, ended):
    course, patient = ended.enrolment, acting(ended.patient, Role.PATIENT)
    decline_booster(course, by=patient, now=clock.now())
    decline_booster(course, by=patient, now=clock.now())
    db.session.commit()
    pass_to(app, at(date(2026, 12, 24), 10))
    assert (booster_of(course).state, prompts(ended)) == (BoosterState.DECLINED, [])
    with pytest.raises(NoBooster):
        answer_booster(course, by=patient, now=clock.now())


def test_an_answer_that_was_begun_is_never_refused(app, ended):
    course, patient = ended.enrolment, acting(ended.patient, Role.PATIENT)
    pass_to(app, at(date(2026, 12, 24), 10))
    answer_all(ended, 1, item_9=0, now=at(date(2027, 1, 7), 20))
    now = pass_to(app, at(date(2027, 1, 8), 9))
    assert booster_of(course).state is BoosterState.LAPSED
    assert answer_booster(course, by=patient, now=now).state is BoosterState.ANSWERED


def test_when_the_supporter_has_left_the_clinician_reads(app, ended):
    ended.supporter.disabled_at = at(30, 9)
    db.session.commit()
    now = pass_to(app, at(date(2026, 12, 24), 10))
    answer_all(ended, 0, item_9=0, now=now)
    booster = answer_booster(ended.enrolment, by=acting(ended.patient, Role.PATIENT), now=now)
    assert booster.reader_id == ended.clinician.id


def test_only_a_good_ending_of_a_course_that_began_is_followed(app, cast):
    now = pass_to(app, at(19, 10))
    start_course(cast.enrolment, review_at=at(26, 9), now=now)
    by = acting(cast.clinician, Role.CLINICIAN)
    end_course(cast.enrolment, EndCode.LOST, reason="No answer", by=by, now=now)
    assert db.session.scalars(select(Booster)).all() == []


def test_what_i_needed_tells_staff_and_plans_it(app, cast):
    now = pass_to(app, at(19, 10))
    start_course(cast.enrolment, review_at=at(26, 9), now=now)
    finish_with_what_i_needed(cast.enrolment, "", by=acting(cast.patient, Role.PATIENT), now=now)
    assert booster_of(cast.enrolment).due_on == date(2026, 12, 17)
    assert told(cast.supporter) == told(cast.clinician) == ["finished"]


def test_answers_that_wait_hang_on_their_reader_until_somebody_else_has_them(app, ended):
    second = make_person("Dr Sol Marr", Role.CLINICIAN, ended.service, clock.now())
    now = pass_to(app, at(date(2026, 12, 24), 19))
    answer_all(ended, 1, item_9=0, now=now)
    booster = answer_booster(ended.enrolment, by=acting(ended.patient, Role.PATIENT), now=now)
    assert what_hangs_on(ended.supporter, now=now).boosters == (booster,)
    give_booster_to(booster, ended.clinician.id, by=acting(ended.clinician, Role.CLINICIAN), now=now)
    assert what_hangs_on(ended.supporter, now=now).boosters == ()
    assert told(ended.clinician) == ["booster-answered"]

    # The clinician and the supporter have both left: another clinician of the service reads them.
    ended.clinician.disabled_at = ended.supporter.disabled_at = now
    pass_to(app, at(date(2026, 12, 28), 9))
    assert booster_of(ended.enrolment).reader_id == second.id
