"""A programme's folder to frozen objects, with every mistake in it collected on the way."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from icbt_support.markdown import render_markdown
from icbt_support.programme.content import Content, Measure, Module, Page, Programme, Tool
from icbt_support.programme.documents import Document, UnreadableFile, read_page, read_yaml
from icbt_support.programme.files import ModuleFile, PageFile, ProgrammeFile
from icbt_support.programme.mistakes import (
    ContentMistake,
    Weight,
    mistake_at,
    repeated_key_mistakes,
    shape_mistakes,
)
from icbt_support.programme.rules import (
    Finding,
    check_exercise,
    check_length,
    check_markdown,
    check_measure,
    check_module,
    check_tool,
)

_NUMBERED = re.compile(r"^([0-9]{2})-([a-z0-9]+(?:-[a-z0-9]+)*)$")
Shape = TypeVar("Shape", bound=Content)


class ProgrammeReader:
    """Reads one folder. `programme` is None when a mistake stands in the way; `mistakes` holds them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[ContentMistake] = []
        self.programme = self._read()

    def _read(self) -> Programme | None:
        found = self._shape(self.folder / "programme.yml", ProgrammeFile, read_yaml)
        if found is None:
            self.mistakes.sort()
            return None
        document, file = found
        tools = self._tools(file.tools, document)
        measures = self._measures(file.check_in, document)
        modules = self._modules(file, document)
        self.mistakes.sort()
        if any(mistake.weight is Weight.MISTAKE for mistake in self.mistakes):
            return None
        return Programme(
            slug=file.slug,
            version=file.version,
            title=file.title,
            summary=file.summary,
            audience=file.audience,
            not_for=file.not_for,
            modules=tuple(modules),
            tools=MappingProxyType({slug: tools[slug] for slug in file.tools}),
            measures=MappingProxyType(measures),
            check_in=file.check_in,
            sources=file.sources,
        )

    def _shape(
        self, path: Path, shape: type[Shape], read: Callable[[Path], Document]
    ) -> tuple[Document, Shape] | None:
        try:
            document = read(path)
        except UnreadableFile as error:
            self.mistakes.append(ContentMistake(path, error.line, "", error.words))
            return None
        self.mistakes += repeated_key_mistakes(document)
        try:
            return document, shape.model_validate(document.values)
        except ValidationError as error:
            self.mistakes += shape_mistakes(document, error, shape)
            return None

    def _add(self, document: Document, findings: Iterable[Finding]) -> None:
        self.mistakes += [mistake_at(document, path, expected) for path, expected in findings]

    # Tools and measures -------------------------------------------------------------------------------------

    def _tools(self, listed: tuple[str, ...], programme: Document) -> dict[str, Tool]:
        tools = {}
        for path in self._listed_files("tools", listed, programme, must_be_listed=True):
            found = self._shape(path, Tool, read_yaml)
            if found:
                document, tool = found
                self._add(document, check_tool(tool, listed))
                self._slug_is(document, tool.slug, path.stem)
                tools[path.stem] = tool
        return tools

    def _measures(self, listed: tuple[str, ...], programme: Document) -> dict[str, Measure]:
        measures = {}
        for path in self._listed_files("measures", listed, programme, must_be_listed=False):
            found = self._shape(path, Measure, read_yaml)
            if found:
                document, measure = found
                self._add(document, check_measure(measure))
                self._slug_is(document, measure.slug, path.stem)
                measures[path.stem] = measure
        return measures

    def _listed_files(
        self, part: str, listed: tuple[str, ...], programme: Document, *, must_be_listed: bool
    ) -> list[Path]:
        key = "tools" if part == "tools" else "check_in"
        files = sorted((self.folder / part).glob("*.yml"))
        names = [path.stem for path in files]
        for position, slug in enumerate(listed):
            if slug in listed[:position]:
                self._add(programme, [((key, position), f"{slug} is in the list twice.")])
            elif slug not in names:
                self._add(programme, [((key, position), f"expected a file {part}/{slug}.yml.")])
        if must_be_listed:
            self.mistakes += [
                ContentMistake(path, 1, "", f"programme.yml does not list {path.stem} under {key}.")
                for path in files
                if path.stem not in listed
            ]
        return files

    # Modules and pages --------------------------------------------------------------------------------------

    def _modules(self, file: ProgrammeFile, programme: Document) -> list[Module]:
        folders = self._numbered(
            path
            for path in sorted((self.folder / "modules").glob("*"))
            if path.is_dir() and _is_visible(path)
        )
        for position, slug in enumerate(file.modules):
            if slug in file.modules[:position]:
                self._add(programme, [(("modules", position), f"{slug} is in the list twice.")])
            elif slug not in folders:
                self._add(programme, [(("modules", position), f"expected a folder modules/NN-{slug}.")])
        for slug, path in folders.items():
            if slug not in file.modules:
                self.mistakes.append(
                    ContentMistake(
                        path / "module.yml", 1, "", f"programme.yml does not list {slug} under modules."
                    )
                )
        if set(folders) == set(file.modules) and tuple(folders) != file.modules:
            self._add(
                programme,
                [(("modules",), f"expected the order of the folders' numbers: {', '.join(folders)}.")],
            )
        modules = [self._module(slug, path, file.tools) for slug, path in folders.items()]
        return [
            replace(module, number=number) for number, module in enumerate(filter(None, modules), start=1)
        ]

    def _numbered(self, paths: Iterable[Path]) -> dict[str, Path]:
        """Slug to path, in the order of the numbers in front of the names."""
        named = {}
        for path in paths:
            match = _NUMBERED.match(path.stem)
            if match is None:
                words = "expected a name like 01-getting-started: two digits, a hyphen and lower-case words."
                self.mistakes.append(ContentMistake(path, 1, "", words))
            elif match[2] in named:
                self.mistakes.append(ContentMistake(path, 1, "", f"{match[2]} has another number already."))
            else:
                named[match[2]] = path
        return named

    def _module(self, slug: str, folder: Path, tools: tuple[str, ...]) -> Module | None:
        paths = self._numbered(sorted(folder.glob("*.md")))
        pages = [self._page(page, path, tools) for page, path in paths.items()]
        found = self._shape(folder / "module.yml", ModuleFile, read_yaml)
        self._exercise_keys_differ(list(filter(None, pages)), paths)
        if found is None:
            return None
        document, module = found
        self._slug_is(document, module.slug, slug)
        self._add(document, check_module(module, list(paths), tools))
        return Module(
            slug=slug,
            number=0,
            title=module.title,
            aim=module.aim,
            minutes=module.minutes,
            sessions=module.sessions,
            practice=module.practice,
            pages=tuple(filter(None, pages)),
            summary=module.summary,
        )

    def _page(self, slug: str, path: Path, tools: tuple[str, ...]) -> Page | None:
        found = self._shape(path, PageFile, read_page)
        if found is None:
            return None
        document, page = found
        if page.exercise is not None:
            self._add(
                document,
                [(("exercise", *where), words) for where, words in check_exercise(page.exercise, tools)],
            )
        self.mistakes += [
            ContentMistake(path, document.body_line + row, "", words)
            for row, words in check_markdown(document.body)
        ]
        length = check_length(document.body)
        if length is not None:
            self.mistakes.append(ContentMistake(path, document.body_line, "", length, Weight.WARNING))
        return Page(slug, page.title, page.minutes, render_markdown(document.body), page.exercise)

    def _exercise_keys_differ(self, pages: list[Page], paths: dict[str, Path]) -> None:
        seen: dict[str, str] = {}
        for page in pages:
            if page.exercise is None:
                continue
            if page.exercise.key in seen:
                document = read_page(paths[page.slug])
                words = f"{seen[page.exercise.key]} has an exercise with this key already."
                self._add(document, [(("exercise", "key"), words)])
            seen.setdefault(page.exercise.key, page.slug)

    def _slug_is(self, document: Document, slug: str, expected: str) -> None:
        if slug != expected:
            self._add(
                document,
                [(("slug",), f"expected {expected}, the name of the file or folder, found '{slug}'.")],
            )


def _is_visible(path: Path) -> bool:
    return not path.name.startswith((".", "_"))
