"""One person writes a review at a time; the others see it, and nothing typed is lost when it changes hands."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import commit_with_retry, db
from icbt_support.reviews.claims import (
    ClaimedByOther,
    claim_on,
    end_claims_of,
    keep_claim,
    release_review,
    start_writing,
)
from icbt_support.reviews.models import Review, ReviewClaim
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import draft_of, review_owed
from icbt_support.reviews.rules import CLAIM_RESTS_AFTER, ReviewNotOwed
from icbt_support.rhythm.new_owner import give_review_to
from tests.cast import Cast
from tests.concepts.rhythm_steps import acting, at, letter, send, start_course

NINE_FORTY = at(26, 9, 40)


@pytest.fixture
def review(cast: Cast) -> Review:
    start_course(cast.enrolment, review_at=at(26, 9), now=at(19, 10))
    return review_owed(cast.enrolment)


def test_a_claim_is_held_by_one_rests_and_passes_on_with_the_draft(cast: Cast, review: Review) -> None:
    pat, chris = acting(cast.supporter, Role.SUPPORTER), acting(cast.colleague, Role.SUPPORTER)
    start_writing(review, by=pat, now=NINE_FORTY)
    save_draft(review, {"step_what": "Walk"}, version=None, by=pat, now=at(26, 9, 50))  # A sign of life.
    with pytest.raises(ClaimedByOther) as refused:
        start_writing(review, by=chris, now=at(26, 10, 9))
    assert refused.value.claim.account_id == cast.supporter.id
    assert refused.value.claim.claimed_at == NINE_FORTY
    assert not keep_claim(review.id, cast.colleague.id, now=at(26, 10, 9))

    rested = at(26, 9, 50) + CLAIM_RESTS_AFTER
    start_writing(review, by=chris, now=rested)
    claim = claim_on(review.id)
    assert (claim.account_id, claim.claimed_at, claim.is_active(rested)) == (
        cast.colleague.id,
        rested,
        True,
    )
    assert draft_of(review).content == {"step_what": "Walk"}

    release_review(review, by=pat, now=rested)
    assert claim_on(review.id).account_id == cast.colleague.id
    release_review(review, by=chris, now=rested)
    assert claim_on(review.id) is None
    assert draft_of(review).content == {"step_what": "Walk"}
    start_writing(review, by=pat, now=rested)
    actions = db.session.scalars(
        select(AuditLine.action).where(AuditLine.action.like("%ed_review")).order_by(AuditLine.id)
    ).all()
    assert actions[-4:] == ["claimed_review", "claimed_review", "released_review", "claimed_review"]


def test_sending_handing_on_and_leaving_end_a_claim(cast: Cast, review: Review) -> None:
    pat = acting(cast.supporter, Role.SUPPORTER)
    start_writing(review, by=pat, now=NINE_FORTY)
    give_review_to(review, cast.colleague.id, by=pat, now=NINE_FORTY)
    assert claim_on(review.id) is None

    keep_claim(review.id, cast.colleague.id, now=NINE_FORTY)
    assert end_claims_of(cast.colleague.id, cast.elsewhere.id, now=NINE_FORTY) == 0
    assert end_claims_of(cast.colleague.id, cast.service.id, now=NINE_FORTY) == 1
    assert claim_on(review.id) is None

    start_writing(review, by=pat, now=NINE_FORTY)
    whole = letter(next_review_at=at(date(2026, 12, 3), 9), by_on=date(2026, 11, 29))
    send(review, whole, by=pat, now=at(26, 10))
    assert claim_on(review.id) is None
    with pytest.raises(ReviewNotOwed):
        start_writing(review, by=pat, now=at(26, 10, 1))


def test_of_two_who_start_at_once_one_holds_it(app: Flask, cast: Cast, review: Review) -> None:
    review_id = review.id
    people = [cast.supporter.id, cast.colleague.id] * 2
    db.session.commit()
    together = Barrier(len(people))
    outcomes: list[tuple[int, bool]] = []

    def start(account_id: int) -> None:
        with app.app_context():
            together.wait(timeout=30)
            held = commit_with_retry(lambda: keep_claim(review_id, account_id, now=NINE_FORTY))
            outcomes.append((account_id, held))

    threads = [Thread(target=start, args=(account_id,)) for account_id in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    holders = {account_id for account_id, held in outcomes if held}
    assert len(outcomes) == len(people)
    assert len(holders) == 1
    held = db.session.scalars(select(ReviewClaim).where(ReviewClaim.released_at.is_(None))).all()
    assert [claim.account_id for claim in held] == list(holders)


def test_a_claim_rests_after_twenty_minutes() -> None:
    claim = ReviewClaim(last_active_at=NINE_FORTY)
    assert claim.is_active(NINE_FORTY + timedelta(minutes=19))
    assert not claim.is_active(NINE_FORTY + timedelta(minutes=20))
