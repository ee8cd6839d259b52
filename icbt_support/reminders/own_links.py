"""The two links that a reminder carries about itself: move what it is about, and stop reminders like it."""

from enum import StrEnum

from icbt_support import links
from icbt_support.db import LARGEST_ID, db
from icbt_support.reminders.models import Reminder


class OwnLink(StrEnum):
    MOVE = "move"
    STOP = "stop"


def path_of(purpose: OwnLink, reminder_id: int, nonce: str, *, link_key: bytes) -> str:
    """The link's path; the token is made when the mail is rendered, never stored."""
    return f"/reminders/{purpose}/{links.make_token(link_key, purpose, reminder_id, nonce)}"


def find_by_token(token: str, purpose: OwnLink, *, link_key: bytes) -> Reminder | None:
    """The reminder behind a genuine token. The token proves that its bearer got the mail; it names nobody."""
    reminder_id = links.row_id_of(token)
    if reminder_id is None or reminder_id > LARGEST_ID:
        return None
    reminder = db.session.get(Reminder, reminder_id)
    if reminder is None or not links.is_genuine(token, link_key, purpose, reminder.nonce):
        return None
    return reminder
