"""Development only: moves the demo's clock on, and shows what happened meanwhile."""

from flask import Blueprint, abort, current_app, render_template, request
from werkzeug import Response

from icbt_support import clock
from icbt_support.cadence import to_local
from icbt_support.demo.clock import CannotJump, Happened, move_clock, target_of
from icbt_support.demo.people import ZONE
from icbt_support.pages.guards import allow_anyone
from icbt_support.pages.kit import short_day_and_time
from icbt_support.settings import Settings

blueprint = Blueprint("development_clock", __name__)


@blueprint.post("/development/clock")
@allow_anyone
def move() -> tuple[str, int] | Response:
    settings: Settings = current_app.config["SETTINGS"]
    if settings.is_production or not clock.is_stopped():
        abort(404)
    stood_at = clock.now()
    refusal, happened = "", []
    try:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        happened = move_clock(app, target_of(request.form.get("to", ""), stood_at))
    except CannotJump as error:
        refusal = str(error)
    page = render_template(
        "development/clock.html",
        stood_at=to_local(stood_at, ZONE),
        stands_at=to_local(clock.now(), ZONE),
        rows=[_row(one) for one in happened],
        refusal=refusal,
    )
    return page, 400 if refusal else 200


def _row(one: Happened) -> tuple[str, str, str, str]:
    return short_day_and_time(to_local(one.at, ZONE)), one.job, one.did, one.purpose
