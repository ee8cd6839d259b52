"""`make mutants`: breaks the product in one line at a time, in a copy, and sees whether the tests notice."""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "instance", "__pycache__", "screens", ".*_cache")


@dataclass(frozen=True)
class Mutant:
    """One breakage: a line that stands once in a file, what it becomes, and the tests that have to fail."""

    name: str
    file: str
    original: str
    broken: str
    tests: str


def read_mutants() -> list[Mutant]:
    rows = yaml.safe_load((PROJECT / "tests" / "mutants.yml").read_text())
    return [Mutant(row["name"], row["file"], row["from"], row["to"], row["tests"]) for row in rows]


def is_noticed(mutant: Mutant, copy: Path) -> bool:
    path = copy / mutant.file
    whole = path.read_text()
    if whole.count(mutant.original) != 1:
        raise SystemExit(
            f"{mutant.name}: its line stands {whole.count(mutant.original)} times in {mutant.file}."
        )
    path.write_text(whole.replace(mutant.original, mutant.broken))
    try:
        command = [sys.executable, "-m", "pytest", mutant.tests, "-q", "-x", "-p", "no:cacheprovider"]
        return subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 1
    finally:
        path.write_text(whole)


def main() -> int:
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(PROJECT, copy, ignore=LEFT_OUT)
        for mutant in read_mutants():
            noticed = is_noticed(mutant, copy)
            sys.stdout.write(f"{'noticed' if noticed else 'MISSED '}  {mutant.name}\n")
            missed += [] if noticed else [mutant.name]
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
