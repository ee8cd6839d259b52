"""The house keeps its floors: no import of our own code inside a function, none behind TYPE_CHECKING."""

import ast
import subprocess
import sys
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
