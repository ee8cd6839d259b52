"""`python app.py` serves the product, with its scheduler, on one machine."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
import waitress
from flask import Flask
from sqlalchemy.exc import DBAPIError

from icbt_support import factory
from icbt_support.collector import collect_seldom
from icbt_support.jobs.runner import start_scheduler
from icbt_support.schema import WrongSchema
from icbt_support.settings import SchedulerMode, WrongSetting, read_settings
from icbt_support.trouble import is_database_away, trouble_in_words

REFUSED = 78  # EX_CONFIG: a supervisor sees that starting again will not help.
# Connections that say nothing hold no thread, but each holds a file: a process may usually open 1,024. A body beyond
# the largest is cut off while it comes in; what is only too large for a form still gets our own page.
SERVER = {
    "connection_limit": 700,
    "asyncore_use_poll": True,
    "channel_timeout": 30,
    "cleanup_interval": 10,
    "max_request_body_size": 16 * 1024 * 1024,
    "ident": None,
    "clear_untrusted_proxy_headers": True,
}


class NotStarted(click.ClickException):
    """A wrong setting or database, said in one sentence."""

    exit_code = REFUSED


def create_app() -> Flask:
    """For `flask …` and for other servers, which get the same checks as ours.

    Raises `NotStarted`, which ends the process with its sentence and nothing else.
    """
    try:
        with _not_started():
            app = factory.create_app()
            if click.get_current_context(silent=True) is None:
                factory.check_before_serving(app)
    except NotStarted:
        sys.tracebacklimit = 0
        raise
    return app


@contextmanager
def _not_started() -> Iterator[None]:
    try:
        yield
    except (WrongSetting, WrongSchema) as refusal:
        raise NotStarted(f"Not started. {refusal}") from None
    except DBAPIError as error:
        if not is_database_away(error):
            raise
        raise NotStarted(f"Not started. {trouble_in_words(error)}") from None


def main() -> int:
    try:
        with _not_started():
            settings = read_settings()
            app = factory.create_app(settings)
            factory.check_before_serving(app)
    except NotStarted as refusal:
        print(refusal.message, file=sys.stderr)
        return refusal.exit_code
    logging.getLogger("waitress").setLevel(logging.WARNING)
    # It says a line for every request that waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _end)
    collect_seldom()
    scheduler = start_scheduler(app) if settings.scheduler is SchedulerMode.EMBEDDED else None
    print(f"Serving on {settings.base_url}", flush=True)
    try:
        waitress.serve(app, host=settings.host, port=settings.port, threads=8, **SERVER)
    finally:
        if scheduler is not None:
            scheduler.end_process()
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    """Ends the server; what the scheduler has in hand is finished, and the rest released."""
    raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
