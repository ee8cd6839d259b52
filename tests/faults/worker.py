"""A worker as `flask worker` runs it, with leases and batches small enough for a test.

Each is a fork of a process that has read the whole product: what a start costs is not what these tests are about.
"""

import multiprocessing
import os
import pkgutil
import sys
from datetime import timedelta
from importlib import import_module
from multiprocessing.context import ForkServerProcess

from icbt_support import pages
from icbt_support.factory import create_app
from icbt_support.jobs import deliver, gate, runner, schedule
from icbt_support.reminders import claims, settling
from icbt_support.settings import read_settings

LEASE = timedelta(seconds=4)
for page in pkgutil.walk_packages(pages.__path__, f"{pages.__name__}."):
    import_module(page.name)
_ready = multiprocessing.get_context("forkserver")
_ready.set_forkserver_preload([__name__])


def start_worker(environ: dict[str, str]) -> ForkServerProcess:
    worker = _ready.Process(target=_work, args=(environ,))
    worker.start()
    return worker


def _work(environ: dict[str, str]) -> None:
    os.environ.update(environ)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (open until the worker ends)
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
