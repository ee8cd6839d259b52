"""A worker as `flask worker` runs it, with leases and batches small enough for a test: `python -m
tests.faults.worker`.
"""

from datetime import timedelta

from icbt_support.factory import create_app
from icbt_support.jobs import deliver, gate, runner, schedule
from icbt_support.reminders import claims, settling
from icbt_support.settings import read_settings

LEASE = timedelta(seconds=4)


def main() -> None:
    claims.LEASE = settling.LEASE = LEASE
    gate.RENEW_AFTER_SECONDS = 1.0
    deliver.BATCH = 1000
    runner.LAST_WORDS_SECONDS = 6.0
    runner.SCHEDULE = [
        schedule.Job(job.name, timedelta(seconds=1), job.task, job.purpose, job.lane)
        for job in schedule.SCHEDULE
        if job.name in ("recover", "deliver")
    ]
    runner.run_worker(create_app(read_settings()))


if __name__ == "__main__":
    main()
