"""The real web server in this process, for tests that speak HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import waitress
from waitress import wasyncore

LOOKS_UP_EVERY = 0.1


@contextmanager
def web_server(application: Any, **adjustments: Any) -> Iterator[int]:
    """Serves `application` with waitress on a free port, which it yields.

    The loop ends first, then its workers, and the sockets last: whoever closes them from inside the loop may close
    the one that another thread is about to write to.
    """
    channels: dict[int, Any] = {}
    server = waitress.create_server(application, host="127.0.0.1", port=0, map=channels, **adjustments)
    stopping = threading.Event()
    loop = threading.Thread(target=_serve_until, args=(stopping, channels), daemon=True)
    loop.start()
    try:
        yield int(server.effective_port)
    finally:
        stopping.set()
        loop.join(timeout=10)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(channels)


def _serve_until(stopping: threading.Event, channels: dict[int, Any]) -> None:
    while not stopping.is_set():
        wasyncore.loop(timeout=LOOKS_UP_EVERY, use_poll=True, map=channels, count=1)
