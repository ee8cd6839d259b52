"""The product as people meet it: pages over HTTP, mail over SMTP, time that passes, a person at a browser."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from sqlalchemy import create_engine

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.accounts.passwords import hash_password
from icbt_support.db import assert_triggers, db
from icbt_support.demo.clock import move_clock
from icbt_support.factory import create_app
from icbt_support.jobs.runner import runner_of, tick
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA
from tests.browser.axe import broken_rules
from tests.cast import PASSWORD
from tests.disk import do_not_wait_for_the_disk
from tests.journeys.smtp_server import Postbox, receiving_mail
from tests.web_server import web_server

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# Pages that differ by their question alone: the checker looks at the first of each visitor.
ONE_OF_MANY = re.compile(r"^/check-in/[a-z0-9-]+/\d+$")
TOO_WIDE_BY = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
REFUSALS = (400, 409, 422)
PICTURES = os.environ.get("JOURNEY_PICTURES")


@dataclass
class Served:
    """A served product with nobody in it, its post and its clock.

    `numbers` are those of rows that a journey needs for an address.
    """

    app: Flask
    url: str
    postbox: Postbox
    numbers: dict[str, int] = field(default_factory=dict)

    def run_jobs(self) -> None:
        """What the scheduler does within seconds of an act."""
        tick(self.app)

    def pass_to(self, instant: datetime) -> None:
        """Time passes; every job runs at each instant at which something is due."""
        with self.app.app_context():
            move_clock(self.app, instant)
            db.session.remove()
        clock.stop_clock_at(instant)
        self.run_jobs()


@contextmanager
def serving(folder: Path, *, at: datetime) -> Iterator[Served]:
    """Serves the product from a database in `folder`; the clock stands at `at`."""
    clock.stop_clock_at(at)
    with receiving_mail() as (postbox, smtp_port):
        database_url = f"sqlite:///{folder / 'journey.sqlite'}"
        engine = create_engine(database_url)
        with engine.begin() as connection:
            METADATA.create_all(connection)
            assert_triggers(connection)
        engine.dispose()
        app = _AppLater()
        with ExitStack() as ending, web_server(app, threads=8, ident=None) as port:
            url = f"http://127.0.0.1:{port}"
            app.flask = create_app(
                read_settings(
                    {
                        "ENVIRONMENT": "test",
                        "DATABASE_URL": database_url,
                        "BASE_URL": url,
                        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
                        "MAIL_FROM": "course@mail.example.net",
                        "JOURNAL_DIR": str(folder / "journal"),
                        "SCHEDULER": "off",
                    }
                )
            )
            ending.callback(_end, app.flask)
            with app.flask.app_context():
                do_not_wait_for_the_disk(db.engine)
            yield Served(app.flask, url, postbox)


def _end(app: Flask) -> None:
    runner_of(app).close()
    with app.app_context():
        db.engine.dispose()
    clock.let_clock_run()


class _AppLater:
    """The address is known only once the server listens, and the app needs the address."""

    flask: Flask

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self.flask(environ, start_response)


def give_password(account: Account) -> None:
    account.password_hash = hash_password(PASSWORD).encoded


@dataclass
class Visitor:
    """A person at a browser. Every page that this person gets is looked at: the console, its width, and axe.

    Axe is left out where it cannot run, or where another walk over the same pages runs it.
    """

    name: str
    context: BrowserContext
    base: str
    is_checked: bool = True
    _said: list[str] = field(default_factory=list)
    _seen_questions: bool = False
    _pictures: int = 0

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def open(self, address: str) -> None:
        """Follows an address: a path of the product, or a link from a mail."""
        self.page.goto(address if address.startswith("http") else self.base + address)
        self.look()

    def come_back(self, email: str, address: str) -> None:
        """On another day the sign-in has run out: the address asks for it, then leads where it said."""
        self.context.clear_cookies()
        self.sign_in(email, address)
        wanted = address.removeprefix(self.base)
        assert self.path == wanted, f"signing in led to {self.path}, not to {wanted}"

    def sign_in(self, email: str, address: str = "/sign-in") -> None:
        self.open(address)
        self.fill("Email address", email)
        self.fill("Password", PASSWORD)
        self.press("Sign in")

    def fill(self, label: str, words: str) -> None:
        self.page.get_by_label(label, exact=True).fill(words)

    def choose(self, words: str, *, question: str | None = None) -> None:
        """Ticks a box or takes one of several answers."""
        place: Any = self.page.get_by_role("group", name=question) if question else self.page
        place.get_by_label(words, exact=True).check()

    def select(self, label: str, words: str) -> None:
        self.page.get_by_label(label, exact=True).select_option(label=words)

    def press(self, words: str) -> None:
        self._follow(self._button(words))

    def press_at(self, control: Locator) -> None:
        """Presses what leads on from this very place."""
        self._follow(control)

    def press_twice(self, words: str) -> None:
        """A double click: the browser gives up the first answer for the second, so only the address is awaited."""
        before = self.page.url
        self._button(words).click(click_count=2)
        expect(self.page).not_to_have_url(before)
        self.look()

    def _button(self, words: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=words, exact=True).first

    def follow(self, words: str) -> None:
        self._follow(self.page.get_by_role("link", name=words).first)

    def _follow(self, control: Locator) -> None:
        with self.page.expect_navigation() as arriving:
            control.click()
        response = arriving.value
        if response is not None and response.status in REFUSALS:
            # A form that asks again: the browser notes the status of the page itself.
            self._said = [words for words in self._said if f"status of {response.status}" not in words]
        self.look()

    def sees(self, words: str) -> None:
        expect(self.page.locator("body")).to_contain_text(words)

    def does_not_see(self, words: str) -> None:
        expect(self.page.locator("body")).not_to_contain_text(words)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base)

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def look(self) -> None:
        """Fails on what axe finds, on an error in the console, and on a page that scrolls sideways."""
        self.page.wait_for_load_state("load")
        path = self.path.split("?")[0]
        if PICTURES:
            self._picture(path)
        assert self._said == [], f"{path}: the browser said {self._said}"
        sideways = self.page.evaluate(TOO_WIDE_BY)
        assert sideways <= 0, f"{path} scrolls sideways by {sideways} px"
        if not self.is_checked or (ONE_OF_MANY.match(path) and self._seen_questions):
            return
        self._seen_questions |= ONE_OF_MANY.match(path) is not None
        self.look_closely()

    def look_closely(self) -> None:
        """Fails on what axe finds."""
        broken = broken_rules(self.page)
        assert broken == [], f"{self.path}: {broken}"

    @contextmanager
    def without_network(self) -> Iterator[None]:
        """No connection for the time of the block; what the browser says about that is no fault."""
        self.context.set_offline(True)
        try:
            yield
        finally:
            self.context.set_offline(False)
            self.forgive("ERR_INTERNET_DISCONNECTED")

    def forgive(self, words: str) -> None:
        """An answer that the page itself deals with, and that the browser notes all the same."""
        self._said = [said for said in self._said if words not in said]

    def _note(self, kind: str, words: str) -> None:
        if kind == "error":
            self._said.append(words)

    def _picture(self, path: str) -> None:
        self._pictures += 1
        name = f"{self.name}-{self._pictures:02d}{re.sub(r'[^a-z0-9]+', '-', path)[:60]}.png"
        self.page.screenshot(path=Path(str(PICTURES)) / name, full_page=True)


@contextmanager
def visiting(
    browser: Browser,
    served: Served,
    name: str,
    *,
    on_phone: bool = False,
    javascript: bool = True,
    is_checked: bool = True,
) -> Iterator[Visitor]:
    """A browser of this person's own, on a phone or at a desk."""
    size: Any = PHONE if on_phone else DESK
    context = browser.new_context(viewport=size, java_script_enabled=javascript, locale="en-GB")
    try:
        yield Visitor(name, context, served.url, javascript and is_checked)
    finally:
        context.close()
