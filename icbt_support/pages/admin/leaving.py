"""Before an account closes: all that still has this person as its owner, on one page, without a patient's name."""

from flask import Blueprint, abort, render_template

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import staff_member_of
from icbt_support.pages.admin.hanging import hanging_rows
from icbt_support.pages.guards import allow, current_account, current_service, request_time
from icbt_support.rhythm.handover import what_hangs_on

blueprint = Blueprint("admin_leaving", __name__)


@blueprint.get("/admin/people/<id:account_id>/leaving")
@allow(Role.ADMINISTRATOR)
def show(account_id: int) -> str:
    service = current_service(Role.ADMINISTRATOR)
    account = staff_member_of(service.id, account_id)
    if account is None:
        abort(404)
    return render_template(
        "admin/leaving.html",
        account=account,
        is_self=account.id == current_account().id,
        rows=hanging_rows(what_hangs_on(account, now=request_time()).in_service(service.id)),
    )
