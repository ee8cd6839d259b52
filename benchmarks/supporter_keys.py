"""From *Today* to a sent review with the keyboard alone, in a real browser: how many keys, the text apart."""

import shutil

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, sync_playwright

from tests.web_server import web_server

MOST_TABS = 120
ALT = 1
MATCHES = "selector => document.activeElement !== null && document.activeElement.matches(selector)"


class KeyboardFoundNothing(Exception):
    """The thing cannot be reached by Tab."""


class Keyboard:
    """Counts every press of a key; typed words are free."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.protocol = page.context.new_cdp_session(page)
        self.presses = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.presses += 1

    def is_at(self, selector: str) -> bool:
        return bool(self.page.evaluate(MATCHES, selector))

    def go_to(self, selector: str) -> None:
        """Tab until it has the focus."""
        for _ in range(MOST_TABS):
            if self.is_at(selector):
                return
            self.press("Tab")
        raise KeyboardFoundNothing(f"{selector} on {self.page.url}")

    def press_access_key(self, letter: str) -> None:
        """Alt and a letter, two keys; Playwright's own press leaves out the text by which Chromium finds them."""
        key = {"modifiers": ALT, "key": letter, "unmodifiedText": letter}
        key |= {"code": f"Key{letter.upper()}", "windowsVirtualKeyCode": ord(letter.upper())}
        for kind in ("keyDown", "keyUp"):
            self.protocol.send("Input.dispatchKeyEvent", {"type": kind, **key})
        self.presses += 2

    def open_with_access_key(self, letter: str) -> None:
        with self.page.expect_navigation():
            self.press_access_key(letter)


def count_key_presses(app: Flask, client: FlaskClient) -> int:
    with web_server(app, threads=4, ident=None) as port, sync_playwright() as playwright:
        url = f"http://127.0.0.1:{port}"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
            assert cookie is not None
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/supporting/today")
            return _write_and_send(Keyboard(page))
        finally:
            browser.close()


def _write_and_send(keyboard: Keyboard) -> int:
    """The access keys are those that *Today* names under "Work with the keyboard"."""
    keyboard.open_with_access_key("s")
    keyboard.press_access_key("l")
    assert keyboard.is_at("textarea.letter__text")
    keyboard.page.keyboard.type("You went for the walk on Sunday, even though the day began low.")
    keyboard.press_access_key("n")
    assert keyboard.is_at("[name=step_what]")
    keyboard.page.keyboard.type("One walk with Mo")
    keyboard.go_to("[name=step_why]")
    keyboard.page.keyboard.type("doing comes before feeling like it")
    for name in ("step_by_on", "next_review_at"):
        keyboard.go_to(f"[name={name}]")
        if not keyboard.page.eval_on_selector(f"[name={name}]", "field => field.value"):
            keyboard.press("ArrowDown")
    keyboard.open_with_access_key("p")
    keyboard.open_with_access_key("s")
    assert keyboard.page.url.endswith("/sent"), keyboard.page.url
    return keyboard.presses
