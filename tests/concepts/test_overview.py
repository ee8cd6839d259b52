"""The engagement of a service: figures counted by hand, and headings that say what they support."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from icbt_support.activity.models import Act, ActivityPerson
from icbt_support.db import db
from icbt_support.engagement.behind_figures import (
    WeekFigure,
    behind_followed,
    behind_fortnight,
    behind_had_time,
    behind_opened,
    behind_week,
)
from icbt_support.engagement.figures import (
    FirstFortnight,
    Followed,
    ModuleReach,
    Standing,
    WeekFigures,
    mondays_until,
)
from icbt_support.engagement.overview import Overview, headings_of, overview_of
from icbt_support.engagement.service_days import forget_service_days, keep_service_days
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.implementation.board import board_of
from icbt_support.implementation.rules import Figure
from icbt_support.plan.models import ItemState, PlanItem
from icbt_support.programme.library import programmes
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.models import ReviewKind, ReviewState
from tests.cast import PROGRAMME, Cast, make_service
from tests.concepts.service_of_many import (
    ManyPeople,
    at,
    open_week,
    read_module,
    reminder,
    review,
    session_on,
    visit,
)

MONDAY, LAST_MONDAY = date(2026, 11, 16), date(2026, 11, 9)
TUESDAY, LAST_TUESDAY = date(2026, 11, 17), date(2026, 11, 10)
WEDNESDAY, LAST_THURSDAY = date(2026, 11, 18), date(2026, 11, 12)
FRIDAY = date(2026, 11, 20)


@pytest.fixture
def many(cast: Cast, now: datetime) -> ManyPeople:
    """The cast's own person is of training, so that every figure is about the people of the test."""
    cast.enrolment.purpose = Purpose.TRAINING
    db.session.flush()
    return ManyPeople(cast, now)


def overview(cast: Cast, now: datetime) -> Overview:
    db.session.commit()
    keep_service_days(now=now)
    return overview_of(cast.service, programmes()[PROGRAMME], now=now)


def week_of(found: Overview, monday: date) -> WeekFigures:
    return next(week for week in found.weeks if week.monday == monday)


# Figures --------------------------------------------------------------------------------------------------


def test_an_empty_service_has_no_figures_and_says_why(cast: Cast, now: datetime) -> None:
    service = make_service("Eastfield", now)
    db.session.commit()
    found = overview_of(service, programmes()[PROGRAMME], now=now)
    assert found.standing == dict.fromkeys(Standing, 0)
    assert set(found.weeks) == {WeekFigures(monday) for monday in mondays_until(now.date())}
    assert (found.followed.of, found.fortnight.people) == (0, 0)
    assert {(row.opened, row.had_time) for row in found.reach} == {(0, 0)}
    assert len(found.weeks) == 8


def test_a_review_counts_by_its_promise_and_one_that_never_came_is_late(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    one = many.person()
    review(one, 1, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 12))
    review(one, 2, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 18), told_late_at=at(LAST_THURSDAY))
    review(one, 3, LAST_THURSDAY, told_late_at=at(LAST_THURSDAY))
    review(one, 4, LAST_THURSDAY, state=ReviewState.MISSED, closed_at=at(LAST_THURSDAY, 19))
    taken = review(one, 5, MONDAY, sent_at=at(MONDAY, 9), told_late_at=at(LAST_THURSDAY))
    assert taken.sent_at is not None
    assert taken.sent_at < taken.promised_at
    # None of these counts: closed before its promise, cancelled, a welcome, moved to tomorrow in time.
    review(one, 6, LAST_THURSDAY, state=ReviewState.MISSED, closed_at=at(LAST_TUESDAY))
    review(one, 7, LAST_THURSDAY, state=ReviewState.CANCELLED)
    review(one, 8, LAST_THURSDAY, kind=ReviewKind.WELCOME)
    review(one, 9, FRIDAY, first_promised=LAST_THURSDAY)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.on_time, last.late) == (1, 4)
    assert (week_of(found, MONDAY).on_time, week_of(found, MONDAY).late) == (0, 0)
    assert found.reviews == (1, 5)


