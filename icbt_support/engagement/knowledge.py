"""Knowing one person in half a minute: all that the review workspace shows of them, in three statements.

They stay three (four while an alert is open) whether somebody has been here for a week or for a year: small facts
travel together, so do words, and of letters, calls and notes only the newest are read. Reads only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from icbt_support.activity.models import Act
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.engagement.known_facts import PageSeen, SmallFacts, load_small_facts
from icbt_support.engagement.known_words import SharedEntry, SharedWords, load_words
from icbt_support.engagement.person import (
    FOLLOWED_WITHIN,
    RemindersSince,
    RiskAnswer,
    did_anything_since,
    module_was_opened,
    prompts_owed,
)
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.queries import pages_read
from icbt_support.plan.queries import check_ins_finished, latest_week_of
from icbt_support.read_once import answer_beforehand
from icbt_support.reviews.models import Review, ReviewKind, ReviewLetter
from icbt_support.reviews.queries import highest_number, kept_texts_of
from icbt_support.rhythm.strips import reviews_around
from icbt_support.risk.models import RiskAlert

LETTERS_SHOWN, REVIEWS_READ = 3, 6
ANSWERS_COMPARED = 2


@dataclass(frozen=True)
class Knowledge:
    """What is known of a person at one moment, since `since` where something is new."""

    enrolment: Enrolment
    since: datetime
    reviews: tuple[Review, ...]
    letters: tuple[ReviewLetter, ...]
    alerts: tuple[RiskAlert, ...]
    facts: SmallFacts
    texts: tuple[SharedWords, ...]
    entries: tuple[SharedEntry, ...]

    def words_of(self, what: str) -> tuple[SharedWords, ...]:
        return tuple(one for one in self.texts if one.what == what)

    def is_marked(self, subject: str, subject_id: int) -> bool:
        """Whether the text holds one of the service's phrases and nobody has read it yet."""
        return (subject, subject_id) in self.facts.marked

    def risk_answer(self, measure: str) -> RiskAnswer:
        """The newest answer to the risk item and the one of the questionnaire before it."""
        by_week = self.facts.risk_answers.get(measure, {})
        values = [by_week[week] for week in sorted(by_week, reverse=True)][:ANSWERS_COMPARED]
        return RiskAnswer(*values, *(None,) * (ANSWERS_COMPARED - len(values)))

    def totals(self, measure: str) -> tuple[int, ...]:
        return tuple(self.facts.scores.get(measure, ()))

    def is_score_new(self, measure: str) -> bool:
        """Whether the newest total came since the last review."""
        dates = self.facts.score_dates.get(measure, [])
        return bool(dates) and dates[-1] > self.since

    @property
    def pages_since(self) -> tuple[PageSeen, ...]:
        return tuple(page for page in self.facts.pages if page.last_read_at > self.since)

    @property
    def tools_begun(self) -> tuple[str, ...]:
        """Tools whose first shared entry came since the last review."""
        return tuple(one.tool for one in self.facts.first_entries if one.at > self.since)

    @cached_property
    def days_here(self) -> tuple[date, ...]:
        """The days since the last review on which the person did anything here, in their own zone."""
        zone = self.enrolment.patient.zone
        return tuple(sorted({local_day(at, zone) for at, _act in self.facts.acts_since}))

    @property
    def sign_ins(self) -> int:
        return sum(1 for _at, act in self.facts.acts_since if act == Act.SIGNED_IN)

    @property
    def reminders(self) -> RemindersSince:
        """Prompts by email, and after how many of them the person came within 48 hours."""
        sent, came = self.facts.prompts_sent, [at for at, _act in self.facts.acts_since]
        followed = sum(1 for at in sent if any(at <= visit <= at + FOLLOWED_WITHIN for visit in came))
        return RemindersSince(len(sent), self.facts.prompts_held_back, followed)


