"""What a file has to say beyond its shape: pure functions give the key at fault and what was expected."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator

from icbt_support.markdown import render_markdown
from icbt_support.programme.content import (
    FACE_COUNT,
    LARGEST_SCALE,
    Answer,
    Exercise,
    ExerciseKind,
    FieldKind,
    Flow,
    Measure,
    Session,
    Tool,
    ToolField,
)
from icbt_support.programme.documents import KeyPath
from icbt_support.programme.files import ModuleFile

Finding = tuple[KeyPath, str]
FEWEST_WORDS, MOST_WORDS = 150, 250
_TAG = re.compile(r"<[^>]+>")
_RAW_HTML = re.compile(r"</?[a-zA-Z][^>\n]*>")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)?")
_FIRST_HEADING = re.compile(r"^#\s")
_LINK = re.compile(r"\]\(\s*<?([^)\s>]*)")
_UNSAFE_START = ("//", "/\\")


def word_count(markdown: str) -> int:
    """The words that a reader sees."""
    return len(_TAG.sub(" ", str(render_markdown(markdown))).split())


def check_length(markdown: str) -> str | None:
    words = word_count(markdown)
    if FEWEST_WORDS <= words <= MOST_WORDS:
        return None
    return f"a page reads best with {FEWEST_WORDS} to {MOST_WORDS} words; this one has {words}."


def check_markdown(markdown: str) -> Iterator[tuple[int, str]]:
    """Pairs of the row (from 0) and what was expected, for what would not be shown as it was written."""
    for row, text in enumerate(markdown.split("\n")):
        if _RAW_HTML.search(text):
            yield row, "HTML is shown as plain letters: write Markdown."
        if _IMAGE.search(text):
            yield row, "pictures are not shown: take the picture out."
        if _FIRST_HEADING.match(text):
            yield row, "the page has its title already: begin a heading inside it with ##."
        for address in _LINK.findall(_IMAGE.sub("", text)):
            if not _is_safe_address(address):
                yield (
                    row,
                    f"a link leads to https://… or to a page of ours like /help-now, found '{address}'.",
                )


def _is_safe_address(address: str) -> bool:
    return address.startswith(("https://", "/")) and not address.startswith(_UNSAFE_START)


def check_exercise(exercise: Exercise, tools: Container[str]) -> Iterator[Finding]:
    yield from _choices_and_ends(exercise, exercise.kind is ExerciseKind.SCALE)
    if exercise.kind is ExerciseKind.CHOICE:
        yield from _enough_choices(exercise.choices)
    elif exercise.choices:
        yield ("choices",), "choices belong to kind choice only."
    if exercise.tool is not None and exercise.tool not in tools:
        yield ("tool",), f"programme.yml lists no tool called {exercise.tool}."


def _choices_and_ends(box: Exercise | ToolField, is_scale: bool) -> Iterator[Finding]:
    for key, words in (("low", box.low), ("high", box.high)):
        if is_scale and words is None:
            yield (key,), "a scale needs words for both ends: low and high."
        if not is_scale and words is not None:
            yield (key,), f"{key} belongs to kind scale only."


def _enough_choices(choices: tuple[str, ...]) -> Iterator[Finding]:
    if len(choices) < 2:
        yield ("choices",), "expected a list of two or more answers."
    yield from (
        (("choices", position), "this answer is in the list twice.") for position in _repeats(choices)
    )


def check_module(module: ModuleFile, pages: list[str], tools: Container[str]) -> Iterator[Finding]:
    """`pages` are the names of the module's page files, in the order of their numbers."""
    yield from _pages_in_sessions(module.sessions, pages)
    for position in _repeats([session.slug for session in module.sessions]):
        yield ("sessions", position, "slug"), "another session of this module has this name."
    for position in _repeats([task.slug for task in module.practice]):
        yield ("practice", position, "slug"), "another practice task of this module has this name."
    for position, task in enumerate(module.practice):
        if task.tool is not None and task.tool not in tools:
            yield ("practice", position, "tool"), f"programme.yml lists no tool called {task.tool}."
    total = sum(session.minutes for session in module.sessions)
    if total != module.minutes:
        yield ("minutes",), f"expected the sum of the sessions, {total}, found {module.minutes}."


def _pages_in_sessions(sessions: tuple[Session, ...], pages: list[str]) -> Iterator[Finding]:
    listed = [
        (number, position, page)
        for number, session in enumerate(sessions)
        for position, page in enumerate(session.pages)
    ]
    names = [page for _number, _position, page in listed]
    for index in _repeats(names):
        number, position, page = listed[index]
        yield (
            ("sessions", number, "pages", position),
            f"{page} is in a session already: each page is in exactly one.",
        )
    for number, position, page in listed:
        if page not in pages:
            yield (
                ("sessions", number, "pages", position),
                f"there is no page called {page}: expected a file NN-{page}.md.",
            )
    for page in pages:
        if page not in names:
            yield ("sessions",), f"the page {page} is in no session: each page is in exactly one."
    in_both = [page for page in names if page in pages]
    if len(set(in_both)) == len(pages) and in_both != pages:
        yield ("sessions",), f"expected the order of the files' numbers: {', '.join(pages)}."


def check_tool(tool: Tool, tools: Container[str]) -> Iterator[Finding]:
    for part, fields in (("fields", tool.fields), ("afterwards", tool.afterwards)):
        for position, field in enumerate(fields):
            for path, words in _check_field(field):
                yield (part, position, *path), words
    keys = [field.key for field in tool.all_fields]
    for index in _repeats([*keys, *(node.key for node in tool.nodes), *(end.key for end in tool.ends)]):
        yield _part_at(tool, index), "another part of this tool has this key."
    if tool.heading not in [field.key for field in tool.fields]:
        yield ("heading",), f"expected the key of one of the fields, found '{tool.heading}'."
    yield from _check_compare(tool)
    yield from _check_tree(tool, tools) if tool.flow is Flow.TREE else _no_tree(tool)


