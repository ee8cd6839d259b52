"""The version that a report carries is the one that the package and the changelog name."""

import tomllib

from icbt_support.settings import PRODUCT_VERSION, PROJECT


def test_the_version_is_one_everywhere() -> None:
    package = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    newest = next(
        line for line in (PROJECT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")
    )
    assert package["version"] == PRODUCT_VERSION
    assert newest.split()[1] == PRODUCT_VERSION
