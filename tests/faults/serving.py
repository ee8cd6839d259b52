"""A product of one's own for a fault: its database, its people, its processes."""

import atexit
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask

from icbt_support import clock
from icbt_support.accounts.operations import set_password
from icbt_support.accounts.passwords import hash_password
from icbt_support.db import db
from icbt_support.factory import create_app
from icbt_support.schema import migrate
from icbt_support.settings import read_settings
from tests.cast import OPERATOR, PASSWORD, make_cast

PROJECT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60


def environment(database_url: str, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process that serves this database, and nothing of the test run's own settings."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        "ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "BASE_URL": "http://127.0.0.1",
        "JOURNAL_DIR": str(folder / "journal"),
        "SCHEDULER": "off",
        "SMTP_URL": "",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def begin(command: list[str], environ: dict[str, str]) -> "subprocess.Popen[str]":
    """A process of the product: `["app.py"]`, `["-m", "flask", "worker"]`."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=PROJECT,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def said_by(process: "subprocess.Popen[str]", *, within: float = STARTS_WITHIN) -> str:
    """All that it said, once it has ended by itself."""
    try:
        return process.communicate(timeout=within)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"it had not ended after {within} seconds: {process.communicate()[0]}") from None


_filled: list[Path] = []


def own_app(database_url: str, folder: Path) -> Flask:
    """The application over a migrated SQLite file with the cast in it; Alex and Pat have a password.

    The file is filled once in this process, and copied from then on.
    """
    path = database_url.removeprefix("sqlite:///")
    if not _filled:
        template = Path(tempfile.mkdtemp(prefix="icbt-faults-")) / "filled.sqlite"
        atexit.register(shutil.rmtree, template.parent)
        fill(f"sqlite:///{template}", template.parent)
        _filled.append(template)
    with closing(sqlite3.connect(_filled[0])) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return create_app(read_settings(environment(database_url, folder)))


def fill(database_url: str, folder: Path) -> None:
    migrate(database_url)
    app = create_app(read_settings(environment(database_url, folder)))
    with app.app_context():
        cast = make_cast(now=clock.real_now())
        for account in (cast.patient, cast.supporter):
            set_password(account, hash_password(PASSWORD), by=OPERATOR, now=clock.real_now())
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`python app.py`, and where it answers."""
    process = begin(["app.py"], environ)
    url = f"http://127.0.0.1:{environ['PORT']}"
    try:
        wait_until_it_answers(url, process)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def wait_until_it_answers(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not answer")


class Visitor:
    """A browser that only knows HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=60) as response:
            return str(response.read().decode())

    def post(self, path: str, **values: str) -> int:
        """The status after redirects; raises `OSError` when the server is gone."""
        try:
            with self.opener.open(self.url + path, urlencode(values).encode(), timeout=60) as response:
                return int(response.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def sign_in(self, email: str) -> str:
        """Signs in, and gives the token for forms."""
        status = self.post(
            "/sign-in", csrf_token=token_in(self.get("/sign-in")), email=email, password=PASSWORD
        )
        assert status == 200
        return token_in(self.get("/account/name"))


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found.group(1)
