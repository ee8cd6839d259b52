"""The service's own patient groups, by which clinicians look at outcomes. Who is in them is not shown here."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line
from icbt_support.pages.guards import allow, current_actor, current_service, request_time
from icbt_support.patient_groups.operations import add_group, remove_group
from icbt_support.patient_groups.queries import groups_of, scoped_group

blueprint = Blueprint("admin_groups", __name__)
LONGEST_NAME = 60


class GroupForm(FlaskForm):
    name = Line(
        "Name of the group",
        missing="Enter a name",
        maximum=LONGEST_NAME,
        description="For example an age band: 18 to 25. Choose groups that are large enough for a figure.",
    )


@blueprint.get("/admin/groups")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    return _page(GroupForm(formdata=None))


@blueprint.post("/admin/groups")
@allow(Role.ADMINISTRATOR)
@commits
def add() -> Response | tuple[str, int]:
    service, form = current_service(Role.ADMINISTRATOR), GroupForm()
    if not form.validate_on_submit():
        return _page(form), 400
    add_group(service, form.name.data, by=current_actor(Role.ADMINISTRATOR, service.id), now=request_time())
    flash("The group is on the list.", "success")
    return redirect(url_for("admin_groups.show"))


@blueprint.post("/admin/groups/<id:group_id>/remove")
@allow(Role.ADMINISTRATOR)
@commits
def remove(group_id: int) -> Response:
    service = current_service(Role.ADMINISTRATOR)
    group = scoped_group(service, group_id)
    if group is None:
        abort(404)
    remove_group(group, by=current_actor(Role.ADMINISTRATOR, service.id), now=request_time())
    flash("Nobody new is put in this group. Figures of the past keep it.", "success")
    return redirect(url_for("admin_groups.show"))


def _page(form: GroupForm) -> str:
    groups = groups_of(current_service(Role.ADMINISTRATOR))
    return render_template(
        "admin/groups.html", form=form, groups=[one for one in groups if one.removed_at is None]
    )
