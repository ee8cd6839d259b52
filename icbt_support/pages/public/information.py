"""What a public service owes its readers: privacy, accessibility, and how to reach it."""

from flask import Blueprint, render_template, session

from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.help_lines import help_page_in_memory

blueprint = Blueprint("public_information", __name__)


@blueprint.get("/privacy")
@allow_anyone
def privacy() -> str:
    return render_template("public/privacy.html")


@blueprint.get("/accessibility")
@allow_anyone
def accessibility() -> str:
    return render_template("public/accessibility.html")


@blueprint.get("/contact")
@allow_anyone
def contact() -> str:
    return render_template("public/contact.html", page=help_page_in_memory(session.get("help_service")))
