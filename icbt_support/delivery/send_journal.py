"""What the provider took, written down the moment it said so, until the database knows.

Each worker holds one slot: a file under a lock that ends with the process, however it ends. One line, one
write. A slot whose worker has gone is read and emptied by whoever finds it, before leases are recovered.
"""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_SLOTS = 256


class JournalLine(NamedTuple):
    reference: int
    token: str
    reply: str


Settle = Callable[[Sequence[JournalLine]], None]


class SendJournal:
    """This process's slot. `note` after each accepted mail, `clear` once they are settled."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    def note(self, reference: int, token: str, reply: str) -> None:
        os.write(self._descriptor, f"{reference}\t{token}\t{_one_line(reply)}\n".encode())

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)

    def replay(self, settle: Settle) -> int:
        """Hands `settle` what stands here from before, and empties the slot. Returns how many lines it
        was.
        """
        return _replay(self.path, self._descriptor, settle)

    def close(self) -> None:
        """Gives the slot back; what is noted stays for the next one who takes it."""
        os.close(self._descriptor)


def open_journal(folder: Path) -> SendJournal:
    """Takes the first free slot. `replay` it before use."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, MOST_SLOTS + 1):
        path = folder / f"slot-{number}.journal"
        descriptor = _take(path)
        if descriptor is not None:
            return SendJournal(descriptor, path)
    raise RuntimeError(f"All {MOST_SLOTS} journal slots in {folder} are taken.")


def replay_journals(folder: Path, settle: Settle) -> int:
    """Hands `settle` the lines of every slot that nobody holds, and empties each. Returns how many lines it
    was.
    """
    replayed = 0
    for path in sorted(folder.glob("slot-*.journal")):
        descriptor = _take(path)
        if descriptor is None:
            continue
        try:
            replayed += _replay(path, descriptor, settle)
        finally:
            os.close(descriptor)
    return replayed


def lines_of_others(folder: Path, own: SendJournal | None = None) -> list[JournalLine]:
    """What stands in every other slot, also in those whose workers live: a worker may be stopped past its
    lease.
    """
    paths = sorted(folder.glob("slot-*.journal"))
    return [line for path in paths if own is None or path != own.path for line in _read(path)]


def _replay(path: Path, descriptor: int, settle: Settle) -> int:
    lines = _read(path)
    if lines:
        settle(lines)
        os.ftruncate(descriptor, 0)
    return len(lines)


def _take(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _read(path: Path) -> list[JournalLine]:
    lines = []
    for line in path.read_text("utf-8", "replace").splitlines(keepends=True):
        parts = line.rstrip("\n").split("\t")
        if line.endswith("\n") and len(parts) == 3 and parts[0].isdigit():
            lines.append(JournalLine(int(parts[0]), parts[1], parts[2]))
    return lines


def _one_line(words: str) -> str:
    return " ".join(words.split())[:200]
