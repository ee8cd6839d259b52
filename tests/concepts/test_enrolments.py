"""Scopes, changes with their author, and what people add to a course."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import end_role, give_role
from icbt_support.db import db
from icbt_support.enrolments import queries, transitions
from icbt_support.enrolments.models import EndCode, EnrolmentState
from icbt_support.enrolments.operations import (
    ContactDetails,
    WeeklyTime,
    add_note,
    choose_session_times,
    confirm_contact_sheet,
    save_contact_sheet,
    set_goals,
)
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.rules import Limit
from icbt_support.hours.capacity import set_limit
from icbt_support.hours.transitions import record_absence_row
from icbt_support.rhythm.invite import OverLimit, OwnCourse
from tests.cast import enrol
from tests.concepts.beginnings import as_clinician, as_patient, invite_robin


def seen_by(scope):
    return set(db.session.scalars(scope).all())


def test_a_supporter_sees_the_own_caseload_only(cast, now):
    assert seen_by(queries.for_supporter(cast.supporter, now=now)) == {cast.enrolment}
    assert seen_by(queries.for_supporter(cast.colleague, now=now)) == set()
    assert seen_by(queries.for_supporter(cast.clinician, now=now)) == set()


def test_a_supporter_whose_role_ended_sees_nobody(cast, now):
    end_role(cast.supporter, Role.SUPPORTER, service_id=cast.service.id, by=as_clinician(cast), now=now)
    assert seen_by(queries.for_supporter(cast.supporter, now=now)) == set()


def test_a_clinician_sees_the_service_and_no_other(cast):
    assert seen_by(queries.for_clinician(cast.clinician)) == {cast.enrolment}
    assert seen_by(queries.for_clinician(cast.other_clinician)) == {cast.other_enrolment}
    assert seen_by(queries.for_clinician(cast.supporter)) == set()


@pytest.mark.parametrize(("days", "is_seen"), [(-1, False), (0, True), (2, True), (3, False)])
def test_named_cover_sees_the_caseload_on_the_days_of_the_absence_only(cast, now, days, is_seen):
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=now.date(),
        until_on=now.date() + timedelta(days=2),
        cover_id=cast.colleague.id,
        by=as_clinician(cast),
        now=now,
    )
    seen = seen_by(queries.for_supporter(cast.colleague, now=now + timedelta(days=days)))
    assert (cast.enrolment in seen) is is_seen


def test_an_unknown_course_and_somebody_elses_are_alike(cast, now):
    scope = queries.for_supporter(cast.supporter, now=now)
    assert queries.scoped_enrolment(scope, cast.other_enrolment.id) is None
    assert queries.scoped_enrolment(scope, 2**63 - 1) is None


def test_the_open_course_comes_before_a_newer_one_that_ended(cast, now):
    older = cast.enrolment
    newer = enrol(cast.patient, cast.other_supporter, cast.other_clinician, cast.elsewhere, now)
    transitions.end_enrolment(newer, EndCode.AGREED, reason="Done", by=as_clinician(cast), now=now)
    assert queries.for_patient(cast.patient) is older
    transitions.end_enrolment(older, EndCode.AGREED, reason="Done", by=as_clinician(cast), now=now)
    assert queries.for_patient(cast.patient) is newer


def test_today_is_the_day_where_the_patient_is(cast):
    cast.patient.zone = "Pacific/Auckland"
    assert queries.local_today(cast.enrolment, datetime(2026, 11, 19, 12, tzinfo=UTC)).day == 20


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (EnrolmentState.INVITED, EnrolmentState.ACTIVE),
        (EnrolmentState.ONBOARDING, EnrolmentState.AWAY),
        (EnrolmentState.PAUSED, EnrolmentState.AWAY),
        (EnrolmentState.ENDED, EnrolmentState.ACTIVE),
    ],
)
def test_a_course_takes_no_forbidden_turn(cast, now, before, wanted):
    cast.enrolment.state = before
    with pytest.raises(NotPossibleNow):
        transitions.change_state(cast.enrolment, wanted, by=as_clinician(cast), now=now)


def test_each_change_keeps_who_when_and_why(cast, now):
    transitions.change_state(
        cast.enrolment, EnrolmentState.PAUSED, reason="Exams", by=as_clinician(cast), now=now
    )
    (change,) = queries.changes_of(cast.enrolment)
    assert (change.what, change.from_value, change.to_value) == ("state", "active", "paused")
    assert (change.reason, change.changed_by, change.changed_at) == ("Exams", cast.clinician.id, now)


def test_the_reason_is_not_plain_in_the_table(cast, now):
    transitions.change_state(
        cast.enrolment, EnrolmentState.PAUSED, reason="Exams", by=as_clinician(cast), now=now
    )
    assert db.session.execute(text("SELECT reason FROM enrolment_changes")).scalar_one() != "Exams"


def test_session_times_are_replaced_in_the_order_of_the_week(cast, now):
    times = [WeeklyTime(4, time(8)), WeeklyTime(1, time(19))]
    choose_session_times(cast.enrolment, times, by=as_patient(cast), now=now)
    choose_session_times(cast.enrolment, times, by=as_patient(cast), now=now)
    assert [(t.position, t.weekday) for t in cast.enrolment.session_times] == [(1, 1), (2, 4)]


def test_a_changed_contact_sheet_waits_for_the_patient_again(cast, now):
    confirm_contact_sheet(cast.enrolment, by=as_patient(cast), now=now)
    assert queries.contact_sheet_of(cast.enrolment).confirmed_at == now
    save_contact_sheet(cast.enrolment, ContactDetails(phone="01632 960999"), by=as_clinician(cast), now=now)
    sheet = queries.contact_sheet_of(cast.enrolment)
    assert (sheet.phone, sheet.confirmed_at) == ("01632 960999", None)


def test_new_goals_replace_the_old_ones_and_blank_ones_are_left_out(cast, now):
    set_goals(cast.enrolment, ["See friends", " "], by=as_patient(cast), now=now)
    set_goals(cast.enrolment, ["Walk with Mo", "Sleep"], by=as_patient(cast), now=now)
    assert [goal.words for goal in queries.current_goals(cast.enrolment)] == ["Walk with Mo", "Sleep"]


def test_notes_are_newest_first(cast, now):
    for _ in range(2):  # A double click is one note.
        add_note(cast.enrolment, "First", posted_key="a", by=as_clinician(cast), now=now)
    add_note(cast.enrolment, "Second", by=as_clinician(cast), now=now + timedelta(hours=1))
    assert [note.words for note in queries.notes_on(cast.enrolment)] == ["Second", "First"]


def test_room_counts_open_courses_against_places(cast, now):
    invite_robin(cast, now)
    set_limit(
        cast.supporter.id,
        service_id=cast.service.id,
        people=2,
        minutes_a_week=None,
        by=as_clinician(cast),
        now=now,
    )
    rooms = queries.rooms_of_supporters(cast.service, welcome_on=now.date(), now=now)
    assert [(room.supporter_id, room.places, room.people) for room in rooms] == [
        (cast.colleague.id, 16, 0),
        (cast.supporter.id, 16, 2),
    ]
    assert [room.passed_by_one_more for room in rooms] == [(), (Limit.PEOPLE,)]


def test_above_a_limit_a_person_is_invited_with_a_reason_that_is_kept(cast, now):
    set_limit(
        cast.supporter.id,
        service_id=cast.service.id,
        people=1,
        minutes_a_week=15,
        by=as_clinician(cast),
        now=now,
    )
    with pytest.raises(OverLimit) as refusal:
        invite_robin(cast, now)
    assert refusal.value.limits == (Limit.PEOPLE, Limit.MINUTES)
    robin = invite_robin(cast, now, over_limit_reason="Pat knows Robin from before")
    (kept,) = [change for change in queries.changes_of(robin) if change.what == "supporter over limit"]
    assert (kept.to_value, kept.reason) == ("people, minutes", "Pat knows Robin from before")


def test_a_person_with_two_roles_sees_by_role(cast, now):
    give_role(cast.colleague, Role.CLINICIAN, service_id=cast.service.id, by=as_clinician(cast), now=now)
    assert seen_by(queries.for_clinician(cast.colleague)) == {cast.enrolment}
    assert seen_by(queries.for_supporter(cast.colleague, now=now)) == set()


def test_nobody_works_on_their_own_course(cast, now):
    """Not as the one who covers, not as one of the pool, and not as a clinician."""
    for role in (Role.SUPPORTER, Role.CLINICIAN):
        give_role(cast.patient, role, service_id=cast.service.id, by=as_clinician(cast), now=now)
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=now.date(),
        until_on=now.date(),
        cover_id=None,
        by=as_clinician(cast),
        now=now,
    )
    assert seen_by(queries.for_supporter(cast.colleague, now=now)) == {cast.enrolment}
    assert seen_by(queries.for_supporter(cast.patient, now=now)) == set()
    assert seen_by(queries.under_cover(cast.patient, now=now)) == set()
    assert seen_by(queries.for_clinician(cast.patient)) == set()
    for email in (cast.supporter.email, cast.clinician.email):
        with pytest.raises(OwnCourse):
            invite_robin(cast, now, email=email)
