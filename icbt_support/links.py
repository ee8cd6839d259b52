"""Links in mail: made when the mail is rendered, never stored.

The row that a link belongs to holds a nonce, an expiry and when it was used. The token is
`<row id>-<mac>` with mac = HMAC-SHA256(link key, purpose, row id, nonce), 160 bits, base32.
"""

import base64
import hashlib
import hmac
import re
import secrets

_TOKEN = re.compile(r"^([1-9][0-9]{0,18})-([a-z2-7]{32})$")


def new_nonce() -> str:
    """128 bits, to be kept in the row that the link belongs to."""
    return secrets.token_hex(16)


def make_token(link_key: bytes, purpose: str, row_id: int, nonce: str) -> str:
    return f"{row_id}-{_mac(link_key, purpose, row_id, nonce)}"


def row_id_of(token: str) -> int | None:
    """The row that a token claims to belong to; the claim is proven by `is_genuine` alone."""
    match = _TOKEN.match(token)
    return int(match.group(1)) if match else None


def is_genuine(token: str, link_key: bytes, purpose: str, nonce: str) -> bool:
    row_id = row_id_of(token)
    if row_id is None:
        return False
    return hmac.compare_digest(token, make_token(link_key, purpose, row_id, nonce))


def _mac(link_key: bytes, purpose: str, row_id: int, nonce: str) -> str:
    message = f"{purpose}\n{row_id}\n{nonce}".encode()
    digest = hmac.new(link_key, message, hashlib.sha256).digest()[:20]
    return base64.b32encode(digest).decode().lower()
