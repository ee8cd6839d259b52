"""The demo as `make run` prepares it, built once in a run of the tests and copied by whoever needs it."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


def copy_of_demo(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database in `folder` that holds the demo."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with (shared / "demo.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "demo.sqlite").exists():
            _prepare(shared)
    return f"sqlite:///{shutil.copy(shared / 'demo.sqlite', folder / 'demo.sqlite')}"


def _prepare(folder: Path) -> None:
    """A database that is not whole never gets the name."""
    unfinished = folder / "unfinished.sqlite"
    environ = {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{unfinished}",
        "JOURNAL_DIR": str(folder / "journal"),
        "SCHEDULER": "off",
    }
    command = [sys.executable, "-m", "flask", "prepare"]
    subprocess.run(command, cwd=PROJECT, env=environ, check=True, stdout=subprocess.DEVNULL)
    unfinished.rename(folder / "demo.sqlite")
