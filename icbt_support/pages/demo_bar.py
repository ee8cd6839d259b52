"""The bar of the demo on every page: its time, the jumps, and the people one can be."""

from flask import current_app, url_for

from icbt_support import clock
from icbt_support.cadence import to_local
from icbt_support.pages.kit import DemoClockBar, clock_time, long_day

ZONE = "Europe/London"
JUMPS = (("evening", "To this evening"), ("morning", "To tomorrow 9am"), ("review", "To the next review"))
PEOPLE = (
    ("patient@example.org", "Sam, patient"),
    ("supporter@example.org", "Priya, supporter"),
    ("clinician@example.org", "Dr Weiss, clinician"),
    ("admin@example.org", "Jo, administrator"),
    ("vendor@example.org", "Max, vendor"),
)


def bar() -> DemoClockBar | None:
    """The bar while the demo's clock stands still; None for everybody else, always."""
    if not current_app.config["SETTINGS"].is_development or not clock.is_stopped():
        return None
    local = to_local(clock.now(), ZONE)
    return DemoClockBar(
        time_words=f"{long_day(local.date())}, {clock_time(local)}",
        jump_url=url_for("development_clock.move"),
        jumps=JUMPS,
        sign_in_url=url_for("development_sign_in.sign_in"),
        people=PEOPLE,
    )
