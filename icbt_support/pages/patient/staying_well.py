"""What a person goes on with after the course: their staying-well plan, put together from what they have."""

from dataclasses import dataclass

from flask import url_for

from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.queries import entries_of, exercise_answers
from icbt_support.programme.content import Module
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import last_sent

PLAN_EXERCISE = "staying-well-plan"
SAFETY_PLAN = "safety-plan"


@dataclass(frozen=True)
class StayingWell:
    """The step agreed last, with its reason; what was written about keeping well; the safety plan.

    `write_href` leads to the page on which the plan is written; None where the programme has no such page.
    """

    step: str
    step_why: str
    agreed_with: str
    answers: tuple[tuple[str, str], ...]
    write_href: str | None
    safety_plan_href: str | None
    has_safety_plan: bool


def staying_well(enrolment: Enrolment) -> StayingWell:
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    last = last_sent(enrolment)
    letter = last.letter if last else None
    found = _plan_page(programme.modules)
    answers: tuple[tuple[str, str], ...] = ()
    write_href = None
    if found is not None:
        module, page = found
        written = exercise_answers(enrolment, module.slug)
        answers = tuple(
            (exercise.label, written[(module.slug, exercise.key)].words)
            for exercise in module.exercises()
            if (module.slug, exercise.key) in written
        )
        write_href = url_for("patient_programme.page", module=module.slug, page=page)
    has_tool = SAFETY_PLAN in programme.tools
    return StayingWell(
        step=letter.step_what if letter else "",
        step_why=letter.step_why if letter else "",
        agreed_with=letter.author.called if letter else enrolment.supporter.called,
        answers=answers,
        write_href=write_href,
        safety_plan_href=url_for("patient_tools.tool", tool=SAFETY_PLAN) if has_tool else None,
        has_safety_plan=has_tool and bool(entries_of(enrolment, SAFETY_PLAN)),
    )


def _plan_page(modules: tuple[Module, ...]) -> tuple[Module, str] | None:
    """The module and page with the exercise in which a staying-well plan is written."""
    return next(
        (
            (module, page.slug)
            for module in reversed(modules)
            for page in module.pages
            if page.exercise is not None and page.exercise.key == PLAN_EXERCISE
        ),
        None,
    )
