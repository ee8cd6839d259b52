"""Moving one date moves what hangs on it."""

from datetime import date, datetime, time

import pytest
from sqlalchemy import select, update

from icbt_support.accounts.models import PromptLevel, Role, SessionEmail
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.models import ReviewSlot, SlotBooking
from icbt_support.hours.operations import close_service_on
from icbt_support.hours.refusals import InsideAbsence, OnClosedDay, OutsideSlots, SlotTaken, TimeNotFree
from icbt_support.hours.transitions import book_slot, record_absence_row
from icbt_support.plan.models import ItemKind, ItemMove, PlanItem, Week
from icbt_support.plan.rules import ItemIsSettled, OutsideTheWeek
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import review_owed
from icbt_support.reviews.rules import MoveReason
from icbt_support.rhythm.acts import settle_item
from icbt_support.rhythm.lateness import ReviewIsNotLate, take_review
from icbt_support.rhythm.moving import (
    NotTheOwner,
    ReviewIsLate,
    ReviewTooEarly,
    days_for,
    move_item,
    move_own_review,
    move_review_date,
)
from icbt_support.rhythm.new_owner import give_review_to, give_review_to_pool
from icbt_support.rhythm.prompts import reconcile_prompts
from tests.cast import Cast
from tests.concepts.rhythm_steps import SYSTEM, acting, at, item_of, reminders, start_course


@pytest.fixture
def week(cast: Cast) -> Week:
    return start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))


def move(cast: Cast, item: PlanItem, on: date, when: time | None, *, hour: int = 12) -> None:
    move_item(item, on, when, by=acting(cast.patient, Role.PATIENT), now=at(20, hour))


def test_an_item_moves_and_its_reminder_follows(cast: Cast, week: Week) -> None:
    session = item_of(week, ItemKind.SESSION)
    move(cast, session, date(2026, 11, 22), time(11))
    assert (session.planned_on, session.planned_time) == (date(2026, 11, 22), time(11))
    assert reminders(cast.enrolment) == [
        ("session", at(22, 10, 30)),
        ("session", at(24, 18, 30)),
        ("check_in", at(25, 18)),
    ]
    kept = db.session.scalars(select(ItemMove)).one()
    assert (kept.from_on, kept.to_on, kept.moved_by) == (
        date(2026, 11, 23),
        date(2026, 11, 22),
        cast.patient.id,
    )


def test_an_item_moved_after_its_reminder_went_out_gets_a_new_one(cast: Cast, week: Week) -> None:
    session = item_of(week, ItemKind.SESSION)
    sent = db.session.scalars(select(Reminder).where(Reminder.subject == f"plan_item:{session.id}")).one()
    sent.state, sent.settled_at = ReminderState.HANDED_OVER, at(23, 18, 30)
    db.session.commit()
    move_item(
        session, date(2026, 11, 25), time(19), by=acting(cast.patient, Role.PATIENT), now=at(23, 18, 45)
    )
    assert ("session", at(25, 18, 30)) in reminders(cast.enrolment)


def test_moving_to_the_same_moment_is_no_move(cast: Cast, week: Week) -> None:
    session = item_of(week, ItemKind.SESSION)
    move(cast, session, session.planned_on, session.planned_time)
    assert db.session.scalars(select(ItemMove)).all() == []


@pytest.mark.parametrize("on", [date(2026, 11, 19), date(2026, 11, 27)])
def test_an_item_stays_between_today_and_review_day(cast: Cast, week: Week, on: date) -> None:
    session = item_of(week, ItemKind.SESSION)
    with pytest.raises(OutsideTheWeek) as refused:
        move(cast, session, on, time(19))
    assert (refused.value.earliest_on, refused.value.latest_on) == (date(2026, 11, 20), date(2026, 11, 26))


def test_a_check_in_does_not_move_before_it_opens(cast: Cast, week: Week) -> None:
    check_in = item_of(week, ItemKind.CHECK_IN)
    assert days_for(check_in, cast.enrolment, now=at(20, 9)) == (date(2026, 11, 23), date(2026, 11, 26))
    with pytest.raises(OutsideTheWeek):
        move(cast, check_in, date(2026, 11, 22), time(19))


def test_what_is_done_does_not_move(cast: Cast, week: Week) -> None:
    session = item_of(week, ItemKind.SESSION)
    settle_item(session, session.state.DONE, by=acting(cast.patient, Role.PATIENT), now=at(20, 9))
    with pytest.raises(ItemIsSettled):
        move(cast, session, date(2026, 11, 22), time(19))


