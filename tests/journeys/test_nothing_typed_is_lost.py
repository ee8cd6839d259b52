"""A letter outlives a dead network, an ended sign-in, a second tab and a server that dies: in a browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, create_engine, text

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import find_account_by_email
from icbt_support.audit import Actor
from icbt_support.db import assert_triggers, db
from icbt_support.enrolments.models import Enrolment
from icbt_support.factory import create_app
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.rhythm.handover import hand_over
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA
from tests.browser.conftest import PROJECT, free_port, wait_for
from tests.browser.conftest import browser_type_launch_args as browser_type_launch_args
from tests.cast import PASSWORD, Cast, enrol, make_cast, make_person
from tests.journeys.served import give_password
from tests.pages.supporter.course import REVIEW_SLOT, start_course, write_as_patient

THURSDAY = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
PAT, CHRIS = "pat.lane@example.net", "chris.moor@example.net"
NOTICED, QUESTION = "#noticed", "#question"
STATE = "[data-autosave-state]"
NO_CONNECTION = "No connection. Your words are kept in this browser and will be saved when it is back"
SERVE = f"""
import os, waitress
from datetime import datetime
from icbt_support import clock
from icbt_support.enrolments.models import Enrolment
from icbt_support.factory import create_app
clock.stop_clock_at(datetime.fromisoformat({THURSDAY.isoformat()!r}))
waitress.serve(create_app(), host="127.0.0.1", port=int(os.environ["PORT"]), threads=4, ident=None)
"""
READ_STORE = """async () => {
  const one = indexedDB.open('kept-words', 1)
  const opened = await new Promise((done) => { one.onsuccess = () => done(one.result) })
  const all = opened.transaction('texts').objectStore('texts').getAll()
  const found = await new Promise((done) => { all.onsuccess = () => done(all.result) })
  opened.close()
  return found.map((one) => new TextDecoder().decode(one.text))
}"""


@dataclass
class Product:
    """A server process of its own, which can die, and its database; each test has a letter of its own."""

    environ: dict[str, str]
    url: str
    engine: Engine
    owed: list[tuple[int, int]]
    enrolment_id: int = 0
    review_id: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SERVE], cwd=PROJECT, env=self.environ)
        wait_for(f"{self.url}/healthz", self.process)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)

    def end_sign_ins(self) -> None:
        """Everybody's sign-in has run out by its time."""
        with self.engine.begin() as connection:
            long_ago = {"at": "2020-01-01 00:00:00.000000"}
            connection.execute(text("UPDATE sign_ins SET created_at = :at, last_seen_at = :at"), long_ago)

    @property
    def workspace(self) -> str:
        return f"{self.url}/supporting/reviews/{self.review_id}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Pat owes eight people a review today; all of them have been here."""
    tmp_path, port = tmp_path_factory.mktemp("lost"), free_port()
    given = {
        "ENVIRONMENT": "test",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'lost.sqlite'}",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "JOURNAL_DIR": str(tmp_path / "journal"),
        "SCHEDULER": "off",
    }
    engine = create_engine(given["DATABASE_URL"])
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert_triggers(connection)
    with create_app(read_settings(given)).app_context():
        cast = make_cast(now=THURSDAY)
        for person in (cast.supporter, cast.colleague):
            give_password(person)
        owed = [owe_review(cast, place) for place in range(8)]
        db.session.remove()
    clock.let_clock_run()
    environ = {**os.environ, **given, "PORT": str(port)}
    running = Product(environ, given["BASE_URL"], engine, owed)
    running.start()
    yield running
    running.kill()
    engine.dispose()


def owe_review(cast: Cast, place: int) -> tuple[int, int]:
    patient = make_person(f"Alex Reed{'abcdefgh'[place]}", Role.PATIENT, cast.service, THURSDAY)
    enrolment = enrol(patient, cast.supporter, cast.clinician, cast.service, THURSDAY)
    review_id = start_course(enrolment, slot=REVIEW_SLOT + timedelta(minutes=15 * place)).review.id
    write_as_patient(enrolment, "I went for the walk.", at=THURSDAY - timedelta(days=1))
    return enrolment.id, review_id


@pytest.fixture
def product(server: Product) -> Product:
    server.enrolment_id, server.review_id = server.owed.pop()
    return server


