"""What a letter needs, what may open next, when reviews merge, and how lateness is said: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from icbt_support.phrases.rules import unfilled
from icbt_support.plan.rules import StepChoice
from icbt_support.plan.words import clock_words, day_words
from icbt_support.programme.content import Module, Programme
from icbt_support.reviews.course import NO_CHANGES, CourseChanges, following_module

PAUSE = "pause"
LAST_REVIEW = "last"
CLAIM_RESTS_AFTER = timedelta(minutes=20)
_MODULE = "module:"
SECTION_HEADINGS = ("What I noticed", "Your question", "How your scores moved")
QUIET_WEEK_HEADINGS = ("A few words", "What got in the way?")


class MoveReason(StrEnum):
    """Why one review moves to another day, as far as the patient is told."""

    PATIENT_ASKED = "patient_asked"
    LEAVE = "leave"
    COURSE = "course"
    OTHER_WORK = "other_work"
    AWAY = "away"
    CLOSED = "closed"


_MOVE_WORDS = {
    MoveReason.PATIENT_ASKED: "you asked for another day",
    MoveReason.LEAVE: "{called} is on leave",
    MoveReason.COURSE: "{called} is on a course",
    MoveReason.OTHER_WORK: "{called} has other work that day",
    MoveReason.AWAY: "{called} is away that day",
    MoveReason.CLOSED: "the service is closed that day",
}


@dataclass(frozen=True)
class LetterSection:
    heading: str
    words: str


@dataclass(frozen=True)
class NextWeekChoice:
    """What the supporter chose for the time after this review; anything may still be missing.

    `opens` is `module:<slug>`, `pause` or `last`; `next_review_at` is the start of a free review time.
    """

    opens: str
    step: StepChoice | None = None
    next_review_at: datetime | None = None
    changes: CourseChanges = NO_CHANGES


@dataclass(frozen=True)
class LetterToSend:
    """A whole letter. `minutes` is how long writing took, if the supporter says so; `phrases` are the numbers of
    those that were put into it.
    """

    sections: tuple[LetterSection, ...]
    step: StepChoice | None
    opens: str
    next_review_at: datetime | None
    minutes: int | None = None
    changes: CourseChanges = NO_CHANGES
    phrases: tuple[int, ...] = ()

    @property
    def choice(self) -> NextWeekChoice:
        return NextWeekChoice(self.opens, self.step, self.next_review_at, self.changes)


@dataclass(frozen=True)
class OpeningOption:
    """One answer to *What opens next*: `value` for the form, `label` to read."""

    value: str
    label: str


@dataclass(frozen=True)
class PatientEvent:
    """Something that the patient did since a moment: `kind` is message, question, entry, check_in or risk."""

    kind: str
    at: datetime
    words: str


# What refuses a letter ------------------------------------------------------------------------------------


class LetterRefused(Exception):
    """A letter that cannot be sent as it is; the typed text is kept by the page."""


@dataclass(frozen=True)
class LetterProblem:
    """What is missing. Fields: step_what, step_why, step_by_on, opens, next_review_at, sections."""

    field: str
    words: str


class LetterIncomplete(LetterRefused):
    """Something required is missing or does not fit: `problems` in the order of the form."""

    def __init__(self, problems: Sequence[LetterProblem]) -> None:
        super().__init__("; ".join(problem.words for problem in problems))
        self.problems = tuple(problems)


class NextStepMissing(LetterIncomplete):
    """The next step lacks what, why or by when."""


class ReviewAlreadySent(LetterRefused):
    """Somebody (perhaps oneself, by a double click) sent this review: `by` is an account id, `at` when."""

    def __init__(self, by: int | None, at: datetime | None) -> None:
        super().__init__(f"sent by account {by} at {at}")
        self.by = by
        self.at = at


class ReviewNotOwed(LetterRefused):
    """The review was merged (`merged_into_id`), closed or cancelled: nothing is owed any more."""

    def __init__(self, merged_into_id: int | None) -> None:
        super().__init__(f"merged into {merged_into_id}" if merged_into_id else "no longer owed")
        self.merged_into_id = merged_into_id


class StaleDraft(LetterRefused):
    """The draft was saved elsewhere since this form was opened: `current` is the newer draft."""

    def __init__(self, current: Any) -> None:
        super().__init__("the draft was saved elsewhere since")
        self.current = current


class NotPreviewed(LetterRefused):
    """This version of the letter was not looked at as the patient will see it."""


class WeekOpenedMeanwhile(NotPreviewed):
    """The next week opened after this version was looked at: what the letter said would open does not."""


class PatientWroteMeanwhile(LetterRefused):
    """The patient did something since the preview: `events`, oldest first. A new preview lets it through."""

    def __init__(self, events: Sequence[PatientEvent]) -> None:
        super().__init__(f"{len(events)} since the preview")
        self.events = tuple(events)


# Letters --------------------------------------------------------------------------------------------------


def opens_module(slug: str) -> str:
    """The value of *What opens next* for a module."""
    return f"{_MODULE}{slug}"


def module_of(opens: str) -> str | None:
    """The module's slug in *What opens next*, or None for a pause or the last review."""
    return opens.removeprefix(_MODULE) if opens.startswith(_MODULE) else None


