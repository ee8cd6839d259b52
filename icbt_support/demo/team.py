"""What the demo's staff do about their own work: phrases, an absence with cover, a colleague who leaves, early
warnings and supervision. By the product's verbs, on the days on which it is told.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial

from icbt_support.accounts.models import Role
from icbt_support.demo import team_words as said
from icbt_support.demo.people import ADMINISTRATOR, DANA, DR_WEISS, LEWIS, PRIYA, STANDS_ON, TOM
from icbt_support.demo.states import HOPE, WREN
from icbt_support.demo.stories import AMIRA, GRACE, day_before
from icbt_support.demo.world import World, wall
from icbt_support.early_warning.operations import decide_on_warning
from icbt_support.early_warning.queries import early_warnings_of
from icbt_support.enrolments.queries import for_supporter, open_enrolments_of_supporter
from icbt_support.hours.capacity import set_limit
from icbt_support.hours.models import AbsenceReason
from icbt_support.phrases.operations import add_phrase
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.rhythm.absence import Choice, CoverBy, FirstDayBack, record_absence
from icbt_support.rhythm.handover import close_account, hand_over
from icbt_support.rhythm.touched import TouchedReview, touched_reviews
from icbt_support.supervision.letters import letters_of_meeting, letters_read_with
from icbt_support.supervision.operations import (
    answer_form,
    decide_in_meeting,
    end_meeting,
    fill_in_form,
    follow_up_decision,
    start_meeting,
)
from icbt_support.supervision.queries import decided_before, discussions_of, open_meeting_of
from icbt_support.supervision.rules import FollowUp, Reason

HANDED_OVER_ON, LEFT_ON = day_before(9), day_before(6)
AWAY_FROM_ON, AWAY_UNTIL_ON = day_before(1), date(2026, 11, 27)
MEETINGS_ON = (day_before(31), day_before(3))
MOST_PEOPLE = 25
NOT_DECIDED_YET = (AMIRA, GRACE)


def plan_team_days(world: World) -> None:
    """Everything that staff do on a day of its own; what would lie before the demo begins is left out."""
    world.at(wall(world.begins_on, time(8, 30)), partial(_keep_phrases, world))
    world.at(wall(world.begins_on, time(8, 50)), partial(_set_limits, world))
    for on in MEETINGS_ON:
        _at(world, on, time(15), _begin_supervision)
        _at(world, on, time(15, 40), _end_supervision)
    _at(world, HANDED_OVER_ON, time(11, 30), _hand_over_lewis_people)
    _at(world, LEFT_ON, time(16, 30), _close_lewis_account)
    _at(world, day_before(2), time(9, 10), _answer_forms)
    _at(world, day_before(2), time(9, 25), _decide_on_warnings)
    _at(world, day_before(2), time(16), _record_danas_absence)


def _at(world: World, on: date, at: time, act: Callable[[World, datetime], None]) -> None:
    if world.begins_on < on <= STANDS_ON:
        world.at(wall(on, at), partial(act, world))


# Phrases ----------------------------------------------------------------------------------------------------


def _keep_phrases(world: World, now: datetime) -> None:
    clinician, priya = world.as_staff(DR_WEISS, Role.CLINICIAN), world.as_staff(PRIYA, Role.SUPPORTER)
    for by, owner_id, phrases in (
        (clinician, None, said.SERVICE_PHRASES),
        (priya, world.staff[PRIYA], said.PRIYAS_PHRASES),
    ):
        for title, words in phrases:
            add_phrase(
                world.service_id,
                title,
                words,
                owner_id=owner_id,
                posted_key=world.posted_key(),
                by=by,
                now=now,
            )


# Who is there -----------------------------------------------------------------------------------------------


def _set_limits(world: World, now: datetime) -> None:
    for email in (PRIYA, TOM):
        set_limit(
            world.staff[email],
            service_id=world.service_id,
            people=MOST_PEOPLE,
            minutes_a_week=None,
            by=world.as_staff(DR_WEISS, Role.CLINICIAN),
            now=now,
        )


def _record_danas_absence(world: World, now: datetime) -> None:
    """Priya writes to Dana's people meanwhile; who has just begun waits until Dana is back."""
    dana, service = world.member(DANA), world.service()
    touched = touched_reviews(dana, service=service, from_on=AWAY_FROM_ON, until_on=AWAY_UNTIL_ON, now=now)
    record_absence(
        dana,
        service=service,
        from_on=AWAY_FROM_ON,
        until_on=AWAY_UNTIL_ON,
        cover_id=world.staff[PRIYA],
        choices={item.review.id: _choice(world, item) for item in touched},
        by=world.as_staff(DANA, Role.SUPPORTER),
        now=now,
        reason=AbsenceReason.LEAVE,
    )