def test_a_later_review_takes_the_check_in_and_the_end_of_the_week_along(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    by = acting(cast.supporter, Role.SUPPORTER)
    move_review_date(review, at(date(2026, 12, 3), 10), reason="supporter away", by=by, now=at(20, 9))
    assert (review.due_on, review.promised_at) == (date(2026, 12, 3), at(date(2026, 12, 3), 17))
    assert week.review_on == date(2026, 12, 3)
    assert item_of(week, ItemKind.CHECK_IN).planned_on == date(2026, 12, 2)
    kinds = dict(reminders(cast.enrolment))
    assert kinds["check_in"] == at(date(2026, 12, 2), 18)
    assert kinds["review_moved"] == at(20, 9)
    held = db.session.scalars(select(SlotBooking.starts_at).where(SlotBooking.released_at.is_(None))).all()
    assert held == [at(date(2026, 12, 3), 10)]


def test_an_earlier_review_brings_later_items_before_it(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    by = acting(cast.supporter, Role.SUPPORTER)
    move_review_date(review, at(date(2026, 12, 3), 10), reason="supporter away", by=by, now=at(20, 9))
    session = item_of(week, ItemKind.SESSION)
    move_item(session, date(2026, 12, 1), time(19), by=acting(cast.patient, Role.PATIENT), now=at(20, 10))
    move_review_date(review, at(26, 10), reason="supporter back", by=by, now=at(20, 11))
    assert session.planned_on == date(2026, 11, 25)
    assert item_of(week, ItemKind.CHECK_IN).planned_on == date(2026, 11, 25)


def test_a_check_in_that_the_patient_moved_stays_where_they_put_it(cast: Cast, week: Week) -> None:
    check_in = item_of(week, ItemKind.CHECK_IN)
    move(cast, check_in, date(2026, 11, 24), time(20))
    by = acting(cast.supporter, Role.SUPPORTER)
    move_review_date(
        review_owed(cast.enrolment), at(date(2026, 12, 3), 10), reason="supporter away", by=by, now=at(20, 13)
    )
    assert (check_in.planned_on, check_in.planned_time) == (date(2026, 11, 24), time(20))


def test_a_review_moves_only_into_a_slot(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    with pytest.raises(OutsideSlots):
        move_review_date(review, at(27, 10), reason="", by=SYSTEM, now=at(20, 9))
    db.session.rollback()
    assert review.slot_at == at(26, 9)


# A supporter moves one review ------------------------------------------------------------------------------


def move_own(cast: Cast, to: datetime, *, now: datetime, why: MoveReason = MoveReason.COURSE) -> Review:
    review = review_owed(cast.enrolment)
    move_own_review(review, to, why=why, by=acting(cast.supporter, Role.SUPPORTER), now=now)
    db.session.flush()
    return review


def news_of_moves(cast: Cast) -> list[datetime]:
    return [due for kind, due in reminders(cast.enrolment) if kind == "review_moved"]


def test_whoever_owes_a_review_moves_it_and_the_patient_is_told_from_when_to_when_and_why(
    cast: Cast, week: Week
) -> None:
    review = move_own(cast, at(date(2026, 12, 3), 10), now=at(20, 9))
    assert (review.moved_from_on, review.moved_because) == (date(2026, 11, 26), "Pat is on a course")
    assert (review.due_on, week.review_on) == (date(2026, 12, 3), date(2026, 12, 3))
    assert item_of(week, ItemKind.CHECK_IN).planned_on == date(2026, 12, 2)
    assert news_of_moves(cast) == [at(20, 9)]
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "moved_review")).one()
    assert (line.actor_account_id, line.detail) == (cast.supporter.id, "to 2026-12-03, course")
    held = db.session.scalars(select(SlotBooking.starts_at).where(SlotBooking.released_at.is_(None))).all()
    assert held == [at(date(2026, 12, 3), 10)]


def test_another_time_of_the_same_day_is_no_news(cast: Cast, week: Week) -> None:
    review = move_own(cast, at(26, 11), now=at(20, 9))
    assert (review.slot_at, review.moved_from_on) == (at(26, 11), None)
    assert news_of_moves(cast) == []


def test_each_move_is_told_also_to_a_day_on_which_it_stood_before(cast: Cast, week: Week) -> None:
    for day, to in ((20, at(date(2026, 12, 3), 10)), (21, at(26, 10)), (22, at(date(2026, 12, 3), 10))):
        move_own(cast, to, now=at(day, 9))
        assert news_of_moves(cast) == [at(day, 9)], "an older move that has not gone out is not told any more"
        sent = update(Reminder).where(Reminder.kind == ReminderKind.REVIEW_MOVED)
        db.session.execute(sent.values(state=ReminderState.HANDED_OVER))
    assert review_owed(cast.enrolment).moved_from_on == date(2026, 11, 26)


def test_the_days_are_those_of_a_patient_in_another_zone(cast: Cast, week: Week) -> None:
    cast.patient.zone = "Pacific/Auckland"
    review = move_own(cast, at(date(2026, 12, 3), 10), now=at(20, 9))
    assert (review.moved_from_on, week.review_on) == (date(2026, 11, 27), date(2026, 12, 4))


def test_a_late_review_is_taken_and_not_moved(cast: Cast, week: Week) -> None:
    with pytest.raises(ReviewIsLate):
        move_own(cast, at(date(2026, 12, 3), 10), now=at(26, 17))
    review = review_owed(cast.enrolment)
    take_review(review, at(27, 17), by=acting(cast.supporter, Role.SUPPORTER), now=at(27, 9))
    with pytest.raises(ReviewIsLate):
        move_own(cast, at(date(2026, 12, 3), 10), now=at(27, 10))


def test_a_review_that_is_not_late_is_moved_and_not_taken(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    with pytest.raises(ReviewIsNotLate):
        take_review(review, at(27, 17), by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 16))


def test_nobody_moves_a_review_that_a_colleague_owes(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    give_review_to(review, cast.colleague.id, by=SYSTEM, now=at(20, 9))
    with pytest.raises(NotTheOwner):
        move_own(cast, at(date(2026, 12, 3), 10), now=at(20, 10))
    move_own_review(
        review,
        at(date(2026, 12, 3), 10),
        why=MoveReason.OTHER_WORK,
        by=acting(cast.colleague, Role.SUPPORTER),
        now=at(20, 11),
    )
    assert (review.owner_id, review.moved_because) == (cast.colleague.id, "Chris has other work that day")
    booked = db.session.scalars(select(SlotBooking).where(SlotBooking.released_at.is_(None))).one()
    assert booked.supporter_id == cast.colleague.id


def test_a_review_that_waits_with_the_pool_is_its_owners_again_once_they_give_a_day(
    cast: Cast, week: Week
) -> None:
    review = review_owed(cast.enrolment)
    give_review_to_pool(review, by=SYSTEM, now=at(20, 9))
    move_own(cast, at(date(2026, 12, 3), 10), now=at(20, 10))
    assert (review.pooled_at, review.slot_at) == (None, at(date(2026, 12, 3), 10))


def test_a_review_does_not_move_so_near_that_it_would_merge_nor_while_the_patient_is_away(
    cast: Cast, week: Week
) -> None:
    db.session.add(
        ReviewSlot(
            service_id=cast.service.id,
            supporter_id=cast.supporter.id,
            weekday=4,
            starts=time(9),
            ends=time(10),
            created_at=at(19, 10),
        )
    )
    with pytest.raises(ReviewTooEarly) as refused:
        move_own(cast, at(20, 9, 30), now=at(19, 11))
    assert refused.value.earliest_on == date(2026, 11, 22)
    cast.enrolment.away_until_on = date(2026, 12, 3)
    with pytest.raises(ReviewTooEarly) as refused:
        move_own(cast, at(date(2026, 12, 3), 10), now=at(20, 9))
    assert refused.value.earliest_on == date(2026, 12, 4)


@pytest.mark.parametrize("why", [SlotTaken, InsideAbsence, OnClosedDay, OutsideSlots])
def test_a_time_that_is_not_free_says_why_and_which_are(
    cast: Cast, week: Week, why: type[TimeNotFree]
) -> None:
    to, by = at(date(2026, 12, 3), 10), acting(cast.supporter, Role.SUPPORTER)
    if why is SlotTaken:
        book_slot(cast.supporter.id, to, enrolment_id=cast.other_enrolment.id, by=by, now=at(20, 8))
    elif why is InsideAbsence:
        record_absence_row(
            cast.supporter.id,
            service_id=cast.service.id,
            from_on=to.date(),
            until_on=to.date(),
            cover_id=None,
            by=by,
            now=at(20, 8),
        )
    elif why is OnClosedDay:
        close_service_on(cast.service, to.date(), "", by=by, now=at(20, 8))
    else:
        to = at(27, 10)
    with pytest.raises(why) as refused:
        move_own(cast, to, now=at(20, 9))
    assert len(refused.value.next_three) == 3
    review = review_owed(cast.enrolment)
    assert (review.slot_at, review.moved_because) == (at(26, 9), None)


# Prompts -------------------------------------------------------------------------------------------------


def test_a_change_of_preferences_is_followed(cast: Cast, week: Week) -> None:
    preferences = cast.patient.preferences
    preferences.session_email, preferences.session_lead_minutes = SessionEmail.FIRST, 60
    db.session.commit()
    changed = reconcile_prompts(cast.enrolment, by=SYSTEM, now=at(20, 9))
    assert (changed.owed, changed.withdrawn) == (0, 1)
    assert reminders(cast.enrolment) == [("session", at(23, 18)), ("check_in", at(25, 18))]
    emailed = [item.is_emailed for item in week.items if item.kind is ItemKind.SESSION]
    assert emailed == [True, False]


def test_prompts_switched_off_and_on_again(cast: Cast, week: Week) -> None:
    cast.patient.preferences.prompts = PromptLevel.OFF
    assert reconcile_prompts(cast.enrolment, by=SYSTEM, now=at(20, 9)).withdrawn == 3
    assert reminders(cast.enrolment) == []
    cast.patient.preferences.prompts = PromptLevel.ALL
    assert reconcile_prompts(cast.enrolment, by=SYSTEM, now=at(20, 9)).owed == 3


def test_a_course_out_of_rhythm_owes_no_prompt(cast: Cast, week: Week) -> None:
    cast.enrolment.state = EnrolmentState.AWAY
    assert reconcile_prompts(cast.enrolment, by=SYSTEM, now=at(20, 9)).withdrawn == 3
    cast.enrolment.state = EnrolmentState.ACTIVE
    assert reconcile_prompts(cast.enrolment, by=SYSTEM, now=at(20, 9)).owed == 3