def know_for_review(review: Review, risk_items: Mapping[str, int], *, today: date) -> Knowledge:
    """What to know before writing `review`; it looks back to the letter before, or to the start of the course.

    `risk_items` names the risk item of each measure that has one; `today` is the patient's day.
    """
    return _know(review.enrolment, risk_items, today=today, until=review)


def know_person(enrolment: Enrolment, risk_items: Mapping[str, int], *, today: date) -> Knowledge:
    """The same, as it stands now, for the page about the whole course."""
    return _know(enrolment, risk_items, today=today, until=None)


def _know(
    enrolment: Enrolment, risk_items: Mapping[str, int], *, today: date, until: Review | None
) -> Knowledge:
    reviews = _newest_reviews(enrolment.id, until.number if until is not None else None)
    letters = _letters_among(reviews, until.id if until is not None else None)
    since = letters[0].sent_at if letters else enrolment.invited_at
    texts, entries = load_words(enrolment, since)
    facts = load_small_facts(enrolment, risk_items, since, today)
    return Knowledge(
        enrolment=enrolment,
        since=since,
        reviews=tuple(reversed(reviews)),
        letters=tuple(letters[:LETTERS_SHOWN]),
        alerts=tuple(_open_alerts(enrolment.id)) if facts.open_alerts else (),
        facts=facts,
        texts=tuple(texts),
        entries=tuple(entries),
    )


def _newest_reviews(enrolment_id: int, until: int | None) -> Sequence[Review]:
    """Newest first, with their letters and those who wrote them.

    Six reach back past reviews that were never written; with none sent among them, all of the course counts as new.
    """
    numbers = () if until is None else (Review.number <= until,)
    return db.session.scalars(
        select(Review)
        .options(joinedload(Review.letter).joinedload(ReviewLetter.author), joinedload(Review.owner))
        .where(Review.enrolment_id == enrolment_id, *numbers)
        .order_by(Review.number.desc())
        .limit(REVIEWS_READ)
    ).all()


def _letters_among(reviews: Iterable[Review], leaving_out: int | None) -> list[ReviewLetter]:
    return [
        one.letter
        for one in reviews
        if one.letter is not None and one.kind is not ReviewKind.WELCOME and one.id != leaving_out
    ]


def _open_alerts(enrolment_id: int) -> Sequence[RiskAlert]:
    return db.session.scalars(
        select(RiskAlert)
        .options(joinedload(RiskAlert.acknowledger))
        .where(RiskAlert.enrolment_id == enrolment_id, RiskAlert.resolved_at.is_(None))
        .order_by(RiskAlert.raised_at.desc(), RiskAlert.id.desc())
    ).all()


def answer_what_is_known(known: Knowledge, review: Review, modules: Iterable[str], *, reader_id: int) -> None:
    """Other rooms ask for parts of this while the same page is drawn: they are answered from what is loaded."""
    enrolment, facts, week = known.enrolment, known.facts, review.week
    answer_beforehand(
        check_ins_finished,
        {(enrolment.id, number): at for number, at in facts.check_ins.items()},
        [enrolment.id],
    )
    for module in modules:
        read = {(page.module, page.page) for page in facts.pages if page.module == module}
        answer_beforehand(pages_read, read, enrolment, module)
    answer_beforehand(prompts_owed, facts.prompts_owed, enrolment)
    if not facts.kept_texts:
        answer_beforehand(kept_texts_of, [], review, author_id=reader_id)
    answer_beforehand(highest_number, facts.last_review_number, enrolment)
    answer_beforehand(reviews_around, {enrolment.id: list(known.reviews)}, [enrolment.id])
    if week is None:
        return
    if week.number == facts.last_week_number:
        answer_beforehand(latest_week_of, week, enrolment)
    opened_at = week.opened_at
    was_here = facts.last_visit_at is not None and facts.last_visit_at >= opened_at
    answer_beforehand(did_anything_since, was_here, enrolment, opened_at)
    was_opened = any(page.module == week.module and page.last_read_at >= opened_at for page in facts.pages)
    answer_beforehand(module_was_opened, was_opened, week, enrolment)
