"""Grades, and the words that say truly who reads an answer and when. Pure: a clinician can review this page.

Source of the rules: the product's *Risk* page, owned by the service's clinician. Item 9 is the ninth item of
the PHQ-9 (Kroenke, Spitzer & Williams 2001); an answer above 0 is shown as it was given and never called more
than that.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icbt_support.risk.models import Grade, SafetyAnswer
from icbt_support.service.models import RhythmSettings, Service

DEFAULT_READ_FIRST_PHRASES = (
    "kill myself",
    "end my life",
    "ending my life",
    "want to die",
    "better off dead",
    "killing myself",
    "hurt myself",
    "hurting myself",
    "harm myself",
    "harming myself",
    "self-harm",
    "suicide",
    "suicidal",
    "can't go on",
    "cannot go on",
    "don't want to live",
    "do not want to live",
    "overdose",
)
SAFETY_ANSWER_WORDS = {
    SafetyAnswer.YES: "Yes",
    SafetyAnswer.NOT_SURE: "I am not sure",
    SafetyAnswer.NO: "No",
}
NO_DUTY_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class GradeThresholds:
    """The numbers that a service's clinician owns."""

    urgent_from: int = 3
    same_day_from: int = 2
    known_lapses_after: timedelta = timedelta(days=28)

    @classmethod
    def of(cls, settings: RhythmSettings) -> "GradeThresholds":
        return cls(known_lapses_after=timedelta(days=settings.known_lapses_days))


@dataclass(frozen=True)
class AssessedAnswer:
    """The newest answer at which a clinician recorded an assessment and a plan."""

    answer: int
    assessed_at: datetime


def grade(
    answer: int,
    before: int | None,
    can_keep_safe: SafetyAnswer | None,
    assessment: AssessedAnswer | None,
    now: datetime,
    thresholds: GradeThresholds,
) -> Grade:
    """The grade of a positive item 9; `before` is the answer of the questionnaire before (None: there was
    none).

    Where two grades fit, the higher one counts: a 2 is same day even when a clinician has assessed a 2. A
    positive that no clinician has assessed within the last four weeks is never *known*, also when it is lower
    than before.
    """
    if answer < 1:
        raise ValueError("Only an answer above 0 has a grade.")
    if can_keep_safe in (SafetyAnswer.NO, SafetyAnswer.NOT_SURE) or answer >= thresholds.urgent_from:
        return Grade.URGENT
    is_first_time_or_rise = before is None or answer > before
    if is_first_time_or_rise or answer >= thresholds.same_day_from:
        return Grade.SAME_DAY
    return Grade.KNOWN if is_covered_by(assessment, answer, now, thresholds) else Grade.SAME_DAY


def is_covered_by(
    assessment: AssessedAnswer | None, answer: int, now: datetime, thresholds: GradeThresholds
) -> bool:
    """Whether a clinician's assessment and plan, not yet lapsed, was made at this answer or a higher one."""
    if assessment is None or answer > assessment.answer:
        return False
    return now - assessment.assessed_at < thresholds.known_lapses_after


def minutes_to_acknowledge(alert_grade: Grade, settings: RhythmSettings) -> int | None:
    """Duty minutes until an alert goes to the next person; None for *known*, which has no clock."""
    return {
        Grade.URGENT: settings.acknowledge_urgent_minutes,
        Grade.SAME_DAY: settings.acknowledge_same_day_minutes,
        Grade.KNOWN: None,
    }[alert_grade]


def next_to_tell(on_duty: Sequence[int], clinicians: Sequence[int], told: Iterable[int]) -> list[int]:
    """Account ids that an escalation goes to.

    The next person on duty who has not been told yet; when everybody on duty has been, or nobody is on duty,
    every clinician of the service, and again at each turn until a person acknowledges.
    """
    already = set(told)
    for account_id in on_duty:
        if account_id not in already:
            return [account_id]
    return list(dict.fromkeys([*on_duty, *clinicians]))


def phrases_of(service: Service) -> Sequence[str]:
    return service.read_first_phrases or DEFAULT_READ_FIRST_PHRASES


def holds_read_first_phrase(words: str, phrases: Iterable[str]) -> bool:
    """Whether a text holds one of the service's plain phrases, as whole words. It is not a detector."""
    plain = f" {_plain(words)} "
    wanted = filter(None, map(_plain, phrases))
    return any(f" {phrase} " in plain for phrase in wanted)


def _plain(words: str) -> str:
    """Only letters and digits, one space between words: "can't", "can’t" and "cant" are one word, and so are
    "self-harm" and "self harm".
    """
    return " ".join(re.sub(r"[^\w\s]|_", " ", re.sub(r"['’‘ʼ`´]", "", words.casefold())).split())


# Who reads this, and when -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class DutyView:
    """Duty as one reader sees it: instants are already in the reader's zone.

    `clinician` is the person on duty now, or else the first person of the next session; None when nobody is.
    """

    now: datetime
    is_duty_time: bool
    clinician: str | None
    until: datetime | None
    next_start: datetime | None


def who_reads(duty: DutyView) -> str:
    """The named reader and the true time:

    "Dr Hana Weiss, the duty clinician: tomorrow, Thursday, at 9am.".
    """
    who = f"{duty.clinician}, the duty clinician" if duty.clinician else "The clinicians of this service"
    if duty.is_duty_time:
        told = ", is told now." if duty.clinician else " are told now."
        until = f" Duty today ends at {_clock_words(duty.until)}." if duty.until else ""
        return who + told + until
    if duty.next_start is None:
        return f"{who}: we cannot say when."
    return (
        f"{who}: {_day_words(duty.next_start.date(), duty.now.date())}, at {_clock_words(duty.next_start)}."
    )


def when_read(service: Service, duty: DutyView) -> str:
    """What a patient reads beside help numbers.

    Truly when someone here will see it, and what to do before then.
    """
    if duty.is_duty_time:
        return (
            "Someone here is told now, but may not reply at once. "
            f"If you need someone sooner: {numbers_of(service)}"
        )
    if duty.next_start is None:
        return (
            f"We cannot say when someone here will see this. If you need someone now: {numbers_of(service)}"
        )
    when = f"{_day_name(duty.next_start.date(), duty.now.date())} {_clock_words(duty.next_start)}"
    before_then = f"If you need someone before then: {numbers_of(service)}"
    return " ".join(
        filter(
            None,
            [f"Nobody here will see this before {when}.", before_then, service.out_of_hours_words.strip()],
        )
    )


def numbers_of(service: Service) -> str:
    """The service's help lines in one sentence: "Call 111, option 2; or Call Samaritans on 116 123."."""
    titles = [line.title for line in service.help_lines]
    return "; or ".join(titles) + "." if titles else "use the numbers at Get help now."


def _day_name(on: date, today: date) -> str:
    """today · Monday · Monday 30 November, as far as it is clear."""
    if on == today:
        return "today at"
    return f"{on:%A}" if (on - today).days < 7 else f"{on:%A} {on.day} {on:%B}"


def _day_words(on: date, today: date) -> str:
    days = (on - today).days
    if days == 0:
        return "today"
    if days == 1:
        return f"tomorrow, {on:%A}"
    return f"{on:%A}" if days < 7 else f"{on:%A} {on.day} {on:%B}"


def _clock_words(moment: datetime) -> str:
    if (moment.hour, moment.minute) == (0, 0):
        return "midnight"
    minutes = f".{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes}{'am' if moment.hour < 12 else 'pm'}"
