"""Protected slots and their bookings, absence and cover, duty."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import event, select

from icbt_support.audit.models import Actor, ActorKind, AuditLine
from icbt_support.db import db
from icbt_support.hours import duty_rota, queries, transitions
from icbt_support.hours.capacity import week_of_slots
from icbt_support.hours.closed_days import bank_holidays
from icbt_support.hours.operations import (
    DutyTaken,
    DutyTwice,
    SlotOverlaps,
    SlotTooShort,
    WrongReviewMinutes,
    add_review_slot,
    close_service_on,
    end_review_slot,
    remove_duty_session,
    set_duty_session,
)

NEXT_THURSDAY = date(2026, 11, 26)
NINE = datetime(2026, 11, 26, 9, tzinfo=UTC)
BY = Actor(ActorKind.PERSON, account_id=1, role="supporter", service_id=1)


def book(cast, starts_at, now):
    return transitions.book_slot(cast.supporter.id, starts_at, enrolment_id=cast.enrolment.id, by=BY, now=now)


def free(cast, now, from_on=NEXT_THURSDAY, until_on=NEXT_THURSDAY):
    return queries.free_review_times(cast.supporter.id, from_on, until_on, service=cast.service, now=now)


def statements_of(work):
    seen = []

    def note(*details):
        seen.append(details[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def away(cast, account, from_on, until_on, now, cover_id=None):
    return transitions.record_absence_row(
        account.id,
        service_id=cast.service.id,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        by=BY,
        now=now,
    )


def test_a_booked_place_is_not_free_and_a_released_one_is(cast, now):
    assert len(free(cast, now)) == 16
    booking = book(cast, NINE, now)
    assert NINE not in [place.starts_at for place in free(cast, now)]
    transitions.release_booking(booking, now=now)
    assert NINE in [place.starts_at for place in free(cast, now)]


def test_a_taken_place_offers_the_next_three(cast, now):
    book(cast, NINE, now)
    with pytest.raises(transitions.SlotTaken) as refusal:
        book(cast, NINE, now)
    assert [place.starts_at for place in refusal.value.next_three] == [
        NINE + timedelta(minutes=minutes) for minutes in (15, 30, 45)
    ]


def test_a_released_place_can_be_booked_again(cast, now):
    transitions.release_booking(book(cast, NINE, now), now=now)
    assert book(cast, NINE, now).released_at is None


def test_a_time_outside_the_slots_is_refused_with_three_that_are_free(cast, now):
    with pytest.raises(transitions.OutsideSlots) as refusal:
        book(cast, NINE + timedelta(minutes=7), now)
    assert len(refusal.value.next_three) == 3


def test_a_time_in_the_past_is_refused(cast, now):
    with pytest.raises(transitions.OutsideSlots):
        book(cast, datetime(2026, 11, 12, 9, tzinfo=UTC), now)


def test_a_time_inside_an_absence_names_the_absence(cast, now):
    absence = away(cast, cast.supporter, NEXT_THURSDAY, NEXT_THURSDAY, now)
    with pytest.raises(transitions.InsideAbsence) as refusal:
        book(cast, NINE, now)
    assert refusal.value.absence is absence
    assert refusal.value.next_three[0].on == date(2026, 12, 3)


def test_a_bank_holiday_has_no_free_places(cast, now):
    add_review_slot(
        cast.supporter.id,
        service_id=cast.service.id,
        weekday=4,
        starts=time(9),
        ends=time(10),
        minutes_per_review=15,
        by=BY,
        now=now,
    )
    christmas = date(2026, 12, 25)
    assert free(cast, now, christmas, christmas) == []
    with pytest.raises(transitions.OnClosedDay):
        book(cast, datetime(2026, 12, 25, 9, tzinfo=UTC), now)


def test_a_closed_day_of_the_service_has_no_free_places(cast, now):
    close_service_on(cast.service, NEXT_THURSDAY, "Training day", by=BY, now=now)
    assert free(cast, now) == []


def test_bank_holidays_are_those_of_the_country(cast):
    cast.elsewhere.country = "GB-SCT"
    second_of_january = date(2026, 1, 2)
    assert second_of_january in bank_holidays(cast.elsewhere, 2026)
    assert second_of_january not in bank_holidays(cast.service, 2026)


def test_places_that_have_passed_today_are_not_free(cast, now):
    today = [place.starts_at for place in free(cast, now, now.date(), now.date())]
    assert today
    assert min(today) > now


def test_slots_of_one_person_do_not_overlap_even_across_services(cast, now):
    with pytest.raises(SlotOverlaps):
        add_review_slot(
            cast.supporter.id,
            service_id=cast.elsewhere.id,
            weekday=3,
            starts=time(12),
            ends=time(14),
            minutes_per_review=15,
            by=BY,
            now=now,
        )


@pytest.mark.parametrize(
    ("ends", "minutes", "refusal"),
    [(time(9, 10), 15, SlotTooShort), (time(8), 15, SlotTooShort), (time(12), 61, WrongReviewMinutes)],
)
def test_a_slot_holds_at_least_one_review_of_a_sensible_length(cast, now, ends, minutes, refusal):
    with pytest.raises(refusal):
        add_review_slot(
            cast.supporter.id,
            service_id=cast.service.id,
            weekday=1,
            starts=time(9),
            ends=ends,
            minutes_per_review=minutes,
            by=BY,
            now=now,
        )


def test_no_two_bookings_overlap_also_where_one_stands_in_a_slot_that_has_ended(cast, now):
    """An old place from 9 to 9.15, in a new slot whose places begin at 8.50 and last 20 minutes."""
    book(cast, NINE, now)
    (old,) = queries.review_slots_of(cast.supporter.id, cast.service.id)
    end_review_slot(old, by=BY, now=now)
    add_review_slot(
        cast.supporter.id,
        service_id=cast.service.id,
        weekday=3,
        starts=time(8, 30),
        ends=time(9, 50),
        minutes_per_review=20,
        by=BY,
        now=now,
    )
    wanted = ["08:30", "09:30"]
    assert [f"{place.starts_at:%H:%M}" for place in free(cast, now)] == wanted
    for minutes in (-10, 10):
        with pytest.raises(transitions.SlotTaken):
            book(cast, NINE + timedelta(minutes=minutes), now)
    week = week_of_slots(cast.supporter, NEXT_THURSDAY - timedelta(days=3), service=cast.service)
    shown = [f"{place.starts_at:%H:%M}" for block in week.blocks for place in block.places]
    assert sorted(shown) == ["08:30", "09:00", "09:30"]
    assert book(cast, NINE + timedelta(minutes=30), now)


def test_an_ended_slot_takes_no_bookings_and_keeps_those_it_has(cast, now):
    booking = book(cast, NINE, now)
    (slot,) = queries.review_slots_of(cast.supporter.id, cast.service.id)
    end_review_slot(slot, by=BY, now=now)
    assert free(cast, now) == []
    assert booking.released_at is None


def test_absence_holds_both_its_ends_and_not_the_days_around(cast, now):
    away(cast, cast.supporter, date(2026, 11, 24), date(2026, 11, 26), now)
    held = [queries.is_absent(cast.supporter.id, date(2026, 11, day)) is not None for day in range(23, 28)]
    assert held == [False, True, True, True, False]


def test_a_withdrawn_absence_does_not_hold(cast, now):
    absence = away(cast, cast.supporter, NEXT_THURSDAY, NEXT_THURSDAY, now)
    transitions.withdraw_absence_row(absence, by=BY, now=now)
    assert queries.is_absent(cast.supporter.id, NEXT_THURSDAY) is None


def test_the_cover_pool_leaves_out_who_is_away_and_other_services(cast, now):
    away(cast, cast.supporter, NEXT_THURSDAY, NEXT_THURSDAY, now)
    assert queries.cover_pool(cast.service.id, NEXT_THURSDAY) == [cast.colleague]


def test_the_first_day_back_skips_weekends_holidays_and_absence(cast, now):
    away(cast, cast.supporter, date(2026, 12, 24), date(2026, 12, 24), now)
    back = queries.first_day_back(cast.supporter.id, date(2026, 12, 24), service=cast.service)
    assert back == date(2026, 12, 29)


def test_duty_now_is_by_place_without_the_absent(cast, now):
    second = cast.colleague
    set_duty_session(
        cast.service,
        weekday=3,
        starts=time(9),
        ends=time(17),
        position=2,
        clinician_id=second.id,
        by=BY,
        now=now,
    )
    assert [session.clinician_id for session in duty_rota.duty_now(cast.service, now)] == [
        cast.clinician.id,
        second.id,
    ]
    away(cast, cast.clinician, now.date(), now.date(), now)
    assert [session.clinician_id for session in duty_rota.duty_now(cast.service, now)] == [second.id]


def test_out_of_hours_the_next_duty_is_the_next_working_morning(cast):
    friday_evening = datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert not duty_rota.is_duty_time(cast.service, friday_evening)
    assert duty_rota.next_duty_start(cast.service, friday_evening) == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert duty_rota.add_duty_minutes(cast.service, friday_evening, 15) == datetime(
        2026, 11, 23, 9, 15, tzinfo=UTC
    )


def test_duty_minutes_pass_over_christmas(cast):
    eve = datetime(2026, 12, 24, 16, 50, tzinfo=UTC)
    assert duty_rota.add_duty_minutes(cast.service, eve, 15) == datetime(2026, 12, 29, 9, 5, tzinfo=UTC)


def test_an_absent_only_clinician_leaves_a_gap(cast, now):
    assert not duty_rota.is_nobody_on_duty_today(cast.service, now)
    away(cast, cast.clinician, now.date(), now.date(), now)
    assert duty_rota.is_nobody_on_duty_today(cast.service, now)
    assert duty_rota.duty_gaps(cast.service, now.date(), date(2026, 11, 24)) == [now.date()]


def test_without_a_rota_there_is_no_duty_to_come(cast, now):
    for session in duty_rota.duty_sessions(cast.service):
        remove_duty_session(session, by=BY, now=now)
    assert duty_rota.duty_count(cast.service) == 0
    assert duty_rota.next_duty_start(cast.service, now) is None
    assert duty_rota.add_duty_minutes(cast.service, now, 15) is None


def test_one_place_of_a_session_has_one_clinician(cast, now):
    same = {"weekday": 3, "starts": time(9), "ends": time(17), "by": BY, "now": now}
    with pytest.raises(DutyTaken):
        set_duty_session(cast.service, position=1, clinician_id=cast.colleague.id, **same)
    with pytest.raises(DutyTwice):
        set_duty_session(cast.service, position=2, clinician_id=cast.clinician.id, **same)


def test_another_service_has_its_own_duty(cast, now):
    assert {session.service_id for session in duty_rota.duty_now(cast.service, now)} == {cast.service.id}


def test_finding_free_times_takes_the_same_few_statements_whatever_the_days(cast, now):
    db.session.refresh(cast.supporter)
    few = statements_of(lambda: free(cast, now))
    many = statements_of(lambda: free(cast, now, NEXT_THURSDAY, date(2027, 2, 25)))
    assert many <= few <= 6


def test_every_change_of_the_rota_is_audited(cast, now):
    session = set_duty_session(
        cast.service, weekday=5, starts=time(9), ends=time(12), clinician_id=cast.clinician.id, by=BY, now=now
    )
    remove_duty_session(session, by=BY, now=now)
    actions = db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)).all()
    assert actions[-2:] == ["set_duty", "removed_duty"]
    assert session not in duty_rota.duty_sessions(cast.service)