def _check_field(field: ToolField) -> Iterator[Finding]:
    is_scale = field.kind is FieldKind.SCALE
    yield from _choices_and_ends(field, is_scale)
    if is_scale and field.max not in (None, 10, LARGEST_SCALE):
        yield ("max",), f"expected 10 or 100, found {field.max}."
    if not is_scale and field.max is not None:
        yield ("max",), "max belongs to kind scale only."
    if field.kind is FieldKind.CHOICE:
        yield from _enough_choices(field.choices)
    elif field.kind is FieldKind.FACES:
        if len(field.choices) != FACE_COUNT:
            yield ("choices",), "expected a list of five words, from the lowest mood to the highest."
    elif field.choices:
        yield ("choices",), "choices belong to the kinds choice and faces only."


def _check_compare(tool: Tool) -> Iterator[Finding]:
    if tool.compare is None:
        return
    scales = {field.key: field.maximum for field in tool.all_fields if field.kind is FieldKind.SCALE}
    for key in ("before", "after"):
        named = getattr(tool.compare, key)
        if named not in scales:
            yield ("compare", key), f"expected the key of a field of kind scale, found '{named}'."
    if tool.compare.before == tool.compare.after:
        yield ("compare", "after"), "expected another field than before."
    elif scales.get(tool.compare.before, 0) != scales.get(tool.compare.after, 0) and not (
        {tool.compare.before, tool.compare.after} - set(scales)
    ):
        yield ("compare",), "the two scales have the same highest number, 10 or 100."


def _no_tree(tool: Tool) -> Iterator[Finding]:
    for key, value in (("nodes", tool.nodes), ("ends", tool.ends), ("start", tool.start)):
        if value:
            yield (key,), f"{key} belongs to flow tree only."


def _check_tree(tool: Tool, tools: Container[str]) -> Iterator[Finding]:
    keys = {node.key for node in tool.nodes} | {end.key for end in tool.ends}
    if tool.node(tool.start or "") is None:
        yield ("start",), f"expected the key of one of the nodes, found {tool.start or 'nothing'}."
    if not tool.ends:
        yield ("ends",), "expected one end or more."
    for position, node in enumerate(tool.nodes):
        for answer in Answer:
            if node.next_key(answer) not in keys:
                words = f"there is no node and no end called {node.next_key(answer)}."
                yield ("nodes", position, answer.value), words
    for position, end in enumerate(tool.ends):
        if end.tool is not None and end.tool not in tools:
            yield ("ends", position, "tool"), f"programme.yml lists no tool called {end.tool}."
    yield from _check_notes(tool)
    yield from _check_branches(tool)


def _check_notes(tool: Tool) -> Iterator[Finding]:
    fields = {field.key for field in tool.fields}
    notes = [(("nodes", position, "note"), node.note) for position, node in enumerate(tool.nodes)]
    notes += [(("ends", position, "note"), end.note) for position, end in enumerate(tool.ends)]
    for path, note in notes:
        if note is not None and note not in fields:
            yield path, f"there is no field called {note}."
    if not tool.opening_fields:
        yield ("fields",), "expected a field that is asked before the first question."


def _check_branches(tool: Tool) -> Iterator[Finding]:
    """Every part of the tree is reached by one way only, so that no path comes back to where it was."""
    ways: Counter[str] = Counter({tool.start: 1} if tool.start else {})
    for node in tool.nodes:
        ways.update((node.yes, node.no))
    parts = [(("nodes", position, "key"), node.key) for position, node in enumerate(tool.nodes)]
    parts += [(("ends", position, "key"), end.key) for position, end in enumerate(tool.ends)]
    for path, key in parts:
        if ways[key] == 0:
            yield path, "nothing leads here."
        elif ways[key] > 1:
            yield path, "more than one answer leads here: the branches of a tree do not join."


def check_measure(measure: Measure) -> Iterator[Finding]:
    values = [option.value for option in measure.options]
    for position in _repeats(values):
        yield ("options", position, "value"), "another answer has this value."
    if measure.risk_item is not None and measure.risk_item > len(measure.items):
        yield ("risk_item",), f"there are {len(measure.items)} items."
    for key in ("caseness", "reliable_change"):
        if getattr(measure, key) > measure.maximum:
            yield (key,), f"the highest total is {measure.maximum}."
    yield from _check_bands(measure)


def _check_bands(measure: Measure) -> Iterator[Finding]:
    expected = 0
    for position, band in enumerate(measure.bands):
        if band.from_total != expected:
            yield ("bands", position, "from"), f"expected {expected}, where the band before it ends."
        if band.to_total < band.from_total:
            yield ("bands", position, "to"), f"expected {band.from_total} or more."
        expected = band.to_total + 1
    if expected != measure.maximum + 1:
        yield ("bands",), f"expected bands up to the highest total, {measure.maximum}."


def _repeats(values: Iterable[object]) -> Iterator[int]:
    """The positions of values that stood earlier in the list."""
    seen: set[object] = set()
    for position, value in enumerate(values):
        if value in seen:
            yield position
        seen.add(value)


def _part_at(tool: Tool, index: int) -> KeyPath:
    """Where the part stands that is the `index`th of fields, afterwards, nodes and ends together."""
    for name in ("fields", "afterwards", "nodes", "ends"):
        length = len(getattr(tool, name))
        if index < length:
            return (name, index, "key")
        index -= length
    raise IndexError(index)
