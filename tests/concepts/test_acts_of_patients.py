"""What a patient does is recorded, settled in the plan, and its reminders withdrawn."""

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.activity.models import Act, ActivityDay, ActivityEvent
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.measures.operations import CheckInIncomplete
from icbt_support.plan.models import ItemKind, ItemState, Week
from icbt_support.plan.queries import items_with_state, open_week_of
from icbt_support.plan.rules import ItemIsSettled
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import check_in_came_late, review_owed
from icbt_support.rhythm.acts import (
    NoOpenWeek,
    answer_page_exercise,
    finish_check_in,
    finish_page,
    keep_entry,
    note_sign_in,
    settle_item,
    tell_ready,
)
from icbt_support.rhythm.week_items import UnknownModule
from icbt_support.rhythm.weeks import programme_of
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    acting,
    answer_check_in,
    at,
    item_of,
    read_session,
    reminders,
    start_course,
)

MODULE = "getting-started"


@pytest.fixture
def week(cast: Cast) -> Week:
    return start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))


def patient(cast: Cast) -> Actor:
    return acting(cast.patient, Role.PATIENT)


def acts() -> Counter[Act]:
    return Counter(db.session.scalars(select(ActivityEvent.act)))


def first_pages(cast: Cast) -> list[str]:
    return list(programme_of(cast.enrolment).module(MODULE).sessions[0].pages)


def test_a_session_is_done_when_its_last_page_is_read(cast: Cast, week: Week) -> None:
    *pages, last = first_pages(cast)
    session = item_of(week, ItemKind.SESSION)
    for page in pages:
        assert not finish_page(cast.enrolment, MODULE, page, by=patient(cast), now=at(20, 19))
        assert session.state is ItemState.PLANNED
    assert finish_page(cast.enrolment, MODULE, last, by=patient(cast), now=at(20, 19, 10))
    assert (session.state, session.settled_at) == (ItemState.DONE, at(20, 19, 10))
    assert [due for kind, due in reminders(cast.enrolment) if kind == "session"] == [at(24, 18, 30)]


def test_a_double_click_on_continue_is_one_act(cast: Cast, week: Week) -> None:
    page = first_pages(cast)[0]
    for _ in range(2):
        finish_page(cast.enrolment, MODULE, page, by=patient(cast), now=at(20, 19))
    finish_page(cast.enrolment, MODULE, page, by=patient(cast), now=at(21, 19))
    assert acts()[Act.READ_PAGE] == 2
    days = select(ActivityDay.count).where(ActivityDay.act == Act.READ_PAGE).order_by(ActivityDay.acted_on)
    assert list(db.session.scalars(days)) == [1, 1]


def test_a_page_that_does_not_exist_is_refused(cast: Cast, week: Week) -> None:
    with pytest.raises(UnknownModule):
        finish_page(cast.enrolment, MODULE, "no-such-page", by=patient(cast), now=at(20, 19))


def test_reading_before_the_first_week_is_kept_without_a_plan(cast: Cast) -> None:
    assert not finish_page(cast.enrolment, MODULE, first_pages(cast)[0], by=patient(cast), now=at(20, 19))
    assert acts()[Act.READ_PAGE] == 1


def test_anything_done_takes_the_nudge_away(cast: Cast) -> None:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(21, 10))
    assert ("nudge", at(23, 18)) not in reminders(cast.enrolment), "nothing is planned before Monday 6pm"
    session = item_of(open_week_of(cast.enrolment), ItemKind.SESSION)
    session.planned_on = date(2026, 11, 22)
    finish_page(cast.enrolment, MODULE, first_pages(cast)[0], by=patient(cast), now=at(21, 19))
    assert "nudge" not in dict(reminders(cast.enrolment))


def test_an_entry_does_the_practice_that_uses_its_tool_once(cast: Cast, week: Week) -> None:
    tools = {
        practice.tool: practice.slug
        for practice in programme_of(cast.enrolment).module(MODULE).practice
        if practice.tool
    }
    tool, slug = next(iter(tools.items()))
    for _ in range(2):
        keep_entry(
            cast.enrolment,
            tool,
            {"note": "ok"},
            is_shared=True,
            posted_key="e1",
            by=patient(cast),
            now=at(21, 19),
        )
    item = next(one for one in week.items if one.subject == f"practice:{MODULE}/{slug}")
    assert item.state is ItemState.DONE
    assert acts() == Counter({Act.SAVED_ENTRY: 1, Act.DID_PLAN_ITEM: 1})


