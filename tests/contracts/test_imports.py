"""The house keeps its floors: no import of our own code inside a function, none behind TYPE_CHECKING."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MODULES = sorted((PROJECT / "icbt_support").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "services", "extensions"}


def is_ours(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").startswith("icbt_support")
    return isinstance(node, ast.Import) and any(name.name.startswith("icbt_support") for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_our_imports_stand_at_the_top_of_the_module(path: Path) -> None:
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    hidden = [node.lineno for node in ast.walk(tree) if is_ours(node) and node not in top]
    assert hidden == []


def test_no_module_is_a_drawer_for_anything() -> None:
    names = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}
    assert names & FORBIDDEN_NAMES == set()


def test_the_floors_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([lint, "--no-cache"], cwd=PROJECT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_the_floors_are_drawn_as_they_are() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kept = [{name.strip() for name in layer.split("|")} for layer in contracts[0]["layers"]]
    drawing = (PROJECT / "docs" / "architecture.md").read_text().split("```")[1]
    assert floors_of(drawing) == kept


def floors_of(drawing: str) -> list[set[str]]:
    """A line that begins with `|` goes on with the floor above it; words begin where two blanks stand."""
    floors: list[set[str]] = []
    for line in drawing.strip().splitlines():
        names = {name.strip() for name in line.split("  ")[0].split("|")}
        if line.startswith("  | "):
            names = {name.strip() for name in line[4:].split("  ")[0].split("|")}
            floors[-1] |= names
        elif not line.startswith(" "):
            floors.append(names)
    return floors
