"""Start, take over and release a review: who is at it, and the one line that colleagues read about it."""

from typing import Any

from flask import Blueprint, flash, redirect, url_for

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.supporter.claim_words import ClaimNote, claim_words, note_of
from icbt_support.pages.supporter.review_scope import caseload_review
from icbt_support.reviews.claims import ClaimedByOther, release_review, start_writing
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import ReviewNotOwed

blueprint = Blueprint("supporter_claims", __name__)


@blueprint.post("/supporting/reviews/<id:review_id>/start")
@allow(Role.SUPPORTER)
@commits
def start(review_id: int) -> Any:
    """*Start*, *Continue* and *Take over*: claims the review and opens its workspace.

    While a colleague is at it, it opens all the same, to read.
    """
    review, now = caseload_review(review_id), request_time()
    try:
        start_writing(review, by=supporter_actor(review.enrolment), now=now)
    except ClaimedByOther as refusal:
        if refusal.claim is not None:
            account = current_account()
            words = claim_words(refusal.claim, account_id=account.id, now=now, zone=account.zone)
            flash(f"{words}. You can read it.", "information")
    except ReviewNotOwed:
        pass  # The workspace says what became of it.
    return redirect(url_for("supporter_review.show", review_id=review.id))


@blueprint.post("/supporting/reviews/<id:review_id>/release")
@allow(Role.SUPPORTER)
@commits
def release(review_id: int) -> Any:
    review = caseload_review(review_id)
    release_review(review, by=supporter_actor(review.enrolment), now=request_time())
    flash("The review is free for a colleague. The draft is kept.", "success")
    return redirect(url_for("supporter_today.show"))


def claim_note(review: Review) -> ClaimNote | None:
    """What the workspace says about who is at the review; None when nobody is."""
    claim, account = review.held_claim, current_account()
    if claim is None or not review.is_owed:
        return None
    return note_of(claim, account_id=account.id, now=request_time(), zone=account.zone)
