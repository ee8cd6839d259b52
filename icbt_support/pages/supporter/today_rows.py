"""The rows of *Today*: who, why, and what to do about it. Pure, bar the addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from icbt_support.cadence import local_day, to_local
from icbt_support.engagement.caseload import OpenAlert, OwedReview, PersonNow
from icbt_support.engagement.today import (
    Queue,
    Section,
    alerts_to_read,
    is_due,
    opened_nothing_this_week,
    planned_minutes,
    review_to_write,
    score_change,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.pages.kit import clock_time, long_day, minutes_words, short_day
from icbt_support.pages.supporter.words import (
    count_words,
    day_ahead,
    moment_inside,
    moment_words,
    promise_words,
    visit_words,
)
from icbt_support.plan.models import ItemState
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import ReviewKind, ReviewState
from icbt_support.risk.models import AlertSource, RiskAlert

SCORE_NAME = "PHQ-9"
RELIABLE_CHANGE = 6
HEADINGS: Mapping[Section, tuple[str, str, str]] = {
    Section.READ_FIRST: (
        "Read first",
        "first",
        "Answers and words that a person looks at before anything else",
    ),
    Section.LATE: ("Late", "late", "Promised for an earlier time"),
    Section.DUE: ("Due today, in the order of your slots", "due", ""),
    Section.WELCOME: ("New people who have not heard yet", "due", "A welcome is owed"),
    Section.MESSAGES: ("Messages and questions", "due", "Not read yet"),
    Section.WAITING: ("Waiting for them", "wait", "Nothing for you to do"),
}
SUMMARY = {
    Section.READ_FIRST: "{} to read first",
    Section.LATE: "{} late",
    Section.DUE: "{} due",
    Section.WELCOME: "{} to welcome",
    Section.MESSAGES: "{} with messages",
}


@dataclass(frozen=True)
class Row:
    """One row as `components/queue.html` draws it."""

    name: str
    initials: str
    href: str
    week: str
    slot: str
    reason: str
    more: str
    last_visit: str
    scores: list[int]
    score_name: str
    minutes: int | None
    action: str
    action_href: str
    is_first: bool


@dataclass(frozen=True)
class Address:
    """Where a person's page, review, welcome and messages are; a page gives it."""

    person: str
    review: str
    welcome: str
    messages: str


@dataclass(frozen=True)
class Reader:
    """Who reads, when, and in which zone."""

    account_id: int
    now: datetime
    zone: str


def summary_parts(queue: Queue) -> list[tuple[str, str]]:
    """("1 late", "late") for every section that asks for something."""
    return [
        (words.format(queue.count(section)), section.value)
        for section, words in SUMMARY.items()
        if queue.count(section)
    ]


def summary_minutes(queue: Queue) -> str:
    return minutes_words(queue.minutes) if queue.minutes else ""


def make_row(person: PersonNow, section: Section, address: Address, reader: Reader, *, is_first: bool) -> Row:
    reason, more = _reason(person, section, reader)
    action, action_href = _action(person, section, address, reader)
    patient = person.enrolment.patient
    return Row(
        name=patient.full_name,
        initials=patient.initials,
        href=address.person,
        week=week_words(person),
        slot=_slot(person, section, reader),
        reason=reason,
        more=_with_cover(more, person, reader),
        last_visit=visit_words(person.last_visit_at, now=reader.now, zone=reader.zone),
        scores=list(person.scores),
        score_name=SCORE_NAME,
        minutes=planned_minutes(person, now=reader.now, zone=reader.zone),
        action=action,
        action_href=action_href,
        is_first=is_first,
    )


def week_words(person: PersonNow) -> str:
    state = person.enrolment.state
    if state in (EnrolmentState.PAUSED, EnrolmentState.AWAY):
        return state.value.capitalize()
    return f"Week {person.week.week.number}" if person.week is not None else "Not started"


def _with_cover(more: str, person: PersonNow, reader: Reader) -> str:
    if person.enrolment.supporter_id == reader.account_id:
        return more
    return " · ".join(part for part in (more, f"For {person.enrolment.supporter.full_name}") if part)


