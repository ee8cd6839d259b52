"""An author's mistakes: each is named with its file, line, key and what was expected, all of them at once."""

import shutil
from pathlib import Path

import pytest

from icbt_support.programme.checks import check_content
from icbt_support.programme.library import LIBRARY
from icbt_support.programme.mistakes import Weight

MODULE = "modules/01-getting-started"
PAGE = f"{MODULE}/01-meet-robin.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of *Low mood*, to be broken."""
    return Path(shutil.copytree(LIBRARY / "low-mood", tmp_path / "low-mood"))


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Changes the first place where `old` stands; gives its line."""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def found(folder: Path) -> list[tuple[str, int, str, str]]:
    """Mistakes, without warnings, as (file, line, key, expected)."""
    return [
        (mistake.file.relative_to(folder).as_posix(), mistake.line, mistake.key, mistake.expected)
        for mistake in check_content(folder)
        if mistake.weight is Weight.MISTAKE
    ]


def test_the_copy_has_no_mistakes(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "expected"),
    [
        (
            f"{MODULE}/module.yml",
            "    minutes: 8",
            "    minuts: 8",
            "sessions[1].minuts",
            "there is no such key here. Did you mean minutes?",
        ),
        (
            f"{MODULE}/module.yml",
            "minutes: 16",
            "minutes: ten",
            "minutes",
            "expected a whole number of minutes, 1 to 240, found 'ten'.",
        ),
        (
            f"{MODULE}/module.yml",
            "slug: getting-started",
            "slug: starting",
            "slug",
            "expected getting-started, the name of the file or folder, found 'starting'.",
        ),
        (
            f"{MODULE}/module.yml",
            "minutes: 16",
            "minutes: 17",
            "minutes",
            "expected the sum of the sessions, 16, found 17.",
        ),
        (
            f"{MODULE}/module.yml",
            "tool: mood-diary",
            "tool: mood-dairy",
            "practice[1].tool",
            "programme.yml lists no tool called mood-dairy.",
        ),
        (
            "programme.yml",
            'version: "1.0"',
            "version: 1.0",
            "version",
            'expected a number in quotes, like "1.0", found 1.0.',
        ),
        (
            "programme.yml",
            "title: Low mood",
            "title: Low mood\nflavour: mint",
            "flavour",
            "there is no such key here. The keys here are slug, version, title, summary, audience, not_for, "
            "modules, tools, check_in, sources.",
        ),
        ("programme.yml", "  - phq-9", "  - phq-8", "check_in[1]", "expected a file measures/phq-8.yml."),
        (
            PAGE,
            "  kind: long_text",
            "  kind: essay",
            "exercise.kind",
            "expected one of text, long_text, choice, scale, found 'essay'.",
        ),
        (
            PAGE,
            "  key: what-brought-you",
            "  key: What brought you",
            "exercise.key",
            "expected a name that no other exercise of the module has, found 'What brought you'.",
        ),
        (
            "tools/thought-record.yml",
            "    max: 100",
            "    max: 50",
            "fields[3].max",
            "expected 10 or 100, found 50.",
        ),
        (
            "tools/mood-diary.yml",
            "heading: doing",
            "heading: done",
            "heading",
            "expected the key of one of the fields, found 'done'.",
        ),
        (
            "tools/worry-tree.yml",
            "    no: plan-it",
            "    no: plan-that",
            "nodes[2].no",
            "there is no node and no end called plan-that.",
        ),
        (
            "tools/worry-tree.yml",
            "start: can-do",
            "start: begin",
            "start",
            "expected the key of one of the nodes, found begin.",
        ),
        ("measures/phq-9.yml", "risk_item: 9", "risk_item: 10", "risk_item", "there are 9 items."),
        (
            "measures/gad-7.yml",
            "{ from: 5, to: 9",
            "{ from: 6, to: 9",
            "bands[2].from",
            "expected 5, where the band before it ends.",
        ),
    ],
)
def test_a_slip_is_named_with_its_line_and_what_was_expected(
    folder: Path, name: str, old: str, new: str, key: str, expected: str
) -> None:
    line = change(folder, name, old, new) + new.count("\n")
    assert (name, line, key, expected) in found(folder)


def test_a_missing_key_is_named_at_the_place_where_it_belongs(folder: Path) -> None:
    line = change(folder, f"{MODULE}/module.yml", "    title: How this works\n", "")
    expected = "this key is missing: expected a short title."
    assert found(folder) == [(f"{MODULE}/module.yml", line - 1, "sessions[1].title", expected)]


def test_a_key_written_twice_is_named(folder: Path) -> None:
    line = change(folder, f"{MODULE}/module.yml", "minutes: 16", "minutes: 9\nminutes: 16")
    expected = "this key is written twice: keep one."
    assert found(folder) == [(f"{MODULE}/module.yml", line + 1, "minutes", expected)]


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    change(folder, f"{MODULE}/module.yml", "aim: By the end", "aims: By the end")
    change(folder, PAGE, "minutes: 2", "minutes: two")
    change(folder, "tools/safety-plan.yml", "icon: shield", "icon: heart")
    change(folder, "measures/gad-7.yml", "caseness: 8", "caseness: 80")
    keys = {(name, key) for name, _line, key, _expected in found(folder)}
    assert keys >= {
        (f"{MODULE}/module.yml", "aims"),
        (f"{MODULE}/module.yml", "aim"),
        (PAGE, "minutes"),
        ("tools/safety-plan.yml", "icon"),
        ("measures/gad-7.yml", "caseness"),
    }


def test_a_line_reads_as_file_line_key_and_expectation(folder: Path) -> None:
    change(folder, "tools/safety-plan.yml", "icon: shield", "icon: heart")
    mistakes = [str(mistake) for mistake in check_content(folder)]
    assert mistakes == [
        f"{folder}/tools/safety-plan.yml, line 3: icon: expected one of mood, plan, thought, tree, shield, "
        "found 'heart'."
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: [a\nminutes: 2", 2, "This is not YAML"),
        ("a: &x 1\nb: *x", 2, "References"),
        ("", 1, "Nothing is written here"),
        ("a:\n  b: \x07", 2, "control character"),
        ("- just\n- a list", 1, "expected keys and values"),
        ("a: 2026-13-45\nb: !!python/object:os.system x", 2, "This is not YAML"),
    ],
)
def test_a_file_that_is_no_yaml_says_where(folder: Path, text: str, line: int, words: str) -> None:
    (folder / "tools" / "safety-plan.yml").write_text(text, encoding="utf-8")
    name, at, _key, expected = next(item for item in found(folder) if item[0].startswith("tools"))
    assert (name, at) == ("tools/safety-plan.yml", line)
    assert words in expected


def test_a_file_in_another_encoding_is_named(folder: Path) -> None:
    (folder / PAGE).write_bytes("---\ntitle: Café\n".encode("latin-1"))
    assert (PAGE, 1, "", "This file is not UTF-8 text.") in found(folder)


@pytest.mark.parametrize("text", ["# No front matter", "---\ntitle: Never closed\n"])
def test_a_page_without_its_top_is_named(folder: Path, text: str) -> None:
    (folder / PAGE).write_text(text, encoding="utf-8")
    assert [item for item in found(folder) if item[0] == PAGE]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>bold</b>", "HTML is shown as plain letters: write Markdown."),
        ("![a cat](cat.png)", "pictures are not shown: take the picture out."),
        ("# Big", "the page has its title already: begin a heading inside it with ##."),
        (
            "[x](javascript:alert(1))",
            "a link leads to https://… or to a page of ours like /help-now, found 'javascript:alert(1'.",
        ),
        (
            "[x](//evil.example)",
            "a link leads to https://… or to a page of ours like /help-now, found '//evil.example'.",
        ),
    ],
)
def test_what_a_page_would_not_show_is_named_with_its_line(folder: Path, text: str, expected: str) -> None:
    line = change(folder, PAGE, "You will meet Robin", f"{text}\n\nYou will meet Robin")
    assert found(folder) == [(PAGE, line, "", expected)]


def test_a_page_in_no_session_in_two_or_without_a_file_is_named(folder: Path) -> None:
    name = f"{MODULE}/module.yml"
    change(folder, name, "[meet-robin, a-week-here,", "[meet-robin, meet-robin, no-such-page,")
    words = {expected for file, _line, _key, expected in found(folder) if file == name}
    assert words == {
        "meet-robin is in a session already: each page is in exactly one.",
        "there is no page called no-such-page: expected a file NN-no-such-page.md.",
        "the page a-week-here is in no session: each page is in exactly one.",
    }


def test_folders_and_the_list_of_modules_agree(folder: Path) -> None:
    (folder / "modules" / "08-keeping-well").rename(folder / "modules" / "08-staying-well")
    (folder / "modules" / "nine").mkdir()
    words = {expected for _file, _line, _key, expected in found(folder)}
    assert "expected a folder modules/NN-keeping-well." in words
    assert "programme.yml does not list staying-well under modules." in words
    assert "expected a name like 01-getting-started: two digits, a hyphen and lower-case words." in words


def test_files_out_of_order_are_named(folder: Path) -> None:
    (folder / "modules" / "01-getting-started").rename(folder / "modules" / "09-getting-started")
    assert any(
        words.startswith("expected the order of the folders' numbers") for *_rest, words in found(folder)
    )


def test_a_tool_that_is_not_listed_is_named(folder: Path) -> None:
    shutil.copy(folder / "tools" / "safety-plan.yml", folder / "tools" / "spare.yml")
    assert ("tools/spare.yml", 1, "", "programme.yml does not list spare under tools.") in found(folder)


def test_two_exercises_with_one_key_are_named(folder: Path) -> None:
    name = f"{MODULE}/02-a-week-here.md"
    line = change(folder, name, "key: good-time", "key: what-brought-you")
    assert found(folder) == [
        (name, line, "exercise.key", "meet-robin has an exercise with this key already.")
    ]


def test_branches_of_a_tree_that_join_or_turn_back_are_named(folder: Path) -> None:
    change(folder, "tools/worry-tree.yml", "    yes: act-now", "    yes: can-do")
    words = {expected for _file, _line, _key, expected in found(folder)}
    assert words == {
        "more than one answer leads here: the branches of a tree do not join.",
        "nothing leads here.",
    }


def test_a_short_page_is_a_warning(folder: Path) -> None:
    (folder / PAGE).write_text("---\ntitle: Meet Robin\nminutes: 2\n---\nOnly this.\n", encoding="utf-8")
    mistakes = check_content(folder)
    assert [(m.weight, m.line, m.expected) for m in mistakes] == [
        (Weight.WARNING, 5, "a page reads best with 150 to 250 words; this one has 2.")
    ]


def test_a_folder_without_a_programme_is_named(tmp_path: Path) -> None:
    mistakes = check_content(tmp_path)
    assert [mistake.expected for mistake in mistakes] == [
        "expected a programme.yml here or in a folder of this folder."
    ]
