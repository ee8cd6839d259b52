"""No form and no address breaks on what nobody would type: a plain refusal, never an error of the server."""

from datetime import datetime

import pytest
from flask import Flask
from werkzeug.routing import Rule

from icbt_support.accounts.models import Account
from tests.browsing import PageClient
from tests.cast import Cast
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import Form, addresses, forms_for, highest_ids, is_for, rules

ODD = {
    "a zero byte": "before\x00after",
    "five thousand characters": "x" * 5_000,
    "sixty thousand characters": "long " * 12_000,
    "a number beyond any column": "9223372036854775808",
    "a lone surrogate": "\udcff",
    "a negative number": "-9223372036854775809",
    "markup and headers": "<script>alert(1)</script>{{7*7}}'; DROP TABLE accounts; --\r\nBcc: all@example.net\r\n\r\n",
    "an instant at the end of time": "9999-12-31T23:59:59+00:00",
    "a date that is none": "2026-02-30",
}
ONE_BY_ONE = tuple(kind for kind in ODD if "thousand" not in kind)
NOT_UTF8 = b"\xff\xfe\x80\x81words"
LAST = ("sign_out", "sign-out", "disable", "end_role", "end-role", "/end", "hand-over", "/finish", "password")
ROLES = ("alex", "pat", "jo", "toni")


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return furnish(cast, now)


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
    browser = PageClient(app)
    if account is not None:
        browser.sign_in(account)
    forms = sorted(forms_for(app, account, browser).items(), key=last_ones_last)
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
    seen: set[str] = set()
    for who in ROLES:
        account = house.people[who]
        seen |= set(forms_for(app, account, PageClient(app).sign_in(account)))
    unseen = [rule for rule in rules(app, "POST") if rule.endpoint not in seen]
    broken = [found for rule in unseen for found in post_odd_words(app, house, rule)]
    assert broken == []


def post_odd_words(app: Flask, house: House, rule: Rule) -> list[tuple[str, str, int]]:
    ids = {name: range(1, highest + 1) for name, highest in highest_ids().items()}
    account = next((house.people[who] for who in ROLES if is_for(app, rule, house.people[who])), None)
    browser = PageClient(app)
    if account is not None:
        browser.sign_in(account)
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


def test_no_page_breaks_on_odd_words_in_its_query(app: Flask, house: House) -> None:
    broken = []
    for account in (*(house.people[who] for who in ROLES), None):
        browser = PageClient(app).sign_in(account) if account else PageClient(app)
        broken += broken_by_queries(app, account, browser)
    assert broken == []


def broken_by_queries(app: Flask, account: Account | None, browser: PageClient) -> list[tuple[str, str, int]]:
    ids = {name: [highest] for name, highest in highest_ids().items()}
    names = (
        "next",
        "person",
        "page",
        "from",
        "until",
        "day",
        "action",
        "people",
        "show",
        "week",
        "added",
        "shape",
    )
    queries = [
        "&".join(f"{name}={value}" for name in names)
        for value in (
            "%00",
            "%ff%fe",
            "-1",
            "9223372036854775808",
            "x" * 5_000,
            "2026-02-30",
            "9999-12-31",
            "%0d%0aSet-Cookie:a=b",
        )
    ]
    broken = []
    for rule in rules(app, "GET"):
        if not is_for(app, rule, account) or rule.rule == "/readyz":
            continue
        address = next(iter(addresses(app, rule, ids)), None)
        for query in queries if address else []:
            response = browser.http.get(f"{address}?{query}")
            if response.status_code >= 500 or "a=b" in str(response.headers.getlist("Set-Cookie")):
                broken.append((address, query[:40], response.status_code))
    return broken


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
    ids = {name: [highest] for name, highest in highest_ids().items()}
    broken = []
    for who in ROLES:
        account = house.people[who]
        browser = PageClient(app).sign_in(account)
        for rule in rules(app, "POST"):
            address = next(iter(addresses(app, rule, ids)), None)
            if address is None or not is_for(app, rule, account):
                continue
            for body, kind in NO_FORMS:
                status = browser.http.post(address, data=body, content_type=kind).status_code
                if status not in (400, 404, 405, 413):
                    broken.append((rule.rule, kind, status))
    assert broken == []
