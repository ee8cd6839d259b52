"""What happened in one course, in words: weeks, reviews, alerts, calls and changes, newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from icbt_support.accounts.models import Account
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.engagement.overview import alert_words
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.enrolments.queries import changes_of
from icbt_support.pages.kit import long_day, short_day_and_time
from icbt_support.plan.models import OpenedBecause, Week
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.queries import reviews_of
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.queries import alerts_of, calls_of

PEOPLE_CHANGES = {"supporter": "Supporter", "clinician": "Clinician"}
DAY_CHANGES = {"start day": "Start day", "away until": "Away until"}
CADENCES = {"7": "every week", "14": "every two weeks"}
CALLS = {
    CallOutcome.SPOKE: "Spoke",
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.VOICEMAIL: "Left a voicemail",
    CallOutcome.SOMEONE_ELSE: "Somebody else answered",
}


@dataclass(frozen=True)
class Happening:
    """One line of the timeline; `at` is local."""

    at: datetime
    title: str
    words: str
    icon: str
    by: str = ""

    @property
    def when(self) -> str:
        return short_day_and_time(self.at)


def happenings_of(enrolment: Enrolment, weeks: Sequence[Week]) -> list[Happening]:
    zone = enrolment.service.zone
    found = [
        *_weeks_opened_late(weeks, zone),
        *(line for review in reviews_of(enrolment) for line in _of_review(review, zone)),
        *(
            Happening(to_local(alert.raised_at, zone), "Alert", alert_words(alert), "shield")
            for alert in alerts_of(enrolment)
        ),
        *(
            Happening(
                to_local(call.called_at, zone), "Call", CALLS[call.outcome], "phone", call.caller.full_name
            )
            for call in calls_of(enrolment)
        ),
        *_changes(enrolment, zone),
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _weeks_opened_late(weeks: Sequence[Week], zone: str) -> Iterator[Happening]:
    for week in weeks:
        if week.opened_because is OpenedBecause.REVIEW_LATE:
            words = "Its review was two working days late."
            yield Happening(
                to_local(week.opened_at, zone),
                f"Week {week.number} opened without a review",
                words,
                "warning",
            )


def _of_review(review: Review, zone: str) -> Iterator[Happening]:
    is_welcome = review.kind is ReviewKind.WELCOME
    name = "Welcome" if is_welcome else f"Review {review.number}"
    if review.told_late_at is not None:
        told = "Staff were told" if is_welcome else "The patient was told"
        yield Happening(to_local(review.told_late_at, zone), f"{name} late", told, "clock")
    if review.state is ReviewState.MISSED and review.closed_at is not None:
        words = "It became part of the next review" if review.merged_into_id else "Closed with a reason"
        yield Happening(to_local(review.closed_at, zone), f"{name} not sent", words, "cross")
    if review.sent_at is not None:
        step = review.letter.step_what if review.letter else ""
        yield Happening(
            to_local(review.sent_at, zone),
            f"{name} sent",
            f"Agreed: {step}" if step else "",
            "mail",
            review.owner.full_name,
        )


def _changes(enrolment: Enrolment, zone: str) -> list[Happening]:
    changes = changes_of(enrolment)
    names = _names_in(changes)
    found = []
    for change in changes:
        line = _change_words(change, names)
        if line is not None:
            found.append(Happening(to_local(change.changed_at, zone), *line, "flag"))
    return found


def _change_words(change: EnrolmentChange, names: dict[str, str]) -> tuple[str, str] | None:
    """A title and words; None for a change that is of the machinery."""
    before, after = change.from_value, change.to_value
    if change.what in PEOPLE_CHANGES:
        before, after = names.get(before, ""), names.get(after, "")
        return PEOPLE_CHANGES[change.what], f"{before}, then {after}"
    if change.what == "state":
        return f"Course {after}", f"It was {before}" if before else ""
    if change.what == "cadence":
        return "Pace of reviews", f"{CADENCES.get(before, before)}, then {CADENCES.get(after, after)}"
    if change.what in DAY_CHANGES and after:
        return DAY_CHANGES[change.what], long_day(date.fromisoformat(after))
    return None


def _names_in(changes: Sequence[EnrolmentChange]) -> dict[str, str]:
    ids = {
        int(value)
        for change in changes
        if change.what in PEOPLE_CHANGES
        for value in (change.from_value, change.to_value)
        if value.isdigit()
    }
    rows = db.session.execute(select(Account.id, Account.full_name).where(Account.id.in_(ids)))
    return {str(row.id): row.full_name for row in rows}
