"""A thread beside the one that sends: it settles what was sent, so that no mail waits for the disk."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from flask import current_app


class Desk:
    """Does one thing at a time, each in a context (so in a session) of its own."""

    def __init__(self) -> None:
        self._app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 (Flask's way)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self.wait()
        finally:
            self._thread.shutdown()

    def do(self, work: Callable[[], None]) -> None:
        """Begins `work` as soon as what was begun before is done. Raises what that one raised."""
        self.wait()
        self._under_way = self._thread.submit(self._in_context, work)

    def wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _in_context(self, work: Callable[[], None]) -> None:
        with self._app.app_context():
            work()
