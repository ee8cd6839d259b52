"""The one place where the time is read.

`now()` is the time that people live in. The demo and the tests may stop it at an instant and move it on.
`real_now()` never stops: sign-ins, throttles, leases and heartbeats are measured with it.
"""

from datetime import UTC, datetime

_stopped_at: datetime | None = None


def now() -> datetime:
    """The present as aware UTC: the stopped instant if the clock is stopped."""
    return _stopped_at if _stopped_at is not None else datetime.now(UTC)


def real_now() -> datetime:
    return datetime.now(UTC)


def stop_clock_at(instant: datetime) -> None:
    global _stopped_at
    if instant.tzinfo is None:
        raise ValueError("The clock is stopped at an aware datetime, for example 2026-11-19T10:05+00:00.")
    _stopped_at = instant.astimezone(UTC)


def let_clock_run() -> None:
    global _stopped_at
    _stopped_at = None


def is_stopped() -> bool:
    return _stopped_at is not None
