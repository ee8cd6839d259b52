"""An application on a copy of the demo, and its people."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask, g
from sqlalchemy import select
from werkzeug.test import TestResponse

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.accounts.queries import find_account_by_email
from icbt_support.db import db
from icbt_support.demo.models import DemoState
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.factory import create_app
from icbt_support.settings import read_settings
from tests.browsing import PageClient
from tests.shared_demo import copy_of_demo


@pytest.fixture(scope="module")
def demo_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a copy of the demo."""
    folder: Path = tmp_path_factory.mktemp("demo")
    settings = read_settings(
        {
            "ENVIRONMENT": "test",
            "DATABASE_URL": copy_of_demo(folder, tmp_path_factory),
            "JOURNAL_DIR": str(folder),
            "SCHEDULER": "off",
        }
    )
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()
    clock.let_clock_run()


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[Flask]:
    with demo_app.app_context():
        clock.stop_clock_at(db.session.scalars(select(DemoState.stands_at)).one())
        yield demo_app
        db.session.rollback()
        db.session.remove()


def the_account_of(email: str) -> Account:
    account = find_account_by_email(email)
    assert account is not None
    return account


def the_course_of(email: str) -> Enrolment:
    enrolment = enrolments.for_patient(the_account_of(email))
    assert enrolment is not None
    return enrolment


def signed_in(app: Flask, email: str) -> PageClient:
    """A browser of this person; what an earlier request of the same test left in `g` is forgotten."""
    forget_requests()
    return PageClient(app).sign_in(the_account_of(email))


def forget_requests() -> None:
    for name in list(g):
        g.pop(name)


def words_of(response: TestResponse) -> str:
    """A page's words, without its tags."""
    without_tags = re.sub(r"<[^>]+>", "", response.get_data(as_text=True))
    return " ".join(unescape(without_tags).split())
