"""A form that is posted twice, by a double click or a retry, makes one row."""

import hashlib
import secrets
from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.exc import IntegrityError

from icbt_support.db import Base, db

Row = TypeVar("Row", bound=Base)


def key_of_post(posted_key: str, words: str) -> str:
    """The same form posted twice with the same words has one key.

    Other words, or no key at all, are another post.
    """
    return hashlib.sha256(f"{posted_key or secrets.token_hex(16)}\n{words}".encode()).hexdigest()[:40]


def add_once(row: Row, same: Select[Row]) -> tuple[Row, bool]:
    """Adds the row, unless `same` finds the one that an earlier post made; says whether it was added.

    A unique index has to stand behind `same`: it decides between two posts at the same moment.
    """
    known = db.session.scalars(same).one_or_none()
    if known is not None:
        return known, False
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        return db.session.scalars(same).one(), False
    return row, True
