"""Weeks open with their plan and their reminders, on the start date, by a send, or by lateness."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.models import Absence
from icbt_support.hours.refusals import OutsideSlots, SlotTaken
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause
from icbt_support.plan.queries import latest_week_of, open_week_of, week_of
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import next_review, review_of_week, review_owed
from icbt_support.rhythm.weeks import NoReviewBooked, book_review, open_first_week, open_one_due_week
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    at,
    item_of,
    open_due_weeks,
    read_session,
    reminders,
    start_course,
)


def test_week_1_opens_with_a_plan_its_review_and_its_reminders(cast: Cast) -> None:
    week = start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    assert (week.number, week.module, week.opened_because) == (1, "getting-started", OpenedBecause.START)
    assert (week.opened_on, week.review_on) == (date(2026, 11, 19), date(2026, 11, 26))
    assert [(item.kind, item.planned_on) for item in week.items if item.kind is ItemKind.SESSION] == [
        (ItemKind.SESSION, date(2026, 11, 23)),
        (ItemKind.SESSION, date(2026, 11, 24)),
    ]
    assert item_of(week, ItemKind.CHECK_IN).planned_on == date(2026, 11, 25)
    assert reminders(cast.enrolment) == [
        ("session", at(23, 18, 30)),
        ("session", at(24, 18, 30)),
        ("check_in", at(25, 18)),
    ]


def test_its_review_is_owed_by_the_supporter_by_the_promised_hour(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    review = review_owed(cast.enrolment)
    assert review is not None
    assert (review.number, review.owner_id, review.due_on) == (1, cast.supporter.id, date(2026, 11, 26))
    assert (review.slot_at, review.promised_at) == (at(26, 9), at(26, 17))
    assert review.week == open_week_of(cast.enrolment)


def test_no_week_opens_without_the_date_of_its_review(cast: Cast) -> None:
    with pytest.raises(NoReviewBooked):
        open_first_week(cast.enrolment, by=SYSTEM, now=at(19, 10))


def test_a_review_is_booked_in_a_slot_that_nobody_holds(cast: Cast) -> None:
    book_review(cast.enrolment, at(26, 9), number=1, by=SYSTEM, now=at(19, 10))
    cast.other_enrolment.supporter_id = cast.supporter.id
    db.session.commit()
    with pytest.raises(SlotTaken) as refused:
        book_review(cast.other_enrolment, at(26, 9), number=1, by=SYSTEM, now=at(19, 10))
    assert [free.starts_at for free in refused.value.next_three] == [
        at(26, 9, 15),
        at(26, 9, 30),
        at(26, 9, 45),
    ]
    with pytest.raises(OutsideSlots):
        book_review(cast.other_enrolment, at(27, 9), number=1, by=SYSTEM, now=at(19, 10))


def test_a_later_start_date_opens_week_1_on_that_day_where_the_patient_is(cast: Cast) -> None:
    cast.enrolment.starts_on = date(2026, 11, 21)
    book_review(cast.enrolment, at(26, 9), number=1, by=SYSTEM, now=at(19, 10))
    db.session.commit()
    assert open_due_weeks(now=at(20, 23, 59), by=SYSTEM) == 0
    assert open_due_weeks(now=at(21, 0, 5), by=SYSTEM) == 1
    assert open_due_weeks(now=at(21, 0, 10), by=SYSTEM) == 0
    assert latest_week_of(cast.enrolment).opened_on == date(2026, 11, 21)


def test_the_next_week_opens_two_working_days_after_a_review_was_due(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    assert open_due_weeks(now=at(30, 16, 59), by=SYSTEM) == 0
    assert open_due_weeks(now=at(30, 17), by=SYSTEM) == 1
    first, second = week_of(cast.enrolment, 1), week_of(cast.enrolment, 2)
    assert first.closed_at == at(30, 17)
    assert (second.opened_because, second.opened_on) == (OpenedBecause.REVIEW_LATE, date(2026, 11, 30))
    assert second.review_on == date(2026, 12, 3), "the rhythm keeps its day"
    assert review_owed(cast.enrolment).number == 1, "the late letter is still owed"
    assert next_review(cast.enrolment).number == 2
    assert review_of_week(cast.enrolment, 1).week_opened_late_at == at(30, 17)


def test_the_same_module_opens_again_if_nobody_opened_it_and_carries_its_items(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    first, second = week_of(cast.enrolment, 1), week_of(cast.enrolment, 2)
    assert second.module == "getting-started"
    sessions = [item for item in first.items if item.kind is ItemKind.SESSION]
    assert {item.state for item in sessions} == {ItemState.CARRIED_OVER}
    carried = [item.carried_from_id for item in second.items if item.kind is ItemKind.SESSION]
    assert carried == [item.id for item in sessions]


def test_the_next_module_opens_if_this_one_was_opened(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    read_session(cast.enrolment, "getting-started", 0, now=at(23, 19))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    assert latest_week_of(cast.enrolment).module == "understanding-low-mood"


def test_the_reminders_of_the_closed_week_are_withdrawn(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    prompts = {"session", "check_in", "nudge", "agreed_step"}
    owed = [(kind, due) for kind, due in reminders(cast.enrolment) if kind in prompts]
    assert owed
    assert all(due > at(30, 17) for _, due in owed)
    withdrawn = [kind for kind, _ in reminders(cast.enrolment, [ReminderState.WITHDRAWN])]
    assert sorted(withdrawn) == ["check_in", "session", "session"]


def test_nothing_opens_by_lateness_while_the_course_is_paused(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    cast.enrolment.state = EnrolmentState.PAUSED
    db.session.commit()
    assert open_due_weeks(now=at(30, 17), by=SYSTEM) == 0
    assert open_one_due_week(cast.enrolment.id, now=at(30, 17), by=SYSTEM) is None


def test_a_bank_holiday_is_not_a_working_day(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(date(2026, 12, 24), 9), now=at(date(2026, 12, 17), 10))
    monday, tuesday, wednesday = (date(2026, 12, day) for day in (28, 29, 30))
    assert open_due_weeks(now=at(monday, 17), by=SYSTEM) == 0
    assert open_due_weeks(now=at(tuesday, 17), by=SYSTEM) == 0
    assert open_due_weeks(now=at(wednesday, 17), by=SYSTEM) == 1


def test_the_next_review_is_promised_even_if_no_slot_is_free_for_weeks(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 11, 27),
            until_on=date(2026, 11, 27) + timedelta(weeks=12),
            recorded_at=at(19, 10),
        )
    )
    db.session.commit()
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    following = next_review(cast.enrolment)
    assert (following.due_on, following.slot_at) == (date(2026, 12, 3), None)


def test_a_week_that_opens_late_has_its_review_with_the_colleague_who_covers(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    away = Absence(
        account_id=cast.supporter.id,
        service_id=cast.service.id,
        from_on=date(2026, 12, 1),
        until_on=date(2026, 12, 11),
        cover_id=cast.colleague.id,
        recorded_at=at(19, 10),
    )
    db.session.add(away)
    db.session.commit()
    open_due_weeks(now=at(30, 17))
    following = next_review(cast.enrolment)
    assert (following.due_on, following.owner_id) == (date(2026, 12, 3), cast.colleague.id)


def test_a_paused_review_that_waits_for_its_week_moves_instead_of_being_doubled(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    by = acting(cast.supporter, Role.SUPPORTER)
    waiting = book_review(cast.enrolment, at(date(2026, 12, 3), 9), number=2, by=by, now=at(26, 9))
    again = book_review(cast.enrolment, at(date(2026, 12, 10), 9), number=2, by=by, now=at(27, 9))
    assert again.id == waiting.id
    assert again.due_on == date(2026, 12, 10)
    assert len(db.session.scalars(select(Review).where(Review.number == 2)).all()) == 1


def test_sessions_follow_the_patients_own_zone(cast: Cast) -> None:
    cast.patient.zone = "America/New_York"
    db.session.commit()
    week = start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    assert item_of(week, ItemKind.SESSION).planned_time == time(19)
    assert ("session", at(23, 23, 30)) in reminders(cast.enrolment)
