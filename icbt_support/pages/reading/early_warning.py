"""How it is worked out who may not be benefiting yet: the rules, their numbers and their sources, for staff."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.early_warning import rules
from icbt_support.pages.guards import allow, current_service, held_roles

blueprint = Blueprint("reading_early_warning", __name__)
_READERS = (Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)


@blueprint.get("/how/early-warning")
@allow(*_READERS)
def show() -> str:
    role = next(role for role in _READERS if role in held_roles())
    return render_template(
        "reading/early_warning.html",
        rules=rules,
        not_here_from_days=current_service(role).rhythm.quiet_prompts_stop_days,
    )
