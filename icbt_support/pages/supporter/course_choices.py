"""The fields with which a letter changes the course from here on: how often, how fast, in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import FieldList
from wtforms.fields.choices import SelectChoice

from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.fields import as_choices
from icbt_support.programme.content import Programme
from icbt_support.reviews.course import (
    ALL_SESSIONS,
    NO_CHANGES,
    CourseChanges,
    modules_after,
)
from icbt_support.reviews.rules import LAST_REVIEW, module_of

CADENCES = [SelectChoice("7", "Every week"), SelectChoice("14", "Every two weeks")]
PACES = [
    SelectChoice(str(ALL_SESSIONS), "All sessions of the module"),
    SelectChoice("1", "One session a week, so a module takes longer"),
]
_PARTS = ";"


@dataclass(frozen=True)
class CourseOptions:
    """The course as it is now, and the modules that can come."""

    cadence: str
    pace: str
    modules: tuple[tuple[str, str], ...]
    programme: Programme
    current: str
    ahead: Sequence[str] | None

    def after(self, opens: str) -> tuple[str, ...]:
        """What comes after the next module, if nobody changes the order."""
        if opens == LAST_REVIEW:
            return ()
        return modules_after(self.programme, module_of(opens) or self.current, self.ahead)


def course_options(enrolment: Enrolment, programme: Programme, current: str) -> CourseOptions:
    return CourseOptions(
        cadence=str(enrolment.cadence_days),
        pace=str(enrolment.sessions_a_week or ALL_SESSIONS),
        modules=tuple((one.slug, f"{one.number}. {one.title}") for one in programme.modules),
        programme=programme,
        current=current,
        ahead=enrolment.modules_ahead,
    )


def course_values(content: Mapping[str, Any], course: CourseOptions, opens: str) -> dict[str, Any]:
    """The fields as they open: what the draft chose, else the course as it is; one place more for an extra
    module.
    """
    usual = course.after(opens)
    chosen = content.get("modules_after")
    cadence, pace = content.get("cadence_days"), content.get("sessions_a_week")
    return {
        "cadence": course.cadence if cadence is None else str(cadence),
        "pace": course.pace if pace is None else str(pace),
        "order": [*(usual if chosen is None else chosen), ""],
        "course_before": _PARTS.join((course.cadence, course.pace, ",".join(usual))),
    }


def offer_order(order: FieldList, course: CourseOptions) -> None:
    """Gives every place its choices and its name."""
    for number, place in enumerate(order, start=1):
        place.choices = as_choices([("", "No module"), *course.modules])
        place.label.text = "After the next module" if number == 1 else f"Then, as number {number}"


def changes_typed(
    before: str | None, cadence: str | None, pace: str | None, order: Sequence[str | None]
) -> CourseChanges:
    """What was chosen and differs from the course as it stood when the form was drawn (`course_before`)."""
    parts = (before or "").split(_PARTS)
    if len(parts) != 3:
        return NO_CHANGES
    chosen = tuple(slug for slug in order if slug)
    return CourseChanges(
        cadence_days=int(cadence or "") if _is_one_of(CADENCES, cadence) and cadence != parts[0] else None,
        sessions_a_week=int(pace or "") if _is_one_of(PACES, pace) and pace != parts[1] else None,
        modules_after=None if ",".join(chosen) == parts[2] else chosen,
    )


def _is_one_of(choices: Sequence[SelectChoice], value: str | None) -> bool:
    return any(choice.value == value for choice in choices)
