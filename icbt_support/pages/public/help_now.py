"""Get help now: no sign-in, no database, the same for everybody."""

from flask import Blueprint, current_app, session

from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.help_lines import help_page_in_memory
from icbt_support.pages.kit import PageChrome, render_standalone
from icbt_support.pages.signing_in import without_database
from icbt_support.service.models import HelpLineKind

blueprint = Blueprint("public_help_now", __name__)


@blueprint.get("/help-now")
@allow_anyone
@without_database
def show() -> str:
    page = help_page_in_memory(session.get("help_service"))
    return render_standalone(
        current_app,
        "public/help_now.html",
        chrome=PageChrome(product_name=page.product_name, organisation=page.service_name),
        page=page,
        duty_href="tel:" + "".join(sign for sign in page.duty_phone if sign.isdigit() or sign == "+"),
        emergency=page.lines_of(HelpLineKind.EMERGENCY),
        urgent=page.lines_of(HelpLineKind.URGENT),
        talk=page.lines_of(HelpLineKind.TALK),
        relay=page.lines_of(HelpLineKind.RELAY),
    )
