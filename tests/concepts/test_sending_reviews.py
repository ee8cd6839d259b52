"""Send is final and one transaction."""

from dataclasses import replace
from datetime import date, time

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, EnrolmentState
from icbt_support.hours.models import Absence, SlotBooking
from icbt_support.hours.refusals import InsideAbsence, OutsideSlots, SlotTaken
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.messages.queries import open_questions, thread
from icbt_support.plan.models import ItemKind, OpenedBecause
from icbt_support.plan.queries import latest_week_of, open_week_of, week_of
from icbt_support.plan.rules import StepChoice
from icbt_support.reminders.rules import ReminderState
from icbt_support.reviews.drafts import draft_content, letter_of_draft
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.operations import mark_previewed, save_draft
from icbt_support.reviews.queries import last_sent, next_review, review_owed
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    PAUSE,
    LetterIncomplete,
    NextStepMissing,
    NextWeekChoice,
    NotPreviewed,
    PatientWroteMeanwhile,
    ReviewAlreadySent,
    ReviewNotOwed,
    StaleDraft,
    WeekOpenedMeanwhile,
)
from icbt_support.rhythm.away import go_away
from icbt_support.rhythm.new_owner import give_review_to_pool
from icbt_support.rhythm.proposing import propose_next_week
from icbt_support.rhythm.sending import correct_review, send_review
from icbt_support.rhythm.weeks import book_review
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    at,
    item_of,
    letter,
    open_due_weeks,
    preview,
    reminders,
    send,
    start_course,
)

SUNDAY, NEXT_THURSDAY = date(2026, 11, 29), at(date(2026, 12, 3), 9)
LETTER = letter(next_review_at=NEXT_THURSDAY, by_on=SUNDAY)


@pytest.fixture
def review(cast: Cast) -> Review:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    return review_owed(cast.enrolment)


def by(cast: Cast):  # noqa: ANN201 (an actor)
    return acting(cast.supporter, Role.SUPPORTER)


def test_sending_closes_the_week_and_opens_the_next_with_the_agreed_step(cast: Cast, review: Review) -> None:
    sent = send(review, LETTER, by=by(cast), now=at(26, 9, 40))
    assert (sent.week_closed, sent.week_opened, sent.next_review_on) == (1, 2, date(2026, 12, 3))
    assert week_of(cast.enrolment, 1).closed_at == at(26, 9, 40)
    opened = open_week_of(cast.enrolment)
    assert (opened.number, opened.module) == (2, "understanding-low-mood")
    assert (opened.opened_because, opened.review_on) == (OpenedBecause.REVIEW_SENT, date(2026, 12, 3))
    step = item_of(opened, ItemKind.AGREED_STEP)
    assert (step.title, step.planned_on, step.planned_time) == ("One walk with Mo", SUNDAY, time(18))
    assert (step.why, step.review_id) == ("doing comes before feeling like it", review.id)


def test_sending_owes_the_next_review_in_its_slot(cast: Cast, review: Review) -> None:
    send(review, LETTER, by=by(cast), now=at(26, 9, 40))
    following = review_owed(cast.enrolment)
    assert (following.number, following.slot_at) == (2, NEXT_THURSDAY)
    assert following.promised_at == at(date(2026, 12, 3), 17)
    assert following.week == open_week_of(cast.enrolment)


def test_sending_says_what_it_planned_and_withdrew_and_tells_the_patient(cast: Cast, review: Review) -> None:
    before = reminders(cast.enrolment)
    sent = send(review, LETTER, by=by(cast), now=at(23, 10))
    assert len(before) == sent.withdrawn == 3
    assert reminders(cast.enrolment) == [
        ("review_ready", at(23, 10)),
        ("session", at(23, 18, 30)),
        ("nudge", at(25, 18)),
        ("agreed_step", at(29, 9)),
        ("session", at(30, 18, 30)),
        ("check_in", at(date(2026, 12, 2), 18)),
    ]
    assert sent.planned == 5


