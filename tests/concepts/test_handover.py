"""People change hands, staff go away, and nothing that is owed is dropped."""

import time
from datetime import UTC, date, datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import give_role
from icbt_support.db import db, writing
from icbt_support.enrolments.colleague_access import POOL, keep_access
from icbt_support.enrolments.queries import for_supporter, held_in_scope, scoped_enrolment, under_cover
from icbt_support.hours.queries import held_booking, is_absent
from icbt_support.hours.transitions import record_absence_row
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import draft_of, next_review, welcome_of
from icbt_support.reviews.transitions import mark_told_late
from icbt_support.rhythm.absence import (
    AbsenceInThePast,
    CoverBy,
    CoverIsAway,
    FirstDayBack,
    ReviewsWithoutChoice,
    away_from_now,
    come_back_early,
    record_absence,
    touched_reviews,
)
from icbt_support.rhythm.handover import (
    AlreadyTheirs,
    NewOwnerIsAway,
    NotInThisRole,
    StillHangs,
    close_account,
    give_review,
    give_to_clinician,
    hand_over,
    what_hangs_on,
)
from icbt_support.risk.models import AlertNotice, RiskAlert
from icbt_support.risk.operations import raise_stated_risk
from tests.cast import give_review_slot, make_person
from tests.concepts.beginnings import (
    THURSDAY_AT_NINE,
    acting,
    as_clinician,
    as_patient,
    invite_robin,
    open_week_1,
    owed_kinds,
)

WEDNESDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 27)


def as_supporter(cast):
    return acting(cast.supporter, "supporter", cast.service.id)


def write_draft(cast, now):
    review = next_review(cast.enrolment)
    save_draft(review, {"sections": []}, version=None, by=as_supporter(cast), now=now)
    return review


def writers_told(cast):
    """What the patient's owed news of somebody else writing is about."""
    return list(
        db.session.scalars(
            select(Reminder.subject).where(
                Reminder.recipient_id == cast.patient.id,
                Reminder.kind == ReminderKind.NEW_WRITER,
                Reminder.state == ReminderState.OWED,
                Reminder.channel == Channel.EMAIL,
            )
        )
    )


def give(cast, now, to=None):
    return hand_over(cast.enrolment, to or cast.colleague, reason="Leaves", by=as_clinician(cast), now=now)


def go(cast, now, choices, *, from_on=WEDNESDAY, until_on=FRIDAY, cover_id=None):
    return record_absence(
        cast.supporter,
        service=cast.service,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        choices=choices,
        by=as_supporter(cast),
        now=now,
    )


def test_whatever_is_owed_goes_along_in_one_step(cast, now):
    open_week_1(cast, now)
    review = write_draft(cast, now)
    promised = review.promised_at
    post_message(
        cast.enrolment, "Hello", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now
    )
    alert = raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    done = give(cast, now)
    assert (done.reviews, done.messages, done.alerts) == (1, 1, 1)
    assert cast.enrolment.supporter_id == cast.colleague.id
    assert review.owner_id == cast.colleague.id
    assert review.promised_at == promised
    assert draft_of(review).author_id == cast.supporter.id
    told = db.session.scalars(select(AlertNotice.account_id).where(AlertNotice.alert_id == alert.id)).all()
    assert cast.colleague.id in told
    assert alert.acknowledged_at is None
    assert "staff_hand_over" in owed_kinds(cast.colleague)


def test_the_patient_is_told_who_reads_and_writes_from_now_on(cast, now):
    open_week_1(cast, now)
    give(cast, now)
    assert "new_writer" in owed_kinds(cast.patient)
    (told,) = writers_told(cast)
    assert told == f"enrolment:{cast.enrolment.id}"


def test_handed_over_twice_the_patient_reads_of_the_last_one_only(cast, now):
    give(cast, now)
    hand_over(cast.enrolment, cast.supporter, by=as_clinician(cast), now=now + timedelta(hours=1))
    assert len(writers_told(cast)) == 1


def test_a_welcome_that_is_still_owed_says_it_itself(cast, now):
    robin = invite_robin(cast, now)
    hand_over(robin, cast.colleague, by=as_clinician(cast), now=now)
    assert "new_writer" not in owed_kinds(robin.patient)


def test_a_refused_hand_over_tells_nobody(cast, now):
    with pytest.raises(NotInThisRole):
        give(cast, now, to=cast.clinician)
    assert writers_told(cast) == []


