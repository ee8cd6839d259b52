"""The links that an account is sent: found by their token, used once."""

from datetime import datetime

from sqlalchemy import update

from icbt_support import links
from icbt_support.accounts.models import AccountLink, LinkPurpose
from icbt_support.db import LARGEST_ID, db


class LinkAlreadyUsed(Exception):
    """Somebody used this link a moment ago, or it was withdrawn."""


def make_link_token(link: AccountLink, *, link_key: bytes) -> str:
    """The token that stands in the mail; made when the mail is rendered, never stored."""
    return links.make_token(link_key, link.purpose, link.id, link.nonce)


def find_link(token: str, purpose: LinkPurpose, *, link_key: bytes) -> AccountLink | None:
    """The row behind a genuine token, open or not."""
    link_id = links.row_id_of(token)
    if link_id is None or link_id > LARGEST_ID:
        return None
    link = db.session.get(AccountLink, link_id)
    if link is None or link.purpose is not purpose or link.account.disabled_at is not None:
        return None
    return link if links.is_genuine(token, link_key, purpose, link.nonce) else None


def find_open_link(token: str, purpose: LinkPurpose, *, link_key: bytes, now: datetime) -> AccountLink | None:
    link = find_link(token, purpose, link_key=link_key)
    return link if link is not None and is_open(link, now) else None


def is_open(link: AccountLink, now: datetime) -> bool:
    return link.used_at is None and link.withdrawn_at is None and now < link.expires_at


def use_link(link: AccountLink, *, now: datetime) -> None:
    """Uses the link up; of two that race, one gets `LinkAlreadyUsed`."""
    used = db.session.scalar(
        update(AccountLink)
        .where(
            AccountLink.id == link.id,
            AccountLink.used_at.is_(None),
            AccountLink.withdrawn_at.is_(None),
            AccountLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(AccountLink.id)
        .execution_options(synchronize_session=False)
    )
    if used is None:
        raise LinkAlreadyUsed
    db.session.refresh(link)
