"""The joined timeline of a person's course, in words: by month, a page at a time, by kind through links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import request, url_for

from icbt_support.accounts.queries import names_of
from icbt_support.activity.models import Act
from icbt_support.cadence import to_local
from icbt_support.early_warning.queries import decisions_on_warnings
from icbt_support.engagement.timeline import Happened, Kind, Moment, people_named, timeline_page
from icbt_support.enrolments.models import END_CODE_WORDS, EndCode, Enrolment
from icbt_support.messages.models import MessageKind
from icbt_support.pages.early_warnings import choice_title
from icbt_support.pages.kit import long_day, short_day_and_time
from icbt_support.pages.supervision_words import DECISION_WORDS
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import ReviewKind
from icbt_support.risk.models import AlertSource, CallOutcome
from icbt_support.supervision.queries import decisions_about

LONGEST_WORDS = 240
ALL_KINDS = "everything"
KIND_WORDS = {
    Kind.PLAN: "Plan",
    Kind.ACTIVITY: "Activity",
    Kind.REMINDERS: "Reminders",
    Kind.REVIEWS: "Reviews",
    Kind.MESSAGES: "Messages",
    Kind.SCORES: "Scores",
    Kind.FLAGS: "Flags",
    Kind.CALLS: "Calls",
    Kind.DECISIONS: "Decisions",
}
_MESSAGES = {
    MessageKind.MESSAGE: "Message",
    MessageKind.QUESTION: "Question for the review",
    MessageKind.WELCOME: "Welcome",
    MessageKind.CORRECTION: "Correction of a review",
    MessageKind.NOTE: "Short note",
}
_PROMPTS = {
    ReminderKind.AGREED_STEP: "agreed step",
    ReminderKind.CHECK_IN: "check-in",
    ReminderKind.SESSION: "planned session",
    ReminderKind.NUDGE: "a friendly nudge",
    ReminderKind.START_PROMPT: "getting started",
    ReminderKind.BOOSTER: "check-in after the course",
}
_ALERTS = {
    AlertSource.ITEM_9: "Risk alert: item 9",
    AlertSource.STATED: "Risk alert: said they are not safe",
    AlertSource.CONCERN: "Risk alert: a concern of staff",
}
_CALLS = {
    CallOutcome.SPOKE: "Call: spoke",
    CallOutcome.NO_ANSWER: "Call: no answer",
    CallOutcome.VOICEMAIL: "Call: left a voicemail",
    CallOutcome.SOMEONE_ELSE: "Call: somebody else answered",
}
_ACTS = {
    Act.SIGNED_IN: ("signed in", "signed in {} times"),
    Act.READ_PAGE: ("read 1 page", "read {} pages"),
    Act.ANSWERED_EXERCISE: ("answered 1 exercise", "answered {} exercises"),
    Act.SAVED_ENTRY: ("saved 1 entry", "saved {} entries"),
    Act.FINISHED_CHECK_IN: ("finished the check-in", "finished {} check-ins"),
    Act.DID_PLAN_ITEM: ("did 1 thing of the plan", "did {} things of the plan"),
    Act.WROTE_MESSAGE: ("wrote 1 message", "wrote {} messages"),
    Act.READ_REVIEW: ("opened a review", "opened {} reviews"),
}
_CADENCES = {"7": "every week", "14": "every two weeks"}
_PEOPLE = {"supporter": "Supporter", "clinician": "Clinician"}


@dataclass(frozen=True)
class Line:
    """One entry as `components/timeline.html` draws it."""

    when: str
    title: str
    words: str
    icon: str
    by: str


@dataclass(frozen=True)
class Month:
    """November 2026, with what happened in it, newest first."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class KindLink:
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class TimelineView:
    months: tuple[Month, ...]
    kinds: tuple[KindLink, ...]
    earlier_href: str
    newest_href: str


@dataclass(frozen=True)
class _Reading:
    """What the words of a moment depend on."""

    programme: Programme
    names: Mapping[int, str]


Words = tuple[str, str, str]


