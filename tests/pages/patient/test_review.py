"""A review as the patient reads it."""

from datetime import date

import pytest
from flask import Flask

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.operations import answer_exercise
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.reviews.models import Review
from icbt_support.reviews.queries import last_sent
from icbt_support.rhythm.sending import correct_review
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import acting, answer_check_in, at, letter, send, start_course
from tests.pages.patient.home_states import NEXT_REVIEW_AT, NOW, REVIEW_AT, build, patient
from tests.pages.patient.scores import finish_check_ins
from tests.pages.visits import status_of


@pytest.fixture
def review(cast: Cast) -> Review:
    build("review unread", cast)
    return last_sent(cast.enrolment)


@pytest.fixture
def visitor(client: PageClient, cast: Cast, review: Review) -> PageClient:
    return client.sign_in(cast.patient)


def is_read(review: Review) -> bool:
    db.session.rollback()
    return db.session.get_one(Review, review.id).read_at is not None


def test_the_letter_the_step_and_the_next_date(visitor: PageClient, review: Review) -> None:
    words = visitor.get(f"/reviews/{review.id}").get_data(as_text=True)
    assert visitor.page.headings == ["Week 1 Your review from Pat"]
    for part in (
        "You read the first pages, and wrote a goal.",
        "<strong>One walk with Mo</strong>, by Tuesday 1 December, 6pm",
        "Because doing comes before feeling like it",
        "It is in your plan. You can move it.",
        "Pat writes again by <strong>Thursday 3 December</strong>",
    ):
        assert part in words


def test_opening_does_not_mark_it_as_read_the_button_does(visitor: PageClient, review: Review) -> None:
    visitor.get(f"/reviews/{review.id}")
    visitor.get("/reviews")
    assert not is_read(review)
    visitor.get(f"/reviews/{review.id}")
    response = visitor.post(f"/reviews/{review.id}/read")
    assert response.request.path == "/week"
    assert "has written to you" not in response.get_data(as_text=True)
    assert is_read(review)


def test_all_letters_stay_in_a_list(visitor: PageClient, review: Review) -> None:
    words = visitor.get("/reviews").get_data(as_text=True)
    assert "Week 1, from Pat" in words
    assert "Thursday 26 November 2026 · Not read yet" in words


def test_a_correction_stands_with_its_review_also_later(
    visitor: PageClient, cast: Cast, review: Review
) -> None:
    pat = acting(cast.supporter, Role.SUPPORTER)
    correct_review(review, "Tuesday, not Monday.", posted_key="c1", by=pat, now=at(26, 15))
    enrolment = db.session.get_one(Enrolment, cast.enrolment.id)
    second = letter(next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 12, 8))
    following = db.session.query(Review).filter_by(enrolment_id=enrolment.id, number=2).one()
    send(following, second, by=pat, now=at(date(2026, 12, 3), 11))
    assert "Tuesday, not Monday." in visitor.get(f"/reviews/{review.id}").get_data(as_text=True)
    assert "Tuesday, not Monday." not in visitor.get(f"/reviews/{following.id}").get_data(as_text=True)


def test_a_plain_message_is_no_correction(visitor: PageClient, cast: Cast, review: Review) -> None:
    pat = acting(cast.supporter, Role.SUPPORTER)
    post_message(
        cast.enrolment, "By the way", kind=MessageKind.MESSAGE, posted_key="m", by=pat, now=at(26, 12)
    )
    db.session.commit()
    assert "By the way" not in visitor.get(f"/reviews/{review.id}").get_data(as_text=True)


def test_a_pause_says_that_the_step_has_no_reminder(client: PageClient, cast: Cast) -> None:
    build("paused with a date", cast)
    review = last_sent(cast.enrolment)
    words = client.sign_in(cast.patient).get(f"/reviews/{review.id}").get_data(as_text=True)
    assert "It is in your plan" not in words
    assert "Your course is paused, so it has no reminder." in words


def test_the_last_review_shows_the_curve_and_the_plan_to_stay_well(client: PageClient, cast: Cast) -> None:
    start_course(cast.enrolment, review_at=REVIEW_AT, now=NOW)
    answer_check_in(cast.enrolment, 0, value=2, now=NOW)
    answer_check_in(cast.enrolment, 1, value=1, now=at(24, 18))
    finish_check_ins(cast.enrolment, {0: NOW, 1: at(24, 18)})
    answer_exercise(
        cast.enrolment,
        "keeping-well",
        "staying-well-plan",
        "Keep: the allotment.",
        by=patient(cast.enrolment),
        now=NOW,
    )
    send(
        db.session.query(Review).filter_by(enrolment_id=cast.enrolment.id, number=1).one(),
        letter(opens="last", by_on=date(2026, 12, 31)),
        by=acting(cast.supporter, Role.SUPPORTER),
        now=at(26, 11),
    )
    review = last_sent(cast.enrolment)
    words = client.sign_in(cast.patient).get(f"/reviews/{review.id}").get_data(as_text=True)
    assert "Your last review" in words
    assert "From start to end" in words
    assert words.count("<svg") > words.count("chart-box__numbers") >= 1
    assert "Your staying-well plan" in words
    assert "Keep: the allotment." in words
    assert "It is in your plan" not in words


def test_other_peoples_and_unsent_reviews_are_not_found(app: Flask, cast: Cast, review: Review) -> None:
    unsent = db.session.query(Review).filter_by(enrolment_id=cast.enrolment.id, number=2).one().id
    number = review.id
    for path in (f"/reviews/{unsent}", "/reviews/999999"):
        assert status_of(app, cast.patient, path) == 404
    for account in (cast.other_patient, cast.supporter, cast.clinician):
        assert status_of(app, account, f"/reviews/{number}") == 404
        assert status_of(app, account, f"/reviews/{number}/read", {}) == 404
    assert not is_read(review)


def test_nobody_without_a_letter_sees_an_empty_page(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    words = client.sign_in(cast.patient).get("/reviews").get_data(as_text=True)
    assert "Your first review comes at the end of your first week." in words


def test_the_next_review_date_is_in_the_patients_zone(client: PageClient, cast: Cast) -> None:
    build("open", cast, "Pacific/Auckland")
    review = db.session.query(Review).filter_by(enrolment_id=cast.enrolment.id, number=1).one()
    letter_to_send = letter(next_review_at=NEXT_REVIEW_AT, by_on=date(2026, 12, 1))
    send(review, letter_to_send, by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 11))
    words = client.sign_in(cast.patient).get(f"/reviews/{review.id}").get_data(as_text=True)
    assert "Sent Fri 27 Nov, midnight" in words
    assert "Friday 4 December" in words
