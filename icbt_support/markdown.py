"""Authored and typed Markdown to safe HTML."""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_PROGRAMME_TAGS = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "blockquote", "br", "hr", "a"}
_renderer = MarkdownIt("commonmark", {"html": False, "linkify": False})


def render_markdown(text: str) -> Markup:
    """Programme pages: no raw HTML, no images, links only to https and to our own pages."""
    html = _renderer.render(text)
    cleaned = nh3.clean(
        html,
        tags=_PROGRAMME_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https"},
        link_rel="noopener noreferrer",
    )
    return Markup(cleaned)  # noqa: S704 (cleaned by nh3 on the line above)


def render_plain(text: str) -> Markup:
    """What a person typed: escaped, with its paragraphs and line breaks kept."""
    paragraphs = [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(part.strip("\n").split("\n"))) for part in paragraphs
    )
