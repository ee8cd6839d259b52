"""A module and its pages as they are read: by patients, and by staff who look something up."""

from collections.abc import Collection
from dataclasses import dataclass

from markupsafe import Markup

from icbt_support.programme.content import Exercise, Module, Page, Session


@dataclass(frozen=True)
class ReaderPage:
    """One screen: where it stands in its session, its text and exercise, and the pages beside it."""

    module_slug: str
    module_number: int
    module_title: str
    session_title: str
    number: int
    total: int
    slug: str
    title: str
    minutes: int
    html: Markup
    exercise: Exercise | None
    previous_page: str | None
    next_page: str | None
    is_last_of_session: bool

    @property
    def place_words(self) -> str:
        return f"{self.session_title} · page {self.number} of {self.total}"


@dataclass(frozen=True)
class PageLine:
    slug: str
    title: str
    minutes: int
    is_read: bool


@dataclass(frozen=True)
class SessionView:
    """A session with its pages, and how far they have been read."""

    title: str
    minutes: int
    pages: tuple[PageLine, ...]

    @property
    def is_read(self) -> bool:
        return all(page.is_read for page in self.pages)


def reader_page(module: Module, page: Page) -> ReaderPage:
    session = module.session_of(page.slug)
    before, after = module.page_before(page.slug), module.page_after(page.slug)
    return ReaderPage(
        module_slug=module.slug,
        module_number=module.number,
        module_title=module.title,
        session_title=session.title,
        number=session.pages.index(page.slug) + 1,
        total=len(session.pages),
        slug=page.slug,
        title=page.title,
        minutes=page.minutes,
        html=page.html,
        exercise=page.exercise,
        previous_page=before.slug if before else None,
        next_page=after.slug if after else None,
        is_last_of_session=session.pages[-1] == page.slug,
    )


def session_views(module: Module, read: Collection[tuple[str, str]]) -> tuple[SessionView, ...]:
    """`read` holds (module, page) of the pages that were read."""
    return tuple(
        SessionView(session.title, session.minutes, _page_lines(module, session, read))
        for session in module.sessions
    )


def _page_lines(module: Module, session: Session, read: Collection[tuple[str, str]]) -> tuple[PageLine, ...]:
    pages = {page.slug: page for page in module.pages}
    return tuple(
        PageLine(slug, pages[slug].title, pages[slug].minutes, (module.slug, slug) in read)
        for slug in session.pages
    )


def first_unread(module: Module, read: Collection[tuple[str, str]]) -> Page | None:
    """Where the reader goes on; None when every page was read."""
    return next((page for page in module.pages if (module.slug, page.slug) not in read), None)
