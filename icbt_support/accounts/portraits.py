"""The photo of a supporter as it is kept: for the supporter's own patients."""

from datetime import datetime

from icbt_support.accounts.models import Account, SupporterPhoto
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.db import db


def photo_of(account_id: int) -> SupporterPhoto | None:
    return db.session.get(SupporterPhoto, account_id)


def keep_photo(account: Account, image: bytes, *, alt: str, by: Actor, now: datetime) -> None:
    """`image` comes from `photos.make_photo`; it takes the place of an earlier one."""
    photo = photo_of(account.id) or SupporterPhoto(account_id=account.id)
    photo.image, photo.alt, photo.changed_at = image, alt, now
    db.session.add(photo)
    db.session.flush()
    record("kept_photo", by=by, now=now, object_kind="account", object_id=account.id)


def remove_photo(account: Account, *, by: Actor, now: datetime) -> None:
    """Nothing of the photo is left; a second time changes nothing."""
    photo = photo_of(account.id)
    if photo is not None:
        db.session.delete(photo)
        db.session.flush()
        record("removed_photo", by=by, now=now, object_kind="account", object_id=account.id)