@contextmanager
def pat_at(browser: Browser, product: Product) -> Iterator[tuple[BrowserContext, Page]]:
    """Pat's browser, with the letter open."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{product.url}/sign-in?next=/supporting/reviews/{product.review_id}")
    page.get_by_label("Email address").fill(PAT)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(NOTICED)).to_be_visible()
    try:
        yield context, page
    finally:
        context.close()


def says(page: Page, words: str) -> None:
    expect(page.locator(STATE)).to_contain_text(words, timeout=45_000)


def stored(product: Product) -> dict[str, str]:
    """The words of the draft as the database has them."""
    with create_app(read_settings(product.environ)).app_context():
        draft = reviews.draft_of(db.session.get_one(Review, product.review_id))
        words = dict(draft.content["words"]) if draft is not None else {}
        db.session.remove()
    return words


def kept_here(page: Page, count: int) -> list[str]:
    """What lies in the browser, as it lies there, once there are so many."""
    for _ in range(50):
        found: list[str] = page.evaluate(READ_STORE)
        if len(found) == count:
            return found
        page.wait_for_timeout(200)
    raise AssertionError(f"{len(found)} texts are kept, not {count}")


def open_again(context: BrowserContext, product: Product) -> Page:
    page = context.new_page()
    page.goto(product.workspace)
    return page


def test_a_dead_network_loses_nothing(browser: Browser, product: Product) -> None:
    with pat_at(browser, product) as (context, page):
        page.fill(NOTICED, "Saved before the tunnel.")
        says(page, "Saved 10.05am")
        kept_here(page, 0)
        context.set_offline(True)
        page.fill(NOTICED, "Typed in the tunnel.")
        says(page, NO_CONNECTION)
        assert "tunnel" not in "".join(kept_here(page, 1))
        context.set_offline(False)
        says(page, "Saved 10.05am")
        kept_here(page, 0)
        assert stored(product)["noticed"] == "Typed in the tunnel."

        # The page is closed before the network is back: opening it again saves the words.
        context.set_offline(True)
        page.fill(NOTICED, "Typed, and the lid was shut.")
        kept_here(page, 1)
        page.close(run_before_unload=False)
        context.set_offline(False)
        page = open_again(context, product)
        expect(page.locator(NOTICED)).to_have_value("Typed, and the lid was shut.")
        kept_here(page, 0)

        # Something newer was saved meanwhile: both texts stand side by side.
        other = open_again(context, product)
        context.set_offline(True)
        page.fill(NOTICED, "Mine, without a network.")
        kept_here(page, 1)
        page.close(run_before_unload=False)
        context.set_offline(False)
        other.fill(NOTICED, "Newer, from elsewhere.")
        says(other, "Saved 10.05am")
        other.close()
        page = open_again(context, product)
        expect(page.locator("h1")).to_have_text("Two texts of the letter for Alex")
        for words in ("Mine, without a network.", "Newer, from elsewhere."):
            expect(page.locator("main")).to_contain_text(words)
        page.get_by_role("button", name="Make one letter of these").click()
        expect(page.locator(NOTICED)).to_have_value("Newer, from elsewhere.\n\nMine, without a network.")


def test_a_sign_in_that_ended_is_renewed_in_place(browser: Browser, product: Product) -> None:
    with pat_at(browser, product) as (_context, page):
        product.end_sign_ins()
        page.fill(NOTICED, "A long letter.")
        dialog = page.get_by_role("dialog", name="Sign in again to go on")
        expect(dialog).to_be_visible(timeout=15_000)
        sign_in(page, CHRIS, PASSWORD)
        expect(dialog).to_contain_text("These words were begun by somebody else")
        sign_in(page, PAT, "not this one")
        expect(dialog).to_contain_text("is not right")
        assert stored(product) == {}
        sign_in(page, PAT, PASSWORD)
        expect(dialog).not_to_be_visible()
        says(page, "Saved 10.05am")
        assert stored(product)["noticed"] == "A long letter."
        page.get_by_role("button", name="Save draft").last.click()
        expect(page.locator(NOTICED)).to_have_value("A long letter.")


def sign_in(page: Page, email: str, password: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email address").fill(email)
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Sign in").click()


def test_an_older_tab_does_not_write_over_a_newer_one(browser: Browser, product: Product) -> None:
    with pat_at(browser, product) as (context, older):
        newer = open_again(context, product)
        newer.fill(NOTICED, "The second tab.")
        says(newer, "Saved 10.05am")
        older.fill(NOTICED, "The first tab.")
        older.fill(QUESTION, "And an answer.")
        says(older, "Both texts are kept")
        assert stored(product)["noticed"] == "The second tab."
        older.get_by_role("link", name="Compare the two and choose").click()
        older.get_by_role("group", name="under “What I noticed”").get_by_label("What you typed").check()
        older.get_by_role("button", name="Make one letter of these").click()
        expect(older.locator(NOTICED)).to_have_value("The first tab.")
        expect(older.locator(QUESTION)).to_have_value("And an answer.")


def test_a_button_pressed_while_a_save_is_on_its_way_meets_no_text_of_ones_own(
    browser: Browser, product: Product
) -> None:
    saved_there: list[bool] = []

    def answer_late(route: Route) -> None:
        """The server has saved, and the browser does not know it yet."""
        answer = route.fetch()
        saved_there.append(True)
        page.wait_for_timeout(2_000)
        route.fulfill(response=answer)

    with pat_at(browser, product) as (_, page):
        page.route("**/draft", answer_late)
        page.fill(NOTICED, "Half a letter")
        while not saved_there:
            page.wait_for_timeout(100)
        page.fill(NOTICED, "Half a letter, and the other half")
        page.get_by_role("button", name="Save draft").click()
        says(page, "Draft saved")
        expect(page.locator(NOTICED)).to_have_value("Half a letter, and the other half")
    assert stored(product)["noticed"] == "Half a letter, and the other half"


def test_a_review_that_went_to_a_colleague_says_so_and_leaves_the_words(
    browser: Browser, product: Product
) -> None:
    with pat_at(browser, product) as (_, page):
        page.fill(NOTICED, "Half a letter")
        says(page, "Saved 10.05am")
        hand_over_to_chris(product)
        page.fill(NOTICED, "Half a letter and a bit")
        says(page, "This is with a colleague now, so nothing more is saved here.")
        expect(page.locator(NOTICED)).to_have_value("Half a letter and a bit")
    assert stored(product)["noticed"] == "Half a letter"


def hand_over_to_chris(product: Product) -> None:
    with create_app(read_settings(product.environ)).app_context():
        chris = find_account_by_email(CHRIS)
        assert chris is not None
        enrolment = db.session.get_one(Enrolment, product.enrolment_id)
        hand_over(enrolment, chris, by=Actor.system("test"), now=THURSDAY)
        db.session.commit()
        db.session.remove()


def test_a_server_that_dies_between_two_keys_saves_after_it_is_back(
    browser: Browser, product: Product
) -> None:
    with pat_at(browser, product) as (_context, page):
        page.locator(NOTICED).press_sequentially("Half a sen")
        product.kill()
        page.locator(NOTICED).press_sequentially("tence, and the rest.")
        says(page, "Your words are kept in this browser")
        product.start()
        says(page, "Saved 10.05am")
        assert stored(product)["noticed"] == "Half a sentence, and the rest."


def test_the_clock_counts_work_and_a_number_typed_by_hand_stays(browser: Browser, product: Product) -> None:
    with pat_at(browser, product) as (context, page):
        page.close()
        page = context.new_page()
        page.clock.install(time=THURSDAY)
        page.goto(product.workspace)
        timer, minutes = page.locator("[data-timer]"), page.get_by_label("Minutes this took")
        expect(timer).to_contain_text("0 min")
        page.mouse.move(200, 200)
        page.clock.run_for(600_000)
        expect(timer).to_contain_text("2 min")
        expect(minutes).to_have_value("2")
        page.fill(NOTICED, "Five lines.")
        page.clock.run_for(2_000)
        says(page, "Saved 10.05am")
        page.reload()
        expect(timer).to_contain_text("2 min")
        minutes.fill("9")
        page.clock.run_for(65_000)
        expect(timer).to_contain_text("3 min")
        expect(minutes).to_have_value("9")
        page.get_by_role("button", name="Stop counting").click()
        page.clock.run_for(90_000)
        expect(timer).to_contain_text("3 min, stopped")


def test_a_message_typed_without_a_network_is_put_back(browser: Browser, product: Product) -> None:
    with pat_at(browser, product) as (context, page):
        address = f"{product.url}/supporting/patients/{product.enrolment_id}/messages"
        page.goto(address)
        page.fill("#words", "A message from the tunnel.")
        kept_here(page, 1)
        context.set_offline(True)
        page.get_by_role("button", name="Send to Alex").click()
        expect(page.locator("[data-keep-state]")).to_contain_text("No connection")
        page.close(run_before_unload=False)
        context.set_offline(False)
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#words")).to_have_value("A message from the tunnel.")
        expect(page.locator("[data-keep-state]")).to_contain_text("Put back from before. Clear it")
        page.get_by_role("button", name="Send to Alex").click()
        expect(page.locator(".thread")).to_contain_text("A message from the tunnel.")
        kept_here(page, 0)
