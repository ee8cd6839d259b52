"""Finds real addresses of every page by walking the links of a role, and fails on a route nobody can reach."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from playwright.sync_api import Page

EXAMPLES = 2
LEFT_ALONE = {
    "development_mailbox.show": "a mail exists only after the clock has moved",
}


@dataclass
class Found:
    """What a role reached: endpoint to its first addresses."""

    addresses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, endpoint: str, address: str) -> bool:
        known = self.addresses[endpoint]
        if address in known or len(known) >= EXAMPLES:
            return False
        known.append(address)
        return True


def crawl(page: Page, app: Flask, base: str, starts: list[str]) -> Found:
    """Walks every link below `base`, at most two addresses for each endpoint."""
    found, waiting = Found(), list(starts)
    while waiting:
        path = waiting.pop(0)
        endpoint = endpoint_of(app, path)
        if endpoint is None or endpoint == "static" or not found.add(endpoint, path):
            continue
        response = page.request.get(base + path)
        assert response.status < 500, f"{path} answered {response.status}"
        if "text/html" not in response.headers.get("content-type", ""):
            continue
        here = response.url
        for href in re.findall(r'href="([^"#]+)', response.text()):
            target = urlsplit(urljoin(here, href.replace("&amp;", "&")))
            if f"{target.scheme}://{target.netloc}" == base:
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


def endpoint_of(app: Flask, path: str) -> str | None:
    try:
        endpoint, _ = app.url_map.bind("localhost").match(urlsplit(path).path, method="GET")
    except HTTPException:
        return None
    return str(endpoint)
