"""What is due, late or failed, in lines: for `flask jobs`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from icbt_support.job_log.queries import job_states, newest_heartbeat
from icbt_support.jobs.schedule import SCHEDULE
from icbt_support.reminders.queries import queue_health


def describe_jobs(*, now: datetime) -> Iterator[str]:
    states = job_states()
    for job in SCHEDULE:
        state = states.get(job.name)
        when = (
            state.last_started_at.isoformat(timespec="seconds")
            if state and state.last_started_at
            else "never"
        )
        words = (state.last_error or state.last_did) if state else ""
        mark = "FAILED" if state and state.last_error else "ok"
        yield f"{job.name:<12} {mark:<7} last run {when:<26} {words}"
    health = queue_health(now=now, failures_since=now - timedelta(days=1))
    oldest = health.oldest_due_at.isoformat(timespec="seconds") if health.oldest_due_at else "none"
    yield (
        f"due now {health.due}, oldest {oldest}, waiting for another try {health.waiting}, "
        f"failed today {health.failed}"
    )
    beat = newest_heartbeat()
    yield f"newest heartbeat {beat.isoformat(timespec='seconds') if beat else 'none'}"
