"""Opening pages changes no table, bar the sign-in's last-seen, the audit and the limits."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.accounts.models import Account, LinkPurpose
from icbt_support.accounts.operations import owe_account_link
from icbt_support.db import db
from icbt_support.links import make_token
from icbt_support.tables import METADATA
from tests.browsing import PageClient
from tests.cast import OPERATOR, Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import addresses, highest_ids, is_for, rules

MAY_CHANGE = {"sign_ins", "audit_lines", "throttles"}


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def digests() -> dict[str, str]:
    """A digest of every table that opening a page may not change."""
    db.session.rollback()
    return {
        table.name: sha256(
            repr(db.session.execute(select(table).order_by(*table.primary_key)).all()).encode()
        ).hexdigest()
        for table in METADATA.sorted_tables
        if table.name not in MAY_CHANGE
    }


def some_rows() -> dict[str, Iterable[int]]:
    """The first and the last row of every kind: Alex's and Kim's."""
    return {name: {1, 2, highest} - {0} for name, highest in highest_ids().items()}


def test_a_walk_over_every_page_changes_no_table(app: Flask, house: House) -> None:
    people: list[Account | None] = [*house.people.values(), None]
    browsers = [PageClient(app).sign_in(account) if account else PageClient(app) for account in people]
    before, opened = digests(), 0
    for account, browser in zip(people, browsers, strict=True):
        opened += walk(app, account, browser)
        after = digests()
        who = account.called if account else "nobody"
        assert (who, {name for name in after if after[name] != before[name]}) == (who, set())
    assert opened > len(rules(app, "GET"))


def walk(app: Flask, account: Account | None, browser: PageClient) -> int:
    """How many pages it could open."""
    ids, opened = some_rows(), 0
    for rule in rules(app, "GET"):
        if is_for(app, rule, account):
            for address in addresses(app, rule, ids):
                opened += browser.http.get(address).status_code == 200
    return opened


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_opening_a_genuine_link_from_a_mail_changes_no_table(
    app: Flask, cast: Cast, now: datetime, purpose: LinkPurpose
) -> None:
    link = owe_account_link(
        cast.patient,
        purpose,
        service_id=cast.service.id,
        expires_at=now.replace(day=now.day + 1),
        by=OPERATOR,
        now=now,
    )
    db.session.commit()
    token = make_token(app.config["SETTINGS"].link_key, link.purpose.value, link.id, link.nonce)
    path = {"invitation": f"/invitation/{token}", "password_reset": f"/new-password/{token}"}[purpose.value]
    before = digests()
    browser = PageClient(app)
    assert browser.http.get(path).status_code == 200
    assert browser.http.head(path).status_code == 200
    assert digests() == before
