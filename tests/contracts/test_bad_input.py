"""No form and no address breaks on what nobody would type: a plain refusal, never an error of the server."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule

from icbt_support.accounts.models import Account
from icbt_support.db import db
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import Form, addresses, forms_for, highest_ids, is_for, rules

INJECTED = "injected-words"
ODD = {
    "a zero byte": "before\x00after",
    "five thousand characters": "x" * 5_000,
    "sixty thousand characters": "long " * 12_000,
    "a number beyond any column": "9223372036854775808",
    "a lone surrogate": "\udcff",
    "a negative number": "-9223372036854775809",
    "markup and headers": "<script>alert(1)</script>{{7*7}}\r\nBcc: all@example.net\r\n\r\n",
    "a statement": f"'; DROP TABLE {INJECTED}; --",
    "an instant at the end of time": "9999-12-31T23:59:59+00:00",
    "a date that is none": "2026-02-30",
}
ONE_BY_ONE = tuple(kind for kind in ODD if "thousand" not in kind)
NOT_UTF8 = b"\xff\xfe\x80\x81words"
LAST = ("sign_out", "sign-out", "disable", "end_role", "end-role", "/end", "hand-over", "/finish", "password")
ROLES = ("alex", "pat", "jo", "toni")


@pytest.fixture(autouse=True)
def nothing_typed_stands_in_a_statement(app: Flask) -> Iterator[None]:
    """Whatever comes from outside reaches the database as a value, never as a part of the statement."""
    found: set[str] = set()

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if INJECTED in statement:
            found.add(statement)

    event.listen(db.engine, "before_cursor_execute", look)
    yield
    event.remove(db.engine, "before_cursor_execute", look)
    assert found == set()


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


_forms: dict[str, dict[str, Form]] = {}


def forms_of(app: Flask, house: House, who: str) -> dict[str, Form]:
    """The forms that this person meets; the house is the same for every test, so one walk is enough."""
    if who not in _forms:
        account = house.people.get(who)
        _forms[who] = forms_for(app, account, browser_of(app, account))
    return _forms[who]


def browser_of(app: Flask, account: Account | None) -> PageClient:
    return PageClient(app).sign_in(account) if account else PageClient(app)


def last_ones_last(item: tuple[str, Form]) -> tuple[bool, str]:
    """Forms that end something come after all others."""
    return any(word in item[1].action for word in LAST), item[0]


def post_raw(browser: PageClient, form: Form, values: dict[str, str], token: str) -> int:
    data = {**values, "csrf_token": token}
    encoded = {name: value.encode("utf-8", "surrogateescape") for name, value in data.items()}
    return browser.http.post(form.action, data=encoded).status_code


@pytest.mark.parametrize("who", [*ROLES, "nobody"])
def test_no_form_breaks_on_odd_words(app: Flask, house: House, who: str) -> None:
    account: Account | None = house.people.get(who)
    forms = sorted(forms_of(app, house, who).items(), key=last_ones_last)
    browser = browser_of(app, account)
    broken, taken = [], 0
    for endpoint, form in forms:
        if account is not None:
            browser.sign_in(account)
            browser.page = None
        else:
            browser.get("/sign-in")
        token = browser.token()
        names = [name for name in form.values if name != "csrf_token"]
        tries = [(f"all {kind}", dict.fromkeys(names, value)) for kind, value in ODD.items()]
        for place, name in enumerate(names):
            kind = ONE_BY_ONE[place % len(ONE_BY_ONE)]
            tries.append((f"{name} {kind}", {**form.values, name: ODD[kind]}))
        for kind, values in tries:
            status = post_raw(browser, form, values, token)
            taken += status not in (400, 404)
            if status >= 500:
                broken.append((endpoint, kind, status))
    assert broken == []
    assert taken > len(forms)


def test_every_posting_view_is_reached_by_somebody(app: Flask, house: House) -> None:
    """A form that no walk meets is posted to with nothing but odd words."""
    seen = {endpoint for who in ROLES for endpoint in forms_of(app, house, who)}
    unseen = [rule for rule in rules(app, "POST") if rule.endpoint not in seen]
    broken = [found for rule in unseen for found in post_odd_words(app, house, rule)]
    assert broken == []


def post_odd_words(app: Flask, house: House, rule: Rule) -> list[tuple[str, str, int]]:
    ids = {name: range(1, highest + 1) for name, highest in highest_ids().items()}
    account = next((house.people[who] for who in ROLES if is_for(app, rule, house.people[who])), None)
    browser = browser_of(app, account)
    token, broken = browser.token(), []
    for address in list(addresses(app, rule, ids))[:3]:
        for kind, value in ODD.items():
            names = (
                "words",
                "value",
                "version",
                "on",
                "at",
                "posted_key",
                "answer",
                "password",
                "email",
                "to",
            )
            form = Form(address, address, {}, frozenset())
            status = post_raw(browser, form, dict.fromkeys(names, value), token)
            if status >= 500:
                broken.append((rule.rule, kind, status))
    return broken


ODD_IN_A_QUERY = (
    "%00",
    "%ff%fe",
    "-1",
    "9223372036854775808",
    "x" * 5_000,
    "2026-02-30",
    "9999-12-31",
    "%0d%0aSet-Cookie:a=b",
    f"1'%20OR%20{INJECTED}--",
)


class Asked(ImmutableMultiDict[str, str]):
    """A query that notes the names that a view asks for."""

    names: ClassVar[set[str]] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def getlist(self, name: str, *args: Any, **kwargs: Any) -> list[Any]:
        self.names.add(name)
        return super().getlist(name, *args, **kwargs)


def test_no_page_breaks_on_odd_words_in_its_query(
    app: Flask, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every name that a page asks its query for gets every odd value; a page that asks for none gets them all once."""
    monkeypatch.setattr(app.request_class, "parameter_storage_class", Asked)
    ids = {name: [highest] for name, highest in highest_ids().items()}
    people = [*(house.people[who] for who in ROLES), None]
    browsers = [(account, browser_of(app, account)) for account in people]
    broken, asked = [], set()
    for rule in rules(app, "GET"):
        address = next(iter(addresses(app, rule, ids)), None)
        if address is None or rule.rule == "/readyz":
            continue
        for account, browser in browsers:
            if is_for(app, rule, account):
                names = names_asked_for(browser, address)
                asked |= names
                broken += broken_by_queries(browser, address, names)
    assert broken == []
    assert {"next", "page", "week", "from", "until"} <= asked