def test_the_letter_is_kept_as_it_was_sent(cast: Cast, review: Review) -> None:
    sent = send(review, replace(LETTER, minutes=12), by=by(cast), now=at(26, 9, 40))
    stored = last_sent(cast.enrolment).letter
    assert stored.id == sent.letter.id
    assert stored.sections == [
        {"heading": "What I noticed", "words": "You read the first pages, and wrote a goal."}
    ]
    assert (stored.step_what, stored.step_by_on, stored.opens) == (
        "One walk with Mo",
        SUNDAY,
        "module:understanding-low-mood",
    )
    assert (review.state, review.sent_by, review.minutes) == (ReviewState.SENT, cast.supporter.id, 12)
    assert db.session.scalars(select(AuditLine.action).where(AuditLine.action == "sent_review")).all() == [
        "sent_review"
    ]


def test_sending_answers_the_open_questions(cast: Cast, review: Review) -> None:
    post_message(
        cast.enrolment,
        "Did I do it right?",
        kind=MessageKind.QUESTION,
        posted_key="q1",
        by=acting(cast.patient, Role.PATIENT),
        now=at(25, 21),
    )
    db.session.commit()
    send(review, LETTER, by=by(cast), now=at(26, 9, 40))
    assert open_questions(cast.enrolment) == []


def refuse(
    review: Review, cast: Cast, error: type[Exception], *, version: int, **changes: object
) -> Exception:
    content = letter_of_draft(draft_content(replace(LETTER, **changes)))
    with pytest.raises(error) as refused:
        send_review(review, content, draft_version=version, by=by(cast), now=at(26, 9, 40))
    db.session.rollback()
    assert open_week_of(cast.enrolment).number == 1, "nothing of a refused letter is kept"
    return refused.value


def test_a_letter_that_was_not_previewed_is_refused(cast: Cast, review: Review) -> None:
    draft = save_draft(review, draft_content(LETTER), version=None, by=by(cast), now=at(26, 9))
    db.session.commit()
    refuse(review, cast, NotPreviewed, version=draft.version)


def test_a_letter_that_differs_from_its_preview_is_refused(cast: Cast, review: Review) -> None:
    version = preview(review, LETTER, by=by(cast), now=at(26, 9))
    refuse(review, cast, NotPreviewed, version=version, opens="module:doing-more")


def test_a_draft_that_was_changed_elsewhere_is_refused(cast: Cast, review: Review) -> None:
    version = preview(review, LETTER, by=by(cast), now=at(26, 9))
    changed = replace(LETTER, opens="module:doing-more")
    save_draft(
        review,
        draft_content(changed),
        version=version,
        by=acting(cast.colleague, Role.SUPPORTER),
        now=at(26, 9),
    )
    db.session.commit()
    refuse(review, cast, StaleDraft, version=version)


def test_a_patient_who_wrote_after_the_preview_is_read_first(cast: Cast, review: Review) -> None:
    version = preview(review, LETTER, by=by(cast), now=at(26, 9))
    post_message(
        cast.enrolment,
        "One more thing.",
        kind=MessageKind.MESSAGE,
        posted_key="m1",
        by=acting(cast.patient, Role.PATIENT),
        now=at(26, 9, 30),
    )
    db.session.commit()
    refused = refuse(review, cast, PatientWroteMeanwhile, version=version)
    assert [(event.kind, event.words) for event in refused.events] == [("message", "One more thing.")]
    again = preview(review, LETTER, by=by(cast), now=at(26, 9, 45))
    sent = send_review(review, LETTER, draft_version=again, by=by(cast), now=at(26, 9, 46))
    assert sent.week_opened == 2


def test_a_letter_without_a_next_step_is_refused(cast: Cast, review: Review) -> None:
    without = replace(LETTER, step=None)
    version = preview(review, without, by=by(cast), now=at(26, 9))
    refuse(review, cast, NextStepMissing, version=version, step=None)


def test_a_next_review_too_near_is_refused(cast: Cast, review: Review) -> None:
    near = {"next_review_at": at(26, 12, 45), "step": StepChoice("Walk", "it helps", date(2026, 11, 26))}
    version = preview(review, replace(LETTER, **near), by=by(cast), now=at(26, 9))
    refused = refuse(review, cast, LetterIncomplete, version=version, **near)
    assert [problem.field for problem in refused.problems] == ["next_review_at"]


def test_a_next_review_outside_the_slots_is_refused_with_three_others(cast: Cast, review: Review) -> None:
    friday = at(date(2026, 12, 4), 9)
    version = preview(review, replace(LETTER, next_review_at=friday), by=by(cast), now=at(26, 9))
    refused = refuse(review, cast, OutsideSlots, version=version, next_review_at=friday)
    assert len(refused.next_three) == 3