def opening_options(
    programme: Programme, current: str, ahead: Sequence[str] | None = None
) -> tuple[OpeningOption, ...]:
    """Same again, the next module, any other module, a pause, the last review: in this order.

    `ahead` is the person's own order of what comes after `current`, if their course has one.
    """
    following = following_module(programme, current, ahead)
    options = [
        OpeningOption(opens_module(module.slug), f"Same module again: {module.number}, {module.title}")
        for module in programme.modules
        if module.slug == current
    ]
    if following is not None and following.slug != current:
        options.append(OpeningOption(opens_module(following.slug), _module_label(following)))
    near = {current, following.slug if following else ""}
    options += [
        OpeningOption(opens_module(module.slug), _module_label(module))
        for module in programme.modules
        if module.slug not in near
    ]
    return (
        *options,
        OpeningOption(PAUSE, "Pause the plan"),
        OpeningOption(LAST_REVIEW, "This is the last review"),
    )


def _module_label(module: Module) -> str:
    return f"Module {module.number}: {module.title}"


def default_opening(
    programme: Programme, current: str, *, was_opened: bool, ahead: Sequence[str] | None = None
) -> str:
    """The same module again if it was not opened, else the next; after the last module, the last review."""
    following = following_module(programme, current, ahead)
    if not was_opened:
        return opens_module(current)
    return opens_module(following.slug) if following else LAST_REVIEW


def reason_of(typed: str) -> str:
    """A reason without the "because" that many begin it with: the pages that show it say that word themselves."""
    words = typed.strip()
    first, _, rest = words.partition(" ")
    return rest.lstrip() if first.rstrip(",:…").lower() == "because" else words


def check_letter(
    letter: LetterToSend,
    *,
    today: date,
    next_review_on: date | None,
    merge_under_days: int,
    is_late_follow: bool,
    away_until_on: date | None = None,
) -> None:
    """Refuses a letter that lacks something (`NextStepMissing`, `LetterIncomplete`).

    Required: something written, without a gap left in it; a next step with what, why and by when; what opens
    next; a next review date that is not so near that the two reviews would merge, nor within the days on which
    the patient is away (`away_until_on`, the last of them). The last review needs neither
    step nor date; a late review that follows an opened week (`is_late_follow`) keeps that week's module and date.
    """
    problems = _step_problems(letter, today, next_review_on)
    if problems:
        raise NextStepMissing(problems)
    if not letter.sections:
        problems.append(LetterProblem("sections", "Write at least a few words to the patient."))
    problems += _gap_problems(letter)
    if not is_late_follow:
        problems += _next_problems(letter, today, next_review_on, merge_under_days)
        problems += _away_problems(letter, next_review_on, away_until_on)
    if problems:
        raise LetterIncomplete(problems)