def test_an_exercise_answered_is_activity_and_the_same_words_are_not(cast: Cast, week: Week) -> None:
    for words in ("My circle", "My circle", "My circle, again"):
        answer_page_exercise(cast.enrolment, MODULE, "my-circle", words, by=patient(cast), now=at(21, 19))
    assert acts()[Act.ANSWERED_EXERCISE] == 2


def test_an_item_is_settled_and_can_be_planned_again(cast: Cast, week: Week) -> None:
    session = item_of(week, ItemKind.SESSION)
    settle_item(session, ItemState.SKIPPED, "Too tired", by=patient(cast), now=at(21, 19))
    assert (session.state, session.patient_words) == (ItemState.SKIPPED, "Too tired")
    assert len([kind for kind, _ in reminders(cast.enrolment) if kind == "session"]) == 1
    settle_item(session, ItemState.PLANNED, by=patient(cast), now=at(21, 20))
    assert session.settled_at is None
    assert len([kind for kind, _ in reminders(cast.enrolment) if kind == "session"]) == 2


def test_a_check_in_is_done_by_answering_and_never_by_hand(cast: Cast, week: Week) -> None:
    with pytest.raises(ItemIsSettled):
        settle_item(item_of(week, ItemKind.CHECK_IN), ItemState.DONE, by=patient(cast), now=at(24, 19))


def test_nothing_is_settled_in_a_closed_week(cast: Cast, week: Week) -> None:
    week.closed_at = at(26, 9)
    db.session.commit()
    with pytest.raises(ItemIsSettled):
        settle_item(item_of(week, ItemKind.SESSION), ItemState.DONE, by=patient(cast), now=at(26, 19))


def test_a_finished_check_in_withdraws_its_reminder_and_opens_the_review(cast: Cast, week: Week) -> None:
    answer_check_in(cast.enrolment, 1, now=at(24, 20))
    finish_check_in(cast.enrolment, by=patient(cast), now=at(24, 20))
    finish_check_in(cast.enrolment, by=patient(cast), now=at(24, 20, 5))
    state = next(one for one in items_with_state(week) if one.item.kind is ItemKind.CHECK_IN)
    assert (state.state, state.settled_at) == (ItemState.DONE, at(24, 20))
    assert state.item.state is ItemState.PLANNED, "done is derived, not stored"
    assert "check_in" not in dict(reminders(cast.enrolment))
    assert review_owed(cast.enrolment).state is ReviewState.OPEN
    assert acts()[Act.FINISHED_CHECK_IN] == 1


def test_a_check_in_with_answers_missing_is_not_finished(cast: Cast, week: Week) -> None:
    with pytest.raises(CheckInIncomplete):
        finish_check_in(cast.enrolment, by=patient(cast), now=at(24, 20))


def test_a_check_in_after_the_supporter_began_still_counts_and_says_so(cast: Cast, week: Week) -> None:
    review = review_owed(cast.enrolment)
    save_draft(review, {}, version=None, by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 9))
    db.session.commit()
    assert check_in_came_late(review) is None
    answer_check_in(cast.enrolment, 1, now=at(26, 9, 30))
    finish_check_in(cast.enrolment, by=patient(cast), now=at(26, 9, 30))
    db.session.commit()
    assert check_in_came_late(review) == at(26, 9, 30)


def test_without_an_open_week_there_is_no_check_in(cast: Cast) -> None:
    with pytest.raises(NoOpenWeek):
        finish_check_in(cast.enrolment, by=patient(cast), now=at(24, 20))


def test_ready_is_told_once_a_week(cast: Cast, week: Week) -> None:
    read_session(cast.enrolment, MODULE, 0, now=at(21, 19))
    tell_ready(cast.enrolment, by=patient(cast), now=at(21, 19))
    tell_ready(cast.enrolment, by=patient(cast), now=at(22, 19))
    assert week.told_ready_at == at(21, 19)


def test_a_sign_in_is_activity_and_nothing_more(cast: Cast, week: Week) -> None:
    before = reminders(cast.enrolment)
    note_sign_in(cast.enrolment, now=at(21, 19))
    assert acts() == Counter({Act.SIGNED_IN: 1})
    assert reminders(cast.enrolment) == before
