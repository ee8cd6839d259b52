"""The composer of a review: its form, what a draft keeps of it, and the choices that it offers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_wtf import FlaskForm
from wtforms import FieldList, HiddenField, RadioField, SelectField
from wtforms.validators import Length

from icbt_support.pages.fields import Line, LongText, as_choices
from icbt_support.pages.supporter.course_choices import (
    CADENCES,
    PACES,
    changes_typed,
    course_values,
    offer_order,
)
from icbt_support.pages.supporter.letter_choices import OTHER_MODULE, LetterChoices
from icbt_support.pages.supporter.letter_step import (
    FREE,
    STEP_KINDS,
    USES_SOMETHING,
    is_step_subject,
    step_values,
)
from icbt_support.pages.supporter.review_away import AwayOption
from icbt_support.pages.supporter.typed_values import read_day, read_instant, read_number, read_time
from icbt_support.plan.rules import StepChoice
from icbt_support.reviews.course import CourseChanges
from icbt_support.reviews.models import ReviewDraft
from icbt_support.reviews.rules import QUIET_WEEK_HEADINGS, SECTION_HEADINGS, NextWeekChoice

USUAL_STEP_TIME = "18:00"
LETTER, SHORT = "letter", "short"
LETTER_SECTIONS = dict(zip(("noticed", "question", "scores"), SECTION_HEADINGS, strict=True))
SHORT_SECTIONS = dict(zip(("kind_line", "obstacle"), QUIET_WEEK_HEADINGS, strict=True))
ALL_SECTIONS = LETTER_SECTIONS | SHORT_SECTIONS
SHORT_WORDS = {
    "kind_line": "It has been a quiet week here, and that is fine. We start again where you are.",
    "obstacle": "What got in the way? You can tell me in Messages, in a few words, if you like.",
}
LONGEST_MINUTES = 240
_LONGEST_DRAFT_WORDS = 20_000


class LetterForm(FlaskForm):
    """The whole composer. Only the preview asks for what a letter needs: a draft may be half-written."""

    noticed = LongText(LETTER_SECTIONS["noticed"])
    question = LongText(LETTER_SECTIONS["question"])
    scores = LongText(LETTER_SECTIONS["scores"])
    kind_line = LongText(SHORT_SECTIONS["kind_line"])
    obstacle = LongText(SHORT_SECTIONS["obstacle"])
    step_what = Line("What", maximum=120)
    step_why = Line("Why it helps, because …")
    step_kind = RadioField("What it uses", choices=STEP_KINDS, default=FREE, validate_choice=False)
    step_tool = SelectField("Which tool", validate_choice=False)
    step_page = SelectField("Which page", validate_choice=False)
    step_module = SelectField("Which module", validate_choice=False)
    step_by_on = SelectField("Day", validate_choice=False)
    step_by_time = SelectField("Time", validate_choice=False)
    opens = RadioField("What opens next", validate_choice=False)
    other_module = SelectField("Which module", validate_choice=False)
    next_review_at = SelectField("Next review", validate_choice=False)
    cadence = RadioField("How often I write", choices=CADENCES, validate_choice=False)
    pace = RadioField("Sessions in a week", choices=PACES, validate_choice=False)
    order = FieldList(SelectField(validate_choice=False), "What comes after the next module", max_entries=12)
    course_before = HiddenField()
    phrases = HiddenField(validators=[Length(max=200)])
    phrase_into = SelectField("Put it at the end of", validate_choice=False)
    minutes = Line("Minutes this took, if you like to say", maximum=4)
    shape = HiddenField(default=LETTER)
    left_out = HiddenField(validators=[Length(max=100)])
    version = HiddenField()
    opened_at = HiddenField()
    worked_seconds = HiddenField()

    @property
    def is_short(self) -> bool:
        return self.shape.data == SHORT

    @property
    def sections(self) -> dict[str, str]:
        """The sections of this shape, by field, with their headings."""
        return SHORT_SECTIONS if self.is_short else LETTER_SECTIONS

    @property
    def left_out_sections(self) -> list[str]:
        return [name for name in (self.left_out.data or "").split(",") if name in self.sections]

    @property
    def kept_sections(self) -> list[str]:
        return [name for name in self.sections if name not in self.left_out_sections]

    @property
    def draft_version(self) -> int | None:
        """The version that this form was opened with; None when there was no draft."""
        return read_number(self.version.data)

    @property
    def opening(self) -> str:
        """What opens next, as the rules name it."""
        chosen = self.other_module.data if self.opens.data == OTHER_MODULE else self.opens.data
        return chosen or ""

    def leave_out(self, name: str) -> None:
        self.left_out.data = ",".join(dict.fromkeys([*self.left_out_sections, name]))

    def put_back(self, name: str) -> None:
        self.left_out.data = ",".join(one for one in self.left_out_sections if one != name)

    def add_words(self, name: str, words: str) -> None:
        """Puts words at the end of a section, which comes back into the letter if it was left out."""
        field = self[name]
        field.data = f"{field.data.rstrip()}\n\n{words}" if field.data else words
        self.put_back(name)

    def choose_while_away(self, option: AwayOption) -> None:
        """Takes this day for the next review, and says so at the end of the letter."""
        self.next_review_at.data = option.review_at
        self.add_words((self.kept_sections or list(self.sections))[-1], option.sentence)

    def choice(self) -> NextWeekChoice:
        """What was chosen for the next week so far; what is missing is missing."""
        by_on = read_day(self.step_by_on.data)
        step = (
            StepChoice(
                self.step_what.data,
                self.step_why.data,
                by_on,
                read_time(self.step_by_time.data),
                subject=self.step_subject,
            )
            if by_on is not None and self.step_what.data
            else None
        )
        return NextWeekChoice(self.opening, step, read_instant(self.next_review_at.data), self.course_changes)

    @property
    def step_subject(self) -> str:
        """What the next step uses, as the plan names it; empty for a free task."""
        chosen = self[f"step_{self.step_kind.data}"].data if self.step_kind.data in USES_SOMETHING else ""
        return chosen if chosen and is_step_subject(chosen) else ""

    @property
    def course_changes(self) -> CourseChanges:
        """What differs from the course as it stood when this form was drawn."""
        return changes_typed(
            self.course_before.data, self.cadence.data, self.pace.data, [one.data for one in self.order]
        )

    @property
    def phrase_ids(self) -> list[int]:
        numbers = (read_number(one) for one in (self.phrases.data or "").split(","))
        return [number for number in dict.fromkeys(numbers) if number]

    @property
    def minutes_typed(self) -> int | None:
        """The minutes, if they can be true; None where nothing, or something else, was typed."""
        minutes = read_number(self.minutes.data)
        return minutes if minutes is not None and 1 <= minutes <= LONGEST_MINUTES else None

    def _order_typed(self) -> list[str] | None:
        order = self.course_changes.modules_after
        return None if order is None else list(order)

    def to_draft(self) -> dict[str, Any]:
        """What the draft keeps: every word typed, also in sections that are left out."""
        by_time = read_time(self.step_by_time.data)
        by_on = read_day(self.step_by_on.data)
        next_review_at = read_instant(self.next_review_at.data)
        return {
            "sections": [
                {"heading": self.sections[name], "words": self[name].data} for name in self.kept_sections
            ],
            "words": {name: self[name].data[:_LONGEST_DRAFT_WORDS] for name in ALL_SECTIONS},
            "shape": self.shape.data,
            "left_out": self.left_out_sections,
            "step_what": self.step_what.data,
            "step_why": self.step_why.data,
            "step_by_on": by_on.isoformat() if by_on else "",
            "step_by_time": f"{by_time:%H:%M}" if by_time else "",
            "step_kind": self.step_kind.data,
            "step_subject": self.step_subject,
            "cadence_days": self.course_changes.cadence_days,
            "sessions_a_week": self.course_changes.sessions_a_week,
            "modules_after": self._order_typed(),
            "phrases": self.phrase_ids,
            "opens": self.opening,
            "next_review_at": next_review_at.isoformat() if next_review_at else "",
            "opened_at": self.opened_at.data or "",
            "minutes": self.minutes_typed,
            "worked_seconds": min(read_number(self.worked_seconds.data) or 0, LONGEST_MINUTES * 60),
        }


def new_form(
    choices: LetterChoices, draft: ReviewDraft | None, *, is_short: bool, now: datetime
) -> LetterForm:
    """The form as it opens: from the draft, or with the defaults of a new letter."""
    content = draft.content if draft is not None else _new_content(choices, is_short)
    opens = content.get("opens") or choices.default_opens
    is_other = opens in dict(choices.other_modules) and opens != ""
    form = LetterForm(
        formdata=None,
        data={
            **words_of(content),
            **{
                name: content.get(name, "")
                for name in ("step_what", "step_why", "step_by_on", "step_by_time")
            },
            **step_values(content.get("step_subject") or "", content.get("step_kind") or FREE),
            **course_values(content, choices.course, opens),
            "phrases": ",".join(str(number) for number in content.get("phrases") or ()),
            "shape": content.get("shape", LETTER),
            "left_out": ",".join(content.get("left_out", [])),
            "opens": OTHER_MODULE if is_other else opens,
            "other_module": opens if is_other else "",
            "next_review_at": content.get("next_review_at") or choices.default_review_at,
            "minutes": str(content.get("minutes") or ""),
            "worked_seconds": str(content.get("worked_seconds") or ""),
            "version": str(draft.version) if draft is not None else "",
            "opened_at": now.isoformat(),
        },
    )
    offer(form, choices)
    follow_cadence(form, choices)
    return form


def offer(form: LetterForm, choices: LetterChoices) -> LetterForm:
    """Gives the form its choices; a day that was chosen earlier and is gone is not one of them."""
    form.step_by_on.choices = as_choices(choices.step_days)
    form.step_by_time.choices = as_choices(choices.step_times)
    form.opens.choices = as_choices(choices.opens)
    form.other_module.choices = as_choices(choices.other_modules)
    form.next_review_at.choices = as_choices(choices.review_days)
    form.step_tool.choices = as_choices(choices.step.tools)
    form.step_page.choices = as_choices(choices.step.pages)
    form.step_module.choices = as_choices(choices.step.modules)
    form.phrase_into.choices = as_choices(form.sections.items())
    offer_order(form.order, choices.course)
    return form


def follow_cadence(form: LetterForm, choices: LetterChoices) -> None:
    """Who changes how often reviews come, and left the next one where it was, moves it along."""
    days = form.course_changes.cadence_days
    if days is not None and form.next_review_at.data == choices.default_review_at:
        form.next_review_at.data = choices.review_at_by_cadence[days] or form.next_review_at.data


def _new_content(choices: LetterChoices, is_short: bool) -> dict[str, Any]:
    return {
        "words": dict.fromkeys(LETTER_SECTIONS, "") | SHORT_WORDS,
        "shape": SHORT if is_short else LETTER,
        "step_by_time": USUAL_STEP_TIME,
        "opens": choices.default_opens,
        "next_review_at": choices.default_review_at,
    }


def words_of(content: Mapping[str, Any]) -> dict[str, str]:
    """The words of a draft by field; a draft made elsewhere holds them by heading alone."""
    by_heading = {section["heading"]: section["words"] for section in content.get("sections", [])}
    named = {name: by_heading[heading] for name, heading in ALL_SECTIONS.items() if heading in by_heading}
    return named | content.get("words", {})


def kept_words(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The words of a draft or of a kept text, heading by heading, to be read or copied; what the short form
    offers of itself is nobody's words in a whole letter.
    """
    words = words_of(content)
    offered = {} if content.get("shape") == SHORT else SHORT_WORDS
    rows = [
        (ALL_SECTIONS[name], words[name])
        for name in ALL_SECTIONS
        if words.get(name) and words[name] != offered.get(name)
    ]
    rows += [("Next step", content["step_what"])] if content.get("step_what") else []
    return rows + ([("Why it helps", content["step_why"])] if content.get("step_why") else [])
