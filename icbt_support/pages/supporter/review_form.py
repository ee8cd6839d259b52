"""The composer of a review: its form, what a draft keeps of it, and the choices that it offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField
from wtforms.validators import Length

from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.person import module_was_opened
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours import queries as hours
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import FreeTime
from icbt_support.pages.fields import Line, LongText, time_choices
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.plan.rules import StepChoice
from icbt_support.programme.content import Programme
from icbt_support.reviews.models import Review, ReviewDraft
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    PAUSE,
    QUIET_WEEK_HEADINGS,
    SECTION_HEADINGS,
    NextWeekChoice,
    default_opening,
    opening_options,
)

WEEKS_OFFERED = timedelta(weeks=6)
DAYS_FOR_A_STEP = 15
USUAL_STEP_TIME = "18:00"
OTHER_MODULE = "other"
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
    step_by_on = SelectField("Day", validate_choice=False)
    step_by_time = SelectField("Time", validate_choice=False)
    opens = RadioField("What opens next", validate_choice=False)
    other_module = SelectField("Which module", validate_choice=False)
    next_review_at = SelectField("Next review", validate_choice=False)
    minutes = Line("Minutes this took, if you like to say", maximum=4)
    shape = HiddenField(default=LETTER)
    left_out = HiddenField(validators=[Length(max=100)])
    version = HiddenField()
    opened_at = HiddenField()

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

    def choice(self) -> NextWeekChoice:
        """What was chosen for the next week so far; what is missing is missing."""
        by_on = read_day(self.step_by_on.data)
        step = (
            StepChoice(self.step_what.data, self.step_why.data, by_on, read_time(self.step_by_time.data))
            if by_on is not None and self.step_what.data
            else None
        )
        return NextWeekChoice(self.opening, step, read_instant(self.next_review_at.data))

    def _minutes_typed(self) -> int | None:
        minutes = read_number(self.minutes.data)
        return min(minutes, LONGEST_MINUTES) if minutes else None

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
            "opens": self.opening,
            "next_review_at": next_review_at.isoformat() if next_review_at else "",
            "opened_at": self.opened_at.data or "",
            "minutes": self._minutes_typed(),
        }


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


def letter_choices(review: Review, programme: Programme, *, now: datetime) -> LetterChoices:
    enrolment = review.enrolment
    current = review.week.module if review.week else programme.modules[0].slug
    options = opening_options(programme, current)
    following = programme.next_module(current)
    near = 1 if following is None else 2
    modules = [option for option in options if option.value not in (PAUSE, LAST_REVIEW)]
    shown = [*modules[:near], *options[len(modules) :]]
    opens = [(option.value, option.label) for option in shown]
    others = tuple((option.value, option.label) for option in modules[near:])
    if others:
        opens.insert(near, (OTHER_MODULE, "Another module"))
    was_opened = review.week is not None and module_was_opened(review.week, enrolment)
    times = next_review_times(review, now=now)
    return LetterChoices(
        opens=tuple(opens),
        other_modules=(("", "Choose a module"), *others),
        step_days=(("", "Choose a day"), *_step_days(enrolment, now)),
        step_times=(("", "Any time"), *time_choices(7, 22)),
        review_days=(("", "Choose a day"), *(_review_day(review, one, now) for one in times)),
        review_hint=_review_hint(review, times, now),
        default_opens=default_opening(programme, current, was_opened=was_opened),
        default_review_at=_default_review(enrolment, times, now),
    )


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
            "shape": content.get("shape", LETTER),
            "left_out": ",".join(content.get("left_out", [])),
            "opens": OTHER_MODULE if is_other else opens,
            "other_module": opens if is_other else "",
            "next_review_at": content.get("next_review_at") or choices.default_review_at,
            "minutes": str(content.get("minutes") or ""),
            "version": str(draft.version) if draft is not None else "",
            "opened_at": now.isoformat(),
        },
    )
    return offer(form, choices)


def offer(form: LetterForm, choices: LetterChoices) -> LetterForm:
    """Gives the form its choices; a day that was chosen earlier and is gone is not one of them."""
    form.step_by_on.choices = list(choices.step_days)
    form.step_by_time.choices = list(choices.step_times)
    form.opens.choices = list(choices.opens)
    form.other_module.choices = list(choices.other_modules)
    form.next_review_at.choices = list(choices.review_days)
    return form


def _new_content(choices: LetterChoices, is_short: bool) -> dict[str, Any]:
    return {
        "words": dict.fromkeys(LETTER_SECTIONS, "") | SHORT_WORDS,
        "shape": SHORT if is_short else LETTER,
        "step_by_time": USUAL_STEP_TIME,
        "opens": choices.default_opens,
        "next_review_at": choices.default_review_at,
    }


def next_review_times(review: Review, *, now: datetime) -> list[FreeTime]:
    """One free time for each day on which the supporter writes: this person's usual time, else the first."""
    enrolment = review.enrolment
    zone = enrolment.supporter.zone
    tomorrow = local_day(now, zone) + timedelta(days=1)
    free = hours.free_review_times(
        enrolment.supporter_id, tomorrow, tomorrow + WEEKS_OFFERED, service=enrolment.service, now=now
    )
    usual = to_local(review.slot_at, zone).time() if review.slot_at else None
    by_day: dict[date, FreeTime] = {}
    for one in free:
        if one.on not in by_day or to_local(one.starts_at, zone).time() == usual:
            by_day[one.on] = one
    return list(by_day.values())


