"""What the browser may keep of somebody's typing while it cannot be saved: under a key that only the server holds.

See `docs/decisions/0007-words-kept-in-the-browser.md`.
"""

import base64
import hashlib
import hmac

from flask import Blueprint, current_app
from flask_login import current_user
from markupsafe import Markup

blueprint = Blueprint("keeping", __name__)


@blueprint.app_template_global()
def kept_in_browser(name: str) -> Markup:
    """The attributes of a form whose words `keep.js` keeps under `name`: nothing for a visitor.

    The key reaches only pages of the account whose words they are, and is not stored in the browser.
    """
    return Markup("").join(Markup(' {}="{}"').format(*one) for one in kept_attributes(name).items())


@blueprint.app_template_global()
def kept_attributes(name: str) -> dict[str, str]:
    """The same for a macro that takes attributes."""
    if not current_user.is_authenticated:
        return {}
    account_id = current_user.account.id
    return {
        "data-keep": _derive("place", account_id, name).hex()[:32],
        "data-keep-key": base64.b64encode(_derive("key", account_id, name)).decode(),
        "data-keep-who": mark_of(account_id),
    }


def mark_of(account_id: int) -> str:
    """Tells one account from another in a browser, and says nothing about either."""
    return _derive("mark", account_id, "").hex()[:32]


def _derive(purpose: str, account_id: int, name: str) -> bytes:
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, f"kept-words:{purpose}:{account_id}:{name}".encode(), hashlib.sha256).digest()
