"""What a browser does with hostile text: nothing runs, nothing is fetched, even without the policy."""

import pytest
from playwright.sync_api import Browser, Route

from icbt_support.factory import CONTENT_POLICY
from icbt_support.markdown import render_markdown, render_plain
from tests.content.markdown_payloads import PAYLOADS

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