def free_times_on(review: Review, starts_at: datetime, *, now: datetime) -> list[FreeTime]:
    """What is still free on the day of `starts_at`."""
    enrolment = review.enrolment
    on = local_day(starts_at, enrolment.supporter.zone)
    return hours.free_review_times(enrolment.supporter_id, on, on, service=enrolment.service, now=now)


def absence_at(review: Review, starts_at: datetime) -> Absence | None:
    """The supporter's absence that holds this moment."""
    supporter = review.enrolment.supporter
    return hours.is_absent(supporter.id, local_day(starts_at, supporter.zone))


def _step_days(enrolment: Enrolment, now: datetime) -> Sequence[tuple[str, str]]:
    today = local_day(now, enrolment.patient.zone)
    days = [today + timedelta(days=count) for count in range(DAYS_FOR_A_STEP)]
    return [(day.isoformat(), long_day(day)) for day in days]


def _review_day(review: Review, free: FreeTime, now: datetime) -> tuple[str, str]:
    promised = review.enrolment.service.promised_time
    return (free.starts_at.isoformat(), f"{long_day(free.on)}, by {clock_time(promised)}")


def _default_review(enrolment: Enrolment, times: Sequence[FreeTime], now: datetime) -> str:
    after = local_day(now, enrolment.supporter.zone) + timedelta(days=enrolment.cadence_days)
    chosen = next((one for one in times if one.on >= after), None)
    return chosen.starts_at.isoformat() if chosen else ""


def _review_hint(review: Review, times: Sequence[FreeTime], now: datetime) -> str:
    supporter = review.enrolment.supporter
    who = "You" if review.owner_id == supporter.id else supporter.called
    weekdays = list(dict.fromkeys(f"{one.on:%A}s" for one in sorted(times, key=lambda one: one.on.weekday())))
    if not weekdays:
        return "No free time in the next six weeks. Add one in My hours."
    verb = "write" if who == "You" else "writes"
    today = local_day(now, supporter.zone)
    absences = hours.absences_between([supporter.id], today, today + WEEKS_OFFERED)
    away = "; ".join(f"{long_day(one.from_on)} to {long_day(one.until_on)}" for one in absences)
    leave = f"Away {away}: those days are left out." if away else "No leave in the next six weeks."
    return f"{who} {verb} on {' and '.join(weekdays)}. {leave}"


# Reading what was posted --------------------------------------------------------------------------


def read_day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        return None


def read_time(value: str | None) -> time | None:
    try:
        return time.fromisoformat(value or "").replace(tzinfo=None)
    except ValueError:
        return None


def read_instant(value: str | None) -> datetime | None:
    """An aware instant; None for anything else."""
    try:
        instant = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def read_number(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def words_of(content: Mapping[str, Any]) -> dict[str, str]:
    """The words of a draft by field; a draft made elsewhere holds them by heading alone."""
    by_heading = {section["heading"]: section["words"] for section in content.get("sections", [])}
    named = {name: by_heading[heading] for name, heading in ALL_SECTIONS.items() if heading in by_heading}
    return named | content.get("words", {})


def kept_words(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The words of a draft or of a kept text, heading by heading, to be read or copied."""
    words = words_of(content)
    rows = [(ALL_SECTIONS[name], words[name]) for name in ALL_SECTIONS if words.get(name)]
    rows += [("Next step", content["step_what"])] if content.get("step_what") else []
    return rows + ([("Why it helps", content["step_why"])] if content.get("step_why") else [])
