"""The real server under sixteen people at once: how long a page takes, whether any fails, what memory does.

`python app.py` serves the demo with its scheduler; four people of each role open one page after the other, as fast as
they come, from another process on the same machine. `BENCH_SECONDS=20` tries it for less than a minute.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.report import Report
from tests.browser.conftest import PEOPLE, free_port, wait_for

PROJECT = Path(__file__).resolve().parents[1]
CONNECTIONS = 16
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
WARM_AFTER = SECONDS / 4
PAGES = {
    "patient": ("/week", "/programme", "/tools", "/progress", "/messages", "/supporter", "/reminders"),
    "supporter": ("/supporting/today", "/supporting/caseload", "/supporting/hours", "/supporting/phrases"),
    "clinician": ("/clinical/caseload", "/clinical/risk", "/clinical/outcomes", "/clinical/supervision"),
    "administrator": ("/admin", "/admin/jobs", "/admin/audit", "/admin/people"),
}


class Person:
    """One connection: a signed-in person who opens the pages of a role in turn."""

    def __init__(self, url: str, role: str, first: int) -> None:
        self.url, self.role, self.first = url, role, first
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.seconds: list[float] = []
        self.failures: list[str] = []
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self._get("/dev/sign-in"))
        assert token is not None
        said = urlencode({"csrf_token": token.group(1), "person": PEOPLE[role]}).encode()
        self.opener.open(f"{url}/dev/sign-in", said, timeout=60).close()

    def go_on_until(self, end: float) -> None:
        pages = PAGES[self.role]
        for turn in count(self.first):
            if time.monotonic() > end:
                return
            self._open(pages[turn % len(pages)])

    def _open(self, path: str) -> None:
        started = time.perf_counter()
        try:
            self._get(path)
        except OSError as failure:
            self.failures.append(f"{self.role} {path}: {failure}")
        self.seconds.append(time.perf_counter() - started)

    def _get(self, path: str) -> str:
        """Raises `OSError` for an error of the server, and for a page that turned out to be the sign-in page."""
        with self.opener.open(self.url + path, timeout=60) as response:
            if path != "/dev/sign-in" and "sign-in" in response.geturl():
                raise OSError("not signed in")
            return str(response.read().decode())


def measure(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as (url, process_id):
        roles = [role for role in PAGES for _ in range(CONNECTIONS // len(PAGES))]
        people = [Person(url, role, number) for number, role in enumerate(roles)]
        end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=person.go_on_until, args=(end,)) for person in people]
        for thread in threads:
            thread.start()
        time.sleep(WARM_AFTER)
        warm = _resident_mebibytes(process_id)
        for thread in threads:
            thread.join()
        after = _resident_mebibytes(process_id)
    _report(report, people, warm, after)


def _report(report: Report, people: list[Person], warm: float, after: float) -> None:
    taken = [seconds * 1000 for person in people for seconds in person.seconds]
    failures = [failure for person in people for failure in person.failures]
    for failure in failures[:5]:
        print(failure, file=sys.stderr)
    name = f"{CONNECTIONS} connections"
    report.add(f"{name}: pages", len(taken) / SECONDS, "a second")
    report.add(f"{name}: a page, median", statistics.median(taken), "ms")
    report.add_at_most(f"{name}: a page, p99", statistics.quantiles(taken, n=100)[98], "ms", goal=1000)
    report.add_exactly(f"{name}: errors", len(failures), "pages", goal=0)
    report.add_at_most(f"{name}: memory after, of memory when warm", after / warm, "times", goal=1.3)


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, int]]:
    """The demo behind `python app.py`: where it answers, and the number of its process."""
    environ = {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite'}",
        "JOURNAL_DIR": str(folder),
        "PORT": str(free_port()),
        "SCHEDULER": "embedded",
    }
    quiet = subprocess.DEVNULL
    prepare = [sys.executable, "-m", "flask", "prepare"]
    subprocess.run(prepare, cwd=PROJECT, env=environ, check=True, stdout=quiet)
    server = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environ, stdout=quiet)
    url = f"http://127.0.0.1:{environ['PORT']}"
    try:
        wait_for(f"{url}/healthz", server)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def _resident_mebibytes(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]
