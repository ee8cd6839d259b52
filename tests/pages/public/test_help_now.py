"""Get help now answers without a sign-in, a session or a database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from icbt_support.db import db
from icbt_support.factory import create_app
from icbt_support.pages.help_lines import forget_help_pages, help_lines_for, load_help_pages
from icbt_support.settings import Settings
from tests.browsing import PageClient
from tests.cast import Cast

NUMBERS = ("tel:999", "tel:111", "tel:116123", "sms:85258", "tel:18001111")


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    forget_help_pages()
    yield
    forget_help_pages()


def test_without_any_service_the_numbers_of_england_are_there(client: PageClient) -> None:
    text = client.get("/help-now").text
    for number in NUMBERS:
        assert number in text
    assert "This page works without signing in" in text


def test_no_statement_reaches_the_database_signed_in_or_not(client: PageClient, cast: Cast) -> None:
    client.sign_in(cast.patient)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get("/help-now").status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert statements == []


def test_it_answers_when_the_database_is_gone(settings: Settings, tmp_path: Path) -> None:
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/nowhere/none.sqlite"))
    load_help_pages(app)
    client = app.test_client()
    assert client.get("/sign-in").status_code == 200
    assert client.get("/help-now").status_code == 200
    client.set_cookie("session", "nonsense")
    assert "tel:999" in client.get("/help-now").text


def test_the_services_own_number_and_words_are_shown(
    client: PageClient, app: Flask, cast: Cast, now: datetime
) -> None:
    load_help_pages(app)
    unknown = client.get("/help-now").text
    assert "01632 960017" not in unknown
    assert "tel:999" in unknown
    with client.http.session_transaction() as browser:
        browser["help_service"] = cast.service.id
    text = client.get("/help-now").text
    assert 'href="tel:01632960017"' in text
    assert "Nobody here reads messages in the evening" in text
    assert "Numbers last checked on Monday 2 November 2026" in text


def test_a_changed_line_is_in_memory_after_the_next_page(app: Flask, cast: Cast) -> None:
    load_help_pages(app)
    cast.service.help_lines[0].title = "Call 0800 000 000"
    db.session.commit()
    assert [line.title for line in help_lines_for(cast.service.id)] == ["Call 999", "Call 0800 000 000"]
