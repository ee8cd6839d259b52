"""Is the process alive, and is the product ready: for machines."""

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from icbt_support import clock
from icbt_support.db import db
from icbt_support.job_log.models import Heartbeat, JobState
from icbt_support.pages.guards import allow_anyone
from icbt_support.reminders import queries as reminders
from icbt_support.schema import SchemaState, schema_state
from icbt_support.settings import SchedulerMode

blueprint = Blueprint("public_health", __name__)
OLDEST_HEARTBEAT_SECONDS = 60
OLDEST_DUE_SECONDS = 900


@blueprint.get("/healthz")
@allow_anyone
def alive() -> Response:
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@allow_anyone
def ready() -> tuple[Response, int]:
    """Database, migrations, the scheduler's heartbeat and the oldest due reminder; 503 when not ready.

    Which jobs fail is said by name; the *Jobs* page and `flask jobs` say why.
    """
    try:
        facts = _facts()
    except DBAPIError:
        return jsonify({"ready": False, "database": "away"}), 503
    return jsonify(facts), 200 if facts["ready"] else 503


def _facts() -> dict[str, object]:
    state = schema_state(db.session.connection())
    if state is not SchemaState.CURRENT:
        return {"ready": False, "database": "answers", "migrations": state.value}
    beat = db.session.scalar(select(func.max(Heartbeat.beat_at)))
    age = (clock.real_now() - beat).total_seconds() if beat else None
    oldest = reminders.oldest_due_seconds(clock.now())
    failing = select(JobState.job).where(JobState.last_error != "").order_by(JobState.position, JobState.job)
    failing_jobs = list(db.session.scalars(failing))
    has_scheduler = age is not None and age <= OLDEST_HEARTBEAT_SECONDS
    needs_scheduler = current_app.config["SETTINGS"].scheduler is SchedulerMode.EMBEDDED
    return {
        "ready": (has_scheduler or not needs_scheduler) and oldest <= OLDEST_DUE_SECONDS,
        "database": "answers",
        "migrations": state.value,
        "scheduler_heartbeat_age_seconds": age,
        "oldest_due_reminder_seconds": oldest,
        "failures": len(failing_jobs),
        "failing_jobs": failing_jobs,
    }
