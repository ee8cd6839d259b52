"""What the composer of a review offers, and the words that say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from icbt_support.cadence import local_day
from icbt_support.engagement.person import module_was_opened
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.fields import time_choices
from icbt_support.pages.kit import long_day
from icbt_support.pages.supporter.course_choices import CourseOptions, course_options
from icbt_support.pages.supporter.letter_step import StepOptions, step_options
from icbt_support.pages.supporter.review_away import AwayOffer, away_offer
from icbt_support.pages.supporter.review_times import (
    cover_times,
    days_away,
    default_review,
    know_who_is_there,
    next_review_times,
    review_day,
    review_hint,
)
from icbt_support.programme.content import Programme
from icbt_support.reviews.course import following_module
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import LAST_REVIEW, PAUSE, default_opening, opening_options
from icbt_support.rhythm.week_items import is_worked_through

DAYS_FOR_A_STEP = 15
OTHER_MODULE = "other"


@dataclass(frozen=True)
class LetterChoices:
    """What the composer offers, and the words that say why."""

    opens: tuple[tuple[str, str], ...]
    other_modules: tuple[tuple[str, str], ...]
    step_days: tuple[tuple[str, str], ...]
    step_times: tuple[tuple[str, str], ...]
    review_days: tuple[tuple[str, str], ...]
    review_hint: str
    default_opens: str
    default_review_at: str
    review_at_by_cadence: Mapping[int, str]
    away: AwayOffer | None
    step: StepOptions
    course: CourseOptions


def letter_choices(review: Review, programme: Programme, *, now: datetime) -> LetterChoices:
    enrolment = review.enrolment
    current = review.week.module if review.week else programme.modules[0].slug
    ahead = enrolment.modules_ahead
    options = opening_options(programme, current, ahead)
    following = following_module(programme, current, ahead)
    near = 1 if following is None or following.slug == current else 2
    modules = [option for option in options if option.value not in (PAUSE, LAST_REVIEW)]
    shown = [*modules[:near], *options[len(modules) :]]
    opens = [(option.value, option.label) for option in shown]
    others = tuple((option.value, option.label) for option in modules[near:])
    if others:
        opens.insert(near, (OTHER_MODULE, "Another module"))
    times, absences = next_review_times(review, now=now), days_away(review, now=now)
    of_cover = cover_times(review, absences, now=now)
    offered = sorted([*times, *of_cover], key=lambda one: one.starts_at)
    know_who_is_there(review, offered, absences)
    review_at = {days: default_review(enrolment, times, now, days=days) for days in (7, 14)}
    return LetterChoices(
        opens=tuple(opens),
        other_modules=(("", "Choose a module"), *others),
        step_days=(("", "Choose a day"), *_step_days(enrolment, now)),
        step_times=(("", "Any time"), *time_choices(7, 22)),
        review_days=(("", "Choose a day"), *(review_day(review, one) for one in offered)),
        review_hint=review_hint(review, times, absences),
        default_opens=default_opening(
            programme, current, was_opened=_may_go_on(review, enrolment), ahead=ahead
        ),
        default_review_at=review_at[enrolment.cadence_days],
        review_at_by_cadence=review_at,
        away=away_offer(review, absences, times, of_cover, now=now),
        step=step_options(programme),
        course=course_options(enrolment, programme, current),
    )


def _may_go_on(review: Review, enrolment: Enrolment) -> bool:
    """Whether the next module is the usual choice: this one was opened in its week and, at a slower pace, read."""
    if review.week is None or not module_was_opened(review.week, enrolment):
        return False
    return enrolment.sessions_a_week is None or is_worked_through(enrolment, review.week.module)


def _step_days(enrolment: Enrolment, now: datetime) -> Sequence[tuple[str, str]]:
    today = local_day(now, enrolment.patient.zone)
    days = [today + timedelta(days=count) for count in range(DAYS_FOR_A_STEP)]
    return [(day.isoformat(), long_day(day)) for day in days]
