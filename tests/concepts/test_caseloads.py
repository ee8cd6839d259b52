"""The people of a service: a status with its reason and one action, groups, orders, a fixed number of statements."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, event

from icbt_support.activity.models import Act, ActivityPerson
from icbt_support.db import db
from icbt_support.engagement.caseload_list import Sort
from icbt_support.engagement.caseloads import Group, caseload_of
from icbt_support.engagement.figures import mondays_until, people_figures
from icbt_support.engagement.overview import overview_of
from icbt_support.engagement.people import PersonRow, person_row
from icbt_support.engagement.status import NextAction, Status
from icbt_support.enrolments.models import EnrolmentState, Purpose
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemState, OpenedBecause
from icbt_support.programme.library import programmes
from icbt_support.reviews.models import ReviewKind
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call, raise_stated_risk
from tests.cast import PROGRAMME, Cast
from tests.concepts.beginnings import as_clinician, as_patient
from tests.concepts.service_of_many import ManyPeople, at, open_week, review, score, session_on, visit

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
LAST_THURSDAY = date(2026, 11, 12)


@pytest.fixture
def many(cast: Cast, now: datetime) -> ManyPeople:
    """The cast's own person is of training, so that every list is of the people of the test."""
    cast.enrolment.purpose = Purpose.TRAINING
    db.session.flush()
    return ManyPeople(cast, now)


def everybody(cast: Cast, now: datetime) -> tuple[PersonRow, ...]:
    db.session.commit()
    return caseload_of(cast.service, Group.EVERYBODY, None, None, now=now).rows


def status_for(found: tuple[PersonRow, ...], name: str) -> tuple[Status, str, NextAction]:
    row = next(row for row in found if row.person.enrolment.patient.full_name == name)
    return row.status.status, row.status.reason, row.status.action


