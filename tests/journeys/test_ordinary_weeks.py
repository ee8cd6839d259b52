"""Days pass: a week with a review on time, a week whose review is late, and the letter that follows."""

from datetime import date, datetime

import pytest

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import commit_with_retry, db
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, Week
from icbt_support.plan.queries import items_with_state, open_week_of, week_of
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.operations import mark_review_read
from icbt_support.reviews.queries import next_review, owed_reviews, review_owed
from icbt_support.rhythm.acts import finish_check_in, settle_item
from icbt_support.rhythm.lateness import (
    lateness_of,
    open_reviews,
    tell_of_late_reviews,
    warn_of_reviews,
)
from icbt_support.rhythm.strips import strip_of_week
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    answer_check_in,
    at,
    item_of,
    letter,
    open_due_weeks,
    read_session,
    reminders,
    send,
    start_course,
)

TICK = (open_reviews, warn_of_reviews, tell_of_late_reviews, open_due_weeks)


def pass_to(instant: datetime) -> datetime:
    """The clock moves on, and the jobs of the rhythm run."""
    clock.stop_clock_at(instant)
    now = clock.now()

    def tick() -> None:
        for job in TICK:
            job(now=now, by=SYSTEM)

    commit_with_retry(tick)
    return now


def planned(week: Week) -> set[ItemKind]:
    return {one.item.kind for one in items_with_state(week) if one.is_planned}


def test_weeks_pass_and_a_late_review_follows(cast: Cast) -> None:
    patient, supporter = acting(cast.patient, Role.PATIENT), acting(cast.supporter, Role.SUPPORTER)
    course = cast.enrolment

    # Thursday 19 November: the course starts.
    start_course(course, review_at=at(26, 9), now=pass_to(at(19, 10)))
    assert planned(open_week_of(course)) == {ItemKind.SESSION, ItemKind.PRACTICE, ItemKind.CHECK_IN}

    # Monday: the first session is done, and its email is not owed any more. Wednesday: the check-in.
    read_session(course, "getting-started", 0, now=pass_to(at(23, 18)))
    assert ("session", at(23, 18, 30)) not in reminders(course)
    pass_to(at(25, 19))
    answer_check_in(course, 1, now=clock.now())
    finish_check_in(course, by=patient, now=clock.now())
    db.session.commit()
    assert review_owed(course).state is ReviewState.OPEN

    # Thursday: the review is sent in its slot, with one step for Sunday.
    now = pass_to(at(26, 9, 40))
    strip = strip_of_week(course, open_week_of(course), now=now)
    assert (strip.right.state, strip.check_in.state) == ("due", "done")
    sent = send(
        review_owed(course),
        letter(next_review_at=at(date(2026, 12, 3), 9), by_on=date(2026, 11, 29)),
        by=supporter,
        now=now,
    )
    assert (sent.week_closed, sent.week_opened, sent.next_review_on) == (1, 2, date(2026, 12, 3))
    mark_review_read(sent.review, by=patient, now=pass_to(at(26, 20)))
    db.session.commit()

    # Saturday: the agreed step is done before its day. Nobody writes on the next Thursday.
    step = item_of(open_week_of(course), ItemKind.AGREED_STEP)
    settle_item(step, ItemState.DONE, "It rained, we went.", by=patient, now=pass_to(at(28, 11)))
    db.session.commit()
    assert "agreed_step" not in dict(reminders(course))
    pass_to(at(date(2026, 12, 3), 15))
    late = review_owed(course)
    assert (late.number, late.warned_at) == (2, at(date(2026, 12, 3), 15))
    now = pass_to(at(date(2026, 12, 3), 17))
    assert lateness_of(late, now=now)[0] == "Pat's review is not here yet. That is on us, not you."

    # Monday 7 December, two working days later: week 3 opens anyway, and keeps its Thursday.
    now = pass_to(at(date(2026, 12, 7), 17))
    third = open_week_of(course)
    assert (third.number, third.opened_because) == (3, OpenedBecause.REVIEW_LATE)
    assert third.review_on == date(2026, 12, 10)
    assert [review.number for review in owed_reviews(course)] == [2, 3]

    # That evening the letter follows: its step goes into the open week, which stays as it is.
    follow = send(
        late, letter(opens="", by_on=date(2026, 12, 9)), by=supporter, now=pass_to(at(date(2026, 12, 7), 18))
    )
    assert (follow.is_late_follow, follow.week_opened) == (True, None)
    assert open_week_of(course).id == third.id
    assert item_of(third, ItemKind.AGREED_STEP).review_id == late.id
    assert lateness_of(late, now=clock.now()) == ()
    assert next_review(course).promised_at == at(date(2026, 12, 10), 17)

    # Every week has closed but the open one, and each has its number once.
    assert [week_of(course, number).is_open for number in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize("hour", [9, 18])
def test_a_review_that_nobody_writes_becomes_part_of_the_next(cast: Cast, hour: int) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=pass_to(at(19, 10)))
    pass_to(at(26, 17))
    pass_to(at(30, 17))
    pass_to(at(date(2026, 12, 1), hour))
    owed = owed_reviews(cast.enrolment)
    assert [(review.number, review.promised_at) for review in owed] == [(2, at(date(2026, 12, 3), 17))]
    assert dict(reminders(cast.enrolment))["review_moved"] <= clock.now()
