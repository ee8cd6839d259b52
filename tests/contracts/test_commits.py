"""One commit at the edge: an answer of 400 or above keeps nothing of what the view wrote."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.accounts.models import Throttle
from icbt_support.db import db
from icbt_support.pages.commits import commits
from tests.conftest import THURSDAY


@pytest.mark.parametrize(("status", "kept"), [(200, 1), (303, 1), (400, 0), (409, 0)])
def test_only_success_is_kept(app: Flask, status: int, kept: int) -> None:
    @commits
    def view() -> tuple[str, int]:
        db.session.add(Throttle(key="written", window_started_at=THURSDAY, attempts=1))
        return "", status

    with app.test_request_context():
        assert view().status_code == status
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Throttle)) == kept