def _slot(person: PersonNow, section: Section, reader: Reader) -> str:
    owed = review_to_write(person, account_id=reader.account_id)
    if section is not Section.DUE or owed is None or owed.review.slot_at is None:
        return ""
    local = to_local(owed.review.slot_at, reader.zone)
    return clock_time(local) if local.date() == local_day(reader.now, reader.zone) else short_day(local)


def _action(person: PersonNow, section: Section, address: Address, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    if section is Section.READ_FIRST:
        is_to_write = (
            owed is not None
            and owed.review.kind is not ReviewKind.WELCOME
            and (owed.review.is_late(reader.now) or is_due(owed, now=reader.now, zone=reader.zone))
        )
        return "Open", address.review if is_to_write else address.person
    if section is Section.MESSAGES:
        return "Read", address.messages
    if section is Section.WAITING or owed is None:
        return "", ""
    if owed.review.kind is ReviewKind.WELCOME:
        return "Write welcome", address.welcome
    if owed.draft_saved_at is not None:
        return "Continue", address.review
    return ("Write now" if section is Section.LATE else "Write"), address.review


def _reason(person: PersonNow, section: Section, reader: Reader) -> tuple[str, str]:
    return {
        Section.READ_FIRST: _why_read_first,
        Section.LATE: _why_late,
        Section.DUE: _why_due,
        Section.WELCOME: _why_welcome,
        Section.MESSAGES: _why_messages,
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
    if owed is None:
        return "A review is late", ""
    review, called = owed.review, person.enrolment.patient.called
    what = "Welcome" if review.kind is ReviewKind.WELCOME else "Review"
    reason = f"{what} was due {promise_words(review.promised_at, now=reader.now, zone=reader.zone)}"
    if review.told_late_at is None:
        return reason, _draft_words(owed, reader)
    told = clock_time(to_local(review.told_late_at, reader.zone))
    taken = "A new date was given and has passed" if review.taken_at is not None else "No new date yet"
    return reason, f"{called} was told at {told}. {taken}"


def _why_due(person: PersonNow, reader: Reader) -> tuple[str, str]:
    owed = review_to_write(person, account_id=reader.account_id)
    draft = _draft_words(owed, reader) if owed is not None else ""
    if opened_nothing_this_week(person):
        return "Nothing opened this week", draft or "Use the short form"
    is_checked_in = person.week is not None and person.week.check_in_finished_at is not None
    parts = ["Check-in done" if is_checked_in else "Check-in not done"]
    if person.questions:
        parts.append(
            f"asks {'one question' if len(person.questions) == 1 else f'{len(person.questions)} questions'}"
        )
    if person.week is not None and person.week.step is not None and person.week.step.state is ItemState.DONE:
        parts.append("step done")
    reason = ", ".join(parts)
    if owed is not None and person.last_sent is None:
        return f"First review: {reason[:1].lower()}{reason[1:]}", draft or _due_more(person, is_checked_in)
    return reason, draft or _due_more(person, is_checked_in)


def _due_more(person: PersonNow, is_checked_in: bool) -> str:
    if not is_checked_in:
        return "It does not block the review"
    change = score_change(person)
    if change is None or abs(change) < RELIABLE_CHANGE:
        return ""
    return f"{SCORE_NAME} {'down' if change < 0 else 'up'} {abs(change)} since the start"


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
    return f"{' and '.join(parts)} not read", f"Since {since}"


def _why_waiting(person: PersonNow, reader: Reader) -> tuple[str, str]:
    enrolment, today = person.enrolment, local_day(reader.now, reader.zone)
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


def _next_review(person: PersonNow, reader: Reader) -> str:
    owed = next((one for one in person.owed if one.review.kind is not ReviewKind.WELCOME), None)
    return f"Next review {short_day(owed.review.due_on)}" if owed is not None else ""


def _written_by_other(person: PersonNow, reader: Reader) -> str:
    owed = person.next_owed
    if owed is None or owed.review.owner_id in (reader.account_id, person.enrolment.supporter_id):
        return ""
    state = "has begun it" if owed.review.state is ReviewState.DRAFTED else "writes it"
    return f"{owed.review.owner.full_name} {state}"