def test_reminders_count_by_what_became_of_them(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person()
    for number, state in enumerate(
        [
            ReminderState.HANDED_OVER,
            ReminderState.HANDED_OVER,
            ReminderState.BOUNCED,
            ReminderState.HELD_BACK,
            ReminderState.WITHDRAWN,
            ReminderState.WITHDRAWN,
            ReminderState.EXPIRED,
            ReminderState.OWED,
        ]
    ):
        reminder(one, f"session:{number}", ReminderKind.SESSION, at(LAST_TUESDAY, 10), state)
    reminder(one, "news", ReminderKind.MESSAGE, at(LAST_TUESDAY, 10), ReminderState.HANDED_OVER)
    reminder(one, "first minute", ReminderKind.SESSION, at(MONDAY, 0), ReminderState.HANDED_OVER)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.sent, last.held_back, last.withdrawn) == (3, 1, 2)
    assert week_of(found, MONDAY).sent == 1


def test_each_person_in_treatment_counts_once_a_week(cast: Cast, many: ManyPeople, now: datetime) -> None:
    tools, only_here, nowhere = many.person(), many.person(), many.person()
    visit(tools, at(LAST_TUESDAY), Act.SAVED_ENTRY)
    visit(tools, at(LAST_TUESDAY), Act.SIGNED_IN)
    visit(only_here, at(LAST_TUESDAY), Act.READ_PAGE)
    assert nowhere.state is EnrolmentState.ACTIVE
    early = many.person(state=EnrolmentState.ONBOARDING)
    visit(early, at(LAST_TUESDAY), Act.SIGNED_IN)
    gone = many.person(state=EnrolmentState.ENDED)
    gone.ended_at = at(date(2026, 11, 6))
    visit(gone, at(LAST_TUESDAY), Act.SAVED_ENTRY)
    found = overview(cast, now)
    last = week_of(found, LAST_MONDAY)
    assert (last.used_tool, last.signed_in, last.no_visit) == (1, 1, 1)
    before = week_of(found, date(2026, 11, 2))
    assert (before.used_tool, before.signed_in, before.no_visit) == (0, 0, 4)
    assert found.standing[Standing.IN_RHYTHM] == 3


