"""Why a row of *Today* is there, in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.caseload import OpenAlert, OwedReview, PersonNow
from icbt_support.engagement.today import (
    Section,
    alerts_to_read,
    call_to_make,
    note_to_write,
    opened_nothing_this_week,
    review_to_write,
    score_change,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.pages.kit import clock_time, long_day, short_day
from icbt_support.pages.supporter.words import (
    count_words,
    day_ahead,
    moment_inside,
    moment_words,
    promise_words,
)
from icbt_support.plan.models import ItemState
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import ReviewKind, ReviewState
from icbt_support.rhythm.quiet import QuietPerson, QuietReason, QuietTask, quiet_person
from icbt_support.risk.models import AlertSource, RiskAlert

SCORE_NAME = "PHQ-9"
RELIABLE_CHANGE = 6


@dataclass(frozen=True)
class Reader:
    """Who reads, when, in which zone, and until which day they cover whom (by account)."""

    account_id: int
    now: datetime
    zone: str
    covers: Mapping[int, date] = field(default_factory=dict)


def reason_of(person: PersonNow, section: Section, reader: Reader) -> tuple[str, str]:
    """The line in bold, and the one below it."""
    return {
        Section.READ_FIRST: _why_read_first,
        Section.LATE: _why_late,
        Section.DUE: _why_due,
        Section.POOL: _why_pool,
        Section.MESSAGES: _why_messages,
        Section.CALLS: _why_call,
        Section.NOTES: _why_note,
        Section.WELCOME: _why_welcome,
        Section.WAITING: _why_waiting,
    }[section](person, reader)


def _why_read_first(person: PersonNow, reader: Reader) -> tuple[str, str]:
    alerts = alerts_to_read(person)
    if not alerts:
        when = moment_words(person.read_first[0], now=reader.now, zone=reader.zone)
        return "Shared words to read first", when
    enrolment = person.enrolment
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    return alert_words(alerts[0].alert, programme), _told_words(alerts[0], reader)


def alert_words(alert: RiskAlert, programme: Programme) -> str:
    """The answer as given, never what it might mean."""
    if alert.source is AlertSource.STATED:
        return "Said: I need someone to know I am not safe"
    if alert.source is AlertSource.CONCERN:
        return "A colleague raised a concern"
    measure = next((one for one in programme.measures.values() if one.risk_item), None)
    if measure is None or alert.answer is None:
        return "Item 9 above 0"
    answer = measure.label_of(alert.answer)
    before = measure.label_of(alert.answer_before).lower() if alert.answer_before is not None else ""
    was = f" (was: {before})" if before else ""
    return f"Item {measure.risk_item}: {answer.lower()}{was}"


def _told_words(one: OpenAlert, reader: Reader) -> str:
    if one.told_name is None or one.told_at is None:
        return "Nobody on duty has been told yet"
    told = moment_inside(one.told_at, now=reader.now, zone=reader.zone)
    taken = ", taken" if one.alert.acknowledged_at is not None else ""
    return f"Notice to {one.told_name} {told}{taken}"


def _why_late(person: PersonNow, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    if owed is None or not owed.review.is_late(reader.now):
        return _why_message_late(person, reader)
    review, called = owed.review, person.enrolment.patient.called
    what = "Welcome" if review.kind is ReviewKind.WELCOME else "Review"
    reason = f"{what} was due {promise_words(review.promised_at, now=reader.now, zone=reader.zone)}"
    if review.told_late_at is None:
        return reason, _draft_words(owed, reader)
    told = clock_time(to_local(review.told_late_at, reader.zone))
    taken = "A new date was given and has passed" if review.taken_at is not None else "No new date yet"
    return reason, f"{called} was told at {told}. {taken}"


def _why_message_late(person: PersonNow, reader: Reader) -> tuple[str, str]:
    late, called = person.late_messages, person.enrolment.patient.called
    since = moment_inside(late[0].sent_at, now=reader.now, zone=reader.zone)
    what = "A message" if len(late) == 1 else f"{len(late)} messages"
    return f"{what} not read since {since}", f"{called} was told that it is late"


def _why_due(person: PersonNow, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    due = f"Due {promise_words(owed.review.promised_at, now=reader.now, zone=reader.zone)}" if owed else ""
    draft = _draft_words(owed, reader) if owed is not None else ""
    if opened_nothing_this_week(person):
        return "Nothing opened this week", _joined(due, draft or "the short form fits")
    finished_at = person.week.check_in_finished_at if person.week is not None else None
    parts = [_check_in_words(finished_at, reader)]
    if person.questions:
        parts.append(
            f"asks {'one question' if len(person.questions) == 1 else f'{len(person.questions)} questions'}"
        )
    if person.week is not None and person.week.step is not None and person.week.step.state is ItemState.DONE:
        parts.append("step done")
    reason = ", ".join(parts)
    if person.last_sent is None:
        reason = f"First review: {reason[:1].lower()}{reason[1:]}"
    return reason, _joined(due, draft or _due_more(person, finished_at is not None))


def _why_pool(person: PersonNow, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    if owed is None:
        return "A review that nobody has taken", ""
    what = "Welcome" if owed.review.kind is ReviewKind.WELCOME else "Review"
    due = promise_words(owed.review.promised_at, now=reader.now, zone=reader.zone)
    return f"{what} due {due}, not taken yet", _draft_words(owed, reader)


def _check_in_words(finished_at: datetime | None, reader: Reader) -> str:
    if finished_at is None:
        return "Check-in not done"
    return f"Check-in finished {moment_inside(finished_at, now=reader.now, zone=reader.zone)}"


def _due_more(person: PersonNow, is_checked_in: bool) -> str:
    if not is_checked_in:
        return "the review does not wait for it"
    change = score_change(person)
    if change is None or abs(change) < RELIABLE_CHANGE:
        return ""
    return f"{SCORE_NAME} {'down' if change < 0 else 'up'} {abs(change)} since the start"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _why_call(person: PersonNow, reader: Reader) -> tuple[str, str]:
    call = call_to_make(person, now=reader.now)
    if call is None:
        return "A call is due", ""
    if call.quiet is None:
        since = moment_inside(call.bounced_at, now=reader.now, zone=reader.zone) if call.bounced_at else ""
        return "Email does not reach them", _joined(f"Since {since}", "ask for another address")
    reason = _quiet_words(call.quiet)
    tries = f"{count_words(call.quiet.tries, 'call')} tried, one more to make" if call.quiet.tries else ""
    return reason, tries or "Ring to ask how it is going; two tries are enough"


def _why_note(person: PersonNow, reader: Reader) -> tuple[str, str]:
    quiet = note_to_write(person, now=reader.now)
    reason = _quiet_words(quiet) if quiet is not None else "Not here for a while"
    return reason, _joined(
        "It is fine to come back: say so, and ask what got in the way", _next_review(person, reader)
    )


def _draft_words(owed: OwedReview, reader: Reader) -> str:
    if owed.draft_saved_at is None:
        return ""
    when = moment_inside(owed.draft_saved_at, now=reader.now, zone=reader.zone)
    return f"Draft saved {when}"


def _why_welcome(person: PersonNow, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    invited = moment_inside(person.enrolment.invited_at, now=reader.now, zone=reader.zone)
    due = promise_words(owed.review.promised_at, now=reader.now, zone=reader.zone) if owed else ""
    return f"Your welcome is owed {due}".strip(), f"Invited {invited}"


def _why_messages(person: PersonNow, reader: Reader) -> tuple[str, str]:
    questions = sum(1 for one in person.unread if one in person.questions)
    others = len(person.unread) - questions
    parts = [count_words(questions, "question")] if questions else []
    parts += [count_words(others, "message")] if others else []
    since = moment_inside(person.unread[0].sent_at, now=reader.now, zone=reader.zone)
    return f"{' and '.join(parts)} not read since {since}", ""


def _why_waiting(person: PersonNow, reader: Reader) -> tuple[str, str]:
    enrolment, today = person.enrolment, local_day(reader.now, reader.zone)
    if person.is_guests:
        return "Seen to", "It stays open to you for a little longer"
    decision = _decision_words(person, reader)
    if decision:
        return decision, _next_review(person, reader)
    if enrolment.state is EnrolmentState.ENDED:
        return "The course has ended", "An alert is still open"
    if enrolment.state is EnrolmentState.INVITED:
        return "Invited, has not started", f"Invited {short_day(to_local(enrolment.invited_at, reader.zone))}"
    if enrolment.state is EnrolmentState.ONBOARDING:
        return "In the first steps", "Chooses days and times next"
    if enrolment.state is EnrolmentState.AWAY and enrolment.away_until_on is not None:
        return f"Away until {long_day(enrolment.away_until_on)}", _next_review(person, reader)
    if enrolment.state in (EnrolmentState.PAUSED, EnrolmentState.AWAY):
        return "The plan is paused", _next_review(person, reader)
    sent = person.last_sent
    if sent is not None and sent.sent_at is not None and local_day(sent.sent_at, reader.zone) == today:
        at = clock_time(to_local(sent.sent_at, reader.zone))
        opened = "Opened" if sent.read_at is not None else "Not opened yet"
        return f"Review sent today at {at}", f"{opened}. {_next_review(person, reader)}".rstrip()
    step = person.week.step if person.week is not None else None
    if step is not None and step.state is ItemState.DONE:
        return "Agreed step done", _next_review(person, reader)
    if step is not None and step.state is ItemState.PLANNED and step.planned_on >= today:
        return f"Agreed step is due {day_ahead(step.planned_on, today)}", _next_review(person, reader)
    return _next_review(person, reader) or "No review planned", _written_by_other(person, reader)


def _decision_words(person: PersonNow, reader: Reader) -> str:
    """After three quiet weeks the clinician decides; the row says so, and nobody is ended by a timer."""
    quiet = quiet_person(person.enrolment, last_act=person.last_visit_at, calls=person.calls, now=reader.now)
    if quiet is None or quiet.task is not QuietTask.DECIDE:
        return ""
    return f"{_quiet_words(quiet)}: the clinician decides"


def _quiet_words(quiet: QuietPerson) -> str:
    if quiet.reason is QuietReason.NEVER_STARTED:
        return f"Invited {quiet.days} days ago, not started"
    return f"Not here for {quiet.days} days"


def _next_review(person: PersonNow, reader: Reader) -> str:
    owed = next((one for one in person.owed if one.review.kind is not ReviewKind.WELCOME), None)
    return f"Next review {short_day(owed.review.due_on)}" if owed is not None else ""


def _written_by_other(person: PersonNow, reader: Reader) -> str:
    owed = person.next_owed
    if owed is None or owed.review.owner_id in (reader.account_id, person.enrolment.supporter_id):
        return ""
    state = "has begun it" if owed.review.state is ReviewState.DRAFTED else "writes it"
    return f"{owed.review.owner.full_name} {state}"
