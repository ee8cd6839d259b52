"""Sending a review: final, and one transaction."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.queries import local_today
from icbt_support.enrolments.transitions import change_state, end_enrolment
from icbt_support.messages.models import Message, MessageKind
from icbt_support.messages.operations import mark_question_answered, post_message
from icbt_support.messages.queries import open_questions
from icbt_support.plan.models import OpenedBecause, Week
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.rules import step_item, with_its_minutes
from icbt_support.plan.transitions import add_item, close_week
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.drafts import letter_of_draft
from icbt_support.reviews.models import Review, ReviewDraft, ReviewKind, ReviewLetter
from icbt_support.reviews.operations import check_is_owed
from icbt_support.reviews.queries import draft_of, highest_number, owed_reviews, patient_events_since
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    PAUSE,
    LetterToSend,
    NotPreviewed,
    PatientWroteMeanwhile,
    ReviewNotOwed,
    StaleDraft,
    WeekOpenedMeanwhile,
    check_letter,
    module_of,
    opens_module,
)
from icbt_support.reviews.transitions import cancel_review, mark_sent
from icbt_support.rhythm.booster import plan_booster
from icbt_support.rhythm.course_changes import change_order, change_pace, changes_that_count, sections_as_sent
from icbt_support.rhythm.prompts import Reconciled, reconcile_prompts
from icbt_support.rhythm.proposing import week_opened_without
from icbt_support.rhythm.weeks import book_review, place_week, programme_of, promised_day, release_place
from icbt_support.risk.operations import hold_course

NEWS_OF_LATENESS = (
    ReminderKind.STAFF_REVIEW_WARNING,
    ReminderKind.STAFF_REVIEW_LATE,
    ReminderKind.REVIEW_LATE,
)


@dataclass(frozen=True)
class Sent:
    """What a send changed: numbers for the sentence "week closed, week 4 open, 3 reminders planned, 2
    withdrawn".
    """

    review: Review
    letter: ReviewLetter
    week_closed: int | None
    week_opened: int | None
    planned: int
    withdrawn: int
    next_review_on: date | None
    is_late_follow: bool = False


def send_review(
    review: Review, letter: LetterToSend, *, draft_version: int, by: Actor, now: datetime
) -> Sent:
    """Sends the letter: stores it for good, closes the week, opens the next with the agreed step, books the
    next review, changes the course from here on, owes and withdraws reminders, answers the open questions and
    tells the patient.

    `letter` is what the previewed draft holds (`letter_of_draft(draft.content)`). Refuses with
    `ReviewAlreadySent`, `ReviewNotOwed`, `StaleDraft`, `NotPreviewed`, `WeekOpenedMeanwhile`, `PatientWroteMeanwhile`,
    `NextStepMissing`, `LetterIncomplete` or a kind of `hours.refusals.TimeNotFree`. A late review whose next
    week has opened adds its step to the open week and keeps that week's review date.
    """
    enrolment = review.enrolment
    hold_course(enrolment.id)
    db.session.refresh(enrolment)
    check_is_owed(review)
    if review.kind is ReviewKind.WELCOME:
        raise ReviewNotOwed(None)
    draft = _refuse_what_was_not_previewed(review, letter, draft_version, now)
    open_already = week_opened_without(review)
    if open_already is not None:
        _refuse_preview_of_another_week(draft, open_already)
        return _send_into_open_week(review, letter, open_already, by=by, now=now)
    return _send_and_open(review, letter, by=by, now=now)


def _refuse_what_was_not_previewed(
    review: Review, letter: LetterToSend, draft_version: int, now: datetime
) -> ReviewDraft:
    draft = draft_of(review)
    if draft is None:
        raise NotPreviewed
    if draft.version != draft_version:
        raise StaleDraft(draft)
    is_previewed = draft.previewed_version == draft.version and letter_of_draft(draft.content) == letter
    if not is_previewed or draft.previewed_at is None:
        raise NotPreviewed
    events = patient_events_since(review.enrolment, draft.previewed_at, until=now)
    if events:
        raise PatientWroteMeanwhile(events)
    return draft


def _refuse_preview_of_another_week(draft: ReviewDraft, week: Week) -> None:
    if draft.previewed_at is None or draft.previewed_at < week.opened_at:
        raise WeekOpenedMeanwhile


def _send_into_open_week(
    review: Review, letter: LetterToSend, week: Week, *, by: Actor, now: datetime
) -> Sent:
    """A late review that follows: the week stays as it opened, and gets the step."""
    enrolment = review.enrolment
    letter = replace(letter, opens=opens_module(week.module), next_review_at=None)
    check_letter(
        letter,
        today=local_today(enrolment, now),
        next_review_on=week.review_on,
        merge_under_days=enrolment.service.rhythm.merge_under_days,
        is_late_follow=True,
    )
    changes = changes_that_count(enrolment, letter.choice)
    as_sent = replace(letter, sections=sections_as_sent(enrolment, letter))
    stored = mark_sent(review, as_sent, next_review_on=week.review_on, kind=review.kind, by=by, now=now)
    if letter.step is not None and week.is_open:
        step = with_its_minutes(letter.step, programme_of(enrolment))
        add_item(week, step_item(step), review_id=review.id)
        db.session.refresh(week, ["items"])
    change_pace(enrolment, changes, by=by, now=now)
    change_order(enrolment, changes, by=by, now=now)
    reconciled = reconcile_prompts(enrolment, by=by, now=now)
    _tell(review, by=by, now=now)
    return Sent(
        review=review,
        letter=stored,
        week_closed=None,
        week_opened=None,
        planned=reconciled.owed,
        withdrawn=reconciled.withdrawn,
        next_review_on=week.review_on,
        is_late_follow=True,
    )


def _send_and_open(review: Review, letter: LetterToSend, *, by: Actor, now: datetime) -> Sent:
    enrolment = review.enrolment
    is_last = letter.opens == LAST_REVIEW
    next_on = _next_review_on(enrolment, letter)
    check_letter(
        letter,
        today=local_today(enrolment, now),
        next_review_on=next_on,
        merge_under_days=enrolment.service.rhythm.merge_under_days,
        is_late_follow=False,
        away_until_on=enrolment.away_until_on,
    )
    changes = changes_that_count(enrolment, letter.choice)
    stored = mark_sent(
        review,
        replace(letter, sections=sections_as_sent(enrolment, letter)),
        next_review_on=next_on,
        kind=ReviewKind.LAST if is_last else ReviewKind.WEEKLY,
        by=by,
        now=now,
    )
    release_place(review, now=now)
    closing = open_week_of(enrolment)
    if closing is not None:
        close_week(closing, by=by, now=now)
    change_pace(enrolment, changes, by=by, now=now)
    opened = None if is_last else _open_next(review, letter, by=by, now=now)
    change_order(enrolment, changes, by=by, now=now)
    if is_last:
        _end(enrolment, by=by, now=now)
    reconciled: Reconciled = reconcile_prompts(enrolment, by=by, now=now)
    _tell(review, by=by, now=now)
    return Sent(
        review=review,
        letter=stored,
        week_closed=closing.number if closing else None,
        week_opened=opened.number if opened else None,
        planned=reconciled.owed,
        withdrawn=reconciled.withdrawn,
        next_review_on=next_on,
    )


def _next_review_on(enrolment: Enrolment, letter: LetterToSend) -> date | None:
    """The day that the patient is told, where the patient is."""
    if letter.opens == LAST_REVIEW or letter.next_review_at is None:
        return None
    return promised_day(enrolment, letter.next_review_at)


def _open_next(review: Review, letter: LetterToSend, *, by: Actor, now: datetime) -> Week | None:
    """Books the next review and opens its week; a pause has a date, and no week until the plan goes on."""
    enrolment = review.enrolment
    if letter.next_review_at is None:
        raise AssertionError("check_letter lets no letter through without a date")
    number = highest_number(enrolment) + 1
    following = book_review(enrolment, letter.next_review_at, number=number, by=by, now=now)
    if letter.opens == PAUSE:
        change_state(enrolment, EnrolmentState.PAUSED, reason="agreed in a review", by=by, now=now)
        return None
    if enrolment.state is EnrolmentState.PAUSED:
        change_state(enrolment, EnrolmentState.ACTIVE, reason="agreed in a review", by=by, now=now)
    return place_week(
        enrolment,
        module_of(letter.opens) or "",
        review=following,
        because=OpenedBecause.REVIEW_SENT,
        step=letter.step,
        agreed_in=review,
        by=by,
        now=now,
    )


def _end(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """The last review is the planned ending; a clinician may add words to its code later."""
    for owed in owed_reviews(enrolment):
        cancel_review(owed, reason="the course ended", by=by, now=now)
        release_place(owed, now=now)
    end_enrolment(enrolment, EndCode.AGREED, reason="", by=by, now=now)
    plan_booster(enrolment, by=by, now=now)


def _tell(review: Review, *, by: Actor, now: datetime) -> None:
    enrolment = review.enrolment
    withdraw_reminders(
        now=now, reason="the review was sent", subject=f"review:{review.id}", kinds=NEWS_OF_LATENESS
    )
    for question in open_questions(enrolment):
        mark_question_answered(question, by=by, now=now)
    owe_reminder(
        key=f"review-ready:{review.id}",
        kind=ReminderKind.REVIEW_READY,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=f"review:{review.id}",
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )


def correct_review(review: Review, words: str, *, posted_key: str, by: Actor, now: datetime) -> Message:
    """Mends a sent letter by a correction message; the letter itself never changes."""
    if review.sent_at is None:
        raise ReviewNotOwed(review.merged_into_id)
    return post_message(
        review.enrolment, words, kind=MessageKind.CORRECTION, posted_key=posted_key, by=by, now=now
    )
