"""A supporter moves one review to another day: with its reason, which the patient reads."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.audit import Actor
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.transitions import book_slot, record_absence_row
from icbt_support.rhythm.new_owner import give_review_to, give_review_to_pool
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import NEXT_THURSDAY, Course, reload, start_course
from tests.pages.visits import status_of, words_for

SYSTEM = Actor.system("tests")
IN_TWO_WEEKS = datetime(2026, 12, 3, 11, 0, tzinfo=UTC)


@pytest.fixture
def course(cast: Cast) -> Course:
    """The review stands in next week's slot; today is the Thursday before it."""
    started = start_course(cast.enrolment, slot=NEXT_THURSDAY, at=THURSDAY - timedelta(days=1))
    clock.stop_clock_at(THURSDAY)
    return started


@pytest.fixture
def mover(cast: Cast, client: PageClient) -> PageClient:
    return client.sign_in(cast.supporter)


def path(course: Course) -> str:
    return f"/supporting/reviews/{course.review.id}/move"


def move(mover: PageClient, course: Course, to: datetime | str, why: str = "course") -> tuple[int, str]:
    mover.get(path(course))
    value = to if isinstance(to, str) else to.isoformat()
    answer = mover.post(path(course), {"to": value, "why": why})
    return answer.status_code, answer.get_data(as_text=True)


def test_a_review_moves_and_the_patient_reads_from_when_to_when_and_why(
    course: Course, mover: PageClient, cast: Cast, app: Flask
) -> None:
    workspace = mover.get(f"/supporting/reviews/{course.review.id}").get_data(as_text=True)
    assert path(course) in workspace
    assert "Give a new date in your name" not in workspace
    assert path(course) in mover.get(f"/supporting/patients/{cast.enrolment.id}").get_data(as_text=True)
    page = mover.get(path(course)).get_data(as_text=True)
    assert "Thursday 3 December, by 5pm" in page
    assert "Thursday 26 November, by 5pm" not in page, "the day on which it stands is no new day"
    status, done = move(mover, course, IN_TWO_WEEKS)
    assert status == 200
    assert "Your patient is told: you write Thursday 3 December by 5pm." in done
    assert reload(course.review).slot_at == IN_TWO_WEEKS
    words = "Moved from Thursday 26 November to Thursday 3 December: Pat is on a course."
    for address in ("/week", "/supporter"):
        assert words in words_for(app, cast.patient, address)


@pytest.mark.parametrize(
    ("to", "why", "words"),
    [
        ("", "course", "Choose the new day"),
        ("not a day", "course", "Choose the new day"),
        ("2026-12-03T11:00:00", "course", "Choose the new day"),
        (IN_TWO_WEEKS, "", "Choose why it moves"),
        (IN_TWO_WEEKS, "because", "Choose why it moves"),
    ],
)
def test_a_date_does_not_move_without_its_day_and_its_reason(
    course: Course, mover: PageClient, to: datetime | str, why: str, words: str
) -> None:
    status, page = move(mover, course, to, why)
    assert status == 422
    assert words in page
    assert reload(course.review).slot_at == NEXT_THURSDAY


def test_a_time_that_has_just_gone_is_said_with_the_next_three(
    course: Course, mover: PageClient, cast: Cast
) -> None:
    book_slot(
        cast.supporter.id, IN_TWO_WEEKS, enrolment_id=cast.other_enrolment.id, by=SYSTEM, now=clock.now()
    )
    db.session.commit()
    status, page = move(mover, course, IN_TWO_WEEKS)
    assert status == 409
    assert "That time has just gone. The next are Thursday 3 December, 9am" in page
    assert page.count("Thursday 3 December, by 5pm") == 1, "another time of that day is offered"
    assert reload(course.review).slot_at == NEXT_THURSDAY


def test_days_away_and_days_without_a_slot_have_their_sentences(
    course: Course, mover: PageClient, cast: Cast
) -> None:
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=date(2026, 12, 3),
        until_on=date(2026, 12, 4),
        cover_id=None,
        by=SYSTEM,
        now=clock.now(),
    )
    db.session.commit()
    assert "Thursday 3 December, by 5pm" not in mover.get(path(course)).get_data(as_text=True)
    status, page = move(mover, course, IN_TWO_WEEKS)
    assert status == 409
    assert "You are away from Thursday 3 December to Friday 4 December. The next are" in page
    status, page = move(mover, course, IN_TWO_WEEKS - timedelta(days=1))
    assert status == 409
    assert "You have no review time then. The next are" in page
    status, page = move(mover, course, THURSDAY + timedelta(minutes=10))
    assert status == 409
    assert "Choose Saturday 21 November or a later day" in page


def test_only_who_owes_it_moves_it_and_only_while_it_is_not_late(
    course: Course, mover: PageClient, cast: Cast, app: Flask
) -> None:
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.administrator, cast.clinician):
        assert status_of(app, account, path(course)) == 404
        assert status_of(app, account, path(course), {"to": IN_TWO_WEEKS.isoformat(), "why": "course"}) == 404
    mover.get(path(course))
    give_review_to(course.review, cast.colleague.id, by=SYSTEM, now=clock.now())
    db.session.commit()
    answer = mover.post(path(course), {"to": IN_TWO_WEEKS.isoformat(), "why": "course"})
    assert "has changed meanwhile, so it stays where it is" in answer.get_data(as_text=True)
    assert mover.http.get(path(course)).status_code == 302
    give_review_to(course.review, cast.supporter.id, by=SYSTEM, now=clock.now())
    db.session.commit()
    clock.stop_clock_at(NEXT_THURSDAY + timedelta(hours=8))
    assert mover.http.get(path(course)).status_code == 302
    workspace = mover.get(f"/supporting/reviews/{course.review.id}").get_data(as_text=True)
    assert path(course) not in workspace
    assert "Give a new date in your name" in workspace


def test_a_colleague_takes_what_waits_with_the_pool_from_its_workspace(
    course: Course, cast: Cast, app: Flask, client: PageClient
) -> None:
    give_review_to_pool(course.review, by=SYSTEM, now=clock.now())
    db.session.commit()
    client.sign_in(cast.colleague)
    page = client.get(f"/supporting/reviews/{course.review.id}").get_data(as_text=True)
    assert f"/supporting/reviews/{course.review.id}/take" in page
    assert "Give a new date in your name" not in page
    assert client.http.get(f"/supporting/reviews/{course.review.id}/new-date").status_code == 302
    client.post(f"/supporting/reviews/{course.review.id}/take")
    assert reload(course.review).owner_id == cast.colleague.id


def test_looking_changes_nothing_but_the_audit(course: Course, mover: PageClient) -> None:
    mover.get(path(course))
    db.session.rollback()
    before = db.session.scalar(select(func.count(AuditLine.id)).where(AuditLine.action != "read_record"))
    mover.get(path(course))
    db.session.rollback()
    after = db.session.scalar(select(func.count(AuditLine.id)).where(AuditLine.action != "read_record"))
    assert (before, reload(course.review).slot_at) == (after, NEXT_THURSDAY)
