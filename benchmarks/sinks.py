"""Starting a sink, reading its counts, and finding out how fast it is by itself."""

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class RunningSink:
    port: int
    counts: Path
    log: Path
    pid: int

    def forget(self) -> None:
        """All counts back to nothing."""
        size = self.counts.stat().st_size
        with self.counts.open("r+b") as handle:
            handle.write(bytes(size))

    def tally(self) -> Counter[int]:
        """How many recipients got 0, 1, 2 … mails."""
        return Counter(self.counts.read_bytes())


@contextmanager
def running_sink(
    folder: Path, size: int, *, delay: float = 0.0, is_logged: bool = False, is_plain: bool = False
) -> Iterator[RunningSink]:
    counts, log = folder / "counts", folder / "message-ids"
    counts.write_bytes(bytes(size))
    command = [sys.executable, "-m", "benchmarks.sink", str(counts), "--delay", str(delay)]
    if is_logged:
        command += ["--log", str(log)]
    if is_plain:
        command.append("--plain")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield RunningSink(int(line), counts, log, process.pid)
    finally:
        process.kill()
        process.wait()


def own_rate(sink: RunningSink, mail: bytes, seconds: float = 2.0) -> float:
    """Mails a second when the client does nothing but write: envelope and body in one go, answers thrown
    away.
    """
    envelope = b"MAIL FROM:<a@bench.example.net>\r\nRCPT TO:<p0@bench.example.net>\r\nDATA\r\n"
    each = 50
    block = (envelope + mail + b"\r\n.\r\n") * each
    with socket.create_connection(("127.0.0.1", sink.port)) as connection:
        connection.recv(100)
        connection.sendall(b"EHLO bench\r\n")
        connection.recv(500)
        answers = threading.Thread(target=_drain, args=(connection,), daemon=True)
        answers.start()
        began, sent = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.sendall(block)
            sent += each
        elapsed = time.perf_counter() - began
        connection.shutdown(socket.SHUT_WR)
        answers.join(5)
    return sent / elapsed


def _drain(connection: socket.socket) -> None:
    while connection.recv(262_144):
        pass
