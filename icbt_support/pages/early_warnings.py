"""A person who may not be benefiting yet, as staff read it: the facts, what could be adapted, and the decision."""

from dataclasses import dataclass
from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from icbt_support.audit.models import Actor
from icbt_support.cadence import to_local
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.operations import decide_on_warning
from icbt_support.early_warning.queries import decisions_on_warnings, early_warning_for
from icbt_support.early_warning.rules import EarlyWarning, WarningChoice
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.fields import LongText
from icbt_support.pages.kit import short_day_and_time

CHOICE_WORDS = {
    WarningChoice.CALL: "A call",
    WarningChoice.SLOWER_PACE: "A slower pace",
    WarningChoice.ANOTHER_MODULE: "Another module",
    WarningChoice.SOMETHING_ELSE: "Something else, which I write below",
    WarningChoice.LEAVE: "Leave things as they are for now",
}
CHOICE_HINTS = {
    WarningChoice.CALL: "Ask what helps and what gets in the way.",
    WarningChoice.SLOWER_PACE: "The same module again, fewer sessions, or a review every two weeks.",
    WarningChoice.ANOTHER_MODULE: "One that fits better what bothers them most.",
}
DONE_WORDS = {
    WarningChoice.CALL: "Noted: a call. The contact sheet has the number and the safe times.",
    WarningChoice.SLOWER_PACE: "Noted: a slower pace. It is changed in the next review.",
    WarningChoice.ANOTHER_MODULE: "Noted: another module. It is chosen in the next review.",
    WarningChoice.SOMETHING_ELSE: "Noted, with your words.",
    WarningChoice.LEAVE: "Noted: things stay as they are. It is quiet for two weeks unless something new comes.",
}


class WarningForm(FlaskForm):
    choice = RadioField(
        "What will you do?",
        choices=[SelectChoice(choice.value, words) for choice, words in CHOICE_WORDS.items()],
        validators=[InputRequired("Select what you will do, or leave things as they are")],
    )
    note = LongText("Why, in a few words (staff only)")

    def validate_note(self, field: LongText) -> None:
        if self.choice.data == WarningChoice.SOMETHING_ELSE and not field.data:
            raise ValidationError("Write what you will do")


@dataclass(frozen=True)
class WarningPanel:
    """What the panel on a record shows; `href` leads to the page on which it is decided."""

    facts: tuple[str, ...]
    suggested: str
    href: str


@dataclass(frozen=True)
class WarningDecisionLine:
    """An earlier decision, as a line of a timeline shows it."""

    at: datetime
    when: str
    title: str
    words: str
    icon: str
    by: str


def warning_panel(enrolment: Enrolment, href: str, *, now: datetime) -> WarningPanel | None:
    """The panel for this person, or None while nothing is pointed out."""
    warning = early_warning_for(enrolment, now=now)
    return panel_of(warning, href) if warning is not None else None


def panel_of(warning: EarlyWarning, href: str) -> WarningPanel:
    return WarningPanel(warning.facts, suggestion_words(warning), href)


def suggestion_words(warning: EarlyWarning) -> str:
    """a slower pace, a call or another module"""
    words = [CHOICE_WORDS[choice].lower() for choice in warning.suggested]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def keep_decision(enrolment: Enrolment, form: WarningForm, *, by: Actor, now: datetime) -> str:
    """Keeps what the form says; the sentence to show. Raises `NothingToDecide`."""
    choice = WarningChoice(form.choice.data)
    decide_on_warning(enrolment, choice, form.note.data, by=by, now=now)
    return DONE_WORDS[choice]


def decision_lines(enrolment: Enrolment, zone: str) -> list[WarningDecisionLine]:
    """What was decided before about this person, newest first; for a timeline too."""
    return [_line(decision, zone) for decision in decisions_on_warnings(enrolment)]


def _line(decision: EarlyWarningDecision, zone: str) -> WarningDecisionLine:
    local = to_local(decision.decided_at, zone)
    words = f"{'. '.join(decision.facts)}."
    return WarningDecisionLine(
        at=local,
        when=short_day_and_time(local),
        title=f"May not be benefiting yet: {choice_title(decision.choice)}",
        words=f"{words} {decision.note}".strip(),
        icon="flag",
        by=decision.decider.full_name,
    )


def choice_title(choice: WarningChoice) -> str:
    if choice is WarningChoice.SOMETHING_ELSE:
        return "something else"
    return CHOICE_WORDS[choice][0].lower() + CHOICE_WORDS[choice][1:]
