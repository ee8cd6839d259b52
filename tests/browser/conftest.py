"""A real server with the demo in it, and a real browser: Debian's Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.shared_demo import PROJECT, copy_of_demo

PEOPLE = {
    "patient": "patient@example.org",
    "supporter": "supporter@example.org",
    "clinician": "clinician@example.org",
    "administrator": "admin@example.org",
}


@dataclass(frozen=True)
class DemoServer:
    """A served demo: its address and its database."""

    url: str
    database_url: str


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox", "--disable-quic"]}


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """What `make run` serves, in a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    environ = {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL": copy_of_demo(folder, tmp_path_factory),
        "JOURNAL_DIR": str(folder / "journal"),
        "PORT": str(port),
        "SCHEDULER": "off",
    }
    server = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/healthz", server)
        yield DemoServer(url, environ["DATABASE_URL"])
    finally:
        server.terminate()
        server.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended before it answered"
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer in {seconds} seconds")


def sign_in(context: BrowserContext, server: DemoServer, email: str) -> Page:
    """One press on the development sign-in page."""
    page = context.new_page()
    page.goto(f"{server.url}/dev/sign-in")
    page.locator(f"form:has(input[name=person][value='{email}']) button").first.click()
    return page


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context
    context.close()
