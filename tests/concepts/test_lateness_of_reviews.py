"""If the service is late it says so before the patient has to wonder."""

from datetime import date

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.models import SlotBooking
from icbt_support.hours.queries import held_booking
from icbt_support.plan.models import OpenedBecause
from icbt_support.plan.queries import open_week_of
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import (
    draft_of,
    kept_texts_of,
    next_review,
    owed_reviews,
    review_of_week,
    review_owed,
)
from icbt_support.reviews.rules import ReviewNotOwed
from icbt_support.rhythm.lateness import (
    NewPromiseTooEarly,
    close_missed,
    lateness_of,
    open_reviews,
    take_review,
    tell_of_late_reviews,
    warn_of_reviews,
)
from icbt_support.rhythm.new_owner import give_review_to, give_review_to_pool
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    at,
    letter,
    open_due_weeks,
    preview,
    send,
    start_course,
)


@pytest.fixture
def review(cast: Cast) -> Review:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    return review_owed(cast.enrolment)


def told(kind: ReminderKind) -> list[int]:
    """Who is owed news of this kind, by account."""
    rows = select(Reminder.recipient_id).where(
        Reminder.kind == kind, Reminder.channel == Channel.EMAIL, Reminder.state == ReminderState.OWED
    )
    return sorted(db.session.scalars(rows))


def test_a_review_opens_on_the_day_of_its_slot(cast: Cast, review: Review) -> None:
    assert open_reviews(now=at(25, 23, 59), by=SYSTEM) == 0
    assert open_reviews(now=at(26, 0, 1), by=SYSTEM) == 1
    assert (review.state, review.opened_at) == (ReviewState.OPEN, at(26, 0, 1))
    assert open_reviews(now=at(26, 0, 2), by=SYSTEM) == 0


def test_two_hours_before_the_supporter_and_the_pool_are_told_once(cast: Cast, review: Review) -> None:
    assert warn_of_reviews(now=at(26, 14, 59), by=SYSTEM) == 0
    assert warn_of_reviews(now=at(26, 15), by=SYSTEM) == 1
    assert warn_of_reviews(now=at(26, 15, 1), by=SYSTEM) == 0
    assert told(ReminderKind.STAFF_REVIEW_WARNING) == sorted([cast.supporter.id, cast.colleague.id])


