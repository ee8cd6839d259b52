"""What the page says before an absence is kept: each review with its choices, and a sentence for each complication."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from icbt_support.accounts.models import Account
from icbt_support.accounts.queries import names_of
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.models import Absence, AbsenceReason
from icbt_support.hours.rules import away_because
from icbt_support.pages.kit import long_day
from icbt_support.pages.moved_words import moved_sentence
from icbt_support.rhythm.absence import Choice, CoverBy, FirstDayBack, ToPool
from icbt_support.rhythm.touched import Colleague, Touched, TouchedReview
from icbt_support.rhythm.weeks import promised_day

FIRST_DAY_BACK = "back"
POOL = "pool"


@dataclass(frozen=True)
class ReviewChoice:
    """One thing that can become of a touched review, and what the patient reads of it."""

    value: str
    label: str
    hint: str


@dataclass(frozen=True)
class TouchedRow:
    """One touched review with its choices; `chosen` is what was chosen before, or stands now."""

    name: str
    touched: TouchedReview
    choices: list[ReviewChoice]
    chosen: str


def review_rows(
    account: Account, touched: Touched, reason: AbsenceReason | None, posted: Mapping[str, str]
) -> list[TouchedRow]:
    return [_row(account, item, touched.colleagues, reason, posted) for item in touched.reviews]


def _row(
    account: Account,
    item: TouchedReview,
    colleagues: tuple[Colleague, ...],
    reason: AbsenceReason | None,
    posted: Mapping[str, str],
) -> TouchedRow:
    name = f"review_{item.review.id}"
    choices = [_by_colleague(one, item) for one in colleagues if not one.is_away_on(item.on)]
    choices.append(
        ReviewChoice(
            POOL,
            "Anyone in the pool writes it on that day",
            "The patient is told who writes as soon as somebody takes it.",
        )
    )
    if item.can_wait:
        sentence = moved_sentence(*_days_for_the_patient(item), away_because(account.called, reason))
        choices.append(
            ReviewChoice(
                _back_on(item),
                f"I write it on {long_day(item.moves_to)}, and the patient is told",
                f"The patient reads: “{sentence}”",
            )
        )
    standing = POOL if item.review.pooled_at is not None else ""
    return TouchedRow(name, item, choices, posted.get(name, standing))


def _days_for_the_patient(item: TouchedReview) -> tuple[date, date]:
    """From when to when the review would move, where the patient is."""
    enrolment, place = item.review.enrolment, item.first_day_back
    moves_to = promised_day(enrolment, place.starts_at) if place else item.back_on
    return item.review.promised_on, moves_to


def _by_colleague(colleague: Colleague, item: TouchedReview) -> ReviewChoice:
    on = item.on
    called = colleague.account.called
    place = "" if on in colleague.free_days else f" {called} has no free protected time that day."
    return ReviewChoice(
        str(colleague.account.id),
        f"{colleague.account.full_name} writes it on {long_day(on)}",
        f"The patient reads: “{called} writes this review. The day stays.”{place}",
    )


def _back_on(item: TouchedReview) -> str:
    """The first day back names its day: one that has gone meanwhile is asked for again."""
    return f"{FIRST_DAY_BACK}-{item.moves_to.isoformat()}"


def posted_choices(touched: Touched, posted: Mapping[str, str]) -> dict[int, Choice]:
    known = {str(one.account.id): one.account.id for one in touched.colleagues}
    choices: dict[int, Choice] = {}
    for item in touched.reviews:
        value = posted.get(f"review_{item.review.id}", "")
        if value == _back_on(item):
            choices[item.review.id] = FirstDayBack()
        elif value == POOL:
            choices[item.review.id] = ToPool()
        elif value in known:
            choices[item.review.id] = CoverBy(known[value])
    return choices


def cover_choices(touched: Touched) -> list[tuple[str, str]]:
    return [(POOL, "Anyone in the pool"), *((str(c.account.id), _cover_label(c)) for c in touched.colleagues)]


def _cover_label(colleague: Colleague) -> str:
    if not colleague.away:
        return colleague.account.full_name
    away = ", ".join(days_words(one) for one in colleague.away)
    return f"{colleague.account.full_name} (away {away}: the pool then)"


def notes_on(touched: Touched) -> list[str]:
    """A sentence for each thing that crosses these days."""
    names = names_of({one.account_id for one in touched.promised_cover})
    notes = [
        f"You are already away {days_words(one)}. These days are added. If that absence has changed, change it instead."
        for one in touched.overlaps
    ]
    notes += [
        f"You are to cover {names[one.account_id]} {days_words(one)}. On the days on which you are away too, "
        "the pool covers."
        for one in touched.promised_cover
    ]
    notes += [
        f"{long_day(on)} is a closed day for everybody, so nothing is due on it." for on in touched.closed
    ]
    notes += [
        f"{one.account.full_name} is away {days_words(absence)}, and is not offered for reviews on those days."
        for one in touched.colleagues
        for absence in one.away
    ]
    if not touched.colleagues:
        notes.append(
            "No colleague is there on your first day away. Clinicians are told of what goes to the pool."
        )
    return notes


def also_waiting(touched: Touched) -> list[str]:
    """What goes to whoever covers, by name: messages, open alerts, calls."""
    lines = [
        f"{count} unread {'message' if count == 1 else 'messages'} from {course.patient.full_name}"
        for course, count in touched.unread
    ]
    lines += [f"An open alert about {_name(course)}" for course in touched.alerts]
    return lines + [f"A call to {_name(course)}" for course in touched.calls]


def _name(course: Enrolment) -> str:
    return course.patient.full_name


def days_words(absence: Absence) -> str:
    if absence.from_on == absence.until_on:
        return f"on {long_day(absence.from_on)}"
    return f"from {long_day(absence.from_on)} to {long_day(absence.until_on)}"
