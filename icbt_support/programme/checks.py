"""Checking an author's files without loading them."""

from pathlib import Path

from icbt_support.programme.library import all_mistakes, loaded_paths, read_folders
from icbt_support.programme.mistakes import ContentMistake


def check_content(path: Path | None = None) -> list[ContentMistake]:
    """Everything to mend in the programme at `path`, or in every programme in that folder; warnings too.

    Without a path: our own library, and the folder that was loaded beside it at the start.
    """
    paths = loaded_paths() if path is None else (path,)
    return all_mistakes(read_folders(*paths), *paths)