def _choice(world: World, item: TouchedReview) -> Choice:
    can_wait = item.can_wait and item.review.enrolment.patient.email == WREN.email
    return FirstDayBack() if can_wait else CoverBy(world.staff[PRIYA])


def _hand_over_lewis_people(world: World, now: datetime) -> None:
    for enrolment in open_enrolments_of_supporter(world.staff[LEWIS]):
        to = PRIYA if enrolment.patient.email == HOPE.email else TOM
        hand_over(
            enrolment,
            world.member(to),
            reason="Lewis is leaving the service.",
            by=world.as_staff(DR_WEISS, Role.CLINICIAN),
            now=now,
        )


def _close_lewis_account(world: World, now: datetime) -> None:
    """In a short demo somebody came to him after the others had gone over."""
    _hand_over_lewis_people(world, now)
    close_account(world.member(LEWIS), by=world.as_staff(ADMINISTRATOR, Role.ADMINISTRATOR), now=now)


# Early warnings and supervision -----------------------------------------------------------------------------


def _decide_on_warnings(world: World, now: datetime) -> None:
    """Priya decides about the first of those who may not be benefiting yet; others wait for somebody."""
    own = open_enrolments_of_supporter(world.staff[PRIYA])
    warnings = early_warnings_of(own, now=now)
    to_decide = [one for one in own if one.id in warnings and one.patient.email not in NOT_DECIDED_YET]
    for enrolment, choice in zip(to_decide, said.WARNING_NOTES, strict=False):
        decide_on_warning(
            enrolment,
            choice,
            said.WARNING_NOTES[choice],
            by=world.as_staff(PRIYA, Role.SUPPORTER),
            now=now,
        )


def _begin_supervision(world: World, now: datetime) -> None:
    """Dr Weiss and Priya look at what became of the last meeting, at Priya's list, and at a letter."""
    by = world.as_staff(DR_WEISS, Role.CLINICIAN)
    meeting = start_meeting(world.member(PRIYA), world.service(), by=by, now=now)
    for earlier in decided_before(meeting):
        follow_up_decision(earlier, FollowUp.HAPPENED, by=by, now=now)
    for discussion in discussions_of(meeting):
        reasons = [Reason(reason) for reason, _ in discussion.reasons]
        decision, note = said.decision_about(reasons, discussion.position)
        decide_in_meeting(discussion, decision, note, by=by, now=now)


def _end_supervision(world: World, now: datetime) -> None:
    by = world.as_staff(DR_WEISS, Role.CLINICIAN)
    meeting = open_meeting_of(world.staff[PRIYA], world.service())
    if meeting is None:
        return
    for letter in letters_of_meeting(meeting)[:1]:
        if letter.filled_in_at is None:
            marks = {one: said.MARKS.get(one, said.NOT_LOOKED_FOR) for one in TherapistBehaviour}
            fill_in_form(letter, marks, said.ABOUT_THE_LETTER, by=by, now=now)
    end_meeting(meeting, by=by, now=now)


def _answer_forms(world: World, now: datetime) -> None:
    by = world.as_staff(PRIYA, Role.SUPPORTER)
    for letter in letters_read_with(world.staff[PRIYA], for_supporter(world.member(PRIYA), now=now)):
        if letter.answered_at is None:
            answer_form(letter, said.PRIYAS_ANSWER, by=by, now=now)
