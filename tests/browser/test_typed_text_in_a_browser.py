"""What a browser does with hostile text: nothing runs, nothing is fetched, even without the policy."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Route

from icbt_support.factory import CONTENT_POLICY
from icbt_support.markdown import render_markdown, render_plain
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import all_rows, empty_tables, made_once, put_back
from tests.content.markdown_payloads import PAYLOADS
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import addresses, highest_ids, is_for, rules

HOST = "https://course.example.net"
ADDRESS = "https://course.example.net/page"
UNSAFE = "<img src=x onerror=alert(1)><link rel=stylesheet href=https://evil.example/x.css>"
WITH_POLICY, WITHOUT_POLICY = {"Content-Security-Policy": CONTENT_POLICY}, {}


def what_happens(browser: Browser, body: str, headers: dict[str, str]) -> tuple[list[object], list[str]]:
    """What called `alert`, and every address that was asked for beside the page itself."""
    fired: list[object] = []
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url != ADDRESS:
            asked.append(route.request.url)
            route.abort()
            return
        page = f"<!doctype html><html lang=en><title>Page</title><main>{body}</main></html>"
        route.fulfill(body=page, headers={"Content-Type": "text/html; charset=utf-8", **headers})

    context = browser.new_context()
    context.expose_function("alert", lambda *words: fired.append(words))
    context.route("**/*", answer)
    page = context.new_page()
    page.goto(ADDRESS)
    page.wait_for_timeout(500)
    for place in page.locator("main :not(a)").all():
        place.dispatch_event("mouseover")
    context.close()
    return fired, asked


@pytest.mark.parametrize("headers", [WITH_POLICY, WITHOUT_POLICY], ids=["policy", "no policy"])
def test_hostile_text_fires_nothing_and_fetches_nothing(browser: Browser, headers: dict[str, str]) -> None:
    texts = "".join(f"<div>{render_markdown(one)}{render_plain(one)}</div>" for one in PAYLOADS)
    assert what_happens(browser, texts, headers) == ([], [])


def test_the_policy_holds_back_what_would_fire_without_it(browser: Browser) -> None:
    fired, asked = what_happens(browser, UNSAFE, WITHOUT_POLICY)
    assert fired
    assert "https://evil.example/x.css" in asked
    fired, asked = what_happens(browser, UNSAFE, WITH_POLICY)
    assert fired == []
    assert "https://evil.example/x.css" not in asked


# Every page on which somebody's words stand -----------------------------------------------------------------

READERS = ("alex", "pat", "jo", "toni", "vendor")
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> <svg/onload=alert(1)>\n\n"
    "\"onmouseover=alert(1) ' onfocus=alert(1) x=\n\n![x](https://evil.example/pixel.gif) [x](javascript:alert(1))"
    "\n\n<link rel=stylesheet href=https://evil.example/x.css> --> </textarea></title></main><script>alert(1)</script>"
)
MARK = "alert(1)"
MOST_ADDRESSES = 8
TYPED_IN_ONE_WORD = ("called", "title", "name", "words")


def make_every_word_hostile() -> None:
    """Everything with a space or a canary in it was typed by somebody: all of it becomes hostile."""
    rows = all_rows()
    number = iter(range(1_000_000))
    for _table, kept in rows:
        for row in kept:
            for column, value in row.items():
                row[column] = _hostile(value, number, column in TYPED_IN_ONE_WORD)
    empty_tables()
    put_back(rows)


def _hostile(value: Any, number: Iterator[int], is_typed: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _hostile(part, number, name in TYPED_IN_ONE_WORD) for name, part in value.items()}
    if isinstance(value, list):
        return [_hostile(part, number) for part in value]
    if type(value) is str and value and (is_typed or " " in value or "canary-" in value):
        return f"{HOSTILE} {next(number)}"
    return value


def pages_with_hostile_words(app: Flask, house: House) -> Iterator[tuple[PageClient, str]]:
    ids = {name: range(1, highest + 1) for name, highest in highest_ids().items()}
    seen: set[str] = set()
    for who in READERS:
        reader = PageClient(app).sign_in(house.people[who])
        for rule in rules(app, "GET"):
            if rule.endpoint in seen or not is_for(app, rule, house.people[who]):
                continue
            for address in islice(addresses(app, rule, ids), MOST_ADDRESSES):
                answer = reader.http.get(address)
                if answer.status_code == 200:
                    seen.add(rule.endpoint)
                    if MARK in answer.get_data(as_text=True):
                        yield reader, address
                    break


class Visitor:
    """A browser before the application itself, without its policy: what fired there, and which strangers it asked."""

    def __init__(self, browser: Browser) -> None:
        self.fired: list[object] = []
        self.strangers: set[str] = set()
        self.scripts: dict[str, dict[str, Any]] = {}
        self.reader: PageClient
        self.context = browser.new_context()
        self.context.expose_function("alert", lambda *words: self.fired.append(words))
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()

    def _answer(self, route: Route) -> None:
        if not route.request.url.startswith(HOST):
            self.strangers.add(route.request.url)
            route.abort()
            return
        if route.request.resource_type in ("stylesheet", "font", "image"):
            route.fulfill(status=204)
            return
        address = urlsplit(route.request.url)
        if address.path not in self.scripts:
            found = self.reader.http.get(f"{address.path}?{address.query}")
            headers = {"Content-Type": found.headers.get("Content-Type", "")}
            answer = {"status": found.status_code, "body": found.get_data(), "headers": headers}
            if route.request.resource_type != "script":
                route.fulfill(**answer)
                return
            self.scripts[address.path] = answer
        route.fulfill(**self.scripts[address.path])

    def open(self, reader: PageClient, address: str) -> None:
        self.reader = reader
        shown = self.page.goto(HOST + address)
        assert shown is not None
        assert shown.status == 200, address
        self.page.evaluate(TOUCH_EVERYTHING)


TOUCH_EVERYTHING = """
for (const place of document.querySelectorAll("main *"))
  for (const name of ["mouseover", "focus", "toggle"]) place.dispatchEvent(new Event(name))
"""


def test_hostile_words_fire_nothing_on_any_page(
    app: Flask, cast: Cast, now: datetime, browser: Browser
) -> None:
    house = made_once("house", lambda: furnish(cast, now))
    make_every_word_hostile()
    visitor = Visitor(browser)
    opened = 0
    for reader, address in pages_with_hostile_words(app, house):
        visitor.open(reader, address)
        opened += 1
    visitor.context.close()
    assert (visitor.fired, visitor.strangers) == ([], set())
    assert opened > 60, opened
