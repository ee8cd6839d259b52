"""A day on which the service closes: its reviews move with the reason, and nobody has to wonder."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.closed_days import closures_of
from icbt_support.hours.models import SlotBooking
from icbt_support.hours.queries import held_bookings_of, review_slots_of
from icbt_support.reviews.queries import next_review
from icbt_support.reviews.transitions import mark_taken
from icbt_support.rhythm.closing import CLOSED_WORDS, close_day, moved_by_closure
from icbt_support.rhythm.new_owner import give_review_to_pool
from tests.concepts.beginnings import THURSDAY_AT_NINE, acting, open_week_1, owed_kinds

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
NEXT_THURSDAY = THURSDAY + timedelta(days=7)


@pytest.fixture
def administrator(cast):
    return acting(cast.administrator, "administrator", cast.service.id)


def test_it_shows_where_each_review_goes_and_then_moves_it_with_the_reason(cast, now, administrator):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    shown = moved_by_closure(cast.service, THURSDAY, now=now)
    assert [(one.writer, one.touched.review, one.moves_to) for one in shown] == [
        (cast.supporter, review, NEXT_THURSDAY)
    ]
    assert moved_by_closure(cast.service, WEDNESDAY, now=now) == ()
    assert moved_by_closure(cast.elsewhere, THURSDAY, now=now) == ()

    close_day(cast.service, THURSDAY, "Training", by=administrator, now=now)
    assert [one.closed_on for one in closures_of(cast.service, THURSDAY)] == [THURSDAY]
    assert (review.due_on, review.promised_on) == (NEXT_THURSDAY, NEXT_THURSDAY)
    assert (review.moved_from_on, review.moved_because) == (THURSDAY, CLOSED_WORDS)
    assert review.week.review_on == NEXT_THURSDAY
    assert [one.starts_at for one in held_bookings_of(cast.enrolment.id, now)] == [
        THURSDAY_AT_NINE + timedelta(days=7)
    ]
    assert "review_moved" in owed_kinds(cast.patient)
    assert "staff_course_news" in owed_kinds(cast.supporter)
    moves = db.session.scalars(select(AuditLine.detail).where(AuditLine.action == "moved_review")).all()
    assert any(detail and detail.endswith("closed day") for detail in moves)
    # A second press finds nothing to move and says nothing again.
    told = len(owed_kinds(cast.patient))
    assert close_day(cast.service, THURSDAY, "Training", by=administrator, now=now) == ()
    assert len(owed_kinds(cast.patient)) == told


def test_a_review_without_a_free_place_still_moves_to_the_next_open_day(cast, now, administrator):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    for slot in review_slots_of(cast.supporter.id, cast.service.id):
        slot.ended_at = now
    db.session.flush()
    close_day(cast.service, FRIDAY, "", by=administrator, now=now)
    (moved,) = close_day(cast.service, THURSDAY, "", by=administrator, now=now)
    assert not moved.has_place
    monday = FRIDAY + timedelta(days=3)
    assert (review.due_on, review.promised_on, review.week.review_on) == (monday, monday, monday)
    assert (review.booking_id, review.owner) == (None, cast.supporter)
    assert db.session.scalars(select(SlotBooking).where(SlotBooking.released_at.is_(None))).all() == []
    assert "review_moved" in owed_kinds(cast.patient)


def test_a_review_with_the_pool_stays_there_and_a_late_one_where_it_is(cast, now, administrator):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    give_review_to_pool(review, by=administrator, now=now)
    close_day(cast.service, THURSDAY, "", by=administrator, now=now)
    assert (review.due_on, review.pooled_at is not None) == (FRIDAY, True)
    late_at = review.promised_at + timedelta(hours=1)
    assert moved_by_closure(cast.service, FRIDAY, now=late_at) == ()


def test_a_taken_review_keeps_the_day_from_which_lateness_is_counted(cast, now, administrator):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    friday = review.promised_at + timedelta(days=1)
    mark_taken(review, owner_id=cast.colleague.id, promised_at=friday, by=administrator, now=now)
    close_day(cast.service, FRIDAY, "", by=administrator, now=now)
    assert (review.due_on, review.promised_on, review.owner) == (
        THURSDAY,
        FRIDAY + timedelta(days=3),
        cast.colleague,
    )
