"""Verbs on phrases: keep one, change it, remove it, and note in which letters it was sent."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.phrases.models import Phrase, PhraseUse
from icbt_support.phrases.queries import phrases_of_letter
from icbt_support.phrases.rules import UnknownVariables, is_still_in, unknown_variables
from icbt_support.posted_once import add_once


def add_phrase(
    service_id: int,
    title: str,
    words: str,
    *,
    owner_id: int | None,
    posted_key: str,
    by: Actor,
    now: datetime,
) -> Phrase:
    """Keeps a phrase: `owner_id` None makes it the service's. Posted twice, it is kept once.

    Raises `UnknownVariables`.
    """
    _check(words)
    phrase = Phrase(
        service_id=service_id,
        owner_id=owner_id,
        posted_key=posted_key,
        title=title,
        words=words,
        created_by=_person(by),
        created_at=now,
        changed_at=now,
    )
    same = select(Phrase).where(Phrase.created_by == _person(by), Phrase.posted_key == posted_key)
    phrase, is_new = add_once(phrase, same)
    if is_new:
        _record("added_phrase", phrase, by=by, now=now)
    return phrase


def change_phrase(phrase: Phrase, title: str, words: str, *, by: Actor, now: datetime) -> None:
    """Letters that were sent with it stay as they are. Raises `UnknownVariables`."""
    _check(words)
    if (phrase.title, phrase.words) == (title, words):
        return
    phrase.title, phrase.words = title, words
    phrase.changed_at = now
    db.session.flush()
    _record("changed_phrase", phrase, by=by, now=now)


def remove_phrase(phrase: Phrase, *, by: Actor, now: datetime) -> None:
    if phrase.removed_at is not None:
        return
    phrase.removed_at = now
    db.session.flush()
    _record("removed_phrase", phrase, by=by, now=now)


def note_phrases_sent(
    phrase_ids: Collection[int],
    letter: str,
    *,
    review_id: int,
    enrolment_id: int,
    service_id: int,
    by: Actor,
    now: datetime,
) -> None:
    """Notes which of the phrases that were put into a letter are still in it as it is sent."""
    for phrase in phrases_of_letter(phrase_ids, service_id=service_id, account_id=_person(by)):
        if is_still_in(phrase.words, letter):
            db.session.add(
                PhraseUse(
                    phrase_id=phrase.id,
                    review_id=review_id,
                    enrolment_id=enrolment_id,
                    used_by=_person(by),
                    used_at=now,
                )
            )
    db.session.flush()


def _check(words: str) -> None:
    unknown = unknown_variables(words)
    if unknown:
        raise UnknownVariables(unknown)


def _person(by: Actor) -> int:
    if by.account_id is None:
        raise ValueError("A phrase is kept by a person.")
    return by.account_id


def _record(action: str, phrase: Phrase, *, by: Actor, now: datetime) -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind="phrase",
        object_id=phrase.id,
        service_id=phrase.service_id,
        detail="own" if phrase.owner_id is not None else "of the service",
    )
