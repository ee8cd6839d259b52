"""Copies of the database while it is in use, opened and checked before they count."""

import shutil
import sqlite3
import subprocess
from datetime import date
from pathlib import Path

from sqlalchemy.engine import URL, make_url

KEEP = 7
TOOL_SECONDS = 3600


class BackupFailed(Exception):
    """The copy could not be made or does not open. The message says why."""


def back_up(database_url: str, file: Path) -> str:
    """Copies the database to `file` and checks the copy. Returns what was done, in words."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.part")
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        _copy_sqlite(Path(url.database or ""), unfinished)
        _check_sqlite(unfinished)
    else:
        _run_tool(url, "pg_dump", "--format=custom", f"--file={unfinished}")
        _run_tool(url, "pg_restore", "--list", str(unfinished), with_database=False)
    unfinished.chmod(0o600)
    unfinished.replace(file)
    return f"{_size(file)}, opened and checked"


def restore(database_url: str, file: Path) -> str:
    """Puts the copy in the database's place. The product has to be stopped."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        _check_sqlite(file)
        _copy_sqlite(file, Path(url.database or ""))
    else:
        _run_tool(url, "pg_restore", "--clean", "--if-exists", "--single-transaction", str(file))
    return f"Restored from {file} ({_size(file)})."


def nightly_backup(database_url: str, folder: Path, on: date) -> str:
    """This night's copy in `folder`; only the newest seven are kept."""
    words = back_up(database_url, folder / f"{on.isoformat()}.backup")
    for old in sorted(folder.glob("*.backup"))[:-KEEP]:
        old.unlink()
    return words


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own backup: a copy of a live file would be torn."""
    if not source.exists():
        raise BackupFailed(f"There is no database at {source}.")
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reading.backup(writing)
    except sqlite3.Error as error:
        raise BackupFailed(f"The database could not be copied: {error}") from error
    finally:
        writing.close()
        reading.close()


def _check_sqlite(file: Path) -> None:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"The copy does not open: {error}") from error
    finally:
        connection.close()
    if found != "ok" or not tables:
        raise BackupFailed(f"The copy is damaged: {found}")


def _run_tool(url: URL, tool: str, *arguments: str, with_database: bool = True) -> None:
    program = _find_tool(tool)
    connection = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [program, *([f"--dbname={connection}"] if with_database else []), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BackupFailed(f"{tool} said: {done.stderr.strip()[:200]}")


def _find_tool(tool: str) -> str:
    found = shutil.which(tool)
    if found:
        return found
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"))
    if not installed:
        raise BackupFailed(f"{tool} is not installed: it comes with PostgreSQL's client programs.")
    return str(installed[-1])


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1_000_000:.0f} MB" if size >= 1_000_000 else f"{max(1, size // 1000)} kB"
