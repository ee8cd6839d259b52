"""Why this exists: the finding, and where the product answers it."""

from flask import Blueprint, render_template

from icbt_support.pages.guards import allow_anyone

blueprint = Blueprint("public_about", __name__)


@blueprint.get("/about")
@allow_anyone
def show() -> str:
    return render_template("public/about.html")
