"""Help lines in memory, so that *Get help now* answers when the database does not."""

from flask import Flask
from sqlalchemy.exc import DBAPIError

from icbt_support.db import db
from icbt_support.pages.kit import HelpLine
from icbt_support.service.models import HelpLineKind, Service
from icbt_support.service.queries import all_services, find_service
from icbt_support.service.rules import HelpPage, help_page_of

DEFAULT_PAGE = HelpPage()
_SHOWN_IN_FOOTER = (HelpLineKind.EMERGENCY, HelpLineKind.URGENT, HelpLineKind.TALK)
_pages: dict[int, HelpPage] = {}


def load_help_pages(app: Flask) -> None:
    """Reads every service's help page once, at the start; a missing database leaves the safe ones."""
    with app.app_context():
        try:
            for service in all_services():
                remember_help_page(service)
        except DBAPIError:
            app.logger.warning("help lines were not read: the built-in ones are shown")
        finally:
            db.session.remove()


def remember_help_page(service: Service) -> None:
    """Call it whenever a service was loaded or changed: a dictionary is set, nothing is read."""
    _pages[service.id] = help_page_of(service)


def forget_help_pages() -> None:
    _pages.clear()


def help_page_in_memory(service_id: int | None) -> HelpPage:
    """Without any database: the service's page, or that of the only service, or the safe one."""
    if service_id in _pages:
        return _pages[service_id]
    return next(iter(_pages.values())) if len(_pages) == 1 else DEFAULT_PAGE


def help_lines_for(service_id: int | None) -> tuple[HelpLine, ...]:
    """The lines at the foot of a page; with a service, memory is brought up to date on the way."""
    service = find_service(service_id) if service_id is not None else None
    if service is not None:
        remember_help_page(service)
    page = help_page_in_memory(service_id)
    return tuple(
        HelpLine(line.title, line.href, line.words) for line in page.lines if line.kind in _SHOWN_IN_FOOTER
    )
