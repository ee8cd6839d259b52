"""`python app.py` serves the product, with its scheduler, on one machine."""

import logging
import signal
import sys
from types import FrameType

import click
import waitress
from flask import Flask
from sqlalchemy.exc import OperationalError

from icbt_support import factory
from icbt_support.jobs.runner import start_scheduler
from icbt_support.schema import NO_DATABASE, WrongSchema
from icbt_support.settings import SchedulerMode, WrongSetting, read_settings

REFUSED = 78  # EX_CONFIG: a supervisor sees that starting again will not help.


class NotStarted(click.ClickException):
    """A wrong setting, said in one sentence."""

    exit_code = REFUSED


def create_app() -> Flask:
    """For `flask …` and for other servers: a wrong setting ends with its sentence and nothing else."""
    try:
        return factory.create_app()
    except WrongSetting as refusal:
        raise NotStarted(f"Not started. {refusal}") from None


def main() -> int:
    try:
        settings = read_settings()
        app = factory.create_app(settings)
        factory.check_before_serving(app)
    except (WrongSetting, WrongSchema) as refusal:
        print(f"Not started. {refusal}", file=sys.stderr)
        return REFUSED
    except OperationalError:
        print(f"Not started. {NO_DATABASE}", file=sys.stderr)
        return REFUSED
    logging.getLogger("waitress").setLevel(logging.WARNING)
    # It says a line for every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _end)
    scheduler = start_scheduler(app) if settings.scheduler is SchedulerMode.EMBEDDED else None
    print(f"Serving on {settings.base_url}", flush=True)
    try:
        waitress.serve(
            app,
            host=settings.host,
            port=settings.port,
            threads=8,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    finally:
        if scheduler is not None:
            scheduler.shutdown(wait=True)
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    """Ends the server; what the scheduler has in hand is finished, and the rest released."""
    raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
