"""Every page of every role, on a phone and on a desk: axe is clean, nothing scrolls sideways, the policy holds."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from icbt_support.accounts.models import Role
from icbt_support.factory import create_app
from icbt_support.pages.guards import access_of
from icbt_support.settings import read_settings
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
    "clinician": ["/", "/clinical/risk", "/clinical/invite", "/clinical/engagement?people=everyone"],
    "administrator": ["/", "/admin"],
}
WIDTHS = (390, 1280)

pytestmark = pytest.mark.xdist_group("demo")


@pytest.mark.parametrize("who", list(PEOPLE))
def test_every_page_of(who: str, browser: Browser, demo_server: DemoServer) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 844})
    page = sign_in(context, demo_server, PEOPLE[who])
    app = create_app(read_settings({"ENVIRONMENT": "development", "DATABASE_URL": demo_server.database_url}))
    found = crawl(page, app, demo_server.url, STARTS[who])
    problems = unreached(app, who, found)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for addresses in found.addresses.values():
        problems += look_at(page, demo_server.url, addresses[0], said)
    context.close()
    assert not problems, "\n" + "\n".join(problems)


def unreached(app: object, who: str, found: Found) -> list[str]:
    """Pages of this role that no link leads to: each needs a link, or a reason."""
    missing = []
    for rule in app.url_map.iter_rules():  # type: ignore[attr-defined]
        access = access_of(app.view_functions[rule.endpoint])  # type: ignore[attr-defined]
        is_page = "GET" in rule.methods and access is not None and ROLES[who] in access.roles
        if is_page and rule.endpoint not in found.addresses and rule.endpoint not in LEFT_ALONE:
            missing.append(f"nothing leads to {rule.rule} ({rule.endpoint})")
    return missing


def look_at(page: Page, base: str, path: str, said: list[str]) -> list[str]:
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        said.clear()
        page.goto(base + path)
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 0:
            problems.append(f"{path} at {width}: scrolls sideways by {sideways} px")
        problems += [f"{path} at {width}: the browser said {words[:160]}" for words in said]
        problems += [f"{path} at {width}: {rule}" for rule in broken_rules(page)]
    return problems


def broken_rules(page: Page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [f"{found['id']} at {found['nodes'][0]['target']}" for found in results]
