"""A letter while it is being written: its autosave, and every refusal keeps the words that it refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.db import commit_with_retry
from icbt_support.pages.guards import (
    allow,
    current_account,
    current_actor,
    request_time,
    services_with_role,
    supporter_actor,
)
from icbt_support.pages.kit import clock_time
from icbt_support.pages.supporter import kept_words, review_form, review_words
from icbt_support.pages.supporter.review_form import LetterForm
from icbt_support.pages.supporter.review_merge import compare
from icbt_support.pages.supporter.review_scope import caseload_review, caseload_scope
from icbt_support.pages.supporter.words import moment_inside
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.claims import keep_claim
from icbt_support.reviews.models import Review
from icbt_support.reviews.operations import save_draft, write_draft
from icbt_support.reviews.rules import LetterRefused, ReviewAlreadySent, ReviewNotOwed, StaleDraft

View = TypeVar("View", bound=Callable[..., Any])
SIGNED_OUT, CONFLICT = 401, 409
SAVE, AUTOSAVE = "supporter_review.save", "supporter_review_draft.autosave"
LETTERS = (SAVE, AUTOSAVE)
blueprint = Blueprint("supporter_review_draft", __name__)


def keeps_words(view: View) -> View:
    """When a letter is refused because of somebody else, what was typed is kept apart and a page explains."""

    @wraps(view)
    def guarded(review_id: int) -> Any:
        try:
            return view(review_id)
        except (StaleDraft, ReviewAlreadySent, ReviewNotOwed) as refusal:
            return _explain(review_id, refusal)

    return guarded  # type: ignore[return-value]


@blueprint.post("/supporting/reviews/<id:review_id>/draft")
@allow(Role.SUPPORTER)
@keeps_words
def autosave(review_id: int) -> Any:
    """What the script posts while somebody writes; answers with the new version and when it was saved.

    It comes every few seconds: who writes is read once, with the sign-in; then one read under the lock, the
    draft, and a sign of life for the claim (from the second save on, so that the first costs no more).
    """
    by, now, account = current_actor(Role.SUPPORTER), request_time(), current_account()
    account_id = account.id
    saved = clock_time(to_local(now, account.zone))
    own = caseload_scope(account.id, services_with_role(Role.SUPPORTER)).where(Review.id == review_id)
    form = LetterForm()

    def work() -> int:
        content, version = form.to_draft(), form.draft_version
        review = reviews.review_for_writing(own)
        if review is None:
            review = caseload_review(review_id)
            return save_draft(review, content, version=version, by=by, now=now).version
        is_begun = review.draft is not None
        draft = write_draft(review, content, version=version, by=by, now=now)
        if is_begun:
            keep_claim(review_id, account_id, now=now)
        return draft.version

    return jsonify(saved=saved, version=commit_with_retry(work))


autosave.commits = True  # type: ignore[attr-defined]


# Refusals that keep the words ---------------------------------------------------------------------


def _explain(review_id: int, refusal: LetterRefused) -> Any:
    """After the rollback: the typed text is kept apart; a page says what happened and shows every text."""
    mine = LetterForm().to_draft() if request.endpoint in LETTERS else None
    review = caseload_review(review_id)
    kept_id = None
    if mine is not None and review_form.kept_words(mine):
        by = supporter_actor(review.enrolment)
        kept_id = kept_words.keep(review, mine, by=by, now=request_time())
    if request.endpoint == AUTOSAVE:
        return _told_to_script(review_id, kept_id), CONFLICT
    words = review_form.kept_words(mine) if mine else []
    if isinstance(refusal, StaleDraft):
        return _conflict(review, mine, words, kept_id), CONFLICT
    return explain_closed(review, refusal, words), CONFLICT


def _told_to_script(review_id: int, kept_id: int | None) -> Response:
    """Where both texts stand side by side."""
    if kept_id is None:
        return jsonify(merge=url_for("supporter_review.show", review_id=review_id))
    return jsonify(merge=url_for("supporter_review_merge.show", review_id=review_id, kept_id=kept_id))


def explain_closed(review: Review, refusal: LetterRefused, words: list[tuple[str, str]]) -> str:
    """The page when nothing is left to write: it was sent by somebody, or is not owed any more."""
    if isinstance(refusal, ReviewAlreadySent):
        template = "supporter/review_sent_by_other.html"
        return render_template(template, review=review, mine=words, **_sent_words(review))
    kept = kept_words.left_of(review, current_account().id)
    return render_template("supporter/review_not_owed.html", review=review, kept=kept)


def _conflict(
    review: Review, mine: dict[str, Any] | None, words: list[tuple[str, str]], kept_id: int | None
) -> str:
    draft = reviews.draft_of(review)
    comparison = compare(review, draft, mine, now=request_time()) if mine and draft and kept_id else None
    return render_template(
        "supporter/review_conflict.html",
        review=review,
        mine=words,
        kept_id=kept_id,
        comparison=comparison,
        **newer_words(review),
    )


def newer_words(review: Review) -> dict[str, Any]:
    """The draft as it stands: its words, who saved it and when."""
    draft = reviews.draft_of(review)
    if draft is None:
        return {"theirs": [], "who": "", "when": "", "is_me": False}
    account = current_account()
    return {
        "theirs": review_form.kept_words(draft.content),
        "who": review_words.name_of(draft.author_id),
        "is_me": draft.author_id == account.id,
        "when": moment_inside(draft.saved_at, now=request_time(), zone=account.zone),
    }


def _sent_words(review: Review) -> dict[str, str]:
    sent_at, zone = review.sent_at, current_account().zone
    return {
        "who": review_words.name_of(review.sent_by),
        "when": moment_inside(sent_at, now=request_time(), zone=zone) if sent_at else "",
    }


# The sign-in ran out ------------------------------------------------------------------------------


@blueprint.after_app_request
def keep_words_of_ended_session(response: Response) -> Response:
    """Somebody was signed out while they wrote: no word is lost.

    Without the script, what they posted is kept here and signing in leads back to it. The script is told (401):
    its page asks for the password in place, and the words stay there.
    """
    if request.endpoint not in LETTERS or request.method != "POST" or current_user.is_authenticated:
        return response
    if request.endpoint == AUTOSAVE and "kept_in_browser" in request.form:
        return _signed_out_to_script()
    review_id = (request.view_args or {})["review_id"]
    content = LetterForm(meta={"csrf": False}).to_draft()
    is_kept = kept_words.keep_for_ended_session(review_id, content, now=request_time())
    if request.endpoint == AUTOSAVE:
        return _signed_out_to_script()
    if is_kept:
        flash("You were signed out. Your words are kept: sign in to go on.", "information")
        back = url_for("supporter_review.show", review_id=review_id)
        return make_response(redirect(url_for("public_sign_in.show", next=back)))
    words = review_form.kept_words(content)
    return make_response(render_template("supporter/review_signed_out.html", mine=words), SIGNED_OUT)


def _signed_out_to_script() -> Response:
    return make_response(jsonify(error="You are signed out."), SIGNED_OUT)
