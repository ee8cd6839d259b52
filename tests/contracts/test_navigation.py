"""Every page with a navigation marks the one place in it where the person is."""

import re
from collections.abc import Iterable
from datetime import datetime

import pytest
from flask import Flask

from icbt_support.accounts.models import Account
from icbt_support.pages.guards import access_of
from icbt_support.pages.places import PLACES, place_here
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import addresses, highest_ids, is_for, rules

NAVIGATION = re.compile(r'<nav class="nav" aria-label="Main">.*?</nav>', re.DOTALL)
FROM_THE_FOOTER = ("public_", "development_")


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def test_every_page_stands_in_a_place_of_everybody_who_may_open_it(app: Flask) -> None:
    without = {
        (role.value, rule.endpoint)
        for rule in rules(app, "GET")
        if not rule.endpoint.startswith((*FROM_THE_FOOTER, "keeping", "demo"))
        for role in _roles_of(app, rule.endpoint)
        if place_here(role, rule.endpoint) is None
    }
    assert without == set()


def _roles_of(app: Flask, endpoint: str) -> Iterable:
    access = access_of(app.view_functions[endpoint])
    return (access.roles & set(PLACES)) if access else ()


def test_a_walk_over_every_page_meets_one_mark_in_each_navigation(app: Flask, house: House) -> None:
    ids = {name: {1, 2, highest} - {0} for name, highest in highest_ids().items()}
    wrong, right = set(), 0
    for account in house.people.values():
        browser = PageClient(app).sign_in(account)
        for endpoint, marks in _marks(app, account, browser, ids):
            expected = 0 if endpoint.startswith(FROM_THE_FOOTER) else 1
            wrong |= {(account.called, endpoint, marks)} if marks != expected else set()
            right += marks == expected == 1
    assert wrong == set()
    assert right > 100


def _marks(
    app: Flask, account: Account, browser: PageClient, ids: dict[str, Iterable[int]]
) -> Iterable[tuple[str, int]]:
    """How many places are marked, on one page with a navigation of every rule that this person can open."""
    for rule in rules(app, "GET"):
        if not is_for(app, rule, account):
            continue
        for address in addresses(app, rule, ids):
            response = browser.http.get(address)
            if response.status_code != 200 or response.mimetype != "text/html":
                continue
            found = NAVIGATION.search(response.get_data(as_text=True))
            if found is not None:
                yield rule.endpoint, found.group().count("aria-current=")
                break
