"""Days away as people live through them: with cover, from now, changed; and who may open whom meanwhile."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import LastAdministrator
from icbt_support.accounts.queries import roles_of
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.queries import for_clinician, for_supporter, scoped_enrolment
from icbt_support.hours.models import AbsenceReason
from icbt_support.hours.queries import coming_absences, held_booking, is_absent, review_slots_of
from icbt_support.hours.transitions import record_absence_row
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message, tell_of_late_messages
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import withdraw_reminders
from icbt_support.reminders.rules import ReminderKind, ReminderState
from icbt_support.reviews.claims import claim_on, start_writing
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import draft_of, next_review
from icbt_support.rhythm.absence import (
    AwayAlready,
    CoverBy,
    CoverIsAway,
    FirstDayBack,
    NoPlaceAfterAbsence,
    ReviewsWithoutChoice,
    ToPool,
    away_from_now,
    change_absence,
    come_back_early,
    record_absence,
)
from icbt_support.rhythm.handover import (
    AlreadyTheirs,
    NewOwnerIsAway,
    NotInThisRole,
    StillHangs,
    close_account,
    give_cover,
    give_review,
    give_to_clinician,
    hand_over,
    take_from_pool,
    what_hangs_on,
)
from icbt_support.rhythm.lateness import close_missed, take_review, tell_of_late_reviews, warn_of_reviews
from icbt_support.rhythm.touched import everything_touched
from icbt_support.risk.handing_over import give_alert_to
from icbt_support.risk.operations import acknowledge_alert, raise_stated_risk
from tests.cast import make_person
from tests.concepts.beginnings import (
    THURSDAY_AT_NINE,
    acting,
    as_clinician,
    as_patient,
    open_week_1,
    owed_kinds,
)
from tests.concepts.rhythm_steps import SYSTEM, letter, send

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
PROMISED = datetime(2026, 11, 26, 17, tzinfo=UTC)


def by(cast, who):
    return acting(getattr(cast, who), "supporter", cast.service.id)


def sees(account, enrolment, now):
    return scoped_enrolment(for_supporter(account, now=now), enrolment.id) is not None


def go(cast, now, choices, *, from_on=WEDNESDAY, until_on=FRIDAY, cover_id=None, **more):
    return record_absence(
        cast.supporter,
        service=cast.service,
        from_on=from_on,
        until_on=until_on,
        cover_id=cover_id,
        choices=choices,
        by=by(cast, "supporter"),
        now=now,
        **more,
    )


def next_letter():
    return letter(next_review_at=THURSDAY_AT_NINE + timedelta(days=7), by_on=date(2026, 11, 29))


def actions_since(number):
    return list(
        db.session.scalars(select(AuditLine.action).where(AuditLine.id > number).order_by(AuditLine.id))
    )


def test_an_absence_with_cover_from_the_plan_to_the_sent_letter(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    post_message(cast.enrolment, "Hi", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now)
    touched = everything_touched(
        cast.supporter, service=cast.service, from_on=WEDNESDAY, until_on=FRIDAY, now=now
    )
    assert [item.review for item in touched.reviews] == [review]
    assert touched.unread == ((cast.enrolment, 1),)
    assert [(one.account, one.free_days) for one in touched.colleagues] == [
        (cast.colleague, frozenset({THURSDAY}))
    ]
    absence = go(cast, now, {review.id: CoverBy(cast.colleague.id)}, cover_id=cast.colleague.id)
    with pytest.raises(AwayAlready):
        go(cast, now, {}, from_on=FRIDAY, until_on=FRIDAY)
    assert (review.owner, review.due_on) == (cast.colleague, THURSDAY)
    # The named writer may open the person from now on, before the absence begins, and so may cover in it.
    assert sees(cast.colleague, cast.enrolment, now)
    assert {"new_writer"} <= set(owed_kinds(cast.patient))

    thursday = THURSDAY_AT_NINE
    send(review, next_letter(), by=by(cast, "colleague"), now=thursday)
    assert review.state is ReviewState.SENT
    assert next_review(cast.enrolment).owner == cast.supporter
    assert sees(cast.colleague, cast.enrolment, thursday)
    monday = thursday + timedelta(days=4)
    assert is_absent(cast.supporter.id, monday.date()) is None
    assert not sees(cast.colleague, cast.enrolment, monday)
    assert absence.cover_id == cast.colleague.id


def test_cover_that_goes_away_too_leaves_it_to_the_pool(cast, now):
    open_week_1(cast, now)
    third = make_person("Ada Holt", Role.SUPPORTER, cast.service, now)
    review = next_review(cast.enrolment)
    go(cast, now, {review.id: ToPool()}, cover_id=cast.colleague.id)
    thursday = THURSDAY_AT_NINE
    assert not sees(third, cast.other_enrolment, thursday)
    away_from_now(
        cast.colleague, service=cast.service, until_on=FRIDAY, by=by(cast, "colleague"), now=thursday
    )
    take_from_pool(review, third, by=acting(third, "supporter", cast.service.id), now=thursday)
    assert review.owner == third
    assert sees(third, cast.enrolment, thursday)


def test_a_first_day_back_is_told_with_its_reason_and_a_change_of_days_moves_it_again(cast, now):
    week = open_week_1(cast, now)
    review = next_review(cast.enrolment)
    absence = go(cast, now, {review.id: FirstDayBack()}, reason=AbsenceReason.COURSE)
    assert (review.moved_from_on, review.due_on) == (THURSDAY, date(2026, 12, 3))
    assert review.moved_because == "Pat is on a course"
    change_absence(
        absence,
        cast.supporter,
        service=cast.service,
        from_on=WEDNESDAY,
        until_on=date(2026, 12, 4),
        cover_id=None,
        choices={review.id: FirstDayBack()},
        by=by(cast, "supporter"),
        now=now,
    )
    assert (review.moved_from_on, review.due_on) == (date(2026, 12, 3), date(2026, 12, 10))
    assert week.review_on == date(2026, 12, 10)
    with pytest.raises(CoverIsAway):
        go(
            cast,
            now,
            {review.id: CoverBy(cast.supporter.id)},
            from_on=date(2026, 12, 7),
            until_on=date(2026, 12, 11),
        )
    assert len(coming_absences(cast.supporter.id, now.date())) == 1


def test_away_from_now_goes_to_the_pool_and_each_patient_hears_only_what_they_need(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    start_writing(review, by=by(cast, "supporter"), now=now)
    news_before = owed_kinds(cast.patient)
    gone = away_from_now(
        cast.supporter, service=cast.service, until_on=FRIDAY, by=by(cast, "supporter"), now=now
    )
    assert (gone.reviews, gone.told) == (1, (cast.colleague,))
    assert review.pooled_at == now
    assert claim_on(review.id) is None
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is None
    assert owed_kinds(cast.patient) == news_before

    take_from_pool(review, cast.colleague, by=by(cast, "colleague"), now=now)
    assert (review.owner, review.pooled_at, review.due_on) == (cast.colleague, None, THURSDAY)
    assert "new_writer" in owed_kinds(cast.patient)
    assert come_back_early(cast.supporter, by=by(cast, "supporter"), now=now + timedelta(hours=1)) == 1
    assert review.owner == cast.colleague


def test_back_early_what_nobody_took_is_ones_own_again(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    away_from_now(cast.supporter, service=cast.service, until_on=FRIDAY, by=by(cast, "supporter"), now=now)
    monday = now + timedelta(days=4)
    come_back_early(cast.supporter, by=by(cast, "supporter"), now=monday)
    assert review.pooled_at is None
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is not None
    assert not sees(cast.colleague, cast.enrolment, monday)
    assert is_absent(cast.supporter.id, monday.date()) is None
    assert is_absent(cast.supporter.id, now.date()) is not None


def test_the_pool_steps_in_for_a_named_person_who_is_away_on_the_services_own_day(cast, now):
    """At 10.05am in London it is tomorrow, the 20th, on Kiritimati."""
    cast.service.zone = "Pacific/Kiritimati"
    named = make_person("Noa Hart", Role.SUPPORTER, cast.service, now)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    go(cast, now, {}, from_on=today, until_on=tomorrow, cover_id=named.id)
    assert sees(named, cast.enrolment, now)
    assert not sees(cast.colleague, cast.enrolment, now)
    for from_on, steps_in in ((today, False), (tomorrow, True)):
        record_absence_row(
            named.id,
            service_id=cast.service.id,
            from_on=from_on,
            until_on=from_on,
            cover_id=None,
            by=by(cast, "clinician"),
            now=now,
        )
        db.session.commit()
        assert sees(cast.colleague, cast.enrolment, now) is steps_in


# A colleague of the pool sees a person while something is late, and no longer ------------------------------


def test_the_pool_opens_a_person_whose_review_is_late_until_somebody_sees_to_it(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    third = make_person("Ada Holt", Role.SUPPORTER, cast.service, now)
    for early in (now, PROMISED - timedelta(hours=3)):
        assert not sees(cast.colleague, cast.enrolment, early)
    last = db.session.scalar(select(AuditLine.id).order_by(AuditLine.id.desc()).limit(1))
    warn_of_reviews(now=PROMISED - timedelta(hours=1), by=SYSTEM)
    assert sees(cast.colleague, cast.enrolment, PROMISED - timedelta(hours=1))
    tell_of_late_reviews(now=PROMISED, by=SYSTEM)
    late = PROMISED + timedelta(minutes=5)
    assert sees(cast.colleague, cast.enrolment, late)
    assert sees(third, cast.enrolment, late)
    for stranger in (cast.other_supporter, cast.administrator, cast.patient):
        assert not sees(stranger, cast.enrolment, late)
    assert scoped_enrolment(for_clinician(cast.colleague), cast.enrolment.id) is None

    take_review(review, late + timedelta(days=1), by=by(cast, "colleague"), now=late)
    assert sees(cast.colleague, cast.enrolment, late)
    assert not sees(third, cast.enrolment, late)
    send(review, next_letter(), by=by(cast, "colleague"), now=late)
    assert sees(cast.colleague, cast.enrolment, late + timedelta(minutes=59))
    assert not sees(cast.colleague, cast.enrolment, late + timedelta(minutes=61))
    assert [one for one in actions_since(last) if one.endswith("_course_to")] == [
        "opened_course_to",  # the pool is warned
        "closed_course_to",  # Chris takes it
        "opened_course_to",
        "closed_course_to",  # Chris has sent it
    ]


@pytest.mark.parametrize("way", ["sent by its owner", "closed", "handed over"])
def test_each_way_in_which_a_late_review_ends_closes_it_to_the_pool(cast, now, way):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    tell_of_late_reviews(now=PROMISED, by=SYSTEM)
    late = PROMISED + timedelta(minutes=5)
    third = make_person("Ada Holt", Role.SUPPORTER, cast.service, now)
    if way == "closed":
        close_missed(review, "Too late", by=as_clinician(cast), now=late)
    elif way == "handed over":
        close_missed(review, "Too late", by=as_clinician(cast), now=late)
        hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=late)
        assert not sees(cast.supporter, cast.enrolment, late)
    else:
        following = next_letter()
        send(review, following, by=by(cast, "supporter"), now=late)
    assert not sees(third, cast.enrolment, late)


def test_a_late_message_opens_the_person_until_it_is_read(cast, now):
    post_message(cast.enrolment, "Hi", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now)
    late = now + timedelta(days=5)
    assert not sees(cast.colleague, cast.enrolment, late)
    assert tell_of_late_messages(by=SYSTEM, now=late) == 1
    assert sees(cast.colleague, cast.enrolment, late)
    assert not sees(cast.other_supporter, cast.enrolment, late)
    mark_thread_read(cast.enrolment, by=by(cast, "supporter"), now=late)
    assert not sees(cast.colleague, cast.enrolment, late)


# What has been late, and days away -------------------------------------------------------------------------


def test_a_new_promise_within_the_days_away_goes_to_a_colleague_and_cannot_wait_again(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    late = PROMISED + timedelta(minutes=5)
    monday = datetime(2026, 11, 30, 15, tzinfo=UTC)
    take_review(review, monday, by=by(cast, "supporter"), now=late)
    days = {"from_on": date(2026, 11, 30), "until_on": date(2026, 12, 1)}
    (item,) = everything_touched(cast.supporter, service=cast.service, now=late, **days).reviews
    assert (item.review, item.on, item.can_wait) == (review, date(2026, 11, 30), False)
    with pytest.raises(NoPlaceAfterAbsence):
        go(cast, late, {review.id: FirstDayBack()}, **days)
    go(cast, late, {review.id: CoverBy(cast.colleague.id)}, **days)
    assert (review.owner, review.promised_at, review.due_on) == (cast.colleague, monday, THURSDAY)
    assert "new_writer" in owed_kinds(cast.patient)


def test_a_late_review_is_touched_by_days_away_that_begin_today(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    tell_of_late_reviews(now=PROMISED, by=SYSTEM)
    friday = PROMISED + timedelta(hours=16)
    with pytest.raises(ReviewsWithoutChoice):
        go(cast, friday, {}, from_on=FRIDAY, until_on=FRIDAY)
    go(cast, friday, {review.id: CoverBy(cast.colleague.id)}, from_on=FRIDAY, until_on=FRIDAY)
    assert review.owner == cast.colleague
    assert "new_writer" not in owed_kinds(cast.patient), "its day has passed: it is told once a day is given"


def test_back_early_a_late_review_that_nobody_took_is_ones_own_again(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    away_from_now(
        cast.supporter,
        service=cast.service,
        until_on=date(2026, 11, 30),
        by=by(cast, "supporter"),
        now=THURSDAY_AT_NINE,
    )
    tell_of_late_reviews(now=PROMISED, by=SYSTEM)
    come_back_early(cast.supporter, by=by(cast, "supporter"), now=PROMISED + timedelta(hours=16))
    assert (review.owner, review.pooled_at) == (cast.supporter, None)


def test_a_cover_who_is_back_is_named_to_the_patient_who_heard_of_nobody(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    go(cast, now, {review.id: CoverBy(cast.colleague.id)})
    away_from_now(cast.colleague, service=cast.service, until_on=FRIDAY, by=by(cast, "colleague"), now=now)
    withdraw_reminders(
        now=now, reason="with the pool", subject=f"review:{review.id}", kinds=[ReminderKind.NEW_WRITER]
    )
    come_back_early(cast.colleague, by=by(cast, "colleague"), now=now + timedelta(hours=1))
    assert (review.owner, review.pooled_at) == (cast.colleague, None)
    assert "new_writer" in owed_kinds(cast.patient)


def test_a_review_of_the_pool_is_taken_once(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    third = make_person("Ada Holt", Role.SUPPORTER, cast.service, now)
    go(cast, now, {review.id: ToPool()})
    take_from_pool(review, cast.colleague, by=by(cast, "colleague"), now=now)
    with pytest.raises(AlreadyTheirs):
        take_from_pool(review, third, by=acting(third, "supporter", cast.service.id), now=now)
    assert review.owner == cast.colleague


def test_whoever_covers_hears_of_other_days_and_so_does_whoever_covers_instead(cast, now):
    third = make_person("Ada Holt", Role.SUPPORTER, cast.service, now)
    absence = go(cast, now, {}, cover_id=cast.colleague.id)
    sent = update(Reminder).where(Reminder.recipient_id == cast.colleague.id)
    db.session.execute(sent.values(state=ReminderState.HANDED_OVER))
    change_absence(
        absence,
        cast.supporter,
        service=cast.service,
        from_on=WEDNESDAY,
        until_on=date(2026, 12, 4),
        cover_id=cast.colleague.id,
        choices={},
        by=by(cast, "supporter"),
        now=now,
    )
    assert owed_kinds(cast.colleague) == ["staff_hand_over"]
    give_cover(absence, third, by=as_clinician(cast), now=now)
    assert owed_kinds(third) == ["staff_hand_over"]


# One review for a named colleague --------------------------------------------------------------------------


def test_a_named_colleague_owes_a_late_review_and_the_patient_reads_a_date_once_it_is_taken(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    save_draft(review, {"sections": []}, version=None, by=by(cast, "supporter"), now=now)
    tell_of_late_reviews(now=PROMISED, by=SYSTEM)
    late = PROMISED + timedelta(minutes=5)
    with pytest.raises(NotInThisRole):
        give_review(review, cast.other_supporter, by=as_clinician(cast), now=late)
    give_review(review, cast.colleague, by=as_clinician(cast), now=late)
    assert (review.owner, review.promised_at) == (cast.colleague, PROMISED)
    assert draft_of(review).author_id == cast.supporter.id
    assert "new_writer" not in owed_kinds(cast.patient)
    assert "staff_hand_over" in owed_kinds(cast.colleague)
    take_review(review, late + timedelta(hours=16), by=by(cast, "colleague"), now=late)
    assert "review_moved" in owed_kinds(cast.patient)
    away_from_now(cast.supporter, service=cast.service, until_on=FRIDAY, by=by(cast, "supporter"), now=late)
    with pytest.raises(NewOwnerIsAway):
        give_review(review, cast.supporter, by=as_clinician(cast), now=late)


# A leaver --------------------------------------------------------------------------------------------------


def test_a_leaver_leaves_when_nothing_hangs_any_more(cast, now):
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    start_writing(review, by=by(cast, "supporter"), now=now)
    save_draft(review, {"sections": []}, version=None, by=by(cast, "supporter"), now=now)
    post_message(cast.enrolment, "Hi", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now)
    alert = raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    cover = record_absence(
        cast.colleague,
        service=cast.service,
        from_on=date(2026, 12, 7),
        until_on=date(2026, 12, 8),
        cover_id=cast.supporter.id,
        choices={},
        by=by(cast, "colleague"),
        now=now,
    )
    with pytest.raises(StillHangs) as refusal:
        close_account(cast.supporter, by=as_clinician(cast), now=now)
    hanging = refusal.value.hanging
    assert (hanging.patients, hanging.reviews, hanging.covers) == ((cast.enrolment,), (review,), (cover,))
    assert [len(part) for part in (hanging.drafts, hanging.messages, hanging.alerts, hanging.claims)] == [
        1
    ] * 4

    hand_over(cast.enrolment, cast.colleague, reason="Pat leaves", by=as_clinician(cast), now=now)
    assert not sees(cast.supporter, cast.enrolment, now)
    assert draft_of(review).author_id == cast.supporter.id
    assert alert.resolved_at is None
    assert not what_hangs_on(cast.supporter, now=now).is_nothing
    give_cover(cover, None, by=as_clinician(cast), now=now)
    close_account(cast.supporter, by=as_clinician(cast), now=now)
    assert cast.supporter.disabled_at == now
    assert roles_of(cast.supporter, cast.service.id) == set()
    assert review_slots_of(cast.supporter.id, cast.service.id) == []
    still_owed = select(Reminder.id).where(
        Reminder.recipient_id == cast.supporter.id, Reminder.state == ReminderState.OWED
    )
    assert db.session.scalars(still_owed).all() == []


def test_a_clinician_leaves_people_and_taken_alerts_to_another(cast, now):
    other = make_person("Dr Eve Park", Role.CLINICIAN, cast.service, now)
    alert = raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    acknowledge_alert(alert, "I call now", by=as_clinician(cast), now=now)
    assert what_hangs_on(cast.clinician, now=now).taken_alerts == (alert,)
    give_alert_to(alert, other.id, by=acting(other, "clinician", cast.service.id), now=now)
    give_to_clinician(cast.enrolment, other, by=as_clinician(cast), now=now)
    left = what_hangs_on(cast.clinician, now=now)
    assert (left.taken_alerts, left.clinical_patients, len(left.duty)) == ((), (), 5)
    assert (alert.acknowledged_by, alert.acknowledgement, alert.resolved_at) == (other.id, "I call now", None)


def test_the_last_administrator_cannot_leave(cast, now):
    with pytest.raises(LastAdministrator):
        close_account(cast.administrator, by=as_clinician(cast), now=now)
    assert roles_of(cast.administrator, cast.service.id) == {Role.ADMINISTRATOR}