def names_asked_for(browser: PageClient, address: str) -> set[str]:
    Asked.names.clear()
    browser.http.get(address)
    return set(Asked.names)


def broken_by_queries(browser: PageClient, address: str, names: set[str]) -> list[tuple[str, str, int]]:
    broken, tried = [], set(names)
    queries = [
        all_odd_at_once(names),
        *([query_of(names, value) for value in ODD_IN_A_QUERY] if names else []),
    ]
    while queries:
        query = queries.pop(0)
        response = browser.http.get(f"{address}?{query}")
        if response.status_code >= 500 or "a=b" in str(response.headers.getlist("Set-Cookie")):
            broken.append((address, query[:40], response.status_code))
        new = Asked.names - tried
        if new:
            tried |= new
            queries += [query_of(tried, value) for value in ODD_IN_A_QUERY]
    return broken


def query_of(names: set[str], value: str) -> str:
    return "&".join(f"{name}={value}" for name in sorted(names))


def all_odd_at_once(names: set[str]) -> str:
    return "&".join(query_of(names | {"next", "person"}, value) for value in ODD_IN_A_QUERY)


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
NO_FORMS = (
    (NOT_UTF8, FORM),
    (b"csrf_token=%ff%fe&words=%80%00", FORM),
    (b"&".join(b"f%d=1" % number for number in range(3_000)), FORM),
    (b'--x\r\nContent-Disposition: form-data; name="words"\r\n\r\n\xff', f"{PARTS}; boundary=x"),
    (b"no boundary", PARTS),
    (b"{", "application/json"),
    (b"\x00" * 1_000, "application/octet-stream"),
    (b"", "text/plain"),
)


def test_no_view_breaks_on_a_body_that_is_no_form(app: Flask, house: House) -> None:
    """Each view once, by the first who comes past its door."""
    ids = {name: [highest] for name, highest in highest_ids().items()}
    browsers = [(house.people[who], browser_of(app, house.people[who])) for who in ROLES]
    broken = []
    for rule in rules(app, "POST"):
        address = next(iter(addresses(app, rule, ids)), None)
        browser = next((browser for account, browser in browsers if is_for(app, rule, account)), None)
        if address is None or browser is None:
            continue
        for body, kind in NO_FORMS:
            status = browser.http.post(address, data=body, content_type=kind).status_code
            if status not in (400, 404, 405, 413):
                broken.append((rule.rule, kind, status))
    assert broken == []