def gap_sentence(gaps: Sequence[str], heading: str) -> str:
    """Fill in [what you noticed] in “What I noticed”, or take it out"""
    return f"Fill in {' and '.join(gaps)} in “{heading}”, or take {'it' if len(gaps) == 1 else 'them'} out"


def _gap_problems(letter: LetterToSend) -> list[LetterProblem]:
    texts = [("sections", section.heading, section.words) for section in letter.sections]
    if letter.step is not None:
        texts += [("step_what", "Next step", letter.step.what), ("step_why", "Why it helps", letter.step.why)]
    return [
        LetterProblem(field, f"{gap_sentence(gaps, heading)}.")
        for field, heading, words in texts
        if (gaps := unfilled(words))
    ]


def _step_problems(letter: LetterToSend, today: date, next_review_on: date | None) -> list[LetterProblem]:
    if letter.opens == LAST_REVIEW and letter.step is None:
        return []
    step = letter.step
    if step is None:
        return [LetterProblem("step_by_on", "Select the day by which the next step is to be done.")]
    problems = []
    if not step.what.strip():
        problems.append(LetterProblem("step_what", "Write what the next step is."))
    if not step.why.strip():
        problems.append(LetterProblem("step_why", "Write why the next step helps."))
    if step.by_on < today:
        problems.append(LetterProblem("step_by_on", "Select a day for the next step from today on."))
    elif next_review_on is not None and step.by_on > next_review_on:
        problems.append(LetterProblem("step_by_on", "Select a day for the next step before the next review."))
    return problems


def _next_problems(
    letter: LetterToSend, today: date, next_review_on: date | None, merge_under_days: int
) -> list[LetterProblem]:
    if letter.opens == LAST_REVIEW:
        return []
    problems = []
    if letter.opens != PAUSE and module_of(letter.opens) is None:
        problems.append(LetterProblem("opens", "Select what opens next."))
    if next_review_on is None:
        problems.append(LetterProblem("next_review_at", "Select the day of the next review."))
    elif reviews_merge(today, next_review_on, merge_under_days):
        days = "1 day" if merge_under_days == 1 else f"{merge_under_days} days"
        near = f"Choose a day at least {days} from today for the next review."
        problems.append(LetterProblem("next_review_at", near))
    return problems


def _away_problems(
    letter: LetterToSend, next_review_on: date | None, away_until_on: date | None
) -> list[LetterProblem]:
    if letter.opens == LAST_REVIEW or next_review_on is None or away_until_on is None:
        return []
    if next_review_on > away_until_on:
        return []
    away = f"The patient is away until {day_words(away_until_on)}. Choose a later day for the next review."
    return [LetterProblem("next_review_at", away)]


# Dates ----------------------------------------------------------------------------------------------------


def reviews_merge(late_on: date, next_on: date, merge_under_days: int) -> bool:
    """Whether two reviews are so near that one letter answers both."""
    return (next_on - late_on).days < merge_under_days


def moved_because(reason: MoveReason, called: str) -> str:
    """What the patient reads beside the new day: "Priya is on a course". `called` is whoever writes."""
    return _MOVE_WORDS[reason].format(called=called)


def late_sentences(
    *,
    writer: str,
    told_by_on: date,
    told_by: time,
    taken_by: str = "",
    new_promise: datetime | None = None,
) -> tuple[str, ...]:
    """What the patient reads when a review is late; a new date is shown only once a named person has taken
    it.

    `writer` is who was to write, empty while it is nobody's by name. `told_by_on` and `told_by` say when the
    patient hears who writes; all times are local.
    """
    whose = f"{writer}'s" if writer else "Your"
    first = (
        f"{whose} review is not here yet. That is on us, not you.",
        "Your answers are safe.",
    )
    if taken_by and new_promise is not None:
        return (*first, f"{taken_by} will write by {clock_words(new_promise)} on {day_words(new_promise)}.")
    return (
        *first,
        f"By {clock_words(told_by)} on {day_words(told_by_on)} we will tell you who writes, and when.",
    )
