"""What the rules about people stand on: the programme library."""

import pytest

from icbt_support.programme.library import load_library


@pytest.fixture(scope="module")
def library() -> None:
    load_library()
