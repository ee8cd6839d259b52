"""Links in mail: bound to a purpose, a row and its nonce."""

import pytest

from icbt_support.links import is_genuine, make_token, new_nonce, row_id_of

KEY = b"a key"


def test_a_link_is_genuine_for_its_own_row_and_purpose_only() -> None:
    nonce = new_nonce()
    token = make_token(KEY, "invitation", 7, nonce)
    assert row_id_of(token) == 7
    assert is_genuine(token, KEY, "invitation", nonce)
    assert not is_genuine(token, KEY, "password_reset", nonce)
    assert not is_genuine(token, KEY, "invitation", new_nonce())
    assert not is_genuine(token, b"another key", "invitation", nonce)
    assert not is_genuine(token.replace("7-", "8-", 1), KEY, "invitation", nonce)


@pytest.mark.parametrize(
    "odd", ["", "7", "0-" + "a" * 32, "9" * 30 + "-" + "a" * 32, "7-ÿ", "7-\x00", "-7-" + "a" * 32]
)
def test_what_is_not_a_token_belongs_to_no_row(odd: str) -> None:
    assert row_id_of(odd) is None
    assert not is_genuine(odd, KEY, "invitation", "x")
