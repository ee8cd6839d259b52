"""What a letter needs before it can be previewed, and the sentences that say what is missing."""

from datetime import datetime

from icbt_support.enrolments import queries as enrolments
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import first_day_back
from icbt_support.pages.guards import current_account
from icbt_support.pages.kit import long_day
from icbt_support.pages.supporter.letter_step import USES_SOMETHING
from icbt_support.pages.supporter.review_form import LONGEST_MINUTES, LetterForm
from icbt_support.pages.supporter.review_times import absence_at, free_times_on, next_review_times
from icbt_support.pages.supporter.typed_values import read_day, read_instant
from icbt_support.phrases.rules import unfilled
from icbt_support.reviews.drafts import letter_of_draft
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import LAST_REVIEW, LetterIncomplete, check_letter, gap_sentence
from icbt_support.rhythm.proposing import week_opened_without
from icbt_support.rhythm.weeks import promised_day


def is_ready(form: LetterForm, review: Review, now: datetime) -> bool:
    """Whether the letter can be previewed; puts the first sentence of what is missing at its field."""
    is_valid = form.validate()
    for name, sentence in _missing(form, review, now):
        form[name].errors = [*form[name].errors, sentence]
        is_valid = False
    return bool(is_valid)


def _missing(form: LetterForm, review: Review, now: datetime) -> list[tuple[str, str]]:
    called = review.enrolment.patient.called
    missing = []
    if not any(form[name].data for name in form.kept_sections):
        missing.append(
            (next(iter(form.kept_sections or form.sections)), f"Write at least a few words to {called}")
        )
    is_last = form.opening == LAST_REVIEW and not is_late_follow(review)
    if not is_last or form.step_what.data:
        missing += _missing_step(form)
    missing += _gaps(form)
    if not is_late_follow(review):
        if not form.opening:
            missing.append(("opens", "Choose what opens next"))
        if form.opening != LAST_REVIEW:
            missing += _wrong_review_time(form, review, now)
    if form.minutes.data and form.minutes_typed is None:
        missing.append(("minutes", f"Enter minutes from 1 to {LONGEST_MINUTES}, or leave this empty"))
    return missing or _wrong_letter(form, review, now)


def _gaps(form: LetterForm) -> list[tuple[str, str]]:
    """Every field in which a gap of a phrase is still open, with a sentence that names the gap."""
    names = [*form.kept_sections, "step_what", "step_why"]
    return [
        (name, gap_sentence(gaps, form[name].label.text))
        for name in names
        if (gaps := unfilled(form[name].data or ""))
    ]


def _missing_step(form: LetterForm) -> list[tuple[str, str]]:
    kind = form.step_kind.data
    if kind in USES_SOMETHING and form.step_subject not in _offered(form, kind):
        return [(f"step_{kind}", f"Choose the {kind}, or a task that uses nothing")]
    wanted = (
        ("step_what", form.step_what.data, "Write what the next step is, small enough for a bad day"),
        ("step_why", form.step_why.data, "Write why the next step helps"),
        (
            "step_by_on",
            read_day(form.step_by_on.data),
            "Choose the day by which to do the next step",
        ),
    )
    return [(name, sentence) for name, value, sentence in wanted if not value]


def _offered(form: LetterForm, kind: str) -> set[str]:
    return {choice.value for choice in form[f"step_{kind}"].choices if choice.value}


def _wrong_review_time(form: LetterForm, review: Review, now: datetime) -> list[tuple[str, str]]:
    chosen = read_instant(form.next_review_at.data)
    if chosen is None:
        return [("next_review_at", "Choose the day of the next review")]
    if chosen in {one.starts_at for one in free_times_on(review, chosen, now=now)}:
        return []
    absence = absence_at(review, chosen)
    sentence = absence_sentence(review, absence) if absence is not None else taken_sentence(review, now)
    return [("next_review_at", sentence)]


def _wrong_letter(form: LetterForm, review: Review, now: datetime) -> list[tuple[str, str]]:
    """What the rules of the letter still refuse, such as a step after the next review."""
    letter = letter_of_draft(form.to_draft())
    next_at = letter.next_review_at
    try:
        check_letter(
            letter,
            today=enrolments.local_today(review.enrolment, now),
            next_review_on=promised_day(review.enrolment, next_at) if next_at else None,
            merge_under_days=review.enrolment.service.rhythm.merge_under_days,
            is_late_follow=is_late_follow(review),
            away_until_on=review.enrolment.away_until_on,
        )
    except LetterIncomplete as refusal:
        return [(_field_of(problem.field, form), problem.words) for problem in refusal.problems]
    return []


def _field_of(name: str, form: LetterForm) -> str:
    return next(iter(form.kept_sections or form.sections)) if name == "sections" else name


def is_late_follow(review: Review) -> bool:
    """Whether the next week opened without this review: then it keeps that week's module and date."""
    return week_opened_without(review) is not None


def absence_sentence(review: Review, absence: Absence) -> str:
    supporter, service = review.enrolment.supporter, review.enrolment.service
    who = "You are" if supporter.id == current_account().id else f"{supporter.called} is"
    back = first_day_back(supporter.id, absence.until_on, service=service)
    return (
        f"{who} away from {long_day(absence.from_on)} to {long_day(absence.until_on)}. "
        f"Choose a day before that or after {long_day(back)}, or ask a colleague to cover in My hours"
    )


def taken_sentence(review: Review, now: datetime) -> str:
    """The time was free when the page opened; the select has the next ones."""
    next_three = next_review_times(review, now=now)[:3]
    days = ", ".join(long_day(one.on) for one in next_three)
    return (
        f"That time has just gone. The next are {days}. Choose one"
        if days
        else ("That time has just gone, and no other is free. Add one in My hours")
    )
