"""Two at once on one review: whichever commits first decides, and nothing happens twice."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.db import commit_with_retry, db
from icbt_support.plan.models import Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderKind
from icbt_support.reviews.models import Review, ReviewLetter, ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import draft_of, review_owed
from icbt_support.reviews.rules import ReviewAlreadySent, StaleDraft, WeekOpenedMeanwhile
from icbt_support.rhythm.sending import send_review
from icbt_support.rhythm.weeks import open_one_due_week
from tests.cast import Cast
from tests.concepts.rhythm_steps import SYSTEM, acting, at, letter, preview, start_course

LETTER = letter(next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 12, 2))
NOW = at(30, 17)
Outcome = object


@pytest.fixture
def review(cast: Cast) -> Review:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    return review_owed(cast.enrolment)


def at_once(app: Flask, *works: Callable[[], Outcome]) -> list[Outcome]:
    """Runs each work in a thread and a session of its own, all let go at the same moment; errors are
    outcomes.

    The test's own session begins a new transaction afterwards, so that it sees what the others committed.
    """
    db.session.rollback()
    gate = threading.Barrier(len(works))
    outcomes: list[Outcome] = [None] * len(works)

    def run(place: int, work: Callable[[], Outcome]) -> None:
        with app.app_context():
            gate.wait()
            try:
                outcomes[place] = commit_with_retry(work)
            except Exception as error:  # noqa: BLE001 (an outcome to look at)
                outcomes[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return outcomes


def sending(review_id: int, by: Actor, version: int) -> Callable[[], Outcome]:
    def work() -> Outcome:
        found = db.session.get_one(Review, review_id)
        return send_review(found, LETTER, draft_version=version, by=by, now=NOW).is_late_follow

    return work


def count(column: object) -> int:
    return db.session.scalar(select(func.count(column))) or 0


@pytest.mark.parametrize("attempt", range(3))
def test_a_send_and_its_lateness_open_one_week(app: Flask, cast: Cast, review: Review, attempt: int) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    version = preview(review, LETTER, by=by, now=at(30, 16, 50))
    review_id, enrolment_id = review.id, cast.enrolment.id

    def lateness() -> Outcome:
        opened = open_one_due_week(enrolment_id, now=NOW, by=SYSTEM)
        return opened.number if opened else None

    sent, opened_late = at_once(app, sending(review_id, by, version), lateness)
    if opened_late is None:
        assert (sent, review.state) == (False, ReviewState.SENT)
    else:
        assert isinstance(sent, WeekOpenedMeanwhile), "it is looked at again, as what it is now"
        assert (opened_late, review.is_owed) == (2, True)
    assert db.session.scalars(select(Week.number).order_by(Week.number)).all() == [1, 2]
    assert db.session.scalars(select(Review.number).order_by(Review.number)).all() == [1, 2]


def test_two_senders_send_one_letter(app: Flask, cast: Cast, review: Review) -> None:
    mine, theirs = acting(cast.supporter, Role.SUPPORTER), acting(cast.colleague, Role.SUPPORTER)
    version = preview(review, LETTER, by=mine, now=at(26, 9))
    outcomes = at_once(app, sending(review.id, mine, version), sending(review.id, theirs, version))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ReviewAlreadySent", "bool"]
    refused = next(outcome for outcome in outcomes if isinstance(outcome, ReviewAlreadySent))
    assert (refused.by, refused.at) == (review.sent_by, NOW)
    assert count(ReviewLetter.id) == 1


def test_a_double_click_sends_and_tells_once(app: Flask, cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    version = preview(review, LETTER, by=by, now=at(26, 9))
    outcomes = at_once(app, *[sending(review.id, by, version)] * 4)
    assert [type(outcome).__name__ for outcome in outcomes].count("bool") == 1
    assert count(ReviewLetter.id) == 1
    assert count(Week.id) == 2
    told = select(func.count(Reminder.id)).where(
        Reminder.kind == ReminderKind.REVIEW_READY, Reminder.channel == Channel.EMAIL
    )
    assert db.session.scalar(told) == 1


def test_of_six_racing_saves_exactly_one_wins(app: Flask, cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    save_draft(review, {"step_what": "first"}, version=None, by=by, now=at(26, 9))
    db.session.commit()
    review_id = review.id

    def saving(words: str) -> Callable[[], Outcome]:
        def work() -> Outcome:
            found = db.session.get_one(Review, review_id)
            return save_draft(found, {"step_what": words}, version=1, by=by, now=at(26, 9, 1)).version

        return work

    outcomes = at_once(app, *[saving(f"words {number}") for number in range(6)])
    won = [number for number, outcome in enumerate(outcomes) if outcome == 2]
    assert len(won) == 1
    assert sum(isinstance(outcome, StaleDraft) for outcome in outcomes) == 5
    assert draft_of(review).content == {"step_what": f"words {won[0]}"}


def test_two_jobs_open_a_late_week_once(app: Flask, cast: Cast, review: Review) -> None:
    enrolment_id = cast.enrolment.id

    def lateness() -> Outcome:
        opened = open_one_due_week(enrolment_id, now=NOW, by=SYSTEM)
        return opened.number if opened else None

    assert sorted(at_once(app, lateness, lateness), key=str) == [2, None]
    assert count(Week.id) == 2