def test_a_next_review_inside_an_absence_is_refused(cast: Cast, review: Review) -> None:
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 12, 1),
            until_on=date(2026, 12, 4),
            recorded_at=at(20, 9),
        )
    )
    version = preview(review, LETTER, by=by(cast), now=at(26, 9))
    refuse(review, cast, InsideAbsence, version=version)


def test_a_slot_just_taken_is_refused(cast: Cast, review: Review) -> None:
    cast.other_enrolment.supporter_id = cast.supporter.id
    book_review(cast.other_enrolment, NEXT_THURSDAY, number=1, by=SYSTEM, now=at(26, 9))
    version = preview(review, LETTER, by=by(cast), now=at(26, 9))
    refuse(review, cast, SlotTaken, version=version)


def test_a_second_send_finds_it_sent(cast: Cast, review: Review) -> None:
    send(review, LETTER, by=by(cast), now=at(26, 9, 40))
    with pytest.raises(ReviewAlreadySent) as refused:
        send_review(review, LETTER, draft_version=1, by=by(cast), now=at(26, 9, 41))
    assert refused.value.at == at(26, 9, 40)


def test_a_pause_has_a_date_and_no_week_until_the_plan_goes_on(cast: Cast, review: Review) -> None:
    sent = send(review, replace(LETTER, opens=PAUSE), by=by(cast), now=at(26, 9, 40))
    assert (sent.week_opened, sent.planned) == (None, 0)
    assert cast.enrolment.state is EnrolmentState.PAUSED
    assert open_week_of(cast.enrolment) is None
    waiting = next_review(cast.enrolment)
    assert (waiting.number, waiting.week_id) == (2, None)
    later = letter(next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 12, 6))
    again = send(waiting, later, by=by(cast), now=NEXT_THURSDAY)
    assert cast.enrolment.state is EnrolmentState.ACTIVE
    assert (again.week_closed, again.week_opened) == (None, 3)


def test_the_last_review_ends_the_course_and_frees_its_place(cast: Cast, review: Review) -> None:
    ending = replace(LETTER, opens=LAST_REVIEW, step=None, next_review_at=None)
    sent = send(review, ending, by=by(cast), now=at(25, 9))
    assert (sent.week_closed, sent.week_opened, sent.next_review_on) == (1, None, None)
    assert (cast.enrolment.state, cast.enrolment.end_code) == (EnrolmentState.ENDED, EndCode.AGREED)
    assert review.kind is ReviewKind.LAST
    assert review_owed(cast.enrolment) is None
    assert reminders(cast.enrolment) == [("review_ready", at(25, 9))]
    held = db.session.scalars(select(SlotBooking).where(SlotBooking.released_at.is_(None))).all()
    assert held == []


def test_a_late_review_that_follows_adds_its_step_and_keeps_the_weeks_date(
    cast: Cast, review: Review
) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    db.session.commit()
    tuesday, wednesday = date(2026, 12, 1), date(2026, 12, 2)
    follow = letter(opens="", by_on=wednesday)
    sent = send(review, follow, by=by(cast), now=at(tuesday, 9))
    week = latest_week_of(cast.enrolment)
    assert (sent.is_late_follow, sent.week_closed, sent.week_opened) == (True, None, None)
    assert (week.number, week.review_on, sent.next_review_on) == (2, date(2026, 12, 3), date(2026, 12, 3))
    assert item_of(week, ItemKind.AGREED_STEP).review_id == review.id
    assert next_review(cast.enrolment).number == 2
    assert ("agreed_step", at(wednesday, 9)) in reminders(cast.enrolment)


