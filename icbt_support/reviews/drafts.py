"""A letter as its draft keeps it, and read back. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from icbt_support.plan.rules import StepChoice
from icbt_support.reviews.course import CourseChanges
from icbt_support.reviews.rules import LetterSection, LetterToSend, reason_of


def draft_content(letter: LetterToSend) -> dict[str, Any]:
    """A letter as `ReviewDraft.content` keeps it; `letter_of_draft` reads it back."""
    step = letter.step
    return {
        "sections": [{"heading": section.heading, "words": section.words} for section in letter.sections],
        "step_what": step.what if step else "",
        "step_why": step.why if step else "",
        "step_by_on": step.by_on.isoformat() if step else "",
        "step_by_time": f"{step.by_time:%H:%M}" if step and step.by_time else "",
        "step_subject": step.subject if step else "",
        "opens": letter.opens,
        "next_review_at": letter.next_review_at.isoformat() if letter.next_review_at else "",
        "minutes": letter.minutes,
        "cadence_days": letter.changes.cadence_days,
        "sessions_a_week": letter.changes.sessions_a_week,
        "modules_after": None if letter.changes.modules_after is None else list(letter.changes.modules_after),
        "phrases": list(letter.phrases),
    }


def letter_of_draft(content: Mapping[str, Any]) -> LetterToSend:
    """The letter that a draft's content holds; a step without a day has none, empty sections are dropped.

    Keys: sections [{heading, words}], step_what, step_why, step_by_on (ISO), step_by_time (HH:MM or empty),
    step_subject, opens, next_review_at (ISO instant or empty), minutes, phrases, and the changes of the course:
    cadence_days, sessions_a_week, modules_after (None, or missing: as it is).
    """
    by_on = content.get("step_by_on") or ""
    by_time = content.get("step_by_time") or ""
    next_review_at = content.get("next_review_at") or ""
    what, why = content.get("step_what", ""), reason_of(content.get("step_why", ""))
    return LetterToSend(
        sections=tuple(
            LetterSection(section["heading"], section["words"])
            for section in content.get("sections", [])
            if section["words"].strip()
        ),
        step=(
            StepChoice(
                what,
                why,
                date.fromisoformat(by_on),
                time.fromisoformat(by_time) if by_time else None,
                subject=content.get("step_subject") or "",
            )
            if by_on
            else None
        ),
        opens=content.get("opens", ""),
        next_review_at=datetime.fromisoformat(next_review_at) if next_review_at else None,
        minutes=content.get("minutes"),
        changes=_changes_of_draft(content),
        phrases=tuple(content.get("phrases") or ()),
    )


def _changes_of_draft(content: Mapping[str, Any]) -> CourseChanges:
    order = content.get("modules_after")
    return CourseChanges(
        cadence_days=content.get("cadence_days"),
        sessions_a_week=content.get("sessions_a_week"),
        modules_after=None if order is None else tuple(order),
    )
