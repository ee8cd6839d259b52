"""Words that could not be saved: kept for their author, shown in the workspace, put back by a button."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, session
from sqlalchemy import select

from icbt_support.accounts.models import Account, SignIn
from icbt_support.accounts.queries import hash_of_token
from icbt_support.audit.models import Actor, ActorKind
from icbt_support.db import db
from icbt_support.pages.supporter.review_form import ALL_SECTIONS, LetterForm, kept_words
from icbt_support.pages.supporter.words import moment_inside
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.reviews.operations import keep_text_apart

_SESSION_TOKEN = "_user_id"  # noqa: S105 (where Flask-Login keeps a sign-in's token)


@dataclass(frozen=True)
class KeptWords:
    """One kept text: when it was kept, and its words by heading."""

    kept_id: int
    when: str
    rows: list[tuple[str, str]]


def keep(review: Review, content: dict[str, Any], *, by: Actor, now: datetime) -> int:
    """Keeps a text apart, once: a browser that tries again does not pile up copies. Returns the kept text's id."""
    review_id, account_id = review.id, by.account_id
    kept = reviews.kept_texts_of(review, author_id=account_id) if account_id is not None else []
    if kept and kept_words(kept[0].content) == kept_words(content):
        return kept[0].id
    db.session.rollback()
    return keep_text_apart(review_id, content, by=by, now=now)


def kept_for(review: Review, account_id: int, *, now: datetime, zone: str) -> list[KeptWords]:
    """What this author typed and could not save, and is not in the draft word for word."""
    draft = reviews.draft_of(review)
    saved = set(kept_words(draft.content)) if draft is not None else set()
    kept = (
        KeptWords(one.id, moment_inside(one.kept_at, now=now, zone=zone), rows)
        for one in reviews.kept_texts_of(review, author_id=account_id)
        if (rows := [row for row in kept_words(one.content) if not _holds(saved, row)])
    )
    return list(kept)


def left_of(review: Review, account_id: int) -> list[tuple[str, str]]:
    """What was written for a review that nobody writes any more: its draft, and what this author typed beside it."""
    draft = reviews.draft_of(review)
    rows = kept_words(draft.content) if draft is not None else []
    texts = (kept_words(one.content) for one in reviews.kept_texts_of(review, author_id=account_id))
    beside = (row for text in texts for row in text if not _holds(set(rows), row))
    return [*rows, *dict.fromkeys(beside)]


def _holds(saved: set[tuple[str, str]], row: tuple[str, str]) -> bool:
    heading, words = row
    return any(heading == kept_heading and words in kept for kept_heading, kept in saved)


def put_into(form: LetterForm, review: Review, account_id: int, kept_id: str) -> None:
    """Adds kept words to the letter under their headings, after what stands there already."""
    for one in reviews.kept_texts_of(review, author_id=account_id):
        if str(one.id) != kept_id:
            continue
        words = one.content.get("words", {})
        for name in ALL_SECTIONS:
            if words.get(name) and words[name] not in (form[name].data or ""):
                form.add_words(name, words[name])
        for name in ("step_what", "step_why"):
            form[name].data = form[name].data or one.content.get(name, "")


def keep_for_ended_session(review_id: int, content: dict[str, Any], *, now: datetime) -> bool:
    """Keeps what somebody posted after their sign-in had run out; says whether it could be.

    Only a sign-in that ended by time counts, never one that was revoked, and only for a review of that
    person's caseload. The words are shown to nobody but that person, after they have signed in again.
    """
    account = _account_of_ended_session()
    if account is None or not kept_words(content):
        return False
    review = reviews.scoped_review(reviews.for_supporter(account, now=now), review_id)
    if review is None:
        return False
    actor = Actor(ActorKind.PERSON, account.id, address=request.remote_addr or "")
    keep(review, content, by=actor, now=now)
    return True


def _account_of_ended_session() -> Account | None:
    token = session.get(_SESSION_TOKEN)
    if not token:
        return None
    sign_in = db.session.scalars(
        select(SignIn).where(SignIn.token_hash == hash_of_token(token), SignIn.revoked_at.is_(None))
    ).one_or_none()
    if sign_in is None or sign_in.account.disabled_at is not None:
        return None
    return sign_in.account