def timeline_asked_for(enrolment: Enrolment, *, zone: str) -> TimelineView:
    """The page of the timeline that the address asks for: `kind` and `before`; anything else is the newest page."""
    kind = _kind_asked_for()
    before = _instant_asked_for()
    page = timeline_page(enrolment, kind=kind, before=before, also=_decisions_of(enrolment, kind))
    reading = _Reading(
        find_programme(enrolment.programme_slug, enrolment.programme_version),
        names_of(people_named(page.moments)),
    )
    earlier = page.earlier_than
    return TimelineView(
        months=_by_month([(to_local(one.at, zone), one) for one in page.moments], reading),
        kinds=_kind_links(enrolment, kind),
        earlier_href=_address(enrolment, kind, before=earlier.isoformat()) if earlier is not None else "",
        newest_href=_address(enrolment, kind) if before is not None else "",
    )


def _decisions_of(enrolment: Enrolment, kind: Kind | None) -> list[Moment]:
    """What was decided in supervision and on early warnings: the rooms of these stand above the timeline's."""
    if kind not in (None, Kind.DECISIONS):
        return []
    return [
        *(
            Moment(Happened.SUPERVISION, one.decided_at, one, one.decider.full_name if one.decider else "")
            for one in decisions_about(enrolment)
            if one.decided_at is not None
        ),
        *(
            Moment(Happened.EARLY_WARNING, one.decided_at, one, one.decider.full_name)
            for one in decisions_on_warnings(enrolment)
        ),
    ]


def _kind_asked_for() -> Kind | None:
    asked = request.args.get("kind", ALL_KINDS)
    return Kind(asked) if asked in set(Kind) else None


def _instant_asked_for() -> datetime | None:
    try:
        instant = datetime.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def _address(enrolment: Enrolment, kind: Kind | None, **values: str) -> str:
    asked: dict[str, Any] = {"kind": kind.value, **values} if kind is not None else {**values}
    return url_for(request.endpoint or "", enrolment_id=enrolment.id, _anchor="timeline", **asked)


def _kind_links(enrolment: Enrolment, current: Kind | None) -> tuple[KindLink, ...]:
    everything = KindLink("Everything", _address(enrolment, None), current is None)
    return (
        everything,
        *(KindLink(words, _address(enrolment, kind), kind is current) for kind, words in KIND_WORDS.items()),
    )


def _by_month(moments: list[tuple[datetime, Moment]], reading: _Reading) -> tuple[Month, ...]:
    months: dict[str, list[Line]] = {}
    for local, moment in moments:
        months.setdefault(f"{local:%B %Y}", []).append(_line(local, moment, reading))
    return tuple(Month(name, tuple(lines)) for name, lines in months.items())


def _line(local: datetime, moment: Moment, reading: _Reading) -> Line:
    icon, title, words = _WORDS[moment.what](moment, reading)
    return Line(short_day_and_time(local), title, shorten(words), icon, moment.by)


