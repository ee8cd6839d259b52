"""Reads of phrases: what a person may use, what they may change, and how often each was used."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from icbt_support.db import db
from icbt_support.phrases.models import Phrase, PhraseUse


@dataclass(frozen=True)
class PhraseInUse:
    """A phrase with its use: by this person since a moment, and in so many of one patient's last letters."""

    phrase: Phrase
    by_me: int
    in_letters: int = 0
    letters: int = 0


def usable_phrases(
    service_ids: Collection[int],
    account_id: int,
    *,
    since: datetime,
    letters: Select[int] | None = None,
) -> list[PhraseInUse]:
    """The person's own phrases and then the service's, by title; one statement.

    `since` is from when the person's own use is counted; `letters` selects the numbers of the reviews that were
    sent to one patient lately.
    """
    mine = (
        select(func.count())
        .where(PhraseUse.phrase_id == Phrase.id, PhraseUse.used_by == account_id, PhraseUse.used_at >= since)
        .correlate(Phrase)
        .scalar_subquery()
    )
    columns = [mine, *_use_in(letters)] if letters is not None else [mine]
    rows = db.session.execute(
        select(Phrase, *columns).where(
            Phrase.service_id.in_(service_ids),
            Phrase.removed_at.is_(None),
            or_(Phrase.owner_id == account_id, Phrase.owner_id.is_(None)),
        )
    )
    found = [PhraseInUse(*row) for row in rows]
    return sorted(found, key=lambda one: (one.phrase.owner_id is None, one.phrase.title.casefold()))


def _use_in(letters: Select[int]) -> list[ColumnElement[int]]:
    lately = letters.subquery()
    in_letters = (
        select(func.count())
        .where(PhraseUse.phrase_id == Phrase.id, PhraseUse.review_id.in_(select(lately.c[0])))
        .correlate(Phrase)
        .scalar_subquery()
    )
    return [in_letters, select(func.count()).select_from(lately).scalar_subquery()]


def changeable_phrases(
    account_id: int, *, as_supporter_in: Collection[int], as_clinician_in: Collection[int]
) -> Select[Phrase]:
    """A supporter's own phrases, and a clinician's service's: the only ones that a page may change."""
    own = and_(Phrase.owner_id == account_id, Phrase.service_id.in_(as_supporter_in))
    of_the_service = and_(Phrase.owner_id.is_(None), Phrase.service_id.in_(as_clinician_in))
    return select(Phrase).where(Phrase.removed_at.is_(None), or_(own, of_the_service))


def scoped_phrase(scope: Select[Phrase], phrase_id: int) -> Phrase | None:
    """One phrase of a scope; None for an unknown one and for somebody else's alike."""
    return db.session.scalars(scope.where(Phrase.id == phrase_id)).one_or_none()


def phrases_of_letter(phrase_ids: Collection[int], *, service_id: int, account_id: int) -> list[Phrase]:
    """Those of the given phrases that this person may use in this service, removed ones too."""
    if not phrase_ids:
        return []
    return list(
        db.session.scalars(
            select(Phrase).where(
                Phrase.id.in_(phrase_ids),
                Phrase.service_id == service_id,
                or_(Phrase.owner_id == account_id, Phrase.owner_id.is_(None)),
            )
        )
    )
