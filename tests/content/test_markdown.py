"""Authored and typed text becomes safe HTML: nothing runs, nothing is loaded, links are https or ours."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from icbt_support.markdown import render_markdown, render_plain
from tests.content.markdown_payloads import PAYLOADS

TAGS = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "blockquote", "br", "hr", "a"}


class _Found(HTMLParser):
    """Every element and attribute that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_page_holds_only_plain_elements_and_safe_links(payload: str) -> None:
    found = _Found(str(render_markdown(payload)))
    assert found.tags <= TAGS
    assert {tag for tag, _name, _value in found.attributes} <= {"a"}
    assert {name for _tag, name, _value in found.attributes} <= {"href", "rel", "title"}
    for link in [value for _tag, name, value in found.attributes if name == "href"]:
        address = urlsplit("".join(link.split()))
        assert (address.scheme, bool(address.netloc)) in {("https", True), ("", False)}, link


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_person_typed_is_letters_only(payload: str) -> None:
    found = _Found(str(render_plain(payload)))
    assert found.tags <= {"p", "br"}
    assert found.attributes == []


def test_plain_markdown_is_kept() -> None:
    html = str(render_markdown("## Small\n\n**Bold** and *soft*\n\n- one\n\n> story\n\n[help](/help-now)"))
    for part in (
        "<h2>Small</h2>",
        "<strong>Bold</strong>",
        "<li>one</li>",
        "<blockquote>",
        'href="/help-now"',
    ):
        assert part in html
