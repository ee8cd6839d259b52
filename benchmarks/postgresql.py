"""A PostgreSQL of the benchmark's own, with its durability left as a service would have it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgresql() -> Iterator[str | None]:
    """Yields the address of an empty database, or None where no PostgreSQL is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        yield None
        return
    binaries = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="icbt-bench-"))
    folder.chmod(0o777)
    data = folder / "data"
    _run([str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"])
    options = f"-c unix_socket_directories={folder} -c listen_addresses= -c max_wal_size=4GB"
    _run([str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        _run([str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