def test_a_session_that_was_carried_over_was_planned_and_not_kept(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    week = open_week(many.person(), 1, LAST_MONDAY)
    for state in ItemState:
        session_on(week, LAST_TUESDAY, state)
    session_on(week, LAST_THURSDAY, ItemState.DONE)
    session_on(week, MONDAY, ItemState.DONE)
    found = overview(cast, now)
    assert (found.last_week.sessions_done, found.last_week.sessions_planned) == (2, 5)


@pytest.mark.parametrize("people", [0, 1, 4, 40])
def test_module_reach_is_honest_at_every_size(
    cast: Cast, many: ManyPeople, now: datetime, people: int
) -> None:
    """Everybody had time for modules 1 and 2; everybody opened the first, half of them the second."""
    first, second = programmes()[PROGRAMME].modules[:2]
    for number in range(people):
        one = many.person()
        open_week(one, 2, MONDAY)
        read_module(one, first.slug, now)
        if number % 2 == 0:
            read_module(one, second.slug, now)
    ahead = many.person()
    open_week(ahead, 1, MONDAY)
    read_module(ahead, second.slug, now)
    found = overview(cast, now)
    assert found.reach[0] == ModuleReach(1, first.slug, first.title, people, people + 1)
    assert found.reach[1] == ModuleReach(2, second.slug, second.title, (people + 1) // 2, people)
    assert found.reach[2].had_time == 0
    heading = f"Fewer people open {second.title} than the module before it"
    assert headings_of(found).reach == (heading if people == 40 else "Module reach")


def test_a_small_difference_is_no_finding(cast: Cast, many: ManyPeople, now: datetime) -> None:
    first, second = programmes()[PROGRAMME].modules[:2]
    for number in range(20):
        one = many.person()
        open_week(one, 2, MONDAY)
        read_module(one, first.slug, now)
        if number < 16:
            read_module(one, second.slug, now)
    assert headings_of(overview(cast, now)).reach == "Module reach"


# Standing, the fortnight, reminders ---------------------------------------------------------------------------


def test_every_open_course_has_one_standing_by_its_last_visit(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    for days in (0, 6, 7, 13, 14, 40):
        seen(many.person(), now - timedelta(days=days))
    fresh, back = many.person(), many.person()
    for one in (fresh, back):
        seen(one, now - timedelta(days=30))
    fresh.started_at = back.back_at = now - timedelta(days=1)
    for state in set(EnrolmentState) - {EnrolmentState.ACTIVE}:
        many.person(state=state)
    found = overview(cast, now)
    assert found.standing == {
        Standing.IN_RHYTHM: 4,
        Standing.SLIPPING: 2,
        Standing.QUIET: 2,
        Standing.AWAY: 2,
        Standing.NOT_STARTED: 2,
    }
    assert found.people == 12


def test_a_reminder_was_followed_by_a_visit_within_48_hours_or_not(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    for number, hours in enumerate((1, 48, 49)):
        one = many.person()
        key = f"session:{number}"
        reminder(one, key, ReminderKind.SESSION, at(LAST_TUESDAY, 10), ReminderState.HANDED_OVER)
        db.session.execute(
            update(Reminder).where(Reminder.key == key).values(settled_at=at(LAST_TUESDAY, 10))
        )
        visit(one, at(LAST_TUESDAY, 10) + timedelta(hours=hours))
    reminder(many.person(), "new", ReminderKind.SESSION, at(TUESDAY, 10), ReminderState.HANDED_OVER)
    assert overview(cast, now).followed == Followed(2, 3)


def test_the_first_fortnight_counts_the_days_from_the_first_visit(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    first = now - timedelta(days=20)
    for days in ([0], [0, 14], [0, 13], [0, 1, 2, 3], range(10)):
        one = many.person()
        seen(one, first)
        for day in days:
            visit(one, first + timedelta(days=day))
    assert overview(cast, now).fortnight == FirstFortnight(2, 1, 1, 1)


@pytest.mark.parametrize("people", [0, 1, 4, 19, 20, 40])
def test_headings_state_a_finding_from_twenty_people_on(
    cast: Cast, many: ManyPeople, now: datetime, people: int
) -> None:
    """Everybody has been here three times since 20 days ago, got one review late and one reminder."""
    for number in range(people):
        one = many.person()
        seen(one, now - timedelta(days=20))
        visit(one, at(LAST_TUESDAY))
        visit(one, now)
        review(one, 1, LAST_THURSDAY, told_late_at=at(LAST_THURSDAY))
        key = f"session:{number}"
        reminder(one, key, ReminderKind.SESSION, at(LAST_TUESDAY, 10), ReminderState.HANDED_OVER)
        db.session.execute(
            update(Reminder).where(Reminder.key == key).values(settled_at=at(LAST_TUESDAY, 10))
        )
    headings = headings_of(overview(cast, now))
    found = (
        f"{people} of {people} people are in rhythm",
        f"{people} of {people} people in treatment were here last week",
        f"0 of {people} reviews came on time",
        f"{people} of {people} reminders were followed by a visit within 48 hours",
        f"{people} of {people} people came back in their first fortnight",
    )
    neutral = (
        "Who is in rhythm?",
        "What people did each week",
        "Reviews, week by week",
        "What became of reminders",
        "The first fortnight",
    )
    said = (headings.page, headings.visits, headings.reviews, headings.reminders, headings.fortnight)
    assert said == (found if people >= 20 else neutral)


def test_days_are_counted_once_and_the_last_ones_again(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person()
    reminder(one, "early", ReminderKind.SESSION, at(LAST_TUESDAY, 10), ReminderState.HANDED_OVER)
    reminder(one, "late", ReminderKind.SESSION, at(TUESDAY, 10), ReminderState.OWED)
    before = overview(cast, now)
    assert (week_of(before, LAST_MONDAY).sent, week_of(before, MONDAY).sent) == (1, 0)
    db.session.execute(update(Reminder).values(state=ReminderState.HANDED_OVER))
    after = overview(cast, now + timedelta(days=1))
    assert (week_of(after, LAST_MONDAY).sent, week_of(after, MONDAY).sent) == (1, 1)
    assert keep_service_days(now=now + timedelta(days=1)) == 2 * 5
    forget_service_days()
    assert overview(cast, now + timedelta(days=1)) == after


def test_what_changes_weeks_later_is_in_the_figure_by_the_next_day(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    """A session ticked afterwards, and a review that was called off before its day."""
    one = many.person()
    long_ago = LAST_TUESDAY - timedelta(days=28)
    monday = long_ago - timedelta(days=1)
    session_on(open_week(one, 1, monday), long_ago, ItemState.PLANNED)
    owed = review(one, 1, long_ago)
    before = week_of(overview(cast, now), monday)
    assert (before.sessions_done, before.sessions_planned, before.late) == (0, 1, 1)
    db.session.execute(update(PlanItem).values(state=ItemState.DONE))
    owed.state, owed.closed_at = ReviewState.CANCELLED, at(monday)
    tomorrow = now + timedelta(days=1)
    after = week_of(overview(cast, tomorrow), monday)
    assert (after.sessions_done, after.sessions_planned, after.late) == (1, 1, 0)
    assert behind_week(cast.service, WeekFigure.SESSIONS_KEPT, monday, now=tomorrow) == {one.id: 1}
    assert not behind_week(cast.service, WeekFigure.LATE, monday, now=tomorrow)


def test_a_review_that_was_late_stays_late_when_its_course_ends(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    one = many.person()
    owed = review(one, 1, LAST_TUESDAY, told_late_at=at(LAST_TUESDAY))
    owed.state, owed.closed_at = ReviewState.CANCELLED, at(LAST_THURSDAY)
    assert week_of(overview(cast, now), LAST_MONDAY).late == 1
    assert behind_week(cast.service, WeekFigure.LATE, LAST_MONDAY, now=now) == {one.id: 1}
    board = board_of(cast.service, now=now)
    assert board.months[-1].by_name["reviews_on_time"] == Figure(0, 1)


def seen(enrolment: Enrolment, at_: datetime) -> None:
    """As if the person had been here then and at no other time."""
    db.session.execute(delete(ActivityPerson).where(ActivityPerson.enrolment_id == enrolment.id))
    visit(enrolment, at_)


# The people behind the figures ----------------------------------------------------------------------------


def test_every_figure_is_its_people(cast: Cast, many: ManyPeople, now: datetime) -> None:
    people = [many.person() for _ in range(4)]
    for place, one in enumerate(people):
        open_week(one, 2, now.date() - timedelta(days=3))
        if place:
            visit(one, at(LAST_TUESDAY), Act.SAVED_ENTRY if place > 1 else Act.SIGNED_IN)
            visit(one, now - timedelta(days=40 + place))
    read_module(people[0], "getting-started", now)
    unseen = many.person()
    open_week(unseen, 1, now.date())
    db.session.execute(delete(ActivityPerson).where(ActivityPerson.enrolment_id == unseen.id))
    review(people[0], 3, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 12))
    review(people[1], 3, LAST_THURSDAY, sent_at=at(LAST_THURSDAY, 18), told_late_at=at(LAST_THURSDAY))
    review(people[1], 4, LAST_THURSDAY, told_late_at=at(LAST_THURSDAY))
    week = open_week(people[2], 3, LAST_MONDAY)
    for state in ItemState:
        session_on(week, LAST_TUESDAY, state)
    session_on(week, LAST_THURSDAY, ItemState.DONE)
    for number, state in enumerate(ReminderState):
        reminder(people[3], f"session:{number}", ReminderKind.SESSION, at(LAST_TUESDAY, 10), state)
    db.session.execute(update(Reminder).values(settled_at=at(LAST_TUESDAY, 10)))

    found = overview(cast, now)
    last = found.last_week
    figures = {
        WeekFigure.USED_A_TOOL: last.used_tool,
        WeekFigure.VISITED_ONLY: last.signed_in,
        WeekFigure.DID_NOT_VISIT: last.no_visit,
        WeekFigure.SENT: last.sent,
        WeekFigure.HELD_BACK: last.held_back,
        WeekFigure.WITHDRAWN: last.withdrawn,
        WeekFigure.ON_TIME: last.on_time,
        WeekFigure.LATE: last.late,
        WeekFigure.SESSIONS_KEPT: last.sessions_done,
        WeekFigure.SESSIONS_NOT_KEPT: last.sessions_planned - last.sessions_done,
    }
    behind = {figure: behind_week(cast.service, figure, LAST_MONDAY, now=now) for figure in WeekFigure}
    assert {figure: sum(people.values()) for figure, people in behind.items()} == figures
    assert 0 not in figures.values()
    assert behind[WeekFigure.LATE] == {people[1].id: 2}
    assert list(behind[WeekFigure.DID_NOT_VISIT]) == [unseen.id, people[0].id]
    assert behind_followed(cast.service, now=now) == {people[3].id: found.followed.count}
    days = [len(behind_fortnight(cast.service, group, now=now)) for group in range(4)]
    assert FirstFortnight(*days) == found.fortnight
    assert sum(days) == 3
    programme = programmes()[PROGRAMME]
    for module, reach in zip(programme.modules, found.reach, strict=True):
        assert len(behind_had_time(cast.service, programme, module, now=now)) == reach.had_time
        assert len(behind_opened(cast.service, programme, module, now=now)) == reach.opened
    assert (found.reach[0].opened, found.reach[0].had_time) == (1, 5)
