"""A course ends, with its code and its reason; and its cadence changes."""

from datetime import datetime

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import withdraw_invitations
from icbt_support.accounts.queries import open_memberships
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.queries import has_open_course_anywhere
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.transitions import change_cadence_days, end_enrolment
from icbt_support.hours.queries import held_bookings_of
from icbt_support.hours.transitions import release_booking
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.transitions import close_week
from icbt_support.reminders.operations import withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import OWED
from icbt_support.reviews.transitions import cancel_review
from icbt_support.rhythm.booster import plan_booster
from icbt_support.rhythm.holding import hold_and_reread
from icbt_support.rhythm.news import tell_patient_of_change, tell_staff_of_finish
from icbt_support.rhythm.prompts import withdraw_prompts
from icbt_support.risk.read_first import mark_read_first

OWED_TO_A_COURSE = (
    ReminderKind.START_PROMPT,
    ReminderKind.REVIEW_LATE,
    ReminderKind.REVIEW_MOVED,
    ReminderKind.STAFF_REVIEW_WARNING,
    ReminderKind.STAFF_REVIEW_LATE,
    ReminderKind.STAFF_CALL_TASK,
)
NEVER_BEGAN = (EnrolmentState.INVITED, EnrolmentState.ONBOARDING)


class ReasonMissing(Exception):
    """Staff say why they end a course."""


class CodeDoesNotFit(Exception):
    """*Never started* is for people who never began, and no other code is."""


def end_course(enrolment: Enrolment, code: EndCode, *, reason: str, by: Actor, now: datetime) -> None:
    """Ends a course by the decision of staff. Alerts stay open until a person resolves them.

    Raises `ReasonMissing`, `CodeDoesNotFit` or `enrolments.refusals.NotPossibleNow`.
    """
    if not reason.strip():
        raise ReasonMissing
    hold_and_reread(enrolment)
    if (code is EndCode.NEVER_STARTED) != (enrolment.state in NEVER_BEGAN):
        raise CodeDoesNotFit
    had_begun = enrolment.state not in NEVER_BEGAN
    _end(enrolment, code, reason, by=by, now=now)
    if had_begun:
        tell_patient_of_change(enrolment, "ended", now=now)
    elif _was_invited_for_this_alone(enrolment):
        withdraw_invitations(enrolment.patient, by=by, now=now)


def _was_invited_for_this_alone(enrolment: Enrolment) -> bool:
    roles = {membership.role for membership in open_memberships(enrolment.patient)}
    return roles <= {Role.PATIENT} and not has_open_course_anywhere(enrolment.patient_id)


def finish_with_what_i_needed(enrolment: Enrolment, words: str, *, by: Actor, now: datetime) -> None:
    """*I have what I need*: the patient's own way out, and a good ending. `words` may be empty.

    The supporter and the clinician are told. Words that hold one of the service's phrases are read first.
    """
    hold_and_reread(enrolment)
    _end(enrolment, EndCode.HAD_WHAT_I_NEEDED, words, by=by, now=now)
    tell_staff_of_finish(enrolment, now=now)
    mark_read_first(enrolment, "ending", enrolment.id, words, by=by, now=now)


def codes_that_fit(enrolment: Enrolment) -> list[EndCode]:
    """The codes with which staff can end this course now."""
    if enrolment.state in NEVER_BEGAN:
        return [EndCode.NEVER_STARTED]
    return [code for code in EndCode if code is not EndCode.NEVER_STARTED]


def change_cadence(enrolment: Enrolment, days: int, *, reason: str, by: Actor, now: datetime) -> None:
    """Weekly or fortnightly from the next week on; the review that is promised keeps its date."""
    if enrolment.state is EnrolmentState.ENDED:
        raise NotPossibleNow(enrolment.state, enrolment.state)
    if enrolment.cadence_days == days:
        return
    change_cadence_days(enrolment, days, reason=reason, by=by, now=now)


def change_cadence_and_tell(enrolment: Enrolment, days: int, *, by: Actor, now: datetime) -> None:
    """The same by a clinician, outside of a letter: the patient is told."""
    if enrolment.cadence_days == days:
        return
    change_cadence(enrolment, days, reason="", by=by, now=now)
    tell_patient_of_change(enrolment, "cadence", now=now)


def let_go_of_reviews(enrolment: Enrolment, *, reason: str, by: Actor, now: datetime) -> int:
    """Cancels every owed review of a course and frees its places; returns how many were owed."""
    owed = db.session.scalars(
        select(Review).where(Review.enrolment_id == enrolment.id, Review.state.in_(OWED)).order_by(Review.id)
    ).all()
    for review in owed:
        cancel_review(review, reason=reason, by=by, now=now)
    for booking in held_bookings_of(enrolment.id, now):
        release_booking(booking, now=now)
    return len(owed)


def _end(enrolment: Enrolment, code: EndCode, reason: str, *, by: Actor, now: datetime) -> None:
    end_enrolment(enrolment, code, reason=reason.strip(), by=by, now=now)
    week = open_week_of(enrolment)
    if week is not None:
        close_week(week, by=by, now=now)
    let_go_of_reviews(enrolment, reason="the course ended", by=by, now=now)
    withdraw_prompts(enrolment, reason="the course ended", now=now)
    withdraw_reminders(
        now=now, reason="the course ended", context=f"enrolment:{enrolment.id}", kinds=OWED_TO_A_COURSE
    )
    plan_booster(enrolment, by=by, now=now)
