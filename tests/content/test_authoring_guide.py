"""docs/authoring.md documents every key that an author may write, and no other."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from icbt_support.programme import content, files

GUIDE = Path(__file__).parents[2] / "docs" / "authoring.md"
SECTIONS: dict[str, type[BaseModel]] = {
    "## programme.yml": files.ProgrammeFile,
    "### Each of `sources`": content.Source,
    "## module.yml": files.ModuleFile,
    "### Each of `sessions`": content.Session,
    "### Each of `practice`": content.Practice,
    "## A page": files.PageFile,
    "### `exercise`": content.Exercise,
    "## tools/NAME.yml": content.Tool,
    "### Each of `fields` and `afterwards`": content.ToolField,
    "### `compare`": content.Compare,
    "### Each of `nodes`": content.Node,
    "### Each of `ends`": content.End,
    "## measures/NAME.yml": content.Measure,
    "### Each of `options`": content.Option,
    "### Each of `bands`": content.Band,
}


def rows_of(heading: str) -> dict[str, str]:
    """Key to whether it is needed, from the table under a heading."""
    text = GUIDE.read_text(encoding="utf-8")
    section = re.split(r"^#{2,3} ", text.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", section, flags=re.MULTILINE))


def test_every_kind_of_content_has_its_section() -> None:
    models = {
        model
        for module in (content, files)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, content.Content) and model is not content.Content
    }
    assert set(SECTIONS.values()) == models


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_guide_lists_the_keys_of_the_files(heading: str) -> None:
    fields = SECTIONS[heading].model_fields
    needed = {field.alias or name: field.is_required() for name, field in fields.items()}
    rows = rows_of(heading)
    assert list(rows) == list(needed)
    assert {key for key, word in rows.items() if word.strip() == "yes"} == {k for k, v in needed.items() if v}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_says_what_is_expected(heading: str) -> None:
    for name, field in SECTIONS[heading].model_fields.items():
        assert field.description, name
