"""Every page of every role, on a phone and on a desk: axe is clean, nothing scrolls sideways, the policy holds."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from icbt_support.accounts.models import Role
from icbt_support.factory import create_app
from icbt_support.pages.guards import access_of
from icbt_support.settings import read_settings
from tests.browser.axe import broken_rules
from tests.browser.conftest import PEOPLE, DemoServer, sign_in
from tests.browser.crawling import LEFT_ALONE, Found, crawl

ROLES = {
    "patient": Role.PATIENT,
    "supporter": Role.SUPPORTER,
    "clinician": Role.CLINICIAN,
    "administrator": Role.ADMINISTRATOR,
}
STARTS = {
    "patient": ["/", "/start", "/check-in", "/safety", "/away", "/finish", "/reminders"],
    "supporter": ["/", "/supporting/caseload"],
    "clinician": ["/", "/clinical/risk", "/clinical/invite", "/clinical/caseload?sort=name"],
    "administrator": ["/", "/admin", f"/admin/duty/closures/{datetime.now(UTC).date() + timedelta(days=14)}"],
}
WIDTHS = (390, 1280)
MAIN_WIDTH = {"patient": 390, "supporter": 1280, "clinician": 1280, "administrator": 1280}


@pytest.fixture(scope="module")
def app(demo_server: DemoServer) -> Flask:
    return create_app(read_settings({"ENVIRONMENT": "development", "DATABASE_URL": demo_server.database_url}))


@pytest.mark.parametrize("who", list(PEOPLE))
def test_every_page_of(who: str, app: Flask, browser: Browser, demo_server: DemoServer) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 844})
    page = sign_in(context, demo_server, PEOPLE[who])
    found = crawl(page, app, demo_server.url, STARTS[who], ROLES[who])
    problems = unreached(app, who, found)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for addresses in found.addresses.values():
        problems += look_at(page, demo_server.url, addresses[0], said, MAIN_WIDTH[who])
    context.close()
    assert not problems, "\n" + "\n".join(problems)


def unreached(app: Flask, who: str, found: Found) -> list[str]:
    """Pages of this role that no link leads to: each needs a link, or a reason."""
    missing = []
    for rule in app.url_map.iter_rules():
        access = access_of(app.view_functions[rule.endpoint])
        is_page = "GET" in rule.methods and access is not None and ROLES[who] in access.roles
        if is_page and rule.endpoint not in found.addresses and rule.endpoint not in LEFT_ALONE:
            missing.append(f"nothing leads to {rule.rule} ({rule.endpoint})")
    return missing


def look_at(page: Page, base: str, path: str, said: list[str], main_width: int) -> list[str]:
    """Both widths are measured; axe reads the page at the width that this audience uses most, at which it comes."""
    problems = []
    said.clear()
    for width in sorted(WIDTHS, key=lambda width: width != main_width):
        page.set_viewport_size({"width": width, "height": 900})
        if width == main_width:
            page.goto(base + path)
            problems += [f"{path}: {rule}" for rule in broken_rules(page)]
        sideways = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if sideways > 0:
            problems.append(f"{path} at {width}: scrolls sideways by {sideways} px")
    problems += [f"{path}: the browser said {words[:160]}" for words in said]
    return problems
