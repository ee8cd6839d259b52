"""Our own programme: whole, the right length, in plain words, with its questionnaires verbatim."""

import re

import pytest

from icbt_support.programme.checks import check_content
from icbt_support.programme.content import ExerciseKind, FieldKind, Flow, Module, Page
from icbt_support.programme.library import LIBRARY, load_library, programmes
from icbt_support.programme.rules import FEWEST_WORDS, MOST_WORDS

load_library()
PROGRAMME = programmes()["low-mood"]
PAGES = [(module, page) for module in PROGRAMME.modules for page in module.pages]
PAGE_NAMES = [f"{module.slug}/{page.slug}" for module, page in PAGES]
AVOIDED = re.compile(r"\b(should|failed|failure|overdue|streaks?|invalid|oops|suicid\w*)\b", re.IGNORECASE)


def words(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_there_is_nothing_to_mend() -> None:
    assert check_content(LIBRARY) == []


def test_it_has_eight_modules_in_order() -> None:
    assert [module.slug for module in PROGRAMME.modules] == [
        "getting-started",
        "understanding-low-mood",
        "doing-more",
        "noticing-thoughts",
        "testing-thoughts",
        "managing-worry",
        "solving-problems",
        "keeping-well",
    ]


@pytest.mark.parametrize("module", PROGRAMME.modules, ids=lambda module: module.slug)
def test_a_module_is_whole(module: Module) -> None:
    assert len(module.pages) >= 6
    assert 2 <= len(module.sessions) <= 3
    assert 1 <= len(module.practice) <= 2
    assert 3 <= len(module.summary) <= 5
    assert module.aim.startswith("By the end you")
    assert "<blockquote>" in module.pages[0].html or "Robin" in module.pages[0].html
    assert any(page.exercise for page in module.pages)


@pytest.mark.parametrize(("module", "page"), PAGES, ids=PAGE_NAMES)
def test_a_page_is_one_screen_in_plain_words(module: Module, page: Page) -> None:
    count = len(words(page.html).split())
    assert FEWEST_WORDS <= count <= MOST_WORDS
    assert AVOIDED.findall(words(page.html)) == []


def test_the_story_is_told_in_every_module() -> None:
    for module in PROGRAMME.modules:
        assert any("Robin" in page.html for page in module.pages), module.slug


def test_the_safety_page_names_the_ways_to_help() -> None:
    page = PROGRAMME.module("getting-started").page("staying-safe")
    assert "Get help now" in page.html
    assert "999" in page.html


def test_minutes_of_pages_fit_the_session() -> None:
    for module in PROGRAMME.modules:
        for session in module.sessions:
            total = sum(module.page(slug).minutes for slug in session.pages)
            assert abs(total - session.minutes) <= 4, f"{module.slug}/{session.slug}: {total}"


def test_every_kind_of_exercise_and_every_flow_of_tool_is_used() -> None:
    kinds = {exercise.kind for module in PROGRAMME.modules for exercise in module.exercises()}
    assert kinds == set(ExerciseKind)
    assert {tool.flow for tool in PROGRAMME.tools.values()} == set(Flow)


def test_the_tools_are_those_of_the_product() -> None:
    tools = PROGRAMME.tools
    assert list(tools) == ["mood-diary", "activity-plan", "thought-record", "worry-tree", "safety-plan"]
    assert [tool.shared_by_default for tool in tools.values()] == [True, True, True, True, False]
    assert tools["mood-diary"].field("mood").kind is FieldKind.FACES
    assert tools["activity-plan"].field("outcome").choices == ("Done", "Changed", "Not this time")
    assert tools["thought-record"].compare is not None
    assert tools["safety-plan"].one_entry


def test_the_phq_9_stands_as_printed() -> None:
    """Spitzer, Kroenke, Williams and colleagues; thresholds: NHS Talking Therapies manual."""
    phq_9 = PROGRAMME.measures["phq-9"]
    assert phq_9.stem == (
        "Over the last 2 weeks, how often have you been bothered by any of the following problems?"
    )
    assert phq_9.items == (
        "Little interest or pleasure in doing things",
        "Feeling down, depressed, or hopeless",
        "Trouble falling or staying asleep, or sleeping too much",
        "Feeling tired or having little energy",
        "Poor appetite or overeating",
        "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
        "Trouble concentrating on things, such as reading the newspaper or watching television",
        "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so "
        "fidgety or restless that you have been moving around a lot more than usual",
        "Thoughts that you would be better off dead or of hurting yourself in some way",
    )
    assert (phq_9.maximum, phq_9.caseness, phq_9.reliable_change, phq_9.risk_item) == (27, 10, 6, 9)


def test_the_gad_7_stands_as_printed() -> None:
    """Spitzer, Kroenke, Williams and colleagues; thresholds: NHS Talking Therapies manual."""
    gad_7 = PROGRAMME.measures["gad-7"]
    assert gad_7.items == (
        "Feeling nervous, anxious or on edge",
        "Not being able to stop or control worrying",
        "Worrying too much about different things",
        "Trouble relaxing",
        "Being so restless that it is hard to sit still",
        "Becoming easily annoyed or irritable",
        "Feeling afraid as if something awful might happen",
    )
    assert (gad_7.maximum, gad_7.caseness, gad_7.reliable_change, gad_7.risk_item) == (21, 8, 4, None)


@pytest.mark.parametrize("measure", PROGRAMME.measures.values(), ids=PROGRAMME.measures)
def test_answers_are_those_of_the_measures(measure: object) -> None:
    assert [(option.value, option.label) for option in measure.options] == [  # type: ignore[attr-defined]
        (0, "Not at all"),
        (1, "Several days"),
        (2, "More than half the days"),
        (3, "Nearly every day"),
    ]
