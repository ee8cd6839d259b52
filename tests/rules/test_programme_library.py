"""The library: loaded once, frozen, found by name and version, never half loaded."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from icbt_support.programme.content import Answer
from icbt_support.programme.library import (
    LIBRARY,
    UnknownProgramme,
    find_programme,
    load_library,
    programmes,
)
from icbt_support.programme.mistakes import BrokenContent


@pytest.fixture(autouse=True)
def _library() -> Iterator[None]:
    load_library()
    yield
    load_library()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A service's folder with a programme of its own."""
    shutil.copytree(LIBRARY / "low-mood", tmp_path / "sleeping-better")
    give(tmp_path / "sleeping-better", "slug: low-mood", "slug: sleeping-better")
    return tmp_path


def give(folder: Path, old: str, new: str) -> None:
    file = folder / "programme.yml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def test_our_programme_is_there() -> None:
    assert list(programmes()) == ["low-mood"]
    assert find_programme("low-mood", "1.0").title == "Low mood"


def test_a_service_adds_its_own_programme(own: Path) -> None:
    assert set(load_library(own)) == {"low-mood", "sleeping-better"}


def test_old_versions_stay_and_the_newest_is_the_one_for_new_people(own: Path) -> None:
    shutil.copytree(own / "sleeping-better", own / "sleeping-better-2")
    give(own / "sleeping-better-2", 'version: "1.0"', 'version: "1.10"')
    load_library(own)
    assert programmes()["sleeping-better"].version == "1.10"
    assert find_programme("sleeping-better", "1.0").version == "1.0"


def test_one_version_twice_is_refused(own: Path) -> None:
    shutil.copytree(own / "sleeping-better", own / "copy")
    with pytest.raises(
        BrokenContent, match=r"programme\.yml, line 1: version: .*give this one another version"
    ):
        load_library(own)


def test_a_broken_programme_stops_the_start_and_leaves_what_was_loaded(own: Path) -> None:
    give(own / "sleeping-better", "title: Low mood", "titel: Low mood")
    with pytest.raises(BrokenContent, match="Did you mean title?"):
        load_library(own)
    assert list(programmes()) == ["low-mood"]


def test_an_unknown_version_is_refused_by_name() -> None:
    with pytest.raises(UnknownProgramme, match="no programme low-mood in version 9"):
        find_programme("low-mood", "9")


def test_nothing_in_a_programme_can_be_changed() -> None:
    programme = find_programme("low-mood", "1.0")
    with pytest.raises(ValidationError):
        programme.measures["phq-9"].caseness = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        programme.tools["x"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        programme.title = "Other"  # type: ignore[misc]


def test_modules_and_pages_know_their_neighbours() -> None:
    programme = find_programme("low-mood", "1.0")
    first, last = programme.modules[0], programme.modules[-1]
    assert programme.next_module(first.slug) is programme.modules[1]
    assert programme.next_module(last.slug) is None
    assert programme.next_module("nowhere") is None
    assert first.page_after(first.pages[0].slug) is first.pages[1]
    assert first.page_after(first.pages[-1].slug) is None
    assert first.page_before(first.pages[0].slug) is None
    assert first.session_of("a-goal-of-your-own").slug == "what-you-want"


def test_a_tree_follows_its_answers() -> None:
    tree = find_programme("low-mood", "1.0").tools["worry-tree"]
    node = tree.node("can-do")
    assert node.next_key(Answer.NO) == "let-be"
    assert [field.key for field in tree.opening_fields] == ["worry"]


@pytest.mark.parametrize(
    ("total", "label"),
    [(0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
     (15, "moderately severe"), (19, "moderately severe"), (20, "severe"), (27, "severe")],
)  # fmt: skip
def test_bands_of_the_phq_9(total: int, label: str) -> None:
    """Kroenke, Spitzer & Williams 2001."""
    assert find_programme("low-mood", "1.0").measures["phq-9"].band_of(total).label == label


@pytest.mark.parametrize(
    ("total", "label"),
    [(0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
     (15, "severe"), (21, "severe")],
)  # fmt: skip
def test_bands_of_the_gad_7(total: int, label: str) -> None:
    """Spitzer, Kroenke, Williams & Löwe 2006."""
    assert find_programme("low-mood", "1.0").measures["gad-7"].band_of(total).label == label


@pytest.mark.parametrize("total", [-1, 28])
def test_a_total_that_cannot_be_has_no_band(total: int) -> None:
    with pytest.raises(ValueError, match="no band"):
        find_programme("low-mood", "1.0").measures["phq-9"].band_of(total)