def test_nobody_is_warned_of_a_review_that_was_sent(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    send(
        review,
        letter(next_review_at=at(date(2026, 12, 3), 9), by_on=date(2026, 11, 29)),
        by=by,
        now=at(26, 9),
    )
    assert warn_of_reviews(now=at(26, 15), by=SYSTEM) == 0
    assert tell_of_late_reviews(now=at(26, 17), by=SYSTEM) == 0


def test_at_the_promised_time_the_patient_is_told_and_so_are_staff(cast: Cast, review: Review) -> None:
    assert tell_of_late_reviews(now=at(26, 16, 59), by=SYSTEM) == 0
    assert lateness_of(review, now=at(26, 16, 59)) == ()
    assert tell_of_late_reviews(now=at(26, 17), by=SYSTEM) == 1
    assert tell_of_late_reviews(now=at(26, 17, 1), by=SYSTEM) == 0
    assert told(ReminderKind.REVIEW_LATE) == [cast.patient.id]
    assert told(ReminderKind.STAFF_REVIEW_LATE) == sorted([cast.supporter.id, cast.clinician.id])
    assert " ".join(lateness_of(review, now=at(26, 17))) == (
        "Pat's review is not here yet. That is on us, not you. Your answers are safe. "
        "By 12pm on Friday 27 November we will tell you who writes, and when."
    )


def test_the_page_never_promises_a_moment_that_has_passed(cast: Cast, review: Review) -> None:
    assert "By 12pm on Monday 30 November" in lateness_of(review, now=at(28, 9))[-1]


def test_a_new_date_is_shown_once_a_named_person_has_taken_it(cast: Cast, review: Review) -> None:
    tell_of_late_reviews(now=at(26, 17), by=SYSTEM)
    by = acting(cast.colleague, Role.SUPPORTER)
    take_review(review, at(27, 17), by=by, now=at(27, 10))
    assert (review.owner_id, review.taken_at, review.first_promised_at) == (
        cast.colleague.id,
        at(27, 10),
        at(26, 17),
    )
    assert lateness_of(review, now=at(27, 10))[-1] == "Chris will write by 5pm on Friday 27 November."
    assert told(ReminderKind.REVIEW_MOVED) == [cast.patient.id]
    assert told(ReminderKind.STAFF_REVIEW_LATE) == [], "whoever was told need not look any more"


def test_a_second_broken_promise_is_told_again(cast: Cast, review: Review) -> None:
    tell_of_late_reviews(now=at(26, 17), by=SYSTEM)
    take_review(review, at(27, 17), by=acting(cast.colleague, Role.SUPPORTER), now=at(27, 10))
    assert warn_of_reviews(now=at(27, 15), by=SYSTEM) == 1
    assert tell_of_late_reviews(now=at(27, 17), by=SYSTEM) == 1
    assert review.told_late_at == at(27, 17)


def test_the_week_opens_on_its_day_also_while_somebody_has_taken_the_review(
    cast: Cast, review: Review
) -> None:
    take_review(review, at(date(2026, 12, 1), 12), by=acting(cast.colleague, Role.SUPPORTER), now=at(27, 10))
    assert open_due_weeks(now=at(30, 16), by=SYSTEM) == 0
    assert open_due_weeks(now=at(30, 17), by=SYSTEM) == 1
    assert [one.number for one in owed_reviews(cast.enrolment)] == [review.number, review.number + 1]


def test_a_promise_in_the_past_is_refused(cast: Cast, review: Review) -> None:
    with pytest.raises(NewPromiseTooEarly):
        take_review(review, at(26, 17), by=acting(cast.colleague, Role.SUPPORTER), now=at(26, 17))


def test_a_late_review_near_the_next_one_becomes_part_of_it(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    save_draft(review, {"step_what": "Half written"}, version=None, by=by, now=at(26, 16))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    tell_of_late_reviews(now=at(30, 17), by=SYSTEM)
    assert review.state is ReviewState.DRAFTED, "three days apart are not near"
    tell_of_late_reviews(now=at(date(2026, 12, 1), 0, 5), by=SYSTEM)
    following = next_review(cast.enrolment)
    assert (review.state, review.merged_into_id) == (ReviewState.MISSED, following.id)
    assert [one.id for one in owed_reviews(cast.enrolment)] == [following.id]
    assert draft_of(following).content == {"step_what": "Half written"}
    assert told(ReminderKind.REVIEW_MOVED) == [cast.patient.id]
    assert told(ReminderKind.REVIEW_LATE) == []


def test_a_late_review_that_somebody_took_for_a_day_to_come_is_theirs(cast: Cast, review: Review) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    take_review(review, at(30, 20), by=acting(cast.colleague, Role.SUPPORTER), now=at(30, 18))
    tell_of_late_reviews(now=at(30, 19), by=SYSTEM)
    assert review.is_owed


def test_taking_a_late_review_for_a_day_near_the_next_makes_them_one(cast: Cast, review: Review) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    by = acting(cast.colleague, Role.SUPPORTER)
    owed = take_review(review, at(date(2026, 12, 1), 17), by=by, now=at(30, 18))
    assert (owed.number, owed.owner_id) == (2, cast.colleague.id)
    assert (review.state, review.merged_into_id) == (ReviewState.MISSED, owed.id)
    with pytest.raises(ReviewNotOwed) as refused:
        save_draft(review, {"step_what": "Walk"}, version=None, by=by, now=at(30, 18))
    assert refused.value.merged_into_id == owed.id


def test_a_clinician_closes_a_review_with_a_reason_and_the_week_opens(cast: Cast, review: Review) -> None:
    close_missed(
        review, "Pat is ill, Sam was called", by=acting(cast.clinician, Role.CLINICIAN), now=at(27, 9)
    )
    assert (review.state, review.closed_reason) == (ReviewState.MISSED, "Pat is ill, Sam was called")
    week = open_week_of(cast.enrolment)
    assert (week.number, week.opened_because) == (2, OpenedBecause.REVIEW_LATE)
    assert review_of_week(cast.enrolment, 2).due_on == date(2026, 12, 3)
    assert told(ReminderKind.REVIEW_MOVED) == [cast.patient.id]


def test_nothing_is_told_about_a_course_that_ended(cast: Cast, review: Review) -> None:
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    assert open_reviews(now=at(26, 9), by=SYSTEM) == 0
    assert warn_of_reviews(now=at(26, 15), by=SYSTEM) == 0
    assert tell_of_late_reviews(now=at(26, 17), by=SYSTEM) == 0


def test_a_merge_loses_no_word_of_two_drafts(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    save_draft(review, {"words": {"noticed": "For week one"}}, version=None, by=by, now=at(26, 16))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    following = next_review(cast.enrolment)
    save_draft(following, {"words": {"noticed": "For week two"}}, version=None, by=by, now=at(30, 18))
    tell_of_late_reviews(now=at(date(2026, 12, 1), 0, 5), by=SYSTEM)
    assert draft_of(following).content["words"] == {"noticed": "For week two"}
    (kept,) = kept_texts_of(following, author_id=cast.supporter.id)
    assert kept.content["words"] == {"noticed": "For week one"}


def test_a_draft_that_moves_is_looked_at_again_before_it_is_sent(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    preview(
        review,
        letter(next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 12, 5)),
        by=by,
        now=at(26, 16),
    )
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    tell_of_late_reviews(now=at(date(2026, 12, 1), 0, 5), by=SYSTEM)
    moved = draft_of(next_review(cast.enrolment))
    assert (moved.previewed_version, moved.previewed_at) == (None, None)


def test_whoever_takes_two_reviews_as_one_has_its_place_in_their_own_diary(
    cast: Cast, review: Review
) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    by = acting(cast.colleague, Role.SUPPORTER)
    owed = take_review(review, at(date(2026, 12, 1), 17), by=by, now=at(30, 18))
    booked = db.session.get_one(SlotBooking, owed.booking_id)
    assert (booked.supporter_id, held_booking(cast.supporter.id, booked.starts_at)) == (
        cast.colleague.id,
        None,
    )


def test_a_late_review_is_named_by_whoever_owes_it_and_by_nobody_while_the_pool_holds_it(
    cast: Cast, review: Review
) -> None:
    late = at(26, 17)
    give_review_to(review, cast.colleague.id, by=SYSTEM, now=at(25, 9))
    assert lateness_of(review, now=late)[0].startswith("Chris's review is not here yet.")
    give_review_to_pool(review, by=SYSTEM, now=at(25, 10))
    said = lateness_of(review, now=late)
    assert said[0].startswith("Your review is not here yet.")
    assert said[-1] == "By 12pm on Friday 27 November we will tell you who writes, and when."
    take_review(review, at(27, 17), by=acting(cast.supporter, Role.SUPPORTER), now=at(27, 9))
    assert lateness_of(review, now=at(27, 9))[-1] == "Pat will write by 5pm on Friday 27 November."
    give_review_to_pool(review, by=SYSTEM, now=at(27, 10))
    assert lateness_of(review, now=at(27, 10)) == (), "the day stands, without a name"
