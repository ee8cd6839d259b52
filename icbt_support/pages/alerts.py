"""A risk alert as staff read it.

The answer as it was given, who was told, whose turn it is, what was done.
"""

from dataclasses import dataclass
from datetime import datetime

from wtforms.fields.choices import SelectChoice

from icbt_support.cadence import to_local
from icbt_support.measures.operations import programme_of
from icbt_support.pages.kit import clock_time, short_day_and_time
from icbt_support.risk.models import AlertSource, CallLog, CallOutcome, Grade, NoticeReason, RiskAlert
from icbt_support.risk.rules import SAFETY_ANSWER_WORDS

GRADE_WORDS = {Grade.URGENT: "Urgent", Grade.SAME_DAY: "Same day", Grade.KNOWN: "Known"}
GRADE_COLOURS = {Grade.URGENT: "red", Grade.SAME_DAY: "orange", Grade.KNOWN: "grey"}
REASON_WORDS = {
    NoticeReason.SUPPORTER: "as the supporter",
    NoticeReason.DUTY: "as the clinician on duty",
    NoticeReason.ESCALATION: "because nobody had taken it",
    NoticeReason.NOBODY_ON_DUTY: "because nobody is on duty",
}
OUTCOME_WORDS = {
    CallOutcome.SPOKE: "Spoke to the person",
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.VOICEMAIL: "Left a voicemail",
    CallOutcome.SOMEONE_ELSE: "Spoke to someone else",
}


@dataclass(frozen=True)
class HistoryEntry:
    """One line of what happened, for the timeline component."""

    at: datetime
    when: str
    title: str
    words: str
    icon: str
    by: str


@dataclass(frozen=True)
class AlertView:
    id: int
    enrolment_id: int
    patient: str
    initials: str
    supporter: str
    title: str
    grade: str
    grade_colour: str
    raised: str
    safety: str
    words: str
    state: str
    told: str
    is_taken: bool
    is_open: bool
    history: tuple[HistoryEntry, ...]


def alert_view(alert: RiskAlert, zone: str) -> AlertView:
    """The alert in the reader's zone."""
    enrolment = alert.enrolment
    return AlertView(
        id=alert.id,
        enrolment_id=alert.enrolment_id,
        patient=enrolment.patient.full_name,
        initials=enrolment.patient.initials,
        supporter=enrolment.supporter.full_name,
        title=title_of(alert),
        grade=GRADE_WORDS[alert.grade],
        grade_colour=GRADE_COLOURS[alert.grade],
        raised=short_day_and_time(to_local(alert.raised_at, zone)),
        safety=_safety_words(alert),
        words=alert.words or "",
        state=_state_words(alert, zone),
        told=_told_words(alert, zone),
        is_taken=alert.is_taken,
        is_open=alert.is_open,
        history=tuple(_history(alert, zone)),
    )


def title_of(alert: RiskAlert) -> str:
    """The answer itself: "Item 9: several days (was: not at all)"; never a word that item 9 does not use."""
    if alert.source is AlertSource.STATED:
        return "Said: I need someone to know I am not safe"
    if alert.source is AlertSource.CONCERN:
        return "Concern raised by staff"
    before = (
        "first time asked"
        if alert.answer_before is None
        else f"was: {_answer_words(alert, alert.answer_before)}"
    )
    return f"Item 9: {_answer_words(alert, alert.answer or 0)} ({before})"


def answer_choices(alert: RiskAlert) -> list[SelectChoice]:
    """The answers of the measure that holds the risk item, above 0."""
    measure = next(one for one in programme_of(alert.enrolment).measures.values() if one.risk_item)
    return [SelectChoice(str(option.value), option.label) for option in measure.options if option.value > 0]


def call_entries(calls: list[CallLog], zone: str) -> list[HistoryEntry]:
    """Logged calls for the timeline component."""
    return [
        _entry(
            call.called_at,
            zone,
            OUTCOME_WORDS[call.outcome] + _length_words(call.minutes),
            call.note,
            "phone",
            call.caller.full_name,
        )
        for call in calls
    ]


def _answer_words(alert: RiskAlert, value: int) -> str:
    measures = programme_of(alert.enrolment).measures.values()
    measure = next((one for one in measures if one.risk_item), None)
    return measure.label_of(value).lower() if measure else str(value)


def _safety_words(alert: RiskAlert) -> str:
    if alert.source is not AlertSource.ITEM_9:
        return ""
    if alert.can_keep_safe is None:
        return "Not answered"
    return SAFETY_ANSWER_WORDS[alert.can_keep_safe]


def _state_words(alert: RiskAlert, zone: str) -> str:
    if alert.resolved_at is not None:
        who = alert.resolver.full_name if alert.resolver else "a person"
        return f"Resolved by {who}, {short_day_and_time(to_local(alert.resolved_at, zone))}"
    if alert.acknowledged_at is not None:
        who = alert.acknowledger.full_name if alert.acknowledger else "a person"
        return f"Taken by {who} at {_moment(alert.acknowledged_at, zone)}: {alert.acknowledgement or ''}"
    if alert.escalates_at is None:
        return "Known: no clock. Shown first in the review"
    return f"Nobody has taken it. Goes to the next person {_moment(alert.escalates_at, zone)}"


def _told_words(alert: RiskAlert, zone: str) -> str:
    if not alert.notices:
        return "Nobody was sent a notice"
    newest = alert.notices[-1]
    names = [n.account.full_name for n in alert.notices if n.escalation == newest.escalation]
    return f"Notice to {', '.join(names)} at {_moment(newest.noticed_at, zone)}"


def _history(alert: RiskAlert, zone: str) -> list[HistoryEntry]:
    entries = [_entry(alert.raised_at, zone, title_of(alert), alert.words or "", "flag", "")]
    entries += [
        _entry(
            notice.noticed_at,
            zone,
            f"Notice to {notice.account.full_name}",
            "",
            "bell",
            REASON_WORDS[notice.reason],
        )
        for notice in alert.notices
    ]
    if alert.acknowledged_at is not None and alert.acknowledger is not None:
        entries.append(
            _entry(
                alert.acknowledged_at,
                zone,
                "Taken",
                alert.acknowledgement or "",
                "people",
                alert.acknowledger.full_name,
            )
        )
    if alert.resolved_at is not None and alert.resolver is not None:
        words = f"Spoken to: {alert.spoken_to} · Agreed: {alert.agreed} · Also told: {alert.others_told}"
        entries.append(_entry(alert.resolved_at, zone, "Resolved", words, "tick", alert.resolver.full_name))
    return sorted(entries, key=lambda entry: entry.at)


def _entry(at: datetime, zone: str, title: str, words: str, icon: str, by: str) -> HistoryEntry:
    return HistoryEntry(at, short_day_and_time(to_local(at, zone)), title, words, icon, by)


def _moment(at: datetime, zone: str) -> str:
    """9.17am on Thu 19 Nov."""
    local = to_local(at, zone)
    return f"{clock_time(local)} on {local:%a} {local.day} {local:%b}"


def _length_words(minutes: int | None) -> str:
    if not minutes:
        return ""
    return ", 1 minute" if minutes == 1 else f", {minutes} minutes"
