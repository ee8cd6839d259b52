"""The order of the modules from here on, a slower pace, how changes are said, and how a letter reads."""

from dataclasses import replace
from datetime import date, time

import pytest

from icbt_support.plan.models import ItemKind
from icbt_support.plan.rules import CheckInChoice, ChosenTime, StepChoice, propose_week, with_its_minutes
from icbt_support.programme.library import load_library
from icbt_support.reviews.course import (
    CourseChanges,
    change_sentences,
    following_module,
    modules_after,
    weeks_in_all,
    without_first,
)
from icbt_support.reviews.drafts import draft_content, letter_of_draft
from icbt_support.reviews.readability import reading_of, reading_words
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    LetterIncomplete,
    LetterSection,
    check_letter,
    default_opening,
    opening_options,
    opens_module,
)
from tests.rules.test_reviews_letter import LETTER, NEXT, TODAY

PROGRAMME = load_library()["low-mood"]
AHEAD = ["managing-worry", "doing-more", "managing-worry"]


def test_a_person_without_an_order_of_their_own_follows_the_programme() -> None:
    following = following_module(PROGRAMME, "doing-more", None)
    assert following is PROGRAMME.next_module("doing-more")
    assert modules_after(PROGRAMME, "solving-problems", None) == ("keeping-well",)
    assert weeks_in_all(PROGRAMME, 3, None) == len(PROGRAMME.modules)
    assert weeks_in_all(PROGRAMME, 3, AHEAD) == 6


def test_ones_own_order_is_followed_place_by_place_with_an_extra_module() -> None:
    assert default_opening(PROGRAMME, "doing-more", was_opened=True, ahead=AHEAD) == "module:managing-worry"
    left = without_first(AHEAD, "managing-worry")
    assert left == ("doing-more", "managing-worry")
    assert without_first(left, "keeping-well") == left
    assert modules_after(PROGRAMME, "managing-worry", AHEAD) == left
    assert modules_after(PROGRAMME, "keeping-well", AHEAD) == tuple(AHEAD)


def test_at_the_end_of_ones_own_order_comes_the_last_review() -> None:
    assert default_opening(PROGRAMME, "doing-more", was_opened=True, ahead=[]) == LAST_REVIEW
    assert default_opening(PROGRAMME, "doing-more", was_opened=False, ahead=[]) == "module:doing-more"


def test_a_module_that_follows_itself_is_offered_once() -> None:
    values = [option.value for option in opening_options(PROGRAMME, "doing-more", ["doing-more"])]
    assert len(values) == len(set(values))


def test_changes_are_said_to_the_patient_in_sentences() -> None:
    changes = CourseChanges(14, 1, ("managing-worry", "doing-more"))
    titles = [PROGRAMME.module(slug).title for slug in ("managing-worry", "doing-more")]
    assert change_sentences(changes, PROGRAMME) == (
        "From now on we go every two weeks.",
        "From now on we go more slowly: a week holds one session, and a module can take longer.",
        f"After the next module, this comes: {titles[0]}, then {titles[1]}.",
    )
    assert change_sentences(CourseChanges(7, 0, ()), PROGRAMME) == (
        "From now on we go every week.",
        "From now on a week holds all the sessions of its module.",
        "No other module comes after the next one.",
    )
    assert change_sentences(CourseChanges(), PROGRAMME) == ()


def test_a_draft_holds_every_change_and_what_the_step_uses() -> None:
    changed = replace(
        LETTER,
        step=replace(LETTER.step, subject="tool:thought-record"),
        changes=CourseChanges(14, 0, ()),
        phrases=(3, 7),
    )
    assert letter_of_draft(draft_content(changed)) == changed


@pytest.mark.parametrize(
    ("letter", "field", "words"),
    [
        (
            replace(LETTER, sections=(LetterSection("What I noticed", "Good: [what you noticed]."),)),
            "sections",
            "Fill in [what you noticed] in “What I noticed”, or take it out.",
        ),
        (
            replace(LETTER, step=replace(LETTER.step, why="{score_change} and [why]")),
            "step_why",
            "Fill in {score_change} and [why] in “Why it helps”, or take them out.",
        ),
    ],
)
def test_a_letter_with_a_gap_is_refused_and_the_gap_is_named(letter, field, words) -> None:  # noqa: ANN001
    with pytest.raises(LetterIncomplete) as refused:
        check_letter(letter, today=TODAY, next_review_on=NEXT, merge_under_days=3, is_late_follow=False)
    assert [(one.field, one.words) for one in refused.value.problems] == [(field, words)]


def test_a_slower_pace_plans_the_next_unread_session_alone() -> None:
    module = PROGRAMME.module("doing-more")
    week = {
        "opens_on": date(2026, 11, 19),
        "review_on": date(2026, 11, 26),
        "session_times": [ChosenTime(0, time(19)), ChosenTime(1, time(19))],
        "check_in": CheckInChoice(),
    }

    def sessions(**changes: object) -> list[str]:
        items = propose_week(module, **week, **changes)
        return [item.title for item in items if item.kind is ItemKind.SESSION]

    first, second = (session.title for session in module.sessions)
    assert sessions() == [first, second]
    assert sessions(sessions_a_week=1) == [first]
    assert sessions(sessions_a_week=1, sessions_read={module.sessions[0].slug}) == [second]


def test_a_step_takes_as_long_as_what_it_uses() -> None:
    step = StepChoice("Write one down", "it helps", date(2026, 11, 22))
    tool, module = PROGRAMME.tools["thought-record"], PROGRAMME.module("doing-more")
    page = module.pages[0]
    for subject, minutes in (
        ("tool:thought-record", tool.minutes),
        (f"page:doing-more/{page.slug}", page.minutes),
        ("module:doing-more", module.minutes),
        ("tool:gone", step.minutes),
        ("", step.minutes),
    ):
        assert with_its_minutes(replace(step, subject=subject), PROGRAMME).minutes == minutes
    assert opens_module("x") == "module:x"


# How a letter reads -------------------------------------------------------------------------------

PLAIN = "You went for a walk on Sunday. The day began low. You did it even so. I am glad you told me. " * 3
HARD = (
    "Notwithstanding considerable heterogeneity, contemporaneous investigations demonstrate that behavioural "
    "activation interventions facilitate comprehensive symptomatic amelioration among individuals experiencing "
    "persistent symptomatology, particularly when implemented collaboratively within multidisciplinary services."
) * 2


def test_short_words_and_sentences_read_younger_than_long_ones() -> None:
    plain, hard = reading_of(PLAIN), reading_of(HARD)
    assert plain.words == 66
    assert plain.age < 9
    assert hard.age > 15


def test_length_age_and_minutes_are_said_in_one_line() -> None:
    assert (
        reading_words(PLAIN)
        == f"About 70 words · reads at about age {reading_of(PLAIN).age} · a 1-minute read"
    )
    assert reading_words(PLAIN * 4).endswith("· a 2-minute read")
    assert reading_words(HARD).split(" · ")[1] == "reads at about age 18 or older"


@pytest.mark.parametrize(
    ("words", "line"), [("", ""), ("…!\n", ""), ("Well done.", "2 words · a 1-minute read")]
)
def test_too_few_words_have_no_age(words: str, line: str) -> None:
    assert reading_words(words) == line
