"""A clinician gives one review to a named colleague, or closes a late one with a reason."""

from datetime import UTC, datetime

import pytest

from icbt_support import clock
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.reviews.models import ReviewState
from icbt_support.reviews.queries import next_review
from icbt_support.rhythm.lateness import tell_of_late_reviews
from tests.browsing import PageClient
from tests.concepts.beginnings import open_week_1
from tests.concepts.rhythm_steps import SYSTEM
from tests.pages.visits import status_of

LATE = datetime(2026, 11, 26, 17, 5, tzinfo=UTC)


@pytest.fixture
def review(cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return next_review(cast.enrolment)


@pytest.fixture
def visitor(client, cast, review):
    return client.sign_in(cast.clinician)


def becomes_late():
    tell_of_late_reviews(now=LATE, by=SYSTEM)
    db.session.commit()
    clock.stop_clock_at(LATE)


def page_of(review):
    return f"/clinical/reviews/{review.id}/decide"


def again(cast):
    db.session.rollback()
    return next_review(db.session.get_one(Enrolment, cast.enrolment.id))


def test_a_colleague_is_asked_and_the_day_stays(visitor, cast, review, app):
    assert "Decide who writes it" in visitor.get(f"/clinical/patients/{cast.enrolment.id}/decide").text
    page = visitor.get(page_of(review)).text
    assert "Owed by" in page
    assert "Nobody writes it" not in page
    done = visitor.post(f"{page_of(review)}/writer", {"writer": str(cast.colleague.id)}).text
    assert "The patient is told that Chris writes. The day stays." in done
    assert again(cast).owner_id == cast.colleague.id
    theirs = PageClient(app).sign_in(cast.patient).get("/supporter").text
    assert "Chris writes it." in theirs
    assert status_of(app, cast.colleague, f"/supporting/reviews/{review.id}") == 200


def test_a_late_one_goes_to_a_colleague_who_gives_the_date(visitor, cast, review):
    becomes_late()
    visitor.get(page_of(review))
    done = visitor.post(f"{page_of(review)}/writer", {"writer": str(cast.colleague.id)}).text
    assert "The patient reads the new day once Chris has given one." in done


def test_a_late_one_is_closed_with_a_reason_and_only_a_late_one(visitor, cast, review):
    visitor.get(page_of(review))
    assert "Only a review that is late" in visitor.post(f"{page_of(review)}/close", {"reason": "No"}).text
    becomes_late()
    visitor.get(page_of(review))
    refused = visitor.post(f"{page_of(review)}/close", {"reason": " "})
    assert refused.status_code == 422
    assert "Write why nobody writes this review" in refused.text
    done = visitor.post(f"{page_of(review)}/close", {"reason": "Pat is ill; spoke by phone"}).text
    assert "The review is closed." in done
    db.session.rollback()
    db.session.refresh(review)
    assert (review.state, review.closed_reason) == (ReviewState.MISSED, "Pat is ill; spoke by phone")


def test_somebody_who_is_not_in_the_pool_cannot_be_asked(visitor, cast, review):
    visitor.get(page_of(review))
    for wrong in (str(cast.other_supporter.id), "", "x"):
        refused = visitor.post(f"{page_of(review)}/writer", {"writer": wrong})
        assert refused.status_code == 422
    assert again(cast).owner_id == cast.supporter.id


def test_others_do_not_find_it_and_looking_changes_nothing(visitor, cast, review, app):
    for who in (cast.patient, cast.supporter, cast.administrator, cast.other_clinician):
        assert status_of(app, who, page_of(review)) == 404
        assert status_of(app, who, f"{page_of(review)}/close", {"reason": "x"}) == 404
    before = again(cast).owner_id, again(cast).state
    visitor.get(page_of(review))
    assert (again(cast).owner_id, again(cast).state) == before