def test_the_patient_is_told_that_a_colleague_writes_and_the_date_stays(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    go(cast, now, {review.id: CoverBy(cast.colleague.id)})
    assert writers_told(cast) == [f"review:{review.id}"]
    assert "review_moved" not in owed_kinds(cast.patient)


def test_the_old_supporter_loses_access_and_the_new_one_gains_it(cast, now):
    give(cast, now)
    assert scoped_enrolment(for_supporter(cast.supporter, now=now), cast.enrolment.id) is None
    assert scoped_enrolment(for_supporter(cast.colleague, now=now), cast.enrolment.id) is cast.enrolment


def test_the_place_in_the_diary_changes_hands(cast, now):
    open_week_1(cast, now)
    give(cast, now)
    review = next_review(cast.enrolment)
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is None
    assert held_booking(cast.colleague.id, review.slot_at).id == review.booking_id
    assert review.due_on == THURSDAY_AT_NINE.date()


def test_an_unsent_welcome_goes_along_too(cast, now):
    robin = invite_robin(cast, now)
    hand_over(robin, cast.colleague, by=as_clinician(cast), now=now)
    assert welcome_of(robin).owner_id == cast.colleague.id


def test_a_person_goes_only_to_another_supporter_of_the_service(cast, now):
    with pytest.raises(AlreadyTheirs):
        give(cast, now, to=cast.supporter)
    with pytest.raises(NotInThisRole):
        give(cast, now, to=cast.other_supporter)


def test_nobody_is_handed_to_a_person_who_is_away_when_the_review_is_owed(cast, now):
    open_week_1(cast, now)
    away_from_now(cast.colleague, service=cast.service, until_on=FRIDAY, by=as_clinician(cast), now=now)
    with pytest.raises(NewOwnerIsAway):
        give(cast, now)


def test_an_account_closes_only_when_nothing_hangs_on_it(cast, now):
    open_week_1(cast, now)
    write_draft(cast, now)
    raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    with pytest.raises(StillHangs) as refusal:
        close_account(cast.supporter, by=as_clinician(cast), now=now)
    hanging = refusal.value.hanging
    assert hanging.patients == (cast.enrolment,)
    assert [len(part) for part in (hanging.reviews, hanging.drafts, hanging.alerts)] == [1, 1, 1]
    give(cast, now)
    assert what_hangs_on(cast.supporter, now=now).is_nothing
    close_account(cast.supporter, by=as_clinician(cast), now=now)
    assert cast.supporter.disabled_at == now


def test_a_clinician_keeps_duty_and_patients_until_they_are_given_on(cast, now):
    hanging = what_hangs_on(cast.clinician, now=now)
    assert hanging.clinical_patients == (cast.enrolment,)
    assert len(hanging.duty) == 5
    give_role(cast.colleague, Role.CLINICIAN, service_id=cast.service.id, by=as_clinician(cast), now=now)
    give_to_clinician(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    assert what_hangs_on(cast.clinician, now=now).clinical_patients == ()
    with pytest.raises(NotInThisRole):
        give_to_clinician(cast.enrolment, cast.supporter, by=as_clinician(cast), now=now)


def test_an_absence_names_the_reviews_that_it_touches_and_drops_none(cast, now):
    open_week_1(cast, now)
    (touched,) = touched_reviews(
        cast.supporter, service=cast.service, from_on=WEDNESDAY, until_on=FRIDAY, now=now
    )
    assert touched.review == next_review(cast.enrolment)
    assert touched.moves_to == date(2026, 12, 3)
    with pytest.raises(ReviewsWithoutChoice) as refusal:
        go(cast, now, {})
    assert refusal.value.reviews == [touched.review]
    assert is_absent(cast.supporter.id, WEDNESDAY) is None


def test_days_that_touch_nothing_need_no_choice(cast, now):
    open_week_1(cast, now)
    go(cast, now, {}, from_on=FRIDAY, until_on=FRIDAY)
    assert is_absent(cast.supporter.id, FRIDAY) is not None


def test_cover_keeps_the_day_and_names_the_colleague(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    go(cast, now, {review.id: CoverBy(cast.colleague.id)}, cover_id=cast.colleague.id)
    assert review.owner_id == cast.colleague.id
    assert review.due_on == THURSDAY_AT_NINE.date()
    assert cast.enrolment.supporter_id == cast.supporter.id
    assert "staff_hand_over" in owed_kinds(cast.colleague)


def test_the_first_day_back_moves_the_review_and_tells_the_patient(cast, now):
    week = open_week_1(cast, now)
    review = next_review(cast.enrolment)
    go(cast, now, {review.id: FirstDayBack()})
    assert week.review_on == date(2026, 12, 3)
    assert review.owner_id == cast.supporter.id
    assert "review_moved" in owed_kinds(cast.patient)


def test_a_welcome_can_wait_for_the_first_day_back(cast, now):
    robin = invite_robin(cast, now)
    welcome = welcome_of(robin)
    go(cast, now, {welcome.id: FirstDayBack()}, from_on=date(2026, 11, 23), until_on=date(2026, 11, 24))
    assert welcome.due_on == WEDNESDAY
    assert welcome.promised_at == datetime(2026, 11, 25, 17, tzinfo=UTC)


def test_two_reviews_move_to_two_places(cast, now):
    open_week_1(cast, now)
    robin = invite_robin(cast, now)
    give_review_slot(cast.other_supporter, cast.elsewhere, now)
    hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    hand_over(cast.enrolment, cast.supporter, by=as_clinician(cast), now=now)
    touched = touched_reviews(
        cast.supporter, service=cast.service, from_on=date(2026, 11, 23), until_on=FRIDAY, now=now
    )
    assert {item.review.enrolment_id for item in touched} == {cast.enrolment.id, robin.id}
    go(
        cast,
        now,
        {item.review.id: FirstDayBack() for item in touched},
        from_on=date(2026, 11, 23),
        until_on=FRIDAY,
    )
    assert next_review(cast.enrolment).due_on == date(2026, 12, 3)
    assert welcome_of(robin).due_on == date(2026, 11, 30)


def test_cover_that_is_away_itself_is_refused(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    away_from_now(cast.colleague, service=cast.service, until_on=FRIDAY, by=as_clinician(cast), now=now)
    with pytest.raises(CoverIsAway):
        go(cast, now, {review.id: CoverBy(cast.colleague.id)})
    with pytest.raises(CoverIsAway):
        go(cast, now, {review.id: CoverBy(cast.supporter.id)})


def test_days_that_have_passed_are_refused(cast, now):
    with pytest.raises(AbsenceInThePast):
        go(cast, now, {}, from_on=date(2026, 11, 16), until_on=date(2026, 11, 17))


def test_away_from_now_gives_the_pool_sight_and_tells_it(cast, now):
    open_week_1(cast, now)
    alert = raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    assert scoped_enrolment(for_supporter(cast.colleague, now=now), cast.enrolment.id) is None
    gone = away_from_now(
        cast.supporter, service=cast.service, until_on=FRIDAY, by=as_supporter(cast), now=now
    )
    assert (gone.reviews, gone.messages, gone.alerts) == (1, 0, 1)
    assert gone.told == (cast.colleague,)
    assert scoped_enrolment(for_supporter(cast.colleague, now=now), cast.enrolment.id) is cast.enrolment
    assert db.session.scalars(under_cover(cast.colleague, now=now)).all() == [cast.enrolment]
    told = db.session.scalars(select(AlertNotice.account_id).where(AlertNotice.alert_id == alert.id)).all()
    assert cast.colleague.id in told
    assert "staff_hand_over" in owed_kinds(cast.colleague)


def test_without_a_pool_the_clinicians_are_told(cast, now):
    away_from_now(cast.colleague, service=cast.service, until_on=FRIDAY, by=as_supporter(cast), now=now)
    gone = away_from_now(
        cast.supporter, service=cast.service, until_on=FRIDAY, by=as_supporter(cast), now=now
    )
    assert gone.told == (cast.clinician,)


def test_coming_back_early_closes_the_caseload_to_the_pool(cast, now):
    away_from_now(cast.supporter, service=cast.service, until_on=FRIDAY, by=as_supporter(cast), now=now)
    assert come_back_early(cast.supporter, by=as_supporter(cast), now=now) == 1
    assert db.session.scalars(under_cover(cast.colleague, now=now)).all() == []


def test_cover_never_reaches_into_another_service(cast, now):
    away_from_now(cast.supporter, service=cast.service, until_on=FRIDAY, by=as_supporter(cast), now=now)
    assert scoped_enrolment(for_supporter(cast.other_supporter, now=now), cast.enrolment.id) is None
    assert db.session.scalars(select(RiskAlert)).all() == []


def test_nobody_is_given_their_own_course(cast, now):
    for role in (Role.SUPPORTER, Role.CLINICIAN):
        give_role(cast.patient, role, service_id=cast.service.id, by=as_clinician(cast), now=now)
    open_week_1(cast, now)
    with pytest.raises(NotInThisRole):
        hand_over(cast.enrolment, cast.patient, by=as_clinician(cast), now=now)
    with pytest.raises(NotInThisRole):
        give_to_clinician(cast.enrolment, cast.patient, by=as_clinician(cast), now=now)
    with pytest.raises(NotInThisRole):
        give_review(next_review(cast.enrolment), cast.patient, by=as_clinician(cast), now=now)


def test_a_service_learns_of_what_hangs_on_somebody_in_it_alone(cast, now):
    give_role(cast.supporter, Role.SUPPORTER, service_id=cast.elsewhere.id, by=as_clinician(cast), now=now)
    cast.other_enrolment.supporter = cast.supporter
    alert = raise_stated_risk(cast.other_enrolment, "", by=as_patient(cast), now=now)
    db.session.flush()
    hanging = what_hangs_on(cast.supporter, now=now)
    assert hanging.in_service(cast.service.id).patients == (cast.enrolment,)
    assert hanging.in_service(cast.service.id).alerts == ()
    assert hanging.in_service(cast.elsewhere.id).patients == (cast.other_enrolment,)
    assert hanging.in_service(cast.elsewhere.id).alerts == (alert,)


def test_mail_that_waits_does_not_reach_the_former_supporter(cast, now):
    """The alert and the message stand for the next morning; by then somebody else has the person."""
    post_message(
        cast.enrolment, "Hello", kind=MessageKind.MESSAGE, posted_key="m", by=as_patient(cast), now=now
    )
    raise_stated_risk(cast.enrolment, "", by=as_patient(cast), now=now)
    assert {"risk_alert", "staff_message"} <= set(owed_kinds(cast.supporter))
    hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    assert owed_kinds(cast.supporter) == []
    assert "risk_alert" in owed_kinds(cast.colleague)
    assert "risk_alert" in owed_kinds(cast.clinician)


def test_a_former_supporter_does_not_come_back_as_one_of_the_pool(cast, now):
    """Something late is open to the pool, and the new supporter is away: both are for the others."""
    by, other = as_clinician(cast), make_person("Lou Grey", Role.SUPPORTER, cast.service, now)
    open_week_1(cast, now)
    mark_told_late(next_review(cast.enrolment), by=by, now=now)
    keep_access(cast.enrolment, "message:1", {POOL}, by=by, now=now)
    hand_over(cast.enrolment, cast.colleague, by=by, now=now)
    assert is_open_to(cast, cast.supporter, now) is False
    assert is_open_to(cast, other, now) is True
    record_absence_row(
        cast.colleague.id,
        service_id=cast.service.id,
        from_on=now.date(),
        until_on=now.date(),
        cover_id=None,
        by=by,
        now=now,
    )
    assert is_open_to(cast, cast.supporter, now) is False
    assert is_open_to(cast, other, now) is True
    give(cast, now, to=cast.supporter)
    assert is_open_to(cast, cast.supporter, now) is True


def is_open_to(cast, account, now):
    return scoped_enrolment(for_supporter(account, now=now), cast.enrolment.id) is not None


def test_a_form_that_is_posted_during_a_hand_over_finds_nothing(app, cast, now):
    """It waits for the hand-over to be committed, and is asked for again then."""
    db.session.commit()
    pat, number, begun, found = cast.supporter.id, cast.enrolment.id, Event(), []

    def post() -> None:
        with app.app_context(), writing():
            begun.wait()
            scope = for_supporter(db.session.get_one(Account, pat), now=now)
            found.append(held_in_scope(scope, number))
            db.session.rollback()

    thread = Thread(target=post)
    thread.start()
    db.session.rollback()
    with writing():
        give(cast, now)
        begun.set()
        time.sleep(0.3)
        db.session.commit()
    thread.join()
    assert found == [None]
