"""A page client that checks every page it gets: one h1, a title, unique ids, a token in every posting form."""

import re
from collections import Counter
from contextvars import Context
from html.parser import HTMLParser
from typing import Any

from flask import Flask, has_app_context
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.pages.signing_in import sign_in_for_tests

NAMES_OF_PATIENTS = {"Alex", "Reed", "Kim", "Hill", "Sasha", "Vale", "Robin", "Dale"}


class Page(HTMLParser):
    """What a page holds, as far as the tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.headings: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.fields: dict[str, str] = {}
        self.forms: list[dict[str, Any]] = []
        self.inline: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._note_inline(tag, given)
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag in ("title", "h1"):
            self._open.append(tag)
            if tag == "h1":
                self.headings.append("")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            method = given.get("method", "get").lower()
            self.forms.append(
                {"action": given.get("action", ""), "method": method, "names": set(), "token": ""}
            )
        if tag in ("input", "select", "textarea", "button") and given.get("name"):
            self._note_field(given)

    def _note_field(self, given: dict[str, str]) -> None:
        if self.forms:
            self.forms[-1]["names"].add(given["name"])
            if given["name"] == "csrf_token":
                self.forms[-1]["token"] = given.get("value", "")
        if given.get("type") not in ("radio", "checkbox") or "checked" in given:
            self.fields[given["name"]] = given.get("value", "")

    def _note_inline(self, tag: str, given: dict[str, str]) -> None:
        if "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(f"{tag} {given}")
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        if self._open and self._open[-1] == "h1":
            self.headings[-1] += data


def check_page(response: TestResponse) -> Page:
    html = response.get_data(as_text=True)
    page = Page(html)
    where = response.request.path
    assert page.title.strip(), f"{where} has no title"
    assert len(page.headings) == 1, f"{where} has {len(page.headings)} h1: {page.headings}"
    doubled = [name for name, count in page.ids.items() if count > 1]
    assert not doubled, f"{where} has ids twice: {doubled}"
    bare = [
        form["action"]
        for form in page.forms
        if form["method"] == "post" and "csrf_token" not in form["names"]
    ]
    assert not bare, f"{where} has posting forms without a token: {bare}"
    assert not page.inline, f"{where} has inline style or script: {page.inline}"
    assert "Get help now" in html or "help-now" in html, f"{where} has no way to help"
    return page


class SeparateClient(FlaskClient):
    """A client whose requests share nothing with the test: no context, no session, no open transaction.

    What the test wrote is committed before a request, and read afresh after it.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if not has_app_context():
            return super().open(*args, **kwargs)
        db.session.commit()
        try:
            response = Context().run(super().open, *args, **kwargs)
        finally:
            db.session.rollback()
            db.session.expire_all()
        assert names_in_cookie(self) == [], f"{response.request.path} names a patient in the cookie"
        return response


def names_in_cookie(browser: FlaskClient) -> list[str]:
    """Patients of the tests who are named in the session's cookie: whoever has the browser can read it."""
    cookie = browser.get_cookie("session") if browser._cookies is not None else None
    signer = SecureCookieSessionInterface().get_signing_serializer(browser.application)
    if cookie is None or signer is None:
        return []
    is_genuine, held = signer.loads_unsafe(cookie.value)
    words = set(re.findall(r"\w+", str(held))) if is_genuine else set()
    return sorted(words & NAMES_OF_PATIENTS)


class PageClient:
    """Signs in, gets and posts like a browser without JavaScript."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.http: FlaskClient = app.test_client()
        self.page: Page | None = None

    def sign_in(self, account: Account) -> "PageClient":
        sign_in_for_tests(self.http, account)
        return self

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        response = self.http.get(path, follow_redirects=True, **kwargs)
        if response.mimetype == "text/html":
            self.page = check_page(response)
        return response

    def post(self, path: str, data: dict[str, Any] | None = None, *, follow: bool = True) -> TestResponse:
        """Posts with the token of the page seen last (or of a fresh one)."""
        values = {"csrf_token": self.token(), **(data or {})}
        response = self.http.post(path, data=values, follow_redirects=follow)
        if response.mimetype == "text/html" and response.status_code not in (301, 302, 303):
            self.page = check_page(response)
        return response

    def token(self) -> str:
        if self.page is None or not any(form["token"] for form in self.page.forms):
            self.page = check_page(self.http.get("/account", follow_redirects=True))
        return next(form["token"] for form in self.page.forms if form["token"])
