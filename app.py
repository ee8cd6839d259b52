"""`python app.py` serves the product, with its scheduler, on one machine."""

import sys

import waitress

from icbt_support.factory import create_app, check_before_serving
from icbt_support.jobs.runner import start_scheduler
from icbt_support.schema import WrongSchema
from icbt_support.settings import SchedulerMode, WrongSetting, read_settings

REFUSED = 78  # EX_CONFIG: a supervisor sees that starting again will not help.


def main() -> int:
    try:
        settings = read_settings()
        app = create_app(settings)
        check_before_serving(app)
    except (WrongSetting, WrongSchema) as refusal:
        print(f"Not started. {refusal}", file=sys.stderr)
        return REFUSED
    scheduler = start_scheduler(app) if settings.scheduler is SchedulerMode.EMBEDDED else None
    print(f"Serving on {settings.base_url}", flush=True)
    try:
        waitress.serve(app, host=settings.host, port=settings.port, threads=8, ident=None, clear_untrusted_proxy_headers=True)
    finally:
        if scheduler is not None:
            scheduler.shutdown(wait=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
