"""Drafts are kept as they are typed; a stale save is refused and nothing typed is lost."""

from datetime import date
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.activity.models import Act, ActivityEvent
from icbt_support.db import commit_with_retry, db
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.operations import (
    keep_text_apart,
    mark_previewed,
    mark_review_read,
    save_draft,
)
from icbt_support.reviews.queries import (
    draft_of,
    for_clinician,
    for_patient,
    for_supporter,
    kept_texts_of,
    owed_by,
    review_owed,
    scoped_review,
)
from icbt_support.reviews.rules import ReviewAlreadySent, StaleDraft
from tests.cast import Cast
from tests.concepts.rhythm_steps import acting, at, letter, reminders, send, start_course

NEXT_THURSDAY = at(date(2026, 12, 3), 9)


@pytest.fixture
def review(cast: Cast) -> Review:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    return review_owed(cast.enrolment)


def test_a_draft_is_counted_up_with_each_save(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    first = save_draft(review, {"step_what": "Walk"}, version=None, by=by, now=at(26, 9))
    assert (first.version, review.state) == (1, ReviewState.DRAFTED)
    second = save_draft(review, {"step_what": "Walk with Mo"}, version=1, by=by, now=at(26, 9, 1))
    assert (second.version, second.content["step_what"]) == (2, "Walk with Mo")
    assert second.begun_at == at(26, 9)


def test_the_same_words_again_change_nothing(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    save_draft(review, {"step_what": "Walk"}, version=None, by=by, now=at(26, 9))
    again = save_draft(review, {"step_what": "Walk"}, version=None, by=by, now=at(26, 9, 1))
    assert (again.version, again.saved_at) == (1, at(26, 9))


def test_a_stale_save_is_refused_and_its_text_kept_for_its_author(cast: Cast, review: Review) -> None:
    mine, theirs = acting(cast.supporter, Role.SUPPORTER), acting(cast.colleague, Role.SUPPORTER)
    save_draft(review, {"step_what": "Walk"}, version=None, by=theirs, now=at(26, 9))
    db.session.commit()
    with pytest.raises(StaleDraft) as refused:
        save_draft(review, {"step_what": "Swim"}, version=None, by=mine, now=at(26, 9, 1))
    assert refused.value.current.content == {"step_what": "Walk"}
    review_id = review.id
    db.session.rollback()
    keep_text_apart(review_id, {"step_what": "Swim"}, by=mine, now=at(26, 9, 1))
    kept = kept_texts_of(review, author_id=cast.supporter.id)
    assert [text.content for text in kept] == [{"step_what": "Swim"}]
    assert kept_texts_of(review, author_id=cast.colleague.id) == []


@pytest.mark.parametrize("shown", [None, 1], ids=["the first draft", "a draft that stands"])
def test_of_six_racing_saves_exactly_one_wins_and_five_are_kept(
    app: Flask, cast: Cast, review: Review, shown: int | None
) -> None:
    by, review_id, account_id = acting(cast.supporter, Role.SUPPORTER), review.id, cast.supporter.id
    if shown:
        save_draft(review, {"step_what": "The start"}, version=None, by=by, now=at(26, 9))
    db.session.commit()
    start, won = Barrier(6), []

    def write(words: str) -> None:
        with app.app_context():
            start.wait()
            try:
                commit_with_retry(
                    lambda: save_draft(
                        db.session.get_one(Review, review_id),
                        {"step_what": words},
                        version=shown,
                        by=by,
                        now=at(26, 9, 1),
                    )
                )
                won.append(words)
            except StaleDraft:
                db.session.rollback()
                keep_text_apart(review_id, {"step_what": words}, by=by, now=at(26, 9, 1))
            finally:
                db.session.remove()

    threads = [Thread(target=write, args=(f"Text {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    db.session.expire_all()
    draft = draft_of(review)
    assert ([draft.content["step_what"]], draft.version) == (won, (shown or 0) + 1)
    kept = {one.content["step_what"] for one in kept_texts_of(review, author_id=account_id)}
    assert kept | set(won) == {f"Text {number}" for number in range(6)}
    assert len(kept) == 5


def test_a_preview_is_of_one_version(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    save_draft(review, {"step_what": "Walk"}, version=None, by=by, now=at(26, 9))
    with pytest.raises(StaleDraft):
        mark_previewed(review, version=2, by=by, now=at(26, 9, 1))
    mark_previewed(review, version=1, by=by, now=at(26, 9, 1))
    assert draft_of(review).previewed_version == 1


def test_nothing_more_is_written_once_it_was_sent(cast: Cast, review: Review) -> None:
    by = acting(cast.supporter, Role.SUPPORTER)
    send(review, letter(next_review_at=NEXT_THURSDAY, by_on=at(28, 9).date()), by=by, now=at(26, 9))
    with pytest.raises(ReviewAlreadySent) as refused:
        save_draft(review, {"step_what": "Swim"}, version=1, by=by, now=at(26, 9, 5))
    assert (refused.value.by, refused.value.at) == (cast.supporter.id, at(26, 9))


def test_the_patient_reads_a_letter_once_and_its_mail_is_withdrawn(cast: Cast, review: Review) -> None:
    send(
        review,
        letter(next_review_at=NEXT_THURSDAY, by_on=at(28, 9).date()),
        by=acting(cast.supporter, Role.SUPPORTER),
        now=at(26, 9),
    )
    assert "review_ready" in dict(reminders(cast.enrolment))
    for minute in (10, 20):
        mark_review_read(review, by=acting(cast.patient, Role.PATIENT), now=at(26, 9, minute))
        db.session.commit()
    assert review.read_at == at(26, 9, 10)
    assert "review_ready" not in dict(reminders(cast.enrolment))
    read = db.session.scalars(select(ActivityEvent).where(ActivityEvent.act == Act.READ_REVIEW)).all()
    assert len(read) == 1


def test_only_those_around_a_patient_find_the_review(cast: Cast, review: Review) -> None:
    def found_by(scope: object) -> bool:
        return scoped_review(scope, review.id) is not None

    assert found_by(for_supporter(cast.supporter, now=at(26, 9)))
    assert found_by(for_clinician(cast.clinician))
    assert not found_by(for_supporter(cast.colleague, now=at(26, 9)))
    assert not found_by(for_supporter(cast.other_supporter, now=at(26, 9)))
    assert not found_by(for_clinician(cast.other_clinician))


def test_a_patient_finds_a_letter_only_when_it_was_sent_to_them(cast: Cast, review: Review) -> None:
    assert scoped_review(for_patient(cast.patient), review.id) is None
    send(
        review,
        letter(next_review_at=NEXT_THURSDAY, by_on=at(28, 9).date()),
        by=acting(cast.supporter, Role.SUPPORTER),
        now=at(26, 9),
    )
    assert scoped_review(for_patient(cast.patient), review.id) is not None
    assert scoped_review(for_patient(cast.other_patient), review.id) is None


def test_owed_reviews_come_late_ones_first(cast: Cast, review: Review) -> None:
    assert [one.id for one in owed_by([cast.supporter.id], now=at(26, 9))] == [review.id]
    assert owed_by([cast.colleague.id], now=at(26, 9)) == []
