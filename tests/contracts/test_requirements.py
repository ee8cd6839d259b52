"""What `make run` installs is one release of every package, with the hashes of its files."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==([^\s;]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return {package.lower(): release for package, release in PIN.findall((PROJECT / name).read_text())}


def test_what_is_asked_for_is_what_is_installed() -> None:
    assert pins("requirements.in").items() <= pins("requirements.txt").items()


def test_every_file_that_is_installed_is_known_by_its_hash() -> None:
    packages = re.split(r"\n(?=[a-z])", (PROJECT / "requirements.txt").read_text())[1:]
    assert len(packages) == len(pins("requirements.txt"))
    assert [one for one in packages if "==" not in one or "--hash=sha256:" not in one] == []
