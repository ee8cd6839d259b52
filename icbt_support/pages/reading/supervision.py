"""How supervision works here: the rules of the list, their numbers and their sources, for staff."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.pages.guards import allow, current_service, held_roles
from icbt_support.reviews.behaviours import BEHAVIOUR_NAMES
from icbt_support.supervision import rules

blueprint = Blueprint("reading_supervision", __name__)
_READERS = (Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)


@blueprint.get("/how/supervision")
@allow(*_READERS)
def show() -> str:
    role = next(role for role in _READERS if role in held_roles())
    return render_template(
        "reading/supervision.html",
        rules=rules,
        rhythm=current_service(role).rhythm,
        behaviours=list(BEHAVIOUR_NAMES.values()),
    )
