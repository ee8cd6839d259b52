"""`make screens`: a picture of every page of every role at 390 and 1280 px, in screens/."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from icbt_support.factory import create_app
from icbt_support.settings import read_settings
from tests.browser.conftest import PEOPLE, PROJECT, DemoServer, free_port, sign_in, wait_for
from tests.browser.crawling import crawl
from tests.browser.test_every_page import ROLES, STARTS, WIDTHS

OUT = PROJECT / "screens"


def main() -> None:
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environ = {
            **os.environ,
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{Path(folder) / 'demo.sqlite'}",
            "PORT": str(free_port()),
            "SCHEDULER": "off",
            "JOURNAL_DIR": folder,
        }
        subprocess.run([sys.executable, "-m", "flask", "prepare"], cwd=PROJECT, env=environ, check=True)
        server = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT, env=environ)
        url = f"http://127.0.0.1:{environ['PORT']}"
        try:
            wait_for(f"{url}/healthz", server)
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for who in PEOPLE:
                if not only or who in only:
                    take(browser, DemoServer(url, environ["DATABASE_URL"]), who)
        finally:
            server.terminate()


def take(browser: Browser, server: DemoServer, who: str) -> None:
    app = create_app(read_settings({"ENVIRONMENT": "development", "DATABASE_URL": server.database_url}))
    context = browser.new_context()
    page = sign_in(context, server, PEOPLE[who])
    folder = OUT / who
    folder.mkdir(parents=True, exist_ok=True)
    for endpoint, addresses in crawl(page, app, server.url, STARTS[who], ROLES[who]).addresses.items():
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(server.url + addresses[0])
            page.screenshot(path=str(folder / f"{endpoint}-{width}.png"), full_page=True)
    context.close()


if __name__ == "__main__":
    main()