def test_calls_and_decisions_stand_with_their_reason_and_one_action(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    for name, days in (("New Ann", 7), ("Call Bob", 8), ("Decide Cy", 21)):
        many.person(name, state=EnrolmentState.INVITED).invited_at = now - timedelta(days=days)
    for name, days in (("Here Di", 6), ("Slip Ed", 7), ("Quiet Flo", 14), ("Gone Gil", 21)):
        one = many.person(name)
        db.session.execute(delete(ActivityPerson).where(ActivityPerson.enrolment_id == one.id))
        visit(one, now - timedelta(days=days))
    found = everybody(cast, now)
    assert status_for(found, "New Ann")[0] is Status.STARTING
    assert status_for(found, "Call Bob") == (
        Status.NOT_STARTED,
        "invited 8 days ago, no call yet",
        NextAction.LOG_CALL,
    )
    assert status_for(found, "Decide Cy") == (
        Status.NOT_STARTED,
        "invited 21 days ago",
        NextAction.DECIDE_INVITATION,
    )
    assert status_for(found, "Here Di")[0] is Status.ON_PLAN
    assert status_for(found, "Slip Ed")[0] is Status.SLIPPING
    assert status_for(found, "Quiet Flo")[2] is NextAction.LOG_CALL
    assert status_for(found, "Gone Gil") == (Status.QUIET, "not here for 21 days", NextAction.DECIDE_COURSE)
    assert sum(row.status.needs_a_look for row in found) == 5
    assert [row.person.enrolment.patient.full_name for row in found[:2]] == ["Gone Gil", "Quiet Flo"]


def test_after_a_talk_the_call_is_no_task_any_more(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person("Call Bob", state=EnrolmentState.INVITED)
    one.invited_at = now - timedelta(days=9)
    log_call(one, CallOutcome.SPOKE, "", None, by=as_clinician(cast), now=now)
    assert status_for(everybody(cast, now), "Call Bob") == (
        Status.CALLED,
        "invited 9 days ago, spoken to since",
        NextAction.LOOK,
    )


def test_a_late_review_a_late_welcome_and_a_late_message_are_seen(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    opened = many.person("Opened Olu")
    review(opened, 3, date(2026, 11, 11))
    open_week(opened, 4, date(2026, 11, 13), OpenedBecause.REVIEW_LATE)
    review(many.person("Late Liv"), 1, WEDNESDAY)
    review(many.person("Unwelcomed Una", state=EnrolmentState.INVITED), 0, TUESDAY, kind=ReviewKind.WELCOME)
    merged = many.person("Merged Mo")
    open_week(merged, 4, date(2026, 11, 13), OpenedBecause.REVIEW_LATE)
    unread = many.person("Unread Uli")
    db.session.add(
        Message(
            enrolment_id=unread.id,
            author_id=unread.patient_id,
            kind=MessageKind.MESSAGE,
            words="Hello",
            posted_key="k",
            sent_at=at(LAST_THURSDAY, 9),
            told_late_at=at(TUESDAY, 1),
        )
    )
    one = everybody(cast, now)
    assert status_for(one, "Opened Olu")[:2] == (
        Status.REVIEW_LATE,
        "since Wednesday 11 November 5pm; week 4 opened without a review",
    )
    assert status_for(one, "Late Liv") == (Status.REVIEW_LATE, "since Wednesday 5pm", NextAction.HAND_OVER)
    assert status_for(one, "Merged Mo")[:2] == (Status.ON_PLAN, "week 4 opened without a review")
    assert status_for(one, "Unread Uli")[:2] == (
        Status.MESSAGE_LATE,
        "a message unread since Thursday 12 November 9am",
    )
    assert person_row(unread, now=now).status.status is Status.MESSAGE_LATE  # type: ignore[union-attr]
    una = status_for(one, "Unwelcomed Una")
    assert "welcome owed since Tuesday 5pm" in una[1]


def test_an_alert_comes_first_and_scores_that_rose_next(cast: Cast, many: ManyPeople, now: datetime) -> None:
    rising, alerted = many.person("Rising Ray"), many.person("Alert Al")
    score(rising, 0, 12, now - timedelta(days=30))
    score(rising, 4, 18, now - timedelta(days=1))
    raise_stated_risk(alerted, "Help", by=as_patient(cast), now=now)
    found = everybody(cast, now)
    names = [row.person.enrolment.patient.full_name for row in found]
    assert names == ["Alert Al", "Rising Ray"]
    assert status_for(found, "Alert Al")[1] == "said that they may not be safe"
    assert status_for(found, "Rising Ray")[1] == "PHQ-9 up 6 since the start"


def test_a_course_that_ended_has_no_row(cast: Cast, many: ManyPeople, now: datetime) -> None:
    ended = many.person(state=EnrolmentState.ENDED)
    assert everybody(cast, now) == ()
    assert person_row(ended, now=now) is None


def test_another_service_is_not_in_it(cast: Cast, many: ManyPeople, now: datetime) -> None:
    many.person("Own Olga")
    assert [row.person.enrolment.patient.full_name for row in everybody(cast, now)] == ["Own Olga"]
    elsewhere = caseload_of(cast.elsewhere, Group.EVERYBODY, None, None, now=now)
    assert [row.person.enrolment.patient.full_name for row in elsewhere.rows] == ["Kim Hill"]
    assert caseload_of(cast.elsewhere, Group.EVERYBODY, cast.supporter.id, None, now=now).rows == ()


def test_groups_supporters_and_orders(cast: Cast, many: ManyPeople, now: datetime) -> None:
    """The list behind a figure holds as many people as the figure says."""
    for name, days in (("Here Di", 0), ("Slip Ed", 8), ("Quiet Flo", 15)):
        one = many.person(name)
        db.session.execute(delete(ActivityPerson).where(ActivityPerson.enrolment_id == one.id))
        visit(one, now - timedelta(days=days))
    other = many.person("Other Oz", state=EnrolmentState.PAUSED)
    other.supporter_id = cast.colleague.id
    db.session.commit()

    def names(group: Group, supporter_id: int | None = None, sort: Sort | None = None) -> list[str]:
        rows = caseload_of(cast.service, group, supporter_id, sort, now=now).rows
        return [row.person.enrolment.patient.full_name.split()[0] for row in rows]

    assert names(Group.EVERYBODY) == ["Quiet", "Slip", "Other", "Here"]
    assert names(Group.EVERYBODY, sort=Sort.NAME) == ["Here", "Other", "Quiet", "Slip"]
    assert names(Group.EVERYBODY, sort=Sort.LAST_VISIT)[:2] == ["Quiet", "Slip"]
    assert names(Group.EVERYBODY, cast.colleague.id) == ["Other"]
    assert names(Group.NEED_A_LOOK) == ["Quiet", "Slip"]
    figures = people_figures(cast.service, mondays_until(now.date()), now=now).standing
    for standing, people in figures.items():
        assert len(names(Group(standing.value))) == people


def test_weeks_of_a_person_say_what_they_hold(cast: Cast, many: ManyPeople, now: datetime) -> None:
    one = many.person()
    visit(one, now - timedelta(days=14), Act.SAVED_ENTRY)
    visit(one, now - timedelta(days=28))
    weeks = caseload_of(cast.service, Group.EVERYBODY, None, None, now=now).weeks[one.id]
    assert [week.value for week in weeks] == [
        *["not yet"] * 3,
        *["here", "not here", "used a tool", "not here", "here"],
    ]


def test_the_number_of_statements_does_not_grow_with_the_people(
    cast: Cast, many: ManyPeople, now: datetime
) -> None:
    """Of the list and of the service's figures alike, with 3 people and with 300."""

    def add(people: int) -> None:
        for _ in range(people):
            one = many.person()
            week = open_week(one, 1, MONDAY)
            session_on(week, TUESDAY, ItemState.DONE)
            review(one, 1, date(2026, 11, 23))
            score(one, 0, 12, now - timedelta(days=3))

    add(3)
    few = _statements(cast, now)
    add(297)
    assert _statements(cast, now) == few
    assert sum(few) <= 12


def _statements(cast: Cast, now: datetime) -> tuple[int, int]:
    db.session.commit()
    db.session.expire_all()
    service = cast.service
    db.session.refresh(service)
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        rows = caseload_of(service, Group.EVERYBODY, None, None, now=now).rows
        names = [
            (row.person.enrolment.patient.full_name, row.person.enrolment.supporter.full_name) for row in rows
        ]
        of_list = len(seen)
        overview_of(service, programmes()[PROGRAMME], now=now)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(names) >= 3
    return of_list, len(seen) - of_list
