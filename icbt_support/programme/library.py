"""Every programme that this installation has: loaded once at start, looked up by name and version."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from icbt_support.programme.content import Programme
from icbt_support.programme.loader import ProgrammeReader
from icbt_support.programme.mistakes import BrokenContent, ContentMistake, Weight

LIBRARY = Path(__file__).parent / "library"
_programmes: Mapping[tuple[str, str], Programme] = MappingProxyType({})
_extra_path: Path | None = None


class UnknownProgramme(LookupError):
    """No loaded programme has this name and version."""


def load_library(extra_path: Path | None = None) -> Mapping[str, Programme]:
    """Loads our own programmes and those of `extra_path`, for `programmes` and `find_programme`.

    Raises `BrokenContent` with every mistake at once; what was loaded before then stays.
    """
    global _programmes, _extra_path
    readers = read_folders(LIBRARY, extra_path)
    mistakes = [m for m in all_mistakes(readers, LIBRARY, extra_path) if m.weight is Weight.MISTAKE]
    if mistakes:
        raise BrokenContent(mistakes)
    loaded = {
        (reader.programme.slug, reader.programme.version): reader.programme
        for reader in readers
        if reader.programme is not None
    }
    _programmes = MappingProxyType(loaded)
    _extra_path = extra_path
    return programmes()


def programmes() -> Mapping[str, Programme]:
    """The newest version of each programme, by name."""
    newest: dict[str, Programme] = {}
    for (slug, _version), programme in sorted(_programmes.items(), key=lambda item: _order(item[0][1])):
        newest[slug] = programme
    return MappingProxyType(newest)


def find_programme(slug: str, version: str) -> Programme:
    """Raises `UnknownProgramme`. An enrolment pins a version: its folder stays while anybody uses it."""
    try:
        return _programmes[(slug, version)]
    except KeyError as error:
        raise UnknownProgramme(f"There is no programme {slug} in version {version}.") from error


def loaded_paths() -> tuple[Path, ...]:
    """The folders that the last `load_library` looked into."""
    return (LIBRARY,) if _extra_path is None else (LIBRARY, _extra_path)


def read_folders(*paths: Path | None) -> list[ProgrammeReader]:
    """Reads each folder that holds a programme.yml: a given folder itself, or those directly in it."""
    return [ProgrammeReader(folder) for path in paths if path is not None for folder in _folders(path)]


def all_mistakes(readers: list[ProgrammeReader], *paths: Path | None) -> list[ContentMistake]:
    """What is wrong in the programmes read from `paths`, and between them."""
    mistakes = [
        ContentMistake(path, 1, "", "expected a programme.yml here or in a folder of this folder.")
        for path in paths
        if path is not None and not _folders(path)
    ]
    mistakes += [mistake for reader in readers for mistake in reader.mistakes]
    seen: dict[tuple[str, str], Path] = {}
    for reader in readers:
        if reader.programme is None:
            continue
        key = (reader.programme.slug, reader.programme.version)
        if key in seen:
            words = f"{seen[key]} holds {key[0]} in version {key[1]} already: give this one another version."
            mistakes.append(ContentMistake(reader.folder / "programme.yml", 1, "version", words))
        seen.setdefault(key, reader.folder)
    return mistakes


def _folders(path: Path) -> list[Path]:
    if (path / "programme.yml").exists():
        return [path]
    return sorted(file.parent for file in path.glob("*/programme.yml"))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
