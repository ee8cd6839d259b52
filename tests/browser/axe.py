"""What axe finds on a page."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Nothing here plays by itself or is bound to one way of holding a phone: only rules about those read ahead.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
MARKUP = "[innerWidth, document.documentElement.outerHTML]"
TOKEN = re.compile(r'value="[\w.=-]{20,}"')
_clean: set[tuple[int, str]] = set()


def broken_rules(page: Page) -> list[str]:
    """Each with the places that break it. The same markup at the same width is read once."""
    width, markup = page.evaluate(MARKUP)
    look = width, TOKEN.sub("", markup)
    if look in _clean:
        return []
    found = Axe().run(page, options=OPTIONS).response["violations"]
    if not found:
        _clean.add(look)
    return [f"{rule['id']} at {[node['target'] for node in rule['nodes']]}" for rule in found]