def shorten(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_WORDS else line[:LONGEST_WORDS].rsplit(" ", 1)[0] + " …"


# Words of a moment --------------------------------------------------------------------------------


def _week(moment: Moment, reading: _Reading) -> Words:
    week = moment.row
    module = reading.programme.module(week.module)
    title = module.title if module is not None else ""
    if week.opened_because is OpenedBecause.REVIEW_LATE:
        return "warning", f"Week {week.number} opened without a review", f"{title}. Its review was late."
    return "plan", f"Week {week.number} opened", title


def _item(moment: Moment, _reading: _Reading) -> Words:
    item = moment.row
    what = "Agreed step" if item.kind is ItemKind.AGREED_STEP else "Plan"
    said = "done" if item.state is ItemState.DONE else "not this time"
    return (
        "tick" if item.state is ItemState.DONE else "plan",
        f"{what}, {said}: {item.title}",
        item.patient_words,
    )


def _was_here(moment: Moment, _reading: _Reading) -> Words:
    words = [
        one if count == 1 else many.format(count)
        for act, count in moment.row.acts
        for one, many in [_ACTS[Act(act)]]
    ]
    return "eye", "Was here", ", ".join(words)


def _review_name(moment: Moment) -> str:
    review = moment.row
    return "Welcome" if review.kind is ReviewKind.WELCOME else f"Review of week {review.number}"


def _sent(moment: Moment, _reading: _Reading) -> Words:
    letter = moment.row.letter
    agreed = f"Agreed: {letter.step_what}" if letter is not None and letter.step_what else ""
    return "mail", f"{_review_name(moment)} sent", agreed


def _late(moment: Moment, _reading: _Reading) -> Words:
    is_welcome = moment.row.kind is ReviewKind.WELCOME
    return (
        "clock",
        f"{_review_name(moment)} late",
        "Staff were told" if is_welcome else "The patient was told",
    )


def _missed(moment: Moment, _reading: _Reading) -> Words:
    review = moment.row
    words = "It became part of the next review" if review.merged_into_id else review.closed_reason or ""
    return "cross", f"{_review_name(moment)} not written", words


def _message(moment: Moment, _reading: _Reading) -> Words:
    return "message", _MESSAGES[moment.row.kind], moment.row.words


def _score(moment: Moment, reading: _Reading) -> Words:
    questionnaire = moment.row
    measure = reading.programme.measures.get(questionnaire.measure)
    if measure is None or questionnaire.total is None:
        return "scores", "Questionnaire finished", ""
    band = measure.band_of(questionnaire.total).label
    title = f"{measure.title}: {questionnaire.total} out of {measure.maximum}"
    return "scores", title, f"In the {band} range"


def _reminder(moment: Moment, _reading: _Reading) -> Words:
    verb = "sent" if moment.what is Happened.REMINDER_SENT else "held back"
    return "bell", f"Reminder {verb}: {_PROMPTS.get(moment.row.kind, 'prompt')}", ""


def _call(moment: Moment, _reading: _Reading) -> Words:
    return "phone", _CALLS[moment.row.outcome], moment.row.note


def _alert(moment: Moment, _reading: _Reading) -> Words:
    alert = moment.row
    state = "resolved" if alert.resolved_at is not None else "open"
    return "shield", f"{_ALERTS[alert.source]} ({alert.grade.value.replace('_', ' ')}, {state})", ""


def _change(moment: Moment, reading: _Reading) -> Words:
    change = moment.row
    title, words = _change_words(change.what, change.from_value, change.to_value, reading)
    return "flag", title, ". ".join(part for part in (words, change.reason or "") if part)


def _change_words(what: str, before: str, after: str, reading: _Reading) -> tuple[str, str]:
    if what in _PEOPLE:
        return _PEOPLE[what], f"{_name(before, reading)}, then {_name(after, reading)}"
    if what == "state":
        return f"Course {after}", f"It was {before}" if before else ""
    if what == "end code":
        return "How it ended", END_CODE_WORDS[EndCode(after)] if after else ""
    if what == "cadence":
        return "Pace of reviews", f"{_CADENCES.get(before, before)}, then {_CADENCES.get(after, after)}"
    return what.replace("_", " ").capitalize(), _day_or_words(after)


def _supervision(moment: Moment, _reading: _Reading) -> Words:
    return "people", f"Supervision: {DECISION_WORDS[moment.row.decision].lower()}", moment.row.note


def _early_warning(moment: Moment, _reading: _Reading) -> Words:
    decision = moment.row
    words = ". ".join(part for part in (*decision.facts, decision.note) if part)
    return "flag", f"May not be benefiting yet: {choice_title(decision.choice)}", words


def _name(value: str, reading: _Reading) -> str:
    return reading.names.get(int(value), "somebody") if value.isdigit() else "nobody"


def _day_or_words(value: str) -> str:
    try:
        return long_day(date.fromisoformat(value))
    except ValueError:
        return value.replace("_", " ")


_WORDS: Mapping[Happened, Callable[[Moment, _Reading], Words]] = {
    Happened.WEEK_OPENED: _week,
    Happened.ITEM_SETTLED: _item,
    Happened.WAS_HERE: _was_here,
    Happened.REVIEW_SENT: _sent,
    Happened.REVIEW_LATE: _late,
    Happened.REVIEW_MISSED: _missed,
    Happened.MESSAGE: _message,
    Happened.SCORE: _score,
    Happened.REMINDER_SENT: _reminder,
    Happened.REMINDER_HELD_BACK: _reminder,
    Happened.CALL: _call,
    Happened.CHANGE: _change,
    Happened.ALERT: _alert,
    Happened.SUPERVISION: _supervision,
    Happened.EARLY_WARNING: _early_warning,
}