def test_a_late_letter_to_somebody_who_is_away_plans_for_the_days_after_their_return(
    cast: Cast, review: Review
) -> None:
    go_away(cast.enrolment, date(2026, 12, 6), by=acting(cast.patient, Role.PATIENT), now=at(26, 18))
    with pytest.raises(LetterIncomplete) as refused:
        send(review, LETTER, by=by(cast), now=at(27, 9))
    assert [problem.words for problem in refused.value.problems] == [
        "The patient is away until Sunday 6 December. Choose a later day for the next review."
    ]
    db.session.rollback()
    later = replace(LETTER, next_review_at=at(date(2026, 12, 10), 9))
    version = save_draft(review, draft_content(later), version=1, by=by(cast), now=at(27, 9, 30)).version
    mark_previewed(review, version=version, by=by(cast), now=at(27, 9, 30))
    send_review(review, later, draft_version=version, by=by(cast), now=at(27, 10))
    planned = [
        item.planned_on for item in open_week_of(cast.enrolment).items if item.title != "One walk with Mo"
    ]
    assert min(planned) >= date(2026, 12, 7)
    assert {"session", "check_in"}.isdisjoint(dict(reminders(cast.enrolment)))


@pytest.mark.parametrize("opens", [LETTER.opens, LAST_REVIEW])
def test_a_letter_that_was_looked_at_before_the_week_opened_is_looked_at_again(
    cast: Cast, review: Review, opens: str
) -> None:
    """It said what would open, or that the course ends: neither is so any more."""
    written = replace(LETTER, opens=opens)
    version = preview(review, written, by=by(cast), now=at(30, 16))
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    with pytest.raises(WeekOpenedMeanwhile):
        send_review(
            review,
            letter_of_draft(draft_content(written)),
            draft_version=version,
            by=by(cast),
            now=at(30, 17, 5),
        )
    assert cast.enrolment.state is EnrolmentState.ACTIVE
    assert review.is_owed


def test_a_late_letter_that_follows_needs_its_step_whatever_was_to_open(cast: Cast, review: Review) -> None:
    open_due_weeks(now=at(30, 17), by=SYSTEM)
    with pytest.raises(NextStepMissing):
        send(review, letter(opens=LAST_REVIEW), by=by(cast), now=at(30, 18))


def test_whoever_sends_it_wrote_it_also_where_nobody_had_taken_it(cast: Cast, review: Review) -> None:
    give_review_to_pool(review, by=SYSTEM, now=at(25, 9))
    send(review, LETTER, by=acting(cast.colleague, Role.SUPPORTER), now=at(26, 9, 40))
    assert (review.owner_id, review.sent_by, review.pooled_at) == (
        cast.colleague.id,
        cast.colleague.id,
        None,
    )
    assert next_review(cast.enrolment).owner_id == cast.supporter.id


def test_a_proposal_shows_what_sending_does_and_stores_nothing(cast: Cast, review: Review) -> None:
    now = at(26, 9, 40)
    proposed = propose_next_week(review, LETTER.choice, now=now)
    assert open_week_of(cast.enrolment).number == 1
    assert not db.session.new
    assert not db.session.dirty
    send(review, LETTER, by=by(cast), now=now)
    opened = open_week_of(cast.enrolment)
    assert [(item.kind, item.title, item.planned_on, item.planned_time) for item in proposed.items] == [
        (item.kind, item.title, item.planned_on, item.planned_time) for item in opened.items
    ]
    prompts = [(kind, due) for kind, due in reminders(cast.enrolment) if kind != "review_ready"]
    assert [(one.kind.value, one.due_at) for one in proposed.reminders] == prompts
    assert (proposed.number, proposed.review_on) == (opened.number, opened.review_on)


def test_a_proposal_of_a_pause_holds_nothing(cast: Cast, review: Review) -> None:
    proposed = propose_next_week(review, NextWeekChoice(PAUSE), now=at(26, 9, 40))
    assert (proposed.module, proposed.items, proposed.reminders) == (None, (), ())


def test_a_mistake_is_mended_by_a_message(cast: Cast, review: Review) -> None:
    with pytest.raises(ReviewNotOwed):
        correct_review(review, "I meant Sunday.", posted_key="c1", by=by(cast), now=at(26, 9))
    send(review, LETTER, by=by(cast), now=at(26, 9, 40))
    correct_review(review, "I meant Sunday.", posted_key="c1", by=by(cast), now=at(26, 10))
    assert [(one.kind, one.words) for one in thread(cast.enrolment)] == [
        (MessageKind.CORRECTION, "I meant Sunday.")
    ]


def test_reminders_of_the_week_that_was_closed_say_why_they_went(cast: Cast, review: Review) -> None:
    send(review, LETTER, by=by(cast), now=at(23, 10))
    assert len(reminders(cast.enrolment, [ReminderState.WITHDRAWN])) == 3
