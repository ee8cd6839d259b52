"""The programme for staff: every page as patients see it, to read only."""

from flask import Blueprint, abort, render_template

from icbt_support.accounts.models import Role
from icbt_support.pages.guards import allow
from icbt_support.pages.reading.reader import reader_page, session_views
from icbt_support.programme.content import Module, Programme
from icbt_support.programme.library import programmes

blueprint = Blueprint("reading_modules", __name__)
_READERS = (Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)


@blueprint.get("/reading/<programme>")
@allow(*_READERS)
def index(programme: str) -> str:
    found = _programme(programme)
    return render_template(
        "reading/modules.html",
        programme=found,
        sessions={module.slug: session_views(module, ()) for module in found.modules},
    )


@blueprint.get("/reading/<programme>/<module>/<page>")
@allow(*_READERS)
def page(programme: str, module: str, page: str) -> str:
    found = _programme(programme)
    of_module = _module(found, module)
    of_page = of_module.page(page)
    if of_page is None:
        abort(404)
    return render_template("reading/page.html", programme=found, reader=reader_page(of_module, of_page))


def _programme(slug: str) -> Programme:
    """The newest version; an enrolment may be on an older one."""
    found = programmes().get(slug)
    if found is None:
        abort(404)
    return found


def _module(programme: Programme, slug: str) -> Module:
    found = programme.module(slug)
    if found is None:
        abort(404)
    return found
