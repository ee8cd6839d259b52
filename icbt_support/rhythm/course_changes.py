"""A letter changes the course from here on: its cadence, its pace and the order of its modules."""

from datetime import datetime

from icbt_support.audit.models import Actor
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.transitions import set_modules_ahead, set_sessions_a_week
from icbt_support.plan.queries import latest_week_of
from icbt_support.reviews.course import ALL_SESSIONS, CourseChanges, change_sentences, modules_after
from icbt_support.reviews.rules import LAST_REVIEW, LetterSection, LetterToSend, NextWeekChoice, module_of
from icbt_support.rhythm.ending import change_cadence
from icbt_support.rhythm.weeks import programme_of

REASON = "agreed in a review"
FROM_HERE_ON = "From here on"


def changes_that_count(enrolment: Enrolment, choice: NextWeekChoice) -> CourseChanges:
    """Of what was chosen, what differs from the course as it is; after the last review nothing does."""
    if choice.opens == LAST_REVIEW:
        return CourseChanges()
    chosen = choice.changes
    pace, now_pace = chosen.sessions_a_week, enrolment.sessions_a_week or ALL_SESSIONS
    return CourseChanges(
        cadence_days=None if chosen.cadence_days == enrolment.cadence_days else chosen.cadence_days,
        sessions_a_week=None if pace == now_pace else pace,
        modules_after=_new_order(enrolment, choice),
    )


def _new_order(enrolment: Enrolment, choice: NextWeekChoice) -> tuple[str, ...] | None:
    chosen, programme = choice.changes.modules_after, programme_of(enrolment)
    if chosen is None:
        return None
    known = tuple(slug for slug in chosen if programme.module(slug) is not None)
    module = module_of(choice.opens) or _module_open_now(enrolment)
    return None if known == modules_after(programme, module, enrolment.modules_ahead) else known


def _module_open_now(enrolment: Enrolment) -> str:
    week = latest_week_of(enrolment)
    return week.module if week is not None else ""


def section_from_here_on(enrolment: Enrolment, choice: NextWeekChoice) -> tuple[LetterSection, ...]:
    """What the letter says to the patient about the changes; nothing when nothing changes."""
    sentences = change_sentences(changes_that_count(enrolment, choice), programme_of(enrolment))
    return (LetterSection(FROM_HERE_ON, " ".join(sentences)),) if sentences else ()


def sections_as_sent(enrolment: Enrolment, letter: LetterToSend) -> tuple[LetterSection, ...]:
    """The letter as the patient reads it: what was typed, and then what changes from here on."""
    return (*letter.sections, *section_from_here_on(enrolment, letter.choice))


def change_pace(enrolment: Enrolment, changes: CourseChanges, *, by: Actor, now: datetime) -> None:
    """Cadence and sessions a week: before the next week opens, which they shape."""
    if changes.cadence_days is not None:
        change_cadence(enrolment, changes.cadence_days, reason=REASON, by=by, now=now)
    if changes.sessions_a_week is not None:
        set_sessions_a_week(enrolment, changes.sessions_a_week or None, reason=REASON, by=by, now=now)


def change_order(enrolment: Enrolment, changes: CourseChanges, *, by: Actor, now: datetime) -> None:
    """The order of what comes after the week that has just opened."""
    if changes.modules_after is not None:
        set_modules_ahead(enrolment, changes.modules_after, reason=REASON, by=by, now=now)
