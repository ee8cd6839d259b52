"""The review workspace as the tests use it."""

from sqlalchemy import select

from icbt_support.db import db
from icbt_support.reviews.models import Review, ReviewDraft
from tests.browsing import PageClient
from tests.pages.supporter.course import letter_values


def path(review: Review, rest: str = "") -> str:
    return f"/supporting/reviews/{review.id}{rest}"


def open_workspace(browser: PageClient, review: Review) -> dict[str, str]:
    assert browser.get(path(review)).status_code == 200
    assert browser.page is not None
    return dict(browser.page.fields)


def preview(browser: PageClient, review: Review, **changes: str) -> str:
    """Opens the workspace, writes a whole letter and previews it; the preview page's HTML."""
    values = letter_values(open_workspace(browser, review), preview="1", **changes)
    return browser.post(path(review), values).get_data(as_text=True)


def chosen_review(review: Review) -> str:
    draft = db.session.scalars(select(ReviewDraft).where(ReviewDraft.review_id == review.id)).one()
    return str(draft.content["next_review_at"])


def send(browser: PageClient, review: Review, version: str | None = None) -> str:
    assert browser.page is not None
    values = {"version": version or browser.page.fields["version"]}
    return browser.post(path(review, "/send"), values).get_data(as_text=True)
